//! Deliveries: the record of carrying one message across, and the claim under which one worker carries it.
//!
//! A record says what is known to have happened. `claimed` means that a call may be out: whoever finds it with its lease over
//! must treat the next step as one that may have happened. `waiting` means that nothing is out.

use crate::{
    ids::{ChatId, ConversationId, MessageId, PartId, TopicId},
    keys::FINISHED_FOR,
    ledger::{Ledger, Transaction},
    record::{Record, Stored},
    store::{Key, StoreError, Version, WriteError},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a claim keeps others off. Longer than a worker can run (120 s), shorter than the queue hides a message (130 s): so a
/// message that is received again proves its former worker dead and finds the claim free.
pub const LEASE: Duration = Duration::from_secs(125);

/// So long after a claim's end what its worker called at last may still happen: a worker may begin a call in its 120th second, and a
/// call that nobody waits for any more may take a minute to happen.
const STILL_HAPPENS: Duration = Duration::from_secs(55);

/// How soon whoever lost a race comes back.
pub(crate) const RACE_LOST: Duration = Duration::from_secs(2);

/// So many beginnings in a row without any outcome make a message poison: it kills its workers.
pub const POISON_AFTER: u32 = 5;

/// One call of a delivery that others can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The customer is made a participant.
    Attach,
    /// The conversation is opened with the message.
    Create,
    /// The text is sent.
    Text,
    /// A reply with files is sent, counted from 0.
    File(u16),
    /// One of the messages that a text is cut into, counted from 0.
    Chunk(u16),
    /// An internal note is written.
    Note,
}

/// Proof that a step happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which step.
    pub step: Step,
    /// What came of it.
    #[serde(flatten)]
    pub proof: Proof,
    /// When we learned of it.
    pub at: Timestamp,
}

/// What a step left on the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A part in Intercom.
    Part(PartId),
    /// A conversation in Intercom.
    Conversation(ConversationId),
    /// A message in Telegram.
    Message(MessageId),
    /// A message in a Telegram chat that has another id now, under which it cannot be reached.
    FormerMessage(MessageId),
}

/// Where a delivery is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeliveryState {
    /// A worker is at it. The item's version is its claim.
    Claimed {
        /// Until when nobody else may take over.
        lease_until: Timestamp,
    },
    /// Nothing is out; to be tried again.
    Waiting {
        /// Why: a code.
        reason: String,
        /// Not before this time.
        not_before: Timestamp,
    },
    /// It has arrived.
    Delivered,
    /// It is not to be carried.
    Skipped {
        /// Why: a code.
        reason: String,
    },
    /// It was given up, and a human was told.
    Undeliverable {
        /// Why: a code.
        reason: String,
        /// Whether its next step may have happened all the same.
        #[serde(default)]
        in_doubt: bool,
    },
}

/// The record of carrying one message across.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where it is on its way.
    #[serde(flatten)]
    pub state: DeliveryState,
    /// The lane in which it is carried.
    pub lane: String,
    /// When the webhook took it: what it may have left behind is younger.
    pub since: Timestamp,
    /// Since when it is tried: its age counts from here. A redriven message has a fresh life.
    pub tried_since: Timestamp,
    /// How often it was tried and failed; waiting for a slot is none.
    pub attempt: u32,
    /// Beginnings since the last recorded outcome.
    pub begun: u32,
    /// How often it was given up: a copy that carries this number opens it again.
    pub generation: u32,
    /// What is proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
    /// The chat that its messages in Telegram stand in: ids start anew where a chat gets another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatId>,
    /// The topic that its messages in Telegram stand in: they go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicId>,
    /// That topic is known to be gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub topic_gone: bool,
    /// When the coming messages to Telegram may go, the next one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<Timestamp>,
    /// The conversation that it went to or came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// Whether the person who waits was told that it takes long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    /// Keyed hash of the text, so that a change of something else is no correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Keyed hash of what the files are, so that only another file is carried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// How many replies with files have to follow what is proven.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub files_left: u16,
    /// Whether the conversation that it opened got all that it gets besides, so that only files are left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dressed: bool,
    /// The message that its album begins with: it is carried in that one's delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<MessageId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl Record for Delivery {
    const KIND: &'static str = "delivery";
}

impl Delivery {
    fn new(arrival: &Arrival) -> Self {
        Self {
            state: DeliveryState::Claimed {
                lease_until: Timestamp::EPOCH,
            },
            lane: arrival.lane.clone(),
            since: arrival.since,
            tried_since: arrival.since,
            attempt: 0,
            begun: 0,
            generation: 0,
            receipts: Vec::new(),
            chat: None,
            topic: None,
            topic_gone: false,
            slots: Vec::new(),
            conversation: None,
            told: false,
            fingerprint: None,
            files: None,
            files_left: 0,
            dressed: false,
            part_of: None,
        }
    }

