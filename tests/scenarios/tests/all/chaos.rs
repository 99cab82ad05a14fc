//! Everything goes wrong at any time, by chance that comes again with its seed.

use scenarios::{Scene, World};
use simulators::{Fault, telegram::Place};
use std::time::Duration;

/// A small generator of chance, so that a seed means the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn fault(&mut self) -> Fault {
        match self.below(8) {
            0 => Fault::Refuse(500),
            1 => Fault::Refuse(503),
            2 => Fault::TooManyRequests(Duration::from_secs(1 + self.below(30))),
            3 => Fault::FailAfter(500),
            4 => Fault::FailAfter(504),
            5 => Fault::CutBefore,
            6 => Fault::Garble,
            _ => Fault::LoseAnswer,
        }
    }
}

struct Play {
    world: World,
    chance: Chance,
    topics: Vec<Place>,
    said: Vec<Vec<String>>,
    answered: Vec<Vec<String>>,
}

const TOPICS: usize = 3;

impl Play {
    async fn begin(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let before = chance.below(2) == 0;
        let world = Scene::new().await.with_sam_as_admin().open().await;
        world
            .telegram()
            .duplicate_updates(1 + u32::try_from(chance.below(2)).unwrap());
        world.intercom().configure(|options| {
            options.notify_before_answer = before;
            options.duplicates = usize::try_from(chance.below(2)).unwrap();
        });
        let topics = (0..TOPICS).map(|number| world.topic(&format!("Topic {number}")));
        Self {
            topics: topics.collect(),
            world,
            chance,
            said: vec![Vec::new(); TOPICS],
            answered: vec![Vec::new(); TOPICS],
        }
    }

    async fn act(&mut self, step: usize) {
        for _ in 0..self.chance.below(3) {
            let fault = self.chance.fault();
            self.world.intercom().faults().arm("*", fault, 1);
        }
        if self.chance.below(3) == 0 {
            let fault = self.chance.fault();
            self.world.telegram().faults().arm("*", fault, 1);
        }
        if self.chance.below(6) == 0 {
            self.world.telegram().lose_webhook_answers(1);
        }
        let at = usize::try_from(self.chance.below(TOPICS as u64)).unwrap();
        match self.chance.below(8) {
            0..=2 => self.says(at, step, "Maria Lopez"),
            3..=4 => self.says(at, step, "Ken"),
            // In a topic without conversation staff are not carried, so they answer where there is one.
            5 if self.conversation(at).is_some() => self.says(at, step, "Sam Hill"),
            _ => self.answers(at, step),
        }
        match self.chance.below(4) {
            0 => self.world.settle().await,
            1 => self.world.passes(Duration::from_secs(self.chance.below(90))).await,
            2 => self.world.stage.settle_now().await.unwrap(),
            _ => {}
        }
    }

    fn says(&mut self, at: usize, step: usize, name: &str) {
        let who = match name {
            "Ken" => self.world.ken,
            "Sam Hill" => self.world.sam,
            _ => self.world.maria,
        };
        let text = format!("line {step}");
        self.world.writes(who, self.topics[at], &text);
        self.said[at].push(format!("{name}: {text}"));
    }

    fn answers(&mut self, at: usize, step: usize) {
        if let Some(conversation) = self.conversation(at) {
            let text = format!("answer {step}");
            let anna = &self.world.anna;
            self.world.intercom().agent_replies(&conversation, anna, &text);
            self.answered[at].push(text);
        }
    }

    fn conversation(&self, at: usize) -> Option<String> {
        self.world
            .conversation_in(self.topics[at])
            .map(|conversation| conversation.id)
    }

    /// Everything arrived, once in Intercom, at least once in Telegram, in order.
    async fn end(self, seed: u64) {
        let world = self.world;
        world.settle().await;
        world.intercom().faults().clear();
        world.telegram().faults().clear();
        let used = self.said.iter().filter(|said| !said.is_empty()).count();
        assert_eq!(world.conversations(), used, "seed {seed}: {:?}", world.inbox());
        for (at, place) in self.topics.iter().enumerate() {
            let arrived = world
                .agent_sees_in(*place)
                .into_iter()
                .filter(|line| !line.starts_with("Anna Weber"));
            let arrived: Vec<String> = arrived.map(|line| without_time(&line)).collect();
            assert_eq!(arrived, self.said[at], "seed {seed}, topic {at}");
            let mut told: Vec<String> = world
                .customer_is_told(*place)
                .iter()
                .filter_map(|text| text.lines().last().map(str::to_owned))
                .collect();
            told.dedup();
            assert_eq!(told, self.answered[at], "seed {seed}, topic {at}");
        }
        world.finish().await;
    }
}

/// What arrives long after it was written says when that was.
fn without_time(line: &str) -> String {
    match (line.split_once(": Written "), line.rsplit_once('\n')) {
        (Some((name, _)), Some((_, text))) => format!("{name}: {text}"),
        _ => line.to_owned(),
    }
}

async fn play(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut play = Play::begin(seed).await;
        for step in 0..25 {
            play.act(step).await;
        }
        play.end(seed).await;
    }
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_or_overtaken() {
    let first = std::env::var("CHAOS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0);
    let count = std::env::var("CHAOS_SEEDS")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(12);
    play(first..first + count).await;
}
