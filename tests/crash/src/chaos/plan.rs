//! What people do, from the seed alone.

use crate::chance::Chance;
use std::time::Duration;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Messages of customers and agents together.
    pub messages: usize,
    /// Topics, a few to each group.
    pub topics: usize,
    /// Whether topics are deleted, too.
    pub delete_topics: bool,
}

/// Who writes in a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// One of the topic's two customers.
    Customer(usize),
    /// A colleague in the group, who is an admin in Intercom.
    Staff,
}

/// One of the two vendors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    Telegram,
    Intercom,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Somebody writes in a topic; of the words that others say, too, if `ok`.
    Write { topic: usize, who: Who, ok: bool },
    /// An agent answers, perhaps more than one message can hold, perhaps closing with the same click.
    Answer {
        topic: usize,
        agent: usize,
        long: bool,
        closes: bool,
    },
    /// An agent closes a conversation without a word.
    Close { topic: usize },
    /// A topic is deleted, and people go on in the one that takes its place.
    DeleteTopic { topic: usize },
    /// An update that was delivered long ago comes again.
    Redeliver { update: u64 },
    /// Answers of ours to Telegram's webhooks are lost.
    LoseWebhookAnswers { times: usize },
    /// Notifications are delivered so late from now on, or never.
    Notify { late: Duration, never: bool },
    /// A vendor does not answer for two minutes.
    Outage(Vendor),
    /// Everything happens that is due.
    Rush,
    /// Time passes.
    Pass(Duration),
}

/// The plan of a seed: deeds without end.
pub(super) struct Plan {
    chance: Chance,
    size: Size,
    messages: usize,
    outages: Vec<(usize, Vendor)>,
}

pub(super) const AGENTS: usize = 5;

impl Plan {
    pub(super) fn new(seed: u64, size: Size) -> Self {
        let third = size.messages / 3;
        Self {
            chance: Chance::new(seed, 1),
            size,
            messages: 0,
            outages: vec![(2 * third, Vendor::Intercom), (third, Vendor::Telegram)],
        }
    }

    fn write(&mut self) -> Deed {
        self.messages += 1;
        let chance = &mut self.chance;
        let who = match chance.below(8) {
            0 => Who::Staff,
            other => Who::Customer(usize::from(other > 5)),
        };
        Deed::Write {
            topic: chance.index(self.size.topics),
            who,
            ok: chance.below(5) == 0,
        }
    }

    fn answer(&mut self) -> Deed {
        self.messages += 1;
        let chance = &mut self.chance;
        Deed::Answer {
            topic: chance.index(self.size.topics),
            agent: chance.index(AGENTS),
            long: chance.happens(30),
            closes: chance.happens(50),
        }
    }

    fn notify(&mut self) -> Deed {
        let chance = &mut self.chance;
        Deed::Notify {
            late: Duration::from_secs(chance.below(2) * chance.below(90)),
            never: chance.below(10) == 0,
        }
    }
}

impl Iterator for Plan {
    type Item = Deed;

    fn next(&mut self) -> Option<Deed> {
        if let Some((at, vendor)) = self.outages.last().copied()
            && self.messages >= at
        {
            self.outages.pop();
            return Some(Deed::Outage(vendor));
        }
        let topics = self.size.topics;
        let deletes = u64::from(self.size.delete_topics);
        Some(match self.chance.below(1000) {
            0..300 => self.write(),
            300..600 => self.answer(),
            600..620 => self.notify(),
            620..640 => Deed::Close {
                topic: self.chance.index(topics),
            },
            640..650 => Deed::Redeliver {
                update: self.chance.below(u64::try_from(self.messages).unwrap_or(u64::MAX)),
            },
            650..655 => Deed::LoseWebhookAnswers {
                times: 1 + self.chance.index(3),
            },
            655..660 if self.chance.below(2) < deletes => Deed::DeleteTopic {
                topic: self.chance.index(topics),
            },
            660..700 => Deed::Pass(Duration::from_secs(self.chance.below(30))),
            700..800 => Deed::Rush,
            _ => Deed::Pass(Duration::from_millis(self.chance.below(5_000))),
        })
    }
}
