//! A chaos run from its beginning to its judgement.

use super::{
    arrivals::Arrivals,
    faults::{IN_THE_OUTAGE, Trouble},
    judgement::{self, Found},
    plan::{Deed, Plan, Size, Vendor},
    report::{DEEDS, Report},
    world::{Answered, CORRECTION, Said, World},
};
use crate::{chance::Chance, run::is_in_the_window, sabotage::Sabotage, scene::MORNING_MS, tap::Tap};
use bridgectl::stage::{Ports, Setting, Wrap};
use simulators::{
    SimClock,
    telegram::{Call, Outcome},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A chaos run to be.
#[derive(Clone, Copy)]
pub struct Chaos {
    /// What chance begins from: the same seed and size, the same run.
    pub seed: u64,
    /// How much there is of everything.
    pub size: Size,
    /// What of the bridge is broken on purpose, to see the run notice.
    pub sabotage: Option<&'static Sabotage>,
}

/// At so many of a thousand calls through a port a worker dies or its answer is lost.
const ENDS: u64 = 3;

/// How long (real time) a call may take before it is given up: what is never answered costs that, each time.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);

const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// Sweeps of a world in which nothing goes wrong any more.
const LAST_SWEEPS: usize = 4;

/// Runs it, and tells how many messages there were so far, now and then.
pub async fn run(chaos: Chaos, progress: impl Fn(usize)) -> anyhow::Result<Report> {
    let mut running = Running::begin(chaos).await?;
    for deed in Plan::new(chaos.seed, chaos.size) {
        running.act(deed).await?;
        progress(running.world.messages());
        if running.world.messages() >= chaos.size.messages {
            break;
        }
    }
    running.calm_down().await?;
    let mut report = running.report(chaos.seed).await?;
    let expected = Trouble::to_be_expected(report.calls);
    report.unexercised = report.never(chaos.size.delete_topics, &expected);
    Ok(report)
}

struct Running {
    world: World,
    tap: Arc<Tap>,
    arrivals: Arrivals,
    telegram: Trouble,
    intercom: Trouble,
    began_ms: i64,
    next_sweep_ms: i64,
    swept: usize,
    closed: usize,
    redelivered: usize,
}

impl Running {
    async fn begin(chaos: Chaos) -> anyhow::Result<Self> {
        let clock = SimClock::manual(MORNING_MS);
        let tap = Tap::by_chance(clock.clone(), Chance::new(chaos.seed, 5), ENDS);
        let arrivals = Arrivals::default();
        let (tapping, watching) = (Arc::clone(&tap), arrivals.clone());
        let wrap: Wrap = Arc::new(move |mut ports: Ports| {
            ports.queues.outbound = watching.watch(ports.queues.outbound);
            let broken = chaos
                .sabotage
                .map_or_else(|| ports.clone(), |sabotage| (sabotage.wrap)(ports.clone()));
            tapping.around(broken)
        });
        let setting = Setting {
            seed: chaos.seed,
            wrap: Some(wrap),
            look_after: chaos.sabotage.and_then(|sabotage| sabotage.look_after),
            call_timeout: Some(CALL_TIMEOUT),
            ..Setting::default()
        };
        let world = World::new(chaos.seed, chaos.size, clock.clone(), setting).await?;
        let vendors = &world.stage.vendors;
        Ok(Self {
            telegram: Trouble::begin(chaos.seed, Vendor::Telegram, vendors.telegram.faults(), &clock),
            intercom: Trouble::begin(chaos.seed, Vendor::Intercom, vendors.intercom.faults(), &clock),
            began_ms: clock.now_ms(),
            next_sweep_ms: clock.now_ms(),
            world,
            tap,
            arrivals,
            swept: 0,
            closed: 0,
            redelivered: 0,
        })
    }

    async fn act(&mut self, deed: Deed) -> anyhow::Result<()> {
        let vendors = &self.world.stage.vendors;
        match deed {
            Deed::Write { topic, who, ok } => self.world.write(topic, who, ok),
            Deed::Show {
                topic,
                customer,
                photos,
            } => self.world.show(topic, customer, photos),
            Deed::Correct { topic } => self.world.correct(topic),
            Deed::Answer { topic, agent, how } => self.world.answer(topic, agent, how),
            Deed::TakeBack { topic } => self.world.take_back(topic),
            Deed::Close { topic } => self.closed += usize::from(self.world.close(topic)),
            Deed::DeleteTopic { topic } => self.world.delete(topic),
            Deed::Redeliver { update } => {
                vendors.telegram.redeliver(FIRST_UPDATE.saturating_add_unsigned(update));
                self.redelivered += 1;
            }
            Deed::LoseWebhookAnswers { times } => vendors.telegram.lose_webhook_answers(times),
            Deed::Notify { late, never } => vendors.intercom.configure(|options| {
                options.notification_delay = late;
                options.lose_notifications = never;
            }),
            Deed::Outage(Vendor::Telegram) => self.telegram.outage(),
            Deed::Outage(Vendor::Intercom) => self.intercom.outage(),
            Deed::Rush => self.world.stage.settle_now().await?,
            Deed::Pass(time) => self.pass(time).await?,
        }
        Ok(())
    }

    /// Time passes, and what is due in it happens, sweeps too.
    async fn pass(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = self.now_ms() + millis(time);
        while self.next_sweep_ms <= end {
            self.pass_until(self.next_sweep_ms).await?;
            self.sweep().await;
            self.next_sweep_ms += millis(SWEEP_EVERY);
        }
        self.pass_until(end).await
    }

    async fn pass_until(&self, end_ms: i64) -> anyhow::Result<()> {
        let left = u64::try_from(end_ms - self.now_ms()).unwrap_or_default();
        self.world.stage.settle_within(Duration::from_millis(left)).await?;
        self.world.stage.vendors.clock.advance_to(end_ms);
        self.world.stage.settle_now().await
    }

    /// A sweep that dies or stops is followed by the next.
    async fn sweep(&mut self) {
        let machine = Arc::clone(&self.world.stage.machine);
        let swept = tokio::spawn(async move { machine.sweep().await }).await;
        self.swept += swept.ok().and_then(Result::ok).map_or(0, |swept| swept.missed);
    }

    /// Nothing goes wrong any more, and what is left is carried.
    async fn calm_down(&mut self) -> anyhow::Result<()> {
        let vendors = &self.world.stage.vendors;
        vendors.telegram.faults().clear();
        vendors.intercom.faults().clear();
        vendors.telegram.lose_webhook_answers(0);
        vendors.intercom.lose_notifications(false);
        self.tap.relent();
        for _ in 0..LAST_SWEEPS {
            self.world.stage.settle().await?;
            self.pass(SWEEP_EVERY).await?;
        }
        self.world.stage.settle().await?;
        self.world.look_around();
        Ok(())
    }

    async fn report(&self, seed: u64) -> anyhow::Result<Report> {
        let (calls, ended) = (self.tap.calls(), self.tap.ended());
        let in_the_window = |crash: &&crate::Crash| is_in_the_window(&calls, **crash);
        let windows = ended.iter().filter(in_the_window).count();
        let Found { wrong, doubled } = judgement::judge(&self.world, &self.arrivals, windows).await?;
        let (telegram, mut struck) = self.telegram.told();
        let (intercom, more) = self.intercom.told();
        let outages = [&struck, &more].map(|struck| struck.get(IN_THE_OUTAGE).copied().unwrap_or(0));
        for (kind, count) in more {
            *struck.entry(kind).or_default() += count;
        }
        let places = self.world.topics.iter().map(|topic| topic.places.len() - 1);
        Ok(Report {
            seed,
            said: self.world.said.len(),
            answered: self.world.answered.len(),
            calls: telegram + intercom,
            struck,
            port_calls: calls.len(),
            ended: ended.len(),
            windows,
            lost_notifications: self.world.stage.vendors.intercom.lost(),
            swept: self.swept,
            outages,
            deeds: self.deeds(),
            doubled,
            moved_topics: places.sum(),
            lasted: Duration::from_millis(u64::try_from(self.now_ms() - self.began_ms).unwrap_or_default()),
            wrong,
            unexercised: Vec::new(),
        })
    }

    /// What was done, by the names that the report has for it.
    fn deeds(&self) -> BTreeMap<&'static str, usize> {
        let (said, answered) = (&self.world.said, &self.world.answered);
        let said = |is: &dyn Fn(&Said) -> bool| said.iter().filter(|said| is(said)).count();
        let answered = |is: fn(&Answered) -> bool| answered.iter().filter(|answer| is(answer)).count();
        let by_staff = |said: &Said| said.who == self.world.sam;
        let calls = self.world.stage.vendors.telegram.calls();
        let is_deletion = |call: &&Call| call.method == "deleteMessage" && matches!(call.outcome, Outcome::Done(_));
        let counted = [
            said(&|said| !by_staff(said)),
            said(&by_staff),
            said(&|said| said.text == "ok"),
            said(&|said| said.text.ends_with(" files")),
            said(&|said| said.text.starts_with(CORRECTION)),
            answered(|answer| answer.photos == 0 && answer.lines.len() > 1),
            answered(|answer| answer.photos > 0),
            answered(|answer| answer.closes),
            answered(|answer| answer.taken_back),
            calls.iter().filter(is_deletion).count(),
            self.closed,
            self.redelivered,
        ];
        DEEDS.into_iter().zip(counted).collect()
    }

    fn now_ms(&self) -> i64 {
        self.world.stage.vendors.clock.now_ms()
    }
}

/// The id of the simulator's first update.
const FIRST_UPDATE: i64 = 700_000_001;

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
