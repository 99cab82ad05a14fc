//! How carrying one message ends, in either direction: recorded, retried, doubted, skipped or given up.

use crate::{
    context::Context,
    failure::{Failure, HelpdeskError, MessengerError},
    notices::{self, Audience, Notice},
    ports::{Queue, QueueError, QueueMessage, Unreadable},
    secrets::SecretsError,
    words::{Cause, Sentence},
};
use mapping::{Claim, End, StoreError, Timestamp, Transaction, WriteError};
use std::{sync::Arc, time::Duration};

/// A message as a host takes it out of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its lane.
    pub lane: String,
    /// The envelope.
    pub body: String,
    /// On a copy of something that was given up: which giving-up.
    pub gave_up: Option<u32>,
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

/// After a call whose answer is not known, so long nobody looks: longer than any client waits, for it may still happen.
pub(crate) const LOOK_AFTER: Duration = Duration::from_mins(1);

/// Older than this, a message is given up whatever the reason: the queue would drop it at 14 days without a word.
const OLDEST: Duration = Duration::from_hours(12 * 24);

/// So long an agent is not told that a reply is on its way.
const TELL_AFTER: Duration = Duration::from_mins(10);

/// How long the bridge waits before attempt number `attempt + 1`: doubled each time from 2 s to 15 min, fully jittered.
pub(crate) fn backoff(context: &Context, attempt: u32) -> Duration {
    let (least, most) = (Duration::from_secs(2), Duration::from_mins(15));
    let ceiling = least.saturating_mul(1 << attempt.min(9)).min(most);
    least.min(ceiling) + context.ledger.jitter(ceiling.saturating_sub(least))
}

/// One message on its way, and who waits for it.
pub(crate) struct Carried<'r> {
    /// As it came out of the queue.
    pub(crate) received: &'r Received,
    /// Where it goes when it is given up.
    pub(crate) dead_letters: &'r Arc<dyn Queue>,
    /// Who is told when it is given up.
    pub(crate) audience: Option<Audience>,
}

