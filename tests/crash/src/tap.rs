//! The tap: it stands between the handlers and the outside, counts every call, and lets one of them be a worker's last.

mod vendors;

use crate::{chance::Chance, sabotage::Reading};
use async_trait::async_trait;
use bridge::{
    intercom_message::Conversation,
    ports::{Queue, QueueError, QueueMessage},
};
use bridgectl::stage::{POISONED, Ports};
use mapping::{Item, Key, Range, Store, StoreError, Timestamp, Write, WriteError};
use simulators::SimClock;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, task};
use vendors::READS;
pub(crate) use vendors::{MAY_BE_LATE, SEND};

/// How a worker ends at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It dies just before the call.
    Before,
    /// It dies just after the call.
    After,
    /// The call happens and its answer is lost; the worker lives on.
    AnswerLost,
    /// Nobody waits for the answer any more when the call happens, half a minute later; the worker lives on.
    Late,
}

/// Where a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// At which call, counted from 0.
    pub at: usize,
    /// How.
    pub mode: Mode,
}

/// A call that was made.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Which.
    pub name: &'static str,
    worker: Option<task::Id>,
    /// The same worker made the call before it, and nothing happened between the two.
    pub(crate) goes_on: bool,
}

impl Call {
    /// Whether it leaves everything as it is.
    pub(crate) fn reads(self) -> bool {
        READS.contains(&self.name)
    }

    /// Who answers a webhook sends one message and has then answered, and whoever plays the scene does more than call.
    fn may_go_on(self) -> bool {
        self.worker.is_some() && !self.name.starts_with("queue")
    }
}

/// Where workers end.
enum Ends {
    Never,
    At(Crash),
    ByChance { chance: Chance, in_a_thousand: u64 },
}