    /// What was given up before it could be begun, and was put back, has a fresh life, too.
    fn born(arrival: &Arrival, now: Timestamp) -> Self {
        let new = Self::new(arrival);
        let tried_since = arrival.gave_up.map_or(new.tried_since, |_| now);
        Self { tried_since, ..new }
    }

    /// The proof of a step, if it is proven.
    pub fn proof(&self, step: Step) -> Option<&Proof> {
        self.receipts
            .iter()
            .find(|receipt| receipt.step == step)
            .map(|receipt| &receipt.proof)
    }

    /// Its coming messages stand here; and what is known of those that stand elsewhere.
    pub fn stand_in(&mut self, chat: ChatId, topic: Option<TopicId>) {
        if self.topic.is_some_and(|former| topic != Some(former)) {
            // What had arrived of it went with the topic that it stood in.
            self.receipts.clear();
            self.topic_gone = false;
        }
        if self.chat.is_some_and(|former| former != chat) {
            for receipt in &mut self.receipts {
                if let Proof::Message(message) = receipt.proof {
                    receipt.proof = Proof::FormerMessage(message);
                }
            }
        }
        self.chat = Some(chat);
        self.topic = topic;
    }

    /// Whether the message itself is proven to be on the other side, its files included, whatever else was still to be done about it.
    pub fn has_arrived(&self) -> bool {
        self.files_left == 0 && self.proof(Step::Create).or_else(|| self.proof(Step::Text)).is_some()
    }

    /// Whether nothing more will be done about it.
    pub fn is_finished(&self) -> bool {
        match self.state {
            DeliveryState::Delivered | DeliveryState::Skipped { .. } | DeliveryState::Undeliverable { .. } => true,
            DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. } => false,
        }
    }
}

/// A message as it comes out of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its lane.
    pub lane: String,
    /// When the webhook took it.
    pub since: Timestamp,
    /// On a copy of something that was given up: which giving-up.
    pub gave_up: Option<u32>,
}

/// What to do about a message that came out of the queue.
#[derive(Debug)]
pub enum Begun {
    /// Carry it.
    Claimed(Claim),
    /// Not now.
    Later(Timestamp),
    /// Nothing: it is done.
    Finished,
    /// Give it up: it has killed its workers.
    Poison(Claim),
}

/// The right to carry one message. Every outcome is conditional on it: a worker that was overtaken changes nothing.
#[derive(Debug)]
pub struct Claim {
    key: Key,
    version: Version,
    /// The record as it is known.
    pub delivery: Delivery,
    /// A former worker may have sent the next step.
    pub may_have_gone_out: bool,
    /// Before this time there is no telling whether it did.
    pub settled_at: Timestamp,
}

enum Decision {
    Claim {
        may_have_gone_out: bool,
        settled_at: Timestamp,
    },
    Later(Timestamp),
    Finished,
}

fn decide(delivery: &Delivery, now: Timestamp, arrival: &Arrival) -> Decision {
    match &delivery.state {
        DeliveryState::Claimed { lease_until } if *lease_until > now => Decision::Later(*lease_until),
        DeliveryState::Claimed { lease_until } => Decision::Claim {
            may_have_gone_out: true,
            // Whoever recorded a doubt has chosen the time; whoever died has not.
            settled_at: if delivery.begun == 0 {
                *lease_until
            } else {
                *lease_until + STILL_HAPPENS
            },
        },
        DeliveryState::Waiting { not_before, .. } if *not_before > now => Decision::Later(*not_before),
        DeliveryState::Waiting { .. } => Decision::Claim {
            may_have_gone_out: false,
            settled_at: now,
        },
        DeliveryState::Undeliverable { in_doubt, .. } if arrival.gave_up == Some(delivery.generation) => {
            Decision::Claim {
                may_have_gone_out: *in_doubt,
                settled_at: now,
            }
        }
        DeliveryState::Delivered | DeliveryState::Skipped { .. } | DeliveryState::Undeliverable { .. } => {
            Decision::Finished
        }
    }
}

