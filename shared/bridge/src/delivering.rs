//! How carrying one message ends, in either direction: recorded, retried, doubted, skipped or given up.

use crate::{
    context::Context,
    failure::{Failure, HelpdeskError, MessengerError},
    notices::{self, Audience, Notice},
    ports::{Queue, QueueMessage},
    stop::{FOR_THE_OPERATOR, OLDEST, Received, Stop, Verdict, backoff, dedupe, sparingly},
    tally::Tally,
    words::{Cause, Sentence},
};
use mapping::{Claim, End, Timestamp, Transaction};
use std::{sync::Arc, time::Duration};

/// So long an agent is not told that a reply is on its way.
const TELL_AFTER: Duration = Duration::from_mins(10);

/// One message on its way, and who waits for it.
pub(crate) struct Carried<'r> {
    /// What it stands on.
    pub(crate) context: &'r Context,
    /// As it came out of the queue.
    pub(crate) received: &'r Received,
    /// Where it goes when it is given up.
    pub(crate) dead_letters: &'r Arc<dyn Queue>,
    /// Who is told when it is given up.
    pub(crate) audience: Option<Audience>,
    /// It is a word of the bridge itself, and does not count among what people write.
    pub(crate) is_notice: bool,
}

impl Carried<'_> {
    /// Records how it went and says what becomes of the message.
    pub(crate) async fn settle(&self, claim: Claim, went: Result<End, Stop>) -> Verdict {
        self.settle_with(claim, went, self.context.ledger.transaction()).await
    }

    /// The same, with other writes in the transaction of its end.
    pub(crate) async fn settle_with(&self, claim: Claim, went: Result<End, Stop>, with: Transaction) -> Verdict {
        let (key, attempt) = (claim.key().to_string(), claim.delivery.attempt);
        let settled = match went {
            Ok(end) => self.end(claim, end, with).await,
            Err(stop) => {
                let counted = Tally::of(&stop);
                tracing::warn!(
                    delivery.key = key,
                    delivery.attempt = attempt,
                    %stop,
                    metric.retry = counted.retry,
                    metric.pace_wait = counted.pace_wait,
                    metric.skipped_staff = counted.skipped_staff,
                    metric.throttled = counted.throttled,
                    metric.token_refused = counted.token_refused,
                    "a delivery stopped on its way"
                );
                self.stopped(claim, stop).await
            }
        };
        settled.unwrap_or_else(|stop| {
            // The claim's lease keeps everybody off until it is safe to look.
            tracing::warn!(delivery.key = key, %stop, "how a delivery went could not be recorded");
            Verdict::Later(self.context.ledger.now() + backoff(self.context, 2))
        })
    }

    /// What killed its workers is given up, unless it has arrived and it was only what comes after that killed them.
    pub(crate) async fn poison(&self, claim: Claim) -> Verdict {
        let went = if claim.delivery.has_arrived() {
            Ok(End::Delivered)
        } else {
            Err(Stop::GiveUp {
                reason: "poison".into(),
                cause: Cause::Refused,
            })
        };
        self.settle(claim, went).await
    }

    async fn end(&self, mut claim: Claim, end: End, with: Transaction) -> Result<Verdict, Stop> {
        // Of what comes back from the dead letters an agent was told that it did not arrive.
        let is_back = self.received.gave_up.is_some() && self.is_for_an_agent();
        if (claim.delivery.told || is_back) && end == End::Delivered {
            // First what is proven, lest it be sent again; then the word of it, while the record says that something is left to do.
            self.context.ledger.progress(&mut claim).await?;
            self.notify(about(&claim), Sentence::WentThrough).await?;
        }
        let receipt = Receipt::of(&claim, &end, self);
        self.context.ledger.finish(claim, end, with).await?;
        receipt.log();
        Ok(Verdict::Done)
    }

    async fn stopped(&self, claim: Claim, stop: Stop) -> Result<Verdict, Stop> {
        match stop {
            Stop::Store(_) | Stop::Overtaken => Err(stop),
            Stop::Skip(reason) => {
                self.end(claim, End::Skipped(reason.into()), self.context.ledger.transaction())
                    .await
            }
            Stop::GiveUp { reason, cause } => self.give_up(claim, reason, cause).await,
            Stop::Wait { reason, until } => self.wait(claim, reason, until, Cause::Unreachable, false).await,
            Stop::Secrets(_) | Stop::Queue(_) => {
                self.transient(claim, &stop.to_string(), None, Cause::Misconfigured)
                    .await
            }
            Stop::Helpdesk(error) => {
                let cause = match &error {
                    HelpdeskError::Unauthorized { .. } => Cause::Misconfigured,
                    HelpdeskError::Transient { .. } | HelpdeskError::Unknown { .. } => Cause::Unreachable,
                    HelpdeskError::NotFound { .. } | HelpdeskError::Refused { .. } => Cause::Refused,
                };
                self.failed(claim, error.failure(), &error.to_string(), cause).await
            }
            Stop::TopicNotMade(error) => {
                let cause = match &error {
                    MessengerError::NoRights { .. } => Cause::MayNotMakeTopics,
                    error => cause_of(error),
                };
                // Whatever became of the topic, nothing of the message is out.
                let failure = match error.failure() {
                    Failure::Unknown => Failure::Transient { after: None },
                    failure => failure,
                };
                self.failed(claim, failure, &error.to_string(), cause).await
            }
            Stop::Messenger(error) => {
                self.failed(claim, error.failure(), &error.to_string(), cause_of(&error))
                    .await
            }
        }
    }

    async fn failed(&self, claim: Claim, failure: Failure, reason: &str, cause: Cause) -> Result<Verdict, Stop> {
        let mut claim = claim;
        match failure {
            Failure::Permanent => self.give_up(claim, reason.to_owned(), cause).await,
            Failure::Transient { after } => self.transient(claim, reason, after, cause).await,
            Failure::Unknown => {
                // Whoever finds the record has to look before anything is repeated, after a redrive too.
                claim.may_have_gone_out = true;
                if self.is_too_old(&claim, cause) {
                    return self.give_up(claim, reason.to_owned(), cause).await;
                }
                let now = self.context.ledger.now();
                if now.since(claim.delivery.tried_since) >= TELL_AFTER {
                    self.tell_once(&mut claim, cause).await?;
                }
                let pause = self
                    .context
                    .config
                    .look_after
                    .max(backoff(self.context, claim.delivery.attempt));
                let look_at = sparingly(self.context, self.received, now + pause);
                self.context.ledger.doubt(claim, look_at).await?;
                Ok(Verdict::Later(look_at))
            }
        }
    }

    async fn transient(
        &self,
        claim: Claim,
        reason: &str,
        after: Option<Duration>,
        cause: Cause,
    ) -> Result<Verdict, Stop> {
        let delay = match after {
            Some(after) => after,
            None if cause == Cause::Misconfigured && claim.delivery.attempt > 10 => FOR_THE_OPERATOR,
            None => backoff(self.context, claim.delivery.attempt),
        };
        self.wait(claim, reason, self.context.ledger.now() + delay, cause, true)
            .await
    }

    async fn wait(
        &self,
        claim: Claim,
        reason: &str,
        until: Timestamp,
        cause: Cause,
        failed: bool,
    ) -> Result<Verdict, Stop> {
        let mut claim = claim;
        let now = self.context.ledger.now();
        // What only waits for its turn may have stood behind others for long; nothing is wrong with it.
        let (too_old, late) = if failed {
            let late = now.since(claim.delivery.tried_since) >= TELL_AFTER;
            (self.is_too_old(&claim, cause), late)
        } else {
            let late = until.since(now) >= TELL_AFTER;
            (now.since(claim.delivery.tried_since) > OLDEST, late)
        };
        if too_old {
            return self.give_up(claim, reason.to_owned(), cause).await;
        }
        if late || matches!(cause, Cause::NoRights | Cause::MayNotMakeTopics | Cause::TopicClosed) {
            self.tell_once(&mut claim, cause).await?;
        }
        let until = sparingly(self.context, self.received, until);
        self.context.ledger.wait(claim, reason, until, failed).await?;
        Ok(Verdict::Later(until))
    }

    /// Tells an agent, once, that a reply is still on its way.
    async fn tell_once(&self, claim: &mut Claim, cause: Cause) -> Result<(), Stop> {
        if claim.delivery.told || !self.is_for_an_agent() {
            return Ok(());
        }
        self.notify(about(claim), Sentence::StillTryingTelegram { cause })
            .await?;
        claim.delivery.told = true;
        Ok(())
    }

    fn is_for_an_agent(&self) -> bool {
        matches!(self.audience, Some(Audience::Agent { .. }))
    }

    /// What our own settings cause is for the operator to mend, so it is not given up before the queue would drop it.
    fn is_too_old(&self, claim: &Claim, cause: Cause) -> bool {
        let age = self.context.ledger.now().since(claim.delivery.tried_since);
        age > OLDEST || cause != Cause::Misconfigured && age > self.context.config.give_up_after
    }

    /// Gives a message up visibly: a copy among the dead letters, a word to whoever waits, and only then the record of it.
    async fn give_up(&self, claim: Claim, reason: String, cause: Cause) -> Result<Verdict, Stop> {
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
        self.notify(about(&claim), sentence).await?;
        tracing::error!(delivery.key = %claim.key(), delivery.generation = generation, reason, metric.undeliverable = 1, "a message was given up");
        let end = End::Undeliverable(reason);
        self.context
            .ledger
            .finish(claim, end, self.context.ledger.transaction())
            .await?;
        Ok(Verdict::Done)
    }

    async fn notify(&self, about: String, sentence: Sentence) -> Result<(), Stop> {
        match self.audience.clone() {
            Some(audience) => notices::enqueue(self.context, Notice::new(audience, sentence, about)).await,
            None => Ok(()),
        }
    }
}

