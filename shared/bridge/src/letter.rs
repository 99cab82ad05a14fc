//! What lies in a queue, as whoever looks after the bridge sees it: ids, and nothing of what people wrote.

use crate::{
    envelope::{Errand, InboundEnvelope, InboundErrand, OutboundEnvelope, from_json},
    inbound::delivery_key,
    intercom_message::{Conversation, Event, Notification},
    notices::{self, Audience},
    ports::{NotificationReader, Unreadable, UpdateReader},
};
use mapping::{
    Album, AlbumKey, BotId, ConversationId, CustomerId, Key, Ledger, PartId, StoreError, Subject, Timestamp,
    WorkspaceId, keys,
};

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// When a webhook took it, or a sweep found it.
    pub written: Timestamp,
    /// What it is, for a reader.
    pub kind: &'static str,
    /// The deliveries that it may go on with.
    pub deliveries: Vec<Key>,
    /// The album that it carries.
    pub album: Option<AlbumKey>,
    /// Who wrote it in Telegram.
    pub sender: Option<CustomerId>,
    /// The conversation that it is about.
    pub conversation: Option<(WorkspaceId, ConversationId)>,
}

impl Letter {
    /// What lies in the inbound queue or among its dead letters.
    pub fn inbound(reader: &impl UpdateReader, bot: BotId, body: &str) -> Result<Self, Unreadable> {
        let envelope: InboundEnvelope = from_json(body)?;
        let letter = Self {
            written: envelope.received_at,
            kind: "update",
            deliveries: Vec::new(),
            album: None,
            sender: None,
            conversation: None,
        };
        Ok(match envelope.errand {
            InboundErrand::Update(update) => {
                let peek = reader.peek_value(&update)?;
                Self {
                    deliveries: vec![delivery_key(bot, &peek)],
                    sender: peek.sender.map(|sender| sender.id),
                    ..letter
                }
            }
            InboundErrand::Flush(album) => Self {
                kind: "album",
                album: Some(album),
                ..letter
            },
        })
    }

    /// The same with the delivery of its album, which is known by what is kept of that.
    pub async fn looked_up(mut self, ledger: &Ledger) -> Result<Self, StoreError> {
        if let Some(album) = &self.album
            && let Some(kept) = ledger.find::<Album>(&album.key()).await?
        {
            let first = kept.value.items.first();
            let subject = first.map(|item| Subject::Album(item.message));
            self.deliveries
                .extend(subject.map(|subject| keys::inbound_delivery(album.bot, album.chat, subject)));
        }
        Ok(self)
    }

    /// What lies in the outbound queue or among its dead letters.
    pub fn outbound(reader: &impl NotificationReader, body: &str) -> Result<Self, Unreadable> {
        let envelope: OutboundEnvelope = from_json(body)?;
        let about = match envelope.errand {
            Errand::Notification { notification } => About::notified(reader.decode(&notification)?),
            Errand::Conversation {
                workspace,
                conversation,
                parts,
            } => About::parts("pointer", workspace, conversation, parts),
            Errand::TopicState {
                workspace,
                conversation,
            } => About::parts("topic state", workspace, conversation, Vec::new()),
            Errand::Notice { notice } => About {
                kind: "notice",
                deliveries: vec![notices::delivery_key(&notice)],
                conversation: match notice.audience {
                    Audience::Agent {
                        workspace,
                        conversation,
                    } => Some((workspace, conversation)),
                    Audience::Customer { .. } => None,
                },
            },
        };
        Ok(Self {
            written: envelope.received_at,
            kind: about.kind,
            deliveries: about.deliveries,
            album: None,
            sender: None,
            conversation: about.conversation,
        })
    }
}

struct About {
    kind: &'static str,
    deliveries: Vec<Key>,
    conversation: Option<(WorkspaceId, ConversationId)>,
}

impl About {
    fn notified(notification: Notification) -> Self {
        let workspace = notification.workspace;
        match notification.event {
            Event::Conversation(conversation) | Event::Opened(conversation) => {
                let Conversation { id, parts, .. } = *conversation;
                Self::parts("notification", workspace, id, parts.into_iter().map(|part| part.id))
            }
            Event::Redacted { conversation, parts } => Self::parts("redaction", workspace, conversation, parts),
            Event::Other(_) => Self {
                kind: "notification",
                deliveries: Vec::new(),
                conversation: None,
            },
        }
    }

    fn parts(
        kind: &'static str,
        workspace: WorkspaceId,
        conversation: ConversationId,
        parts: impl IntoIterator<Item = PartId>,
    ) -> Self {
        let parts = parts.into_iter();
        Self {
            kind,
            deliveries: parts.map(|part| keys::outbound_delivery(&workspace, &part)).collect(),
            conversation: Some((workspace, conversation)),
        }
    }
}
