//! Deliveries: the record of carrying one message across.
//!
//! A record says what is known to have happened. `claimed` means that a call may be out: whoever finds it with its lease over
//! must treat the next step as one that may have happened. `waiting` means that nothing is out.

use crate::{
    ids::{ChatId, ConversationId, MessageId, PartId, TopicId},
    record::Record,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that any other may go with"
)]
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
    /// Whether what stands in Telegram of it is headed by the time at which it was written, which decides where it is cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dated: bool,
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
    pub(crate) fn new(arrival: &Arrival) -> Self {
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
            dated: false,
            told: false,
            fingerprint: None,
            files: None,
            files_left: 0,
            dressed: false,
            part_of: None,
        }
    }

    /// What was given up before it could be begun, and was put back, has a fresh life, too.
    pub(crate) fn born(arrival: &Arrival, now: Timestamp) -> Self {
        let new = Self::new(arrival);
        let tried_since = arrival.gave_up.map_or(new.tried_since, |_| now);
        Self { tried_since, ..new }
    }

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