impl Ends {
    fn mode(&mut self, at: usize) -> Option<Mode> {
        match self {
            Self::Never => None,
            Self::At(crash) => (crash.at == at).then_some(crash.mode),
            Self::ByChance { chance, in_a_thousand } => {
                let modes = [(1, Mode::Before), (1, Mode::After), (1, Mode::AnswerLost)];
                let ends = chance.happens(*in_a_thousand);
                ends.then(|| chance.one_of(&modes).copied()).flatten()
            }
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How much later a late call happens: shorter than any look for it.
const LATE: Duration = Duration::from_secs(30);

/// A scene takes about a hundred calls; one that makes so many would go on for days.
const MOST_CALLS: usize = 1500;

type LateCall = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Counts the calls, and ends workers at some of them.
pub(crate) struct Tap {
    clock: SimClock,
    player: Option<task::Id>,
    calls: Mutex<Vec<Call>>,
    ends: Mutex<Ends>,
    ended: Mutex<Vec<Crash>>,
    reading: Option<Reading>,
    // By when they are due.
    late: Mutex<Vec<(i64, LateCall)>>,
    out_of_hand: Notify,
}

impl Tap {
    pub(crate) fn new(clock: SimClock, crash: Option<Crash>, reading: Option<Reading>) -> Arc<Self> {
        Self::with(clock, crash.map_or(Ends::Never, Ends::At), reading)
    }

    /// Ends a worker at so many of a thousand calls.
    pub(crate) fn by_chance(clock: SimClock, chance: Chance, in_a_thousand: u64) -> Arc<Self> {
        Self::with(clock, Ends::ByChance { chance, in_a_thousand }, None)
    }

    fn with(clock: SimClock, ends: Ends, reading: Option<Reading>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            player: task::try_id(),
            calls: Mutex::default(),
            ends: Mutex::new(ends),
            ended: Mutex::default(),
            reading,
            late: Mutex::default(),
            out_of_hand: Notify::new(),
        })
    }

    /// No worker ends any more.
    pub(crate) fn relent(&self) {
        *lock(&self.ends) = Ends::Never;
    }

    /// Where workers have ended so far.
    pub(crate) fn ended(&self) -> Vec<Crash> {
        lock(&self.ended).clone()
    }

    /// Ends when there were far more calls than any scene needs, whatever dies in it.
    pub(crate) async fn out_of_hand(&self) {
        self.out_of_hand.notified().await;
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    /// A conversation as it is read, which a sabotage may change.
    fn read(&self, mut conversation: Conversation) -> Conversation {
        if let Some(reading) = self.reading {
            reading(&mut conversation, Timestamp::from_millis(self.clock.now_ms()));
        }
        conversation
    }

    /// Puts the tap around what the handlers reach the outside through.
    pub(crate) fn around(self: &Arc<Self>, ports: Ports) -> Ports {
        let queue = |name, queue| {
            Arc::new(Tapped {
                tap: Arc::clone(self),
                to: Named { name, queue },
            }) as Arc<dyn Queue>
        };
        Ports {
            store: Arc::new(Tapped {
                tap: Arc::clone(self),
                to: ports.store,
            }),
            helpdesk: Arc::new(Tapped {
                tap: Arc::clone(self),
                to: ports.helpdesk,
            }),
            messenger: Arc::new(Tapped {
                tap: Arc::clone(self),
                to: ports.messenger,
            }),
            queues: bridge::Queues {
                inbound: queue("queue inbound", ports.queues.inbound),
                outbound: queue("queue outbound", ports.queues.outbound),
                inbound_dead: queue("queue inbound dead", ports.queues.inbound_dead),
                outbound_dead: queue("queue outbound dead", ports.queues.outbound_dead),
            },
        }
    }

    async fn enter(&self, name: &'static str) -> Option<Mode> {
        self.catch_up().await;
        let mut calls = lock(&self.calls);
        let worker = task::try_id().filter(|worker| Some(*worker) != self.player);
        let goes_on = calls
            .last()
            .is_some_and(|before: &Call| before.may_go_on() && before.worker == worker);
        calls.push(Call { name, worker, goes_on });
        if calls.len() == MOST_CALLS {
            self.out_of_hand.notify_one();
        }
        let at = calls.len() - 1;
        let mode = lock(&self.ends).mode(at)?;
        lock(&self.ended).push(Crash { at, mode });
        Some(mode)
    }

    fn later(&self, call: impl Future<Output = ()> + Send + 'static) {
        let due = self.clock.now_ms() + i64::try_from(LATE.as_millis()).unwrap_or(i64::MAX);
        let mut late = lock(&self.late);
        late.push((due, Box::pin(call)));
    }

    /// When the next late call is due, in milliseconds.
    pub(crate) fn late_call_due(&self) -> Option<i64> {
        lock(&self.late).iter().map(|(due, _)| *due).min()
    }

    /// Lets the late calls happen that are due.
    pub(crate) async fn catch_up(&self) {
        let now_ms = self.clock.now_ms();
        let due = |call: &mut (i64, LateCall)| call.0 <= now_ms;
        let late: Vec<_> = {
            let mut late = lock(&self.late);
            late.extract_if(.., due).collect()
        };
        for (_, call) in late {
            call.await;
        }
    }
}

/// What a worker says when it dies here.
pub(crate) const LAST_WORDS: &str = "a crash point";

/// Lets workers die without a word; every other panic is as loud as ever.
pub fn be_quiet_about_crashes() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str();
        if words != Some(LAST_WORDS) && words != Some(POISONED) {
            loud(panic);
        }
    }));
}

struct Tapped<T> {
    tap: Arc<Tap>,
    to: T,
}

struct Named {
    name: &'static str,
    queue: Arc<dyn Queue>,
}

macro_rules! call {
    ($self:ident, $mode:expr, $call:expr, $lost:expr) => {
        match $mode {
            None => $call.await,
            Some(Mode::Before) => std::panic::panic_any(crate::tap::LAST_WORDS),
            Some(Mode::After) => {
                drop($call.await);
                std::panic::panic_any(crate::tap::LAST_WORDS)
            }
            Some(Mode::AnswerLost | Mode::Late) => {
                drop($call.await);
                Err($lost)
            }
        }
    };
}

use call;

fn unreachable_store() -> StoreError {
    StoreError::Unavailable("the answer was lost".into())
}

#[async_trait]
impl Store for Tapped<Arc<dyn Store>> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        call!(
            self,
            self.tap.enter("store get").await,
            self.to.get(keys),
            unreachable_store()
        )
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        call!(
            self,
            self.tap.enter("store list").await,
            self.to.list(range),
            unreachable_store()
        )
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        call!(
            self,
            self.tap.enter("store write").await,
            self.to.write(writes),
            WriteError::Store(unreachable_store())
        )
    }
}

#[async_trait]
impl Queue for Tapped<Named> {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let lost = QueueError::Unavailable("the answer was lost".into());
        call!(
            self,
            self.tap.enter(self.to.name).await,
            self.to.queue.send(message),
            lost
        )
    }
}
