//! What a function does with its events: the use-cases of `bridge`, by capability.

use async_trait::async_trait;
use bridge::{
    Received, Verdict,
    inbound::{InboundWebhook, InboundWorker},
    outbound::{OutboundWebhook, OutboundWorker, Sweep, Watch},
    ports::{NotificationReader, UpdateReader},
    rotation::{Progress, Rotation, RotationError, Rules},
    webhook::{Answer, WebhookRequest},
};
use mapping::Timestamp;
use std::time::Duration;

/// Every process has read a secret within five minutes.
const SETTLE: Duration = Duration::from_mins(6);

/// For what Telegram has on its way.
const KEEP_OLD: Duration = Duration::from_mins(2);

/// What a function does with its events. One artefact has all of it; which event reaches which function, the template says.
pub struct Handlers {
    /// Answers requests.
    pub webhook: Box<dyn Webhook>,
    /// Carries messages out of the queue.
    pub worker: Box<dyn Worker>,
    /// Searches for what no notification brought; one direction has nothing of the kind.
    pub sweep: Option<Sweep>,
    /// Looks at what the vendors say of us; one direction does it for both.
    pub watch: Option<Watch>,
    /// Puts another webhook secret in the place of one; one direction does it.
    pub rotation: Option<Rotation>,
}

/// Answers a vendor's requests.
#[async_trait]
pub trait Webhook: Send + Sync {
    /// Answers one request.
    async fn answer(&self, request: &WebhookRequest) -> Answer;
}

/// Carries messages out of a queue.
#[async_trait]
pub trait Worker: Send + Sync {
    /// Carries one message as far as it goes now.
    async fn carry(&self, received: &Received) -> Verdict;
}

#[async_trait]
impl<R: UpdateReader> Webhook for InboundWebhook<R> {
    async fn answer(&self, request: &WebhookRequest) -> Answer {
        self.handle(request).await
    }
}

#[async_trait]
impl<R: UpdateReader> Worker for InboundWorker<R> {
    async fn carry(&self, received: &Received) -> Verdict {
        self.handle(received).await
    }
}

#[async_trait]
impl<R: NotificationReader> Webhook for OutboundWebhook<R> {
    async fn answer(&self, request: &WebhookRequest) -> Answer {
        self.handle(request).await
    }
}

#[async_trait]
impl<R: NotificationReader> Worker for OutboundWorker<R> {
    async fn carry(&self, received: &Received) -> Verdict {
        self.handle(received).await
    }
}

/// Sweeps until the deadline.
pub(crate) async fn sweep(sweep: &Sweep, deadline: Timestamp) -> Result<(), bridge::outbound::SweepError> {
    let swept = sweep.run(deadline).await?;
    tracing::info!(
        swept.conversations = swept.conversations,
        swept.missed = swept.missed,
        swept.complete = swept.complete,
        "a sweep ended"
    );
    Ok(())
}

/// Why a rotation did not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRotated {
    #[error("failed to {0}")]
    Failed(#[from] RotationError),
    #[error("failed to have the webhook take the new secret: it answers {0}")]
    Untaken(u16),
}

/// Takes the next step of a rotation of secrets that are so many days old. The schedule comes again for the one after it.
pub(crate) async fn rotate(rotation: &Rotation, days: u32) -> Result<(), NotRotated> {
    let rules = Rules {
        every: Some(Duration::from_hours(24 * u64::from(days))),
        settle: SETTLE,
        keep_old: KEEP_OLD,
    };
    match rotation.advance(&rules).await? {
        Progress::Untaken(status) => Err(NotRotated::Untaken(status)),
        progress => {
            tracing::info!(rotation.step = ?progress, "the webhook secret's rotation was looked at");
            Ok(())
        }
    }
}