impl Carried<'_> {
    /// Records how it went and says what becomes of the message.
    pub(crate) async fn settle(&self, context: &Context, claim: Claim, went: Result<End, Stop>) -> Verdict {
        self.settle_with(context, claim, went, context.ledger.transaction())
            .await
    }

    /// The same, with other writes in the transaction of its end.
    pub(crate) async fn settle_with(
        &self,
        context: &Context,
        claim: Claim,
        went: Result<End, Stop>,
        with: Transaction,
    ) -> Verdict {
        let key = claim.key().to_string();
        let attempt = claim.delivery.attempt;
        let settled = match went {
            Ok(end) => {
                let ended = format!("{end:?}");
                let verdict = self.end(context, claim, end, with).await;
                tracing::info!(
                    delivery.key = key,
                    delivery.attempt = attempt,
                    delivery.end = ended,
                    "a delivery ended"
                );
                verdict
            }
            Err(stop) => {
                tracing::warn!(delivery.key = key, delivery.attempt = attempt, %stop, "a delivery stopped on its way");
                self.stopped(context, claim, stop).await
            }
        };
        settled.unwrap_or_else(|stop| {
            let now = context.ledger.now();
            // The claim's lease keeps everybody off until it is safe to look.
            tracing::warn!(delivery.key = key, %stop, "how a delivery went could not be recorded");
            Verdict::Later(now + Duration::from_secs(5) + context.ledger.jitter(Duration::from_secs(5)))
        })
    }

    async fn end(&self, context: &Context, claim: Claim, end: End, with: Transaction) -> Result<Verdict, Stop> {
        if claim.delivery.told && end == End::Delivered {
            self.notify(context, &claim, Sentence::WentThrough).await?;
        }
        context.ledger.finish(claim, end, with).await?;
        Ok(Verdict::Done)
    }

    async fn stopped(&self, context: &Context, claim: Claim, stop: Stop) -> Result<Verdict, Stop> {
        let now = context.ledger.now();
        let too_old = now.since(claim.delivery.since) > OLDEST;
        match stop {
            Stop::Store(_) | Stop::Overtaken => Err(stop),
            Stop::Skip(reason) => {
                self.end(
                    context,
                    claim,
                    End::Skipped(reason.into()),
                    context.ledger.transaction(),
                )
                .await
            }
            Stop::GiveUp { reason, cause } => self.give_up(context, claim, reason, cause).await,
            Stop::Wait { reason, .. } if too_old => {
                self.give_up(context, claim, reason.into(), Cause::Unreachable).await
            }
            Stop::Wait { reason, until } => self.wait(context, claim, reason, until, false).await,
            Stop::Secrets(_) | Stop::Queue(_) => {
                self.transient(context, claim, "not ready", None, Cause::Misconfigured)
                    .await
            }
            Stop::Helpdesk(error) => {
                let cause = match &error {
                    HelpdeskError::Unauthorized { .. } => Cause::Misconfigured,
                    HelpdeskError::Transient { .. } | HelpdeskError::Unknown { .. } => Cause::Unreachable,
                    HelpdeskError::NotFound { .. } | HelpdeskError::Refused { .. } => Cause::Refused,
                };
                self.failed(context, claim, error.failure(), &error.to_string(), cause)
                    .await
            }
            Stop::Messenger(error) => {
                self.failed(context, claim, error.failure(), &error.to_string(), cause_of(&error))
                    .await
            }
        }
    }

    async fn failed(
        &self,
        context: &Context,
        claim: Claim,
        failure: Failure,
        reason: &str,
        cause: Cause,
    ) -> Result<Verdict, Stop> {
        match failure {
            Failure::Permanent => self.give_up(context, claim, reason.to_owned(), cause).await,
            Failure::Transient { after } => self.transient(context, claim, reason, after, cause).await,
            Failure::Unknown if is_too_old(context, &claim, cause) => {
                self.give_up(context, claim, reason.to_owned(), cause).await
            }
            Failure::Unknown => {
                let look_at = context.ledger.now() + LOOK_AFTER;
                context.ledger.doubt(claim, look_at).await?;
                Ok(Verdict::Later(look_at))
            }
        }
    }

    async fn transient(
        &self,
        context: &Context,
        claim: Claim,
        reason: &str,
        after: Option<Duration>,
        cause: Cause,
    ) -> Result<Verdict, Stop> {
        if is_too_old(context, &claim, cause) {
            return self.give_up(context, claim, reason.to_owned(), cause).await;
        }
        let delay = after.unwrap_or_else(|| backoff(context, claim.delivery.attempt));
        let until = context.ledger.now() + delay;
        let mut claim = claim;
        let waits = context.ledger.now().since(claim.delivery.since);
        let tell = matches!(cause, Cause::NoRights | Cause::TopicClosed) || waits >= TELL_AFTER;
        if tell && !claim.delivery.told && matches!(self.audience, Some(Audience::Agent { .. })) {
            self.notify(context, &claim, Sentence::StillTryingTelegram { cause })
                .await?;
            claim.delivery.told = true;
        }
        self.wait(context, claim, reason, until, true).await
    }

    async fn wait(
        &self,
        context: &Context,
        claim: Claim,
        reason: &str,
        until: Timestamp,
        failed: bool,
    ) -> Result<Verdict, Stop> {
        context.ledger.wait(claim, reason, until, failed).await?;
        Ok(Verdict::Later(until))
    }

    /// Gives a message up visibly: a copy among the dead letters, a word to whoever waits, and only then the record of it.
    pub(crate) async fn give_up(
        &self,
        context: &Context,
        claim: Claim,
        reason: String,
        cause: Cause,
    ) -> Result<Verdict, Stop> {
        let generation = claim.delivery.generation.saturating_add(1);
        let copy = QueueMessage {
            lane: self.received.lane.clone(),
            dedupe: dedupe(&format!("{}#gave_up#{generation}", claim.key())),
            body: self.received.body.clone(),
            gave_up: Some(generation),
        };
        self.dead_letters.send(copy).await?;
        let sentence = match self.audience {
            Some(Audience::Agent { .. }) => Sentence::NotDeliveredToTelegram { cause },
            Some(Audience::Customer { .. }) | None => Sentence::NotDeliveredToSupport,
        };
        self.notify(context, &claim, sentence).await?;
        tracing::error!(delivery.key = %claim.key(), delivery.generation = generation, reason, "a message was given up");
        context
            .ledger
            .finish(claim, End::Undeliverable(reason), context.ledger.transaction())
            .await?;
        Ok(Verdict::Done)
    }

    async fn notify(&self, context: &Context, claim: &Claim, sentence: Sentence) -> Result<(), Stop> {
        let Some(audience) = self.audience.clone() else {
            return Ok(());
        };
        let about = format!("{}#{}", claim.key(), claim.delivery.generation);
        notices::enqueue(
            context,
            Notice {
                audience,
                sentence,
                about,
            },
        )
        .await
    }
}

/// What our own settings cause is for the operator to mend, so it is not given up before the queue would drop it.
fn is_too_old(context: &Context, claim: &Claim, cause: Cause) -> bool {
    let age = context.ledger.now().since(claim.delivery.since);
    age > OLDEST || cause != Cause::Misconfigured && age > context.config.give_up_after
}

/// Why Telegram did not do it, for the person who waits.
fn cause_of(error: &MessengerError) -> Cause {
    match error {
        MessengerError::Transient { .. } | MessengerError::Unknown { .. } => Cause::Unreachable,
        MessengerError::Unauthorized { .. } => Cause::Misconfigured,
        MessengerError::NoRights { .. } => Cause::NoRights,
        MessengerError::TopicGone { .. } => Cause::TopicGone,
        MessengerError::TopicClosed => Cause::TopicClosed,
        MessengerError::MessageGone { .. } | MessengerError::Migrated { .. } | MessengerError::Refused { .. } => {
            Cause::Refused
        }
    }
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
