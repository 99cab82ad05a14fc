//! What the outbound worker does with one message: decode the errand and run it.

use super::{opened, redaction, relay};
use crate::{
    context::Context,
    envelope::{Errand, OutboundEnvelope, from_json},
    intercom_message::{Event, Notification},
    notices,
    notices::Audience,
    ports::NotificationReader,
    stop::{FOR_THE_OPERATOR, Received, Stop, Verdict},
    topic_state,
    unbegun::{Legible, Unbegun},
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
        let unbegun = self.unbegun(received);
        let carrying = Box::pin(async {
            match self.run(received).await {
                Ok(verdict) => verdict,
                Err(stop) => unbegun.settle(&stop, self.legible(received)).await,
            }
        });
        unbegun.unless_it_is_poison(|_, lane| agents_of(lane), carrying).await
    }

    fn unbegun<'r>(&'r self, received: &'r Received) -> Unbegun<'r> {
        Unbegun {
            context: &self.context,
            received,
            dead_letters: &self.context.queues.outbound_dead,
        }
    }

    fn legible(&self, received: &Received) -> Legible {
        let Ok(envelope) = from_json::<OutboundEnvelope>(&received.body) else {
            return Legible::default();
        };
        let about = match envelope.errand {
            Errand::Conversation {
                workspace,
                conversation,
                ..
            }
            | Errand::TopicState {
                workspace,
                conversation,
            } => Some((workspace, conversation)),
            Errand::Notification { notification } => self
                .reader
                .decode(&notification)
                .ok()
                .as_ref()
                .and_then(conversation_of),
            Errand::Notice { .. } => None,
        };
        Legible {
            received_at: Some(envelope.received_at),
            audience: about.map(|(workspace, conversation)| Audience::Agent {
                workspace,
                conversation,
            }),
        }
    }

    async fn run(&self, received: &Received) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let envelope = match from_json::<OutboundEnvelope>(&received.body) {
            Ok(envelope) => envelope,
            Err(problem) => return self.unbegun(received).bury(&problem.to_string()).await,
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
            Errand::TopicState {
                workspace,
                conversation,
            } => {
                if self.is_ours(&workspace, &conversation).await? {
                    topic_state::follow(context, &workspace, &conversation, arrival.since).await?;
                }
                Ok(Verdict::Done)
            }
            Errand::Notification { notification } => match self.reader.decode(&notification) {
                Ok(notification) => self.notified(&errand, notification).await,
                Err(problem) => self.unbegun(received).bury(&problem.to_string()).await,
            },
        }
    }

    async fn notified(&self, errand: &relay::Errand<'_>, notification: Notification) -> Result<Verdict, Stop> {
        let Some((workspace, conversation)) = conversation_of(&notification) else {
            let lane = errand.received.lane.as_str();
            tracing::info!(
                lane,
                metric.not_carried = 1,
                "a notification of another kind is not carried"
            );
            return Ok(Verdict::Done);
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
            tracing::warn!(workspace.id = %workspace, workspace.token = %ours, metric.not_carried = 1, "a notification comes from another workspace");
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
}

/// The agents of the conversation that a lane is of. Those of notices have other names.
fn agents_of(lane: &str) -> Option<Audience> {
    let (workspace, conversation) = lane.split_once(':')?;
    let is_of_a_notice = conversation.contains(':') || workspace.parse::<i64>().is_ok();
    (!is_of_a_notice).then(|| Audience::Agent {
        workspace: WorkspaceId::new(workspace),
        conversation: ConversationId::new(conversation),
    })
}

/// The conversation that a notification is about.
fn conversation_of(notification: &Notification) -> Option<(WorkspaceId, ConversationId)> {
    let conversation = match &notification.event {
        Event::Conversation(conversation) | Event::Opened(conversation) => &conversation.id,
        Event::Redacted { conversation, .. } => conversation,
        Event::Other(_) => return None,
    };
    Some((notification.workspace.clone(), conversation.clone()))
}