impl Ledger {
    /// Begins to carry a message, or says why not. `existing` is what was read at `key`.
    pub async fn begin(
        &self,
        key: Key,
        existing: Option<Stored<Delivery>>,
        arrival: &Arrival,
    ) -> Result<Begun, StoreError> {
        let now = self.now();
        let (read, mut delivery, may_have_gone_out, settled_at) = match existing {
            None => (None, Delivery::born(arrival, now), false, now),
            Some(Stored { version, value }) => match decide(&value, now, arrival) {
                Decision::Later(at) => return Ok(Begun::Later(at)),
                Decision::Finished => return Ok(Begun::Finished),
                Decision::Claim {
                    may_have_gone_out,
                    settled_at,
                } => (Some(version), value, may_have_gone_out, settled_at),
            },
        };
        if matches!(delivery.state, DeliveryState::Undeliverable { .. }) {
            delivery.tried_since = now;
            delivery.attempt = 0;
        }
        delivery.begun = delivery.begun.saturating_add(1);
        delivery.state = DeliveryState::Claimed {
            lease_until: now + LEASE,
        };
        let poison = delivery.begun > POISON_AFTER;
        let transaction = self
            .transaction()
            .put_after(key.clone(), read.as_ref(), &delivery, None);
        match self.commit(transaction).await {
            Ok(version) => {
                let claim = Claim {
                    key,
                    version,
                    delivery,
                    may_have_gone_out,
                    settled_at,
                };
                Ok(if poison {
                    Begun::Poison(claim)
                } else {
                    Begun::Claimed(claim)
                })
            }
            Err(WriteError::Conflict) => Ok(Begun::Later(now + RACE_LOST)),
            Err(WriteError::Store(error)) => Err(error),
        }
    }

    /// Records what is proven so far, and goes on.
    pub async fn progress(&self, claim: &mut Claim) -> Result<(), WriteError> {
        self.progress_with(claim, self.transaction()).await
    }

    /// Records what is proven so far together with other writes, and goes on.
    pub async fn progress_with(&self, claim: &mut Claim, with: Transaction) -> Result<(), WriteError> {
        claim.delivery.begun = 0;
        let transaction = with.replace(claim.key.clone(), &claim.version, &claim.delivery, None);
        claim.version = self.commit(transaction).await?;
        claim.may_have_gone_out = false;
        Ok(())
    }

    /// Records that it is to be tried again; `failed` counts it as an attempt. Nothing is out, unless the claim says that something
    /// may be: that doubt is kept until somebody has looked.
    pub async fn wait(
        &self,
        mut claim: Claim,
        reason: &str,
        not_before: Timestamp,
        failed: bool,
    ) -> Result<(), WriteError> {
        claim.delivery.attempt = claim.delivery.attempt.saturating_add(u32::from(failed));
        claim.delivery.begun = 0;
        claim.delivery.state = if claim.may_have_gone_out {
            DeliveryState::Claimed {
                lease_until: not_before,
            }
        } else {
            DeliveryState::Waiting {
                reason: reason.to_owned(),
                not_before,
            }
        };
        self.commit(claim.into_transaction(self.transaction(), None))
            .await
            .map(drop)
    }

    /// Records that the next step may have happened, and that nobody looks before `look_at`.
    pub async fn doubt(&self, mut claim: Claim, look_at: Timestamp) -> Result<(), WriteError> {
        claim.delivery.attempt = claim.delivery.attempt.saturating_add(1);
        claim.delivery.begun = 0;
        claim.delivery.state = DeliveryState::Claimed { lease_until: look_at };
        self.commit(claim.into_transaction(self.transaction(), None))
            .await
            .map(drop)
    }

    /// Records the end, together with other writes.
    pub async fn finish(&self, mut claim: Claim, end: End, with: Transaction) -> Result<(), WriteError> {
        claim.delivery.begun = 0;
        claim.delivery.slots.clear();
        claim.delivery.state = match end {
            End::Delivered => DeliveryState::Delivered,
            End::Skipped(reason) => DeliveryState::Skipped { reason },
            End::Undeliverable(reason) => {
                claim.delivery.generation = claim.delivery.generation.saturating_add(1);
                DeliveryState::Undeliverable {
                    reason,
                    in_doubt: claim.may_have_gone_out,
                }
            }
        };
        let expires_at = Some(self.now() + FINISHED_FOR);
        self.commit(claim.into_transaction(with, expires_at)).await.map(drop)
    }
}

/// How a delivery ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has arrived.
    Delivered,
    /// It is not to be carried, for this reason.
    Skipped(String),
    /// It was given up for this reason, and a human was told.
    Undeliverable(String),
}

impl Delivery {
    /// The record of something that is not to be carried, whenever it comes.
    pub fn skipped(lane: &str, reason: &str, now: Timestamp) -> Self {
        let arrival = Arrival {
            lane: lane.to_owned(),
            since: now,
            gave_up: None,
        };
        Self {
            state: DeliveryState::Skipped {
                reason: reason.to_owned(),
            },
            ..Self::new(&arrival)
        }
    }
}

impl Claim {
    /// The delivery's key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Keeps the proof of a step, to be recorded with whatever is recorded next.
    pub fn prove(&mut self, step: Step, proof: Proof, at: Timestamp) {
        self.delivery.receipts.push(Receipt { step, proof, at });
        self.may_have_gone_out = false;
    }

    fn into_transaction(self, with: Transaction, expires_at: Option<Timestamp>) -> Transaction {
        with.replace(self.key, &self.version, &self.delivery, expires_at)
    }
}