/// What is told of a delivery that has ended.
struct Receipt {
    key: String,
    lane: String,
    conversation: Option<String>,
    attempt: u32,
    end: String,
    /// From the webhook to the end, in milliseconds, of a message that somebody wrote and that arrived.
    lag: Option<u64>,
}

impl Receipt {
    fn of(claim: &Claim, end: &End, carried: &Carried<'_>) -> Self {
        let delivery = &claim.delivery;
        let took = carried.context.ledger.now().since(delivery.tried_since);
        let has_arrived = *end == End::Delivered && !delivery.receipts.is_empty();
        Self {
            key: claim.key().to_string(),
            lane: delivery.lane.clone(),
            conversation: delivery.conversation.as_ref().map(ToString::to_string),
            attempt: delivery.attempt,
            end: format!("{end:?}"),
            lag: (has_arrived && !carried.is_notice).then(|| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    fn log(&self) {
        tracing::info!(
            delivery.key = self.key,
            delivery.attempt = self.attempt,
            delivery.end = self.end,
            lane = self.lane,
            conversation.id = self.conversation,
            metric.delivered = self.lag.map(|_| 1_u64),
            metric.lag = self.lag,
            "a delivery ends"
        );
    }
}

/// Which delivery a notice is about, and which of its lives.
fn about(claim: &Claim) -> String {
    format!("{}#{}", claim.key(), claim.delivery.generation)
}

/// Why Telegram did not do it, for the person who waits.
pub(crate) fn cause_of(error: &MessengerError) -> Cause {
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
