//! Why carrying a message stops before its end, and when it goes on.

use crate::{
    context::Context,
    failure::{HelpdeskError, MessengerError},
    ports::{QueueError, Unreadable},
    secrets::SecretsError,
    words::Cause,
};
use mapping::{StoreError, Timestamp, WriteError};
use std::time::Duration;

/// A message as a host takes it out of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its queue's name for it: the same each time it comes out, another one after it was put back.
    pub id: String,
    /// Its lane.
    pub lane: String,
    /// The envelope.
    pub body: String,
    /// On a copy of something that was given up: which giving-up.
    pub gave_up: Option<u32>,
    /// How often it came out of the queue, this time included.
    pub receives: u32,
}

/// What a host does with a message after a worker had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is dealt with: out of the queue.
    Done,
    /// It stays at the head of its lane and comes again at this time.
    Later(Timestamp),
}

/// Why carrying a message stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The ledger does not answer, so that nothing can be recorded either.
    #[error("failed to {0}")]
    Store(StoreError),
    /// Somebody else has the claim now.
    #[error("overtaken by another worker")]
    Overtaken,
    /// The secrets cannot be read.
    #[error("failed to {0}")]
    Secrets(SecretsError),
    /// Intercom did not do it.
    #[error("failed to {0}")]
    Helpdesk(HelpdeskError),
    /// Telegram did not do it.
    #[error("failed to {0}")]
    Messenger(MessengerError),
    /// Telegram did not make a topic in the place of one that is gone.
    #[error("failed to make a topic anew: {0}")]
    TopicNotMade(MessengerError),
    /// A queue did not take what had to be put into it.
    #[error("failed to {0}")]
    Queue(QueueError),
    /// Nothing failed, it is too early.
    #[error("waiting until {until}: {reason}")]
    Wait {
        /// Why: a code.
        reason: &'static str,
        /// Until when.
        until: Timestamp,
    },
    /// It is not to be carried.
    #[error("not to be carried: {0}")]
    Skip(&'static str),
    /// It cannot be carried.
    #[error("cannot be carried: {reason}")]
    GiveUp {
        /// Why: a code.
        reason: String,
        /// Why, for the person who waits.
        cause: Cause,
    },
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict => Self::Overtaken,
            WriteError::Store(error) => Self::Store(error),
        }
    }
}

impl From<SecretsError> for Stop {
    fn from(error: SecretsError) -> Self {
        Self::Secrets(error)
    }
}

impl From<HelpdeskError> for Stop {
    fn from(error: HelpdeskError) -> Self {
        Self::Helpdesk(error)
    }
}

impl From<MessengerError> for Stop {
    fn from(error: MessengerError) -> Self {
        Self::Messenger(error)
    }
}

impl From<QueueError> for Stop {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<Unreadable> for Stop {
    fn from(error: Unreadable) -> Self {
        Self::GiveUp {
            reason: error.to_string(),
            cause: Cause::Refused,
        }
    }
}

/// A conflict over an item that is not one's own delivery: what was read of it is old, and the next attempt reads it anew.
pub(crate) fn elsewhere(context: &Context, error: WriteError) -> Stop {
    match error {
        WriteError::Conflict => Stop::soon(context, "something else changed meanwhile"),
        WriteError::Store(error) => Stop::Store(error),
    }
}

impl Stop {
    /// Nothing failed; it is tried again in a moment.
    pub(crate) fn soon(context: &Context, reason: &'static str) -> Self {
        Self::Wait {
            reason,
            until: context.ledger.now() + LEAST,
        }
    }
}

/// Why a message to Telegram waits that has a slot in its chat's pace.
pub(crate) const PACE: &str = "pace";

/// The code for what staff wrote where there is no conversation.
pub(crate) const STAFF: &str = "staff";

const LEAST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_mins(15);

/// What only an operator can mend is asked for so seldom that the queue's thousand receives outlast its fourteen days.
pub(crate) const FOR_THE_OPERATOR: Duration = Duration::from_mins(20);

/// Older than this, a message is given up whatever the reason: the queue would drop it at 14 days without a word.
pub(crate) const OLDEST: Duration = Duration::from_hours(12 * 24);

/// The queue gives a message out a thousand times and then buries it without a word. After half of that, each time is an hour.
const MANY_RECEIVES: u32 = 500;
const SELDOM: Duration = Duration::from_hours(1);

/// When a message comes again that is to come at this time: so that it is given up by us before it is by the queue.
pub(crate) fn sparingly(context: &Context, received: &Received, until: Timestamp) -> Timestamp {
    if received.receives < MANY_RECEIVES {
        until
    } else {
        until.max(context.ledger.now() + SELDOM)
    }
}

/// How long the bridge waits before attempt number `attempt + 1`: doubled each time from 2 s to 15 min, fully jittered.
pub(crate) fn backoff(context: &Context, attempt: u32) -> Duration {
    let ceiling = LEAST.saturating_mul(1 << attempt.min(9)).min(MOST);
    LEAST + context.ledger.jitter(ceiling.saturating_sub(LEAST))
}

/// A dedupe id that any queue takes: at most 128 of the characters that SQS knows.
pub(crate) fn dedupe(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let plain = |c: char| c.is_ascii_graphic();
    if text.len() <= 128 && text.chars().all(plain) {
        return text.to_owned();
    }
    hex::encode(Sha256::digest(text.as_bytes()))
}
