//! What Intercom's webhook does: verify, peek, enqueue, answer.

use crate::{
    envelope::{Errand, OutboundEnvelope, to_ascii_json},
    intercom_message::NotificationPeek,
    ports::{NotificationReader, Queue, QueueError, QueueMessage},
    secrets::SecretSource,
    stop::dedupe,
    webhook::{Answer, WebhookMethod, WebhookRequest},
};
use mapping::Clock;
use std::{sync::Arc, time::Duration};

/// How soon Intercom may try again when the queue cannot be reached. It tries once, after a minute, whatever we say.
const TRY_AGAIN: Duration = Duration::from_mins(1);

/// A signature that does not match may be newer than the secrets that are kept.
const SECRETS_MAY_BE_OLD_AFTER: Duration = Duration::from_secs(10);

/// Above this, the queue gets a pointer and the worker reads the conversation.
const LARGEST_BODY: usize = 200 * 1024;

/// The webhook that Intercom calls.
///
/// An authentic body is only ever answered 200, or 503 when the queue cannot be reached: 410 would end the subscription, 429 would
/// slow it down, and an error for what cannot be read would bring it once more.
pub struct OutboundWebhook<R> {
    reader: R,
    secrets: Arc<dyn SecretSource>,
    clock: Arc<dyn Clock>,
    queue: Arc<dyn Queue>,
}

impl<R: NotificationReader> OutboundWebhook<R> {
    /// A webhook that puts what it takes into `queue`.
    pub fn new(reader: R, secrets: Arc<dyn SecretSource>, clock: Arc<dyn Clock>, queue: Arc<dyn Queue>) -> Self {
        Self {
            reader,
            secrets,
            clock,
            queue,
        }
    }

    /// Answers one request.
    pub async fn handle(&self, request: &WebhookRequest) -> Answer {
        match request.method {
            WebhookMethod::Head => return Answer::Taken,
            WebhookMethod::Other => return Answer::NoSuchMethod,
            WebhookMethod::Post => {}
        }
        let verified = match self.verify(request).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        match self.reader.peek(&verified) {
            Ok((peek, notification)) => self.take(&peek, notification).await,
            Err(problem) => {
                tracing::warn!(
                    body.length = request.length(),
                    problem = %problem,
                    metric.unreadable = 1,
                    "an authentic notification cannot be read"
                );
                Answer::Taken
            }
        }
    }

    async fn verify(&self, request: &WebhookRequest) -> Result<R::Verified, Answer> {
        let not_ready = |error| {
            tracing::error!(%error, "the secrets are not ready");
            Answer::TryLater(TRY_AGAIN)
        };
        let secrets = self.secrets.current().await.map_err(not_ready)?;
        if let Some(verified) = self.reader.verify(request, &secrets) {
            return Ok(verified);
        }
        let secrets = self
            .secrets
            .newer_than(SECRETS_MAY_BE_OLD_AFTER)
            .await
            .map_err(not_ready)?;
        self.reader.verify(request, &secrets).ok_or_else(|| {
            tracing::warn!(
                metric.unauthorized = 1,
                "a request to the Intercom webhook has no right signature"
            );
            Answer::Unauthorized
        })
    }

    async fn take(&self, peek: &NotificationPeek, notification: serde_json::Value) -> Answer {
        let event = peek.event.as_str();
        // A ping has no id, and what is about no conversation has nothing to carry.
        let (Some(id), Some(conversation)) = (&peek.id, &peek.conversation) else {
            tracing::info!(event, metric.not_carried = 1, "a notification has nothing to carry");
            return Answer::Taken;
        };
        let received_at = self.clock.now();
        let lane = format!("{}:{conversation}", peek.workspace);
        let errand = Errand::Notification { notification };
        let Ok(mut body) = to_ascii_json(&OutboundEnvelope { received_at, errand }) else {
            tracing::error!(event, metric.lost = 1, "a notification cannot be written as JSON");
            return Answer::Taken;
        };
        if body.len() > LARGEST_BODY {
            let errand = Errand::Conversation {
                workspace: peek.workspace.clone(),
                conversation: conversation.clone(),
                parts: peek.parts.clone(),
            };
            body = to_ascii_json(&OutboundEnvelope { received_at, errand }).unwrap_or_default();
        }
        let dedupe = dedupe(&format!("{}:{id}", peek.workspace));
        let length = body.len();
        match self
            .queue
            .send(QueueMessage {
                lane: lane.clone(),
                dedupe,
                body,
                gave_up: None,
            })
            .await
        {
            Ok(()) => {
                tracing::info!(notification.id = %id, event, lane, metric.received = 1, "a notification was taken");
                Answer::Taken
            }
            Err(QueueError::Unavailable(problem)) => {
                tracing::error!(notification.id = %id, lane, problem, "the outbound queue cannot be reached");
                Answer::TryLater(TRY_AGAIN)
            }
            Err(QueueError::Refused(problem)) => {
                tracing::error!(notification.id = %id, lane, body.length = length, problem, metric.lost = 1, "the outbound queue refuses a notification");
                Answer::Taken
            }
        }
    }
}
