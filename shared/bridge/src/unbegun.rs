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
use mapping::Timestamp;
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
            match self.give_up(&stop.to_string(), legible.audience).await {
                Ok(()) => return Verdict::Done,
                Err(stop) => tracing::warn!(%stop, "a message could not be given up"),
            }
        }
        Verdict::Later(self.again_at(stop))
    }

    /// No retry can help it, an operator can.
    pub(crate) async fn bury(&self, problem: &str) -> Result<Verdict, Stop> {
        self.give_up(problem, None).await.map(|()| Verdict::Done)
    }

    fn is_too_old(&self, stop: &Stop, received_at: Option<Timestamp>) -> bool {
        let patience = match failure_of(stop) {
            Some(Failure::Permanent) => self.context.config.give_up_after,
            Some(Failure::Transient { .. } | Failure::Unknown) | None => OLDEST,
        };
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

    /// A copy among the dead letters, and a word to whoever waits.
    async fn give_up(&self, problem: &str, audience: Option<Audience>) -> Result<(), Stop> {
        let generation = self.received.gave_up.unwrap_or(0);
        tracing::error!(
            lane = self.received.lane,
            problem,
            metric.undeliverable = 1,
            "a message was given up before it could be begun; it goes to the dead letters"
        );
        // A letter that is put back and comes here again is another one, though its text is the same.
        let id = format!(
            "unbegun#{generation}#{}#{}",
            self.context.ledger.now().as_millis(),
            self.received.body
        );
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
        Stop::Store(_)
        | Stop::Overtaken
        | Stop::Secrets(_)
        | Stop::Queue(_)
        | Stop::Wait { .. }
        | Stop::Skip(_)
        | Stop::GiveUp { .. } => None,
    }
}
