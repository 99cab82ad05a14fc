//! What the outbound worker does with one message: decode the errand and run it.

use super::{opened, redaction, relay};
use crate::{
    context::Context,
    envelope::{Errand, OutboundEnvelope, from_json},
    intercom_message::{Event, Notification},
    notices,
    ports::{NotificationReader, QueueMessage, Unreadable},
    stop::{FOR_THE_OPERATOR, Received, Stop, Verdict, dedupe, not_begun},
};
use mapping::{Arrival, ConversationId, Reverse, WorkspaceId, keys};
use std::sync::Arc;

/// Takes messages out of the outbound queue and carries them to Telegram.
pub struct OutboundWorker<R> {
    reader: R,
    context: Arc<Context>,
}

impl<R: NotificationReader> OutboundWorker<R> {
    /// A worker on this ground.
    pub fn new(reader: R, context: Arc<Context>) -> Self {
        Self { reader, context }
    }

    /// Runs one errand as far as it goes now.
    pub async fn handle(&self, received: &Received) -> Verdict {
        match self.run(received).await {
            Ok(verdict) => verdict,
            Err(stop) => not_begun(&self.context, received, &stop),
        }
    }

    async fn run(&self, received: &Received) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let envelope = match from_json::<OutboundEnvelope>(&received.body) {
            Ok(envelope) => envelope,
            Err(problem) => return self.bury(received, &problem).await,
        };
        let arrival = Arrival {
            lane: received.lane.clone(),
            since: envelope.received_at,
            gave_up: received.gave_up,
        };
        let errand = relay::Errand {
            context,
            received,
            arrival: &arrival,
        };
        match envelope.errand {
            Errand::Notice { notice } => notices::deliver(context, received, &arrival, &notice).await,
            Errand::Conversation {
                workspace,
                conversation,
                parts,
            } => {
                if !self.is_ours(&workspace, &conversation).await? {
                    return Ok(Verdict::Done);
                }
                relay::read_and_relay(&errand, &workspace, &conversation, relay::Wanted::Named(&parts)).await
            }
            Errand::Notification { notification } => match self.reader.decode(&notification) {
                Ok(notification) => self.notified(&errand, notification).await,
                Err(problem) => self.bury(received, &problem).await,
            },
        }
    }

    async fn notified(&self, errand: &relay::Errand<'_>, notification: Notification) -> Result<Verdict, Stop> {
        let workspace = notification.workspace;
        let conversation = match &notification.event {
            Event::Conversation(conversation) | Event::Opened(conversation) => conversation.id.clone(),
            Event::Redacted { conversation, .. } => conversation.clone(),
            Event::Other(_) => return Ok(Verdict::Done),
        };
        if !self.is_ours(&workspace, &conversation).await? {
            return Ok(Verdict::Done);
        }
        match notification.event {
            Event::Conversation(conversation) => relay::relay_notified(errand, &workspace, *conversation).await,
            Event::Opened(conversation) => {
                opened::confirm(errand.context, &workspace, &conversation).await?;
                Ok(Verdict::Done)
            }
            Event::Redacted { conversation, parts } => {
                redaction::redact(errand, &workspace, &conversation, parts).await
            }
            Event::Other(_) => Ok(Verdict::Done),
        }
    }

    /// One app may be installed in several workspaces, of which only ours is bridged. What is linked under another one waits: it is
    /// the token that is wrong then.
    async fn is_ours(&self, workspace: &WorkspaceId, conversation: &ConversationId) -> Result<bool, Stop> {
        let context = self.context.as_ref();
        let ours = context.identity().await?.workspace;
        if ours == *workspace {
            return Ok(true);
        }
        if context
            .ledger
            .find::<Reverse>(&keys::reverse(workspace, conversation))
            .await?
            .is_none()
        {
            tracing::warn!(workspace.id = %workspace, workspace.token = %ours, "a notification comes from another workspace");
            return Ok(false);
        }
        tracing::error!(
            workspace.linked = %workspace,
            workspace.token = %ours,
            metric.wrong_workspace = 1,
            "the access token belongs to another workspace than the conversations"
        );
        Err(Stop::Wait {
            reason: "another workspace",
            until: context.ledger.now() + FOR_THE_OPERATOR,
        })
    }

    /// A message that is not ours to read: no retry can help, an operator can.
    async fn bury(&self, received: &Received, problem: &Unreadable) -> Result<Verdict, Stop> {
        tracing::error!(lane = received.lane, %problem, metric.undeliverable = 1, "a queue message cannot be read; it goes to the dead letters");
        let copy = QueueMessage {
            lane: received.lane.clone(),
            dedupe: dedupe(&format!("unreadable:{}", received.body)),
            body: received.body.clone(),
            gave_up: Some(received.gave_up.unwrap_or(0)),
        };
        self.context.queues.outbound_dead.send(copy).await?;
        Ok(Verdict::Done)
    }
}
