//! Messages that could not even be begun, so that no record counts their attempts: they come again, and in the end they are given up,
//! visibly as ever.

use crate::{
    context::Context,
    failure::Failure,
    notices::{self, Audience, Notice},
    ports::{Queue, QueueMessage},
    stop::{FOR_THE_OPERATOR, OLDEST, Received, Stop, Verdict, backoff, dedupe, sparingly},
    tally::Tally,
    words::{Cause, Sentence},
};
use mapping::{BotId, POISON_AFTER, StoreError, Timestamp};
use std::{sync::Arc, time::Duration};

/// A message without a record.
pub(crate) struct Unbegun<'r> {
    /// What it stands on.
    pub(crate) context: &'r Context,
    /// As it came out of the queue.
    pub(crate) received: &'r Received,
    /// Where it goes when it is given up.
    pub(crate) dead_letters: &'r Arc<dyn Queue>,
}

/// So often a message comes out of its queue in a day, and in twelve, where nothing but its failures decides when it comes again.
const A_DAY: u32 = 90;
const TWELVE_DAYS: u32 = 600;

/// What can be read of a message all the same.
#[derive(Default)]
pub(crate) struct Legible {
    /// When the webhook took it.
    pub(crate) received_at: Option<Timestamp>,
    /// Who is told when it is given up.
    pub(crate) audience: Option<Audience>,
}

impl Unbegun<'_> {
    /// What becomes of it after this.
    pub(crate) async fn settle(&self, stop: &Stop, legible: Legible) -> Verdict {
        let counted = Tally::of(stop);
        tracing::warn!(
            lane = self.received.lane,
            queue.receives = self.received.receives,
            %stop,
            metric.retry = counted.retry,
            metric.throttled = counted.throttled,
            metric.token_refused = counted.token_refused,
            "a message could not be begun"
        );
        if self.is_too_old(stop, legible.received_at) {
            return self.give_up_or_come_again(&stop.to_string(), legible.audience).await;
        }
        Verdict::Later(self.again_at(stop))
    }

    /// No retry can help it, an operator can.
    pub(crate) async fn bury(&self, problem: &str) -> Result<Verdict, Stop> {
        self.give_up(problem, None).await.map(|()| Verdict::Done)
    }

    fn is_too_old(&self, stop: &Stop, received_at: Option<Timestamp>) -> bool {
        let (patience, receives) = match failure_of(stop) {
            Some(Failure::Permanent) => (self.context.config.give_up_after, A_DAY),
            Some(Failure::Transient { .. } | Failure::Unknown) | None => (OLDEST, TWELVE_DAYS),
        };
        if self.received.gave_up.is_some() {
            // What was put back has a life of its own. When that began is written nowhere.
            return self.received.receives > receives;
        }
        received_at.is_some_and(|at| self.context.ledger.now().since(at) > patience)
    }

    fn again_at(&self, stop: &Stop) -> Timestamp {
        let (context, receives) = (self.context, self.received.receives);
        let wanted = match failure_of(stop) {
            Some(Failure::Transient { after }) => after,
            Some(Failure::Permanent | Failure::Unknown) | None => None,
        };
        let pause = match stop {
            Stop::Wait { until, .. } => until.since(context.ledger.now()),
            _ => wanted.unwrap_or_else(|| self.pause(receives)),
        };
        sparingly(context, self.received, context.ledger.now() + pause)
    }

    fn pause(&self, receives: u32) -> Duration {
        if receives > 20 {
            FOR_THE_OPERATOR
        } else {
            backoff(self.context, receives.saturating_sub(1))
        }
    }

    /// Carries it, if it has not killed so many workers before they could begin it that it is poison. That is counted where it has come
    /// often, for only then it may be so.
    pub(crate) async fn unless_it_is_poison(
        &self,
        audience: impl FnOnce(BotId, &str) -> Option<Audience>,
        carrying: impl Future<Output = Verdict>,
    ) -> Verdict {
        if self.received.receives <= POISON_AFTER {
            return carrying.await;
        }
        let ledger = &self.context.ledger;
        let trial = match ledger.try_message(&self.received.id).await {
            Ok(trial) => trial,
            Err(error) => {
                tracing::warn!(lane = self.received.lane, %error, "a trial could not be counted");
                return carrying.await;
            }
        };
        if trial.is_poison() {
            // Nothing of it is read any more, so its lane alone tells who waits.
            let bot = self.context.bot().await.ok();
            let audience = bot.and_then(|bot| audience(bot, &self.received.lane));
            return self.give_up_or_come_again("poison", audience).await;
        }
        let verdict = carrying.await;
        if let Err(error) = ledger.end_trial(trial).await {
            tracing::warn!(lane = self.received.lane, %error, "that a message did no harm could not be recorded");
        }
        verdict
    }

    async fn give_up_or_come_again(&self, problem: &str, audience: Option<Audience>) -> Verdict {
        match self.give_up(problem, audience).await {
            Ok(()) => Verdict::Done,
            Err(stop) => {
                tracing::warn!(lane = self.received.lane, %stop, "a message could not be given up");
                // Soon: for some minutes only the queue knows a copy that it has already.
                Verdict::Later(self.context.ledger.now() + backoff(self.context, 2))
            }
        }
    }

    /// A copy among the dead letters, and a word to whoever waits.
    async fn give_up(&self, problem: &str, audience: Option<Audience>) -> Result<(), Stop> {
        let generation = self.received.gave_up.unwrap_or(0);
        tracing::error!(
            lane = self.received.lane,
            problem,
            metric.undeliverable = 1,
            "a message was given up before it could be begun; it goes to the dead letters"
        );
        // A letter that is put back and comes here again is another one for its queue, though its text is the same.
        let id = format!("unbegun#{}", self.received.id);
        let copy = QueueMessage {
            lane: self.received.lane.clone(),
            dedupe: dedupe(&id),
            body: self.received.body.clone(),
            gave_up: Some(generation),
        };
        self.dead_letters.send(copy).await?;
        let Some(audience) = audience else { return Ok(()) };
        let sentence = match audience {
            Audience::Agent { .. } => Sentence::NotDeliveredToTelegram { cause: Cause::Refused },
            Audience::Customer { .. } => Sentence::NotDeliveredToSupport,
        };
        notices::enqueue(self.context, Notice::new(audience, sentence, dedupe(&id))).await
    }
}

fn failure_of(stop: &Stop) -> Option<Failure> {
    match stop {
        Stop::Helpdesk(error) => Some(error.failure()),
        Stop::Messenger(error) | Stop::TopicNotMade(error) => Some(error.failure()),
        Stop::Store(StoreError::Malformed { .. }) | Stop::GiveUp { .. } => Some(Failure::Permanent),
        Stop::Store(StoreError::Unavailable(_))
        | Stop::Overtaken
        | Stop::Secrets(_)
        | Stop::Queue(_)
        | Stop::Wait { .. }
        | Stop::Skip(_) => None,
    }
}
