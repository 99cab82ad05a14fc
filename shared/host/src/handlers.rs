//! What a function does with its events: the use-cases of `bridge`, by capability.

use async_trait::async_trait;
use bridge::{
    Received, Verdict,
    inbound::{InboundWebhook, InboundWorker},
    outbound::{OutboundWebhook, OutboundWorker, Sweep, Watch},
    ports::{NotificationReader, UpdateReader},
    webhook::{Answer, WebhookRequest},
};
use mapping::Timestamp;

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
