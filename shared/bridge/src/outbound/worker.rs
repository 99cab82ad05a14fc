//! What the outbound worker does with one message: decode the errand and run it.

use super::{opened, redaction, relay};
use crate::{
    context::Context,
    delivering::{Received, Stop, Verdict, dedupe},
    envelope::{Errand, OutboundEnvelope, from_json},
    intercom_message::{Event, Notification},
    notices,
    ports::{NotificationReader, QueueMessage, Unreadable},
};
use mapping::{Arrival, WorkspaceId};
use std::{sync::Arc, time::Duration};

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
        let now = self.context.ledger.now();
        self.run(received).await.unwrap_or_else(|stop| {
            tracing::warn!(lane = received.lane, %stop, "an errand could not be begun");
            Verdict::Later(now + Duration::from_secs(2) + self.context.ledger.jitter(Duration::from_secs(5)))
        })
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
                if !self.is_ours(&workspace).await? {
                    return Ok(Verdict::Done);
                }
                relay::read_and_relay(&errand, &workspace, &conversation, &parts).await
            }
            Errand::Notification { notification } => match self.reader.decode(&notification) {
                Ok(notification) => self.notified(&errand, notification).await,
                Err(problem) => self.bury(received, &problem).await,
            },
        }
    }

    async fn notified(&self, errand: &relay::Errand<'_>, notification: Notification) -> Result<Verdict, Stop> {
        let workspace = notification.workspace;
        if !self.is_ours(&workspace).await? {
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

    /// One app may be installed in several workspaces; only ours is bridged.
    async fn is_ours(&self, workspace: &WorkspaceId) -> Result<bool, Stop> {
        let ours = self.context.identity().await?.workspace;
        if ours != *workspace {
            tracing::warn!(workspace.id = %workspace, workspace.token = %ours, "a notification comes from another workspace");
        }
        Ok(ours == *workspace)
    }

    /// A message that is not ours to read: no retry can help, an operator can.
    async fn bury(&self, received: &Received, problem: &Unreadable) -> Result<Verdict, Stop> {
        tracing::error!(lane = received.lane, %problem, "a queue message cannot be read; it goes to the dead letters");
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
