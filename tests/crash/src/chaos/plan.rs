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

/// How an agent answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct How {
    /// With more than one message can hold.
    pub(super) long: bool,
    /// Closing with the same click.
    pub(super) closes: bool,
    /// With so many photos.
    pub(super) photos: usize,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Somebody writes in a topic; of the words that others say, too, if `ok`.
    Write { topic: usize, who: Who, ok: bool },
    /// A customer sends so many photos, in an album if there are several.
    Show {
        topic: usize,
        customer: usize,
        photos: usize,
    },
    /// A customer changes what they wrote last.
    Correct { topic: usize },
    /// An agent answers.
    Answer { topic: usize, agent: usize, how: How },
    /// An agent takes back what was answered last.
    TakeBack { topic: usize },
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
    /// What happens when there were so many messages, the last first: no run is so short that it exercises nothing.
    certain: Vec<(usize, Deed)>,
}

pub(super) const AGENTS: usize = 5;

impl Plan {
    pub(super) fn new(seed: u64, size: Size) -> Self {
        Self {
            chance: Chance::new(seed, 1),
            size,
            messages: 0,
            certain: certain(size),
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

    fn show(&mut self) -> Deed {
        self.messages += 1;
        let chance = &mut self.chance;
        Deed::Show {
            topic: chance.index(self.size.topics),
            customer: chance.index(2),
            photos: 1 + chance.index(3),
        }
    }

    fn answer(&mut self) -> Deed {
        self.messages += 1;
        let chance = &mut self.chance;
        let long = chance.happens(30);
        Deed::Answer {
            topic: chance.index(self.size.topics),
            agent: chance.index(AGENTS),
            how: How {
                long,
                closes: chance.happens(50),
                photos: if !long && chance.happens(60) {
                    1 + chance.index(2)
                } else {
                    0
                },
            },
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
        if let Some((_, deed)) = self.certain.pop_if(|(at, _)| self.messages >= *at) {
            return Some(deed);
        }
        let topics = self.size.topics;
        let deletes = u64::from(self.size.delete_topics);
        Some(match self.chance.below(1000) {
            0..270 => self.write(),
            270..290 => self.show(),
            290..300 => {
                self.messages += 1;
                Deed::Correct {
                    topic: self.chance.index(topics),
                }
            }
            300..590 => self.answer(),
            590..600 => Deed::TakeBack {
                topic: self.chance.index(topics),
            },
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

/// What happens whatever chance says, the last first.
fn certain(size: Size) -> Vec<(usize, Deed)> {
    let at = |percent: usize| size.messages * percent / 100;
    let notify = |late, never| Deed::Notify { late, never };
    let answer = |topic, long, photos| Deed::Answer {
        topic,
        agent: 0,
        how: How {
            long,
            closes: long,
            photos,
        },
    };
    let mut certain = vec![
        (at(20), Deed::Pass(Duration::from_secs(30))),
        (at(20), notify(Duration::ZERO, true)),
        (at(20), answer(1, true, 0)),
        (at(20), answer(2, false, 0)),
        (at(26), notify(Duration::from_secs(45), false)),
        (at(30), Deed::Redeliver { update: 0 }),
        (at(32), Deed::LoseWebhookAnswers { times: 2 }),
        (at(34), Deed::Outage(Vendor::Telegram)),
        (at(36), Deed::Close { topic: 1 }),
        (
            at(50),
            Deed::Show {
                topic: 1,
                customer: 0,
                photos: 3,
            },
        ),
        (at(52), answer(1, false, 2)),
        (at(54), Deed::Correct { topic: 1 }),
        (at(58), answer(2, false, 0)),
        (at(58), Deed::Pass(Duration::from_mins(3))),
        (at(58), Deed::TakeBack { topic: 2 }),
        (at(67), Deed::Outage(Vendor::Intercom)),
    ];
    if size.delete_topics {
        certain.push((at(40), Deed::DeleteTopic { topic: 0 }));
        certain.push((at(45), answer(0, false, 0)));
    }
    // Those of one moment in the order in which they stand here.
    certain.sort_by_key(|(at, _)| *at);
    certain.reverse();
    certain
}
