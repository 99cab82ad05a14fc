//! The bridge's own records, read beside it from its database file: also while it does not run.

use super::state::Way;
use bridge::envelope::{Errand, InboundEnvelope, InboundErrand, OutboundEnvelope, from_json};
use local::{Database, Lanes, LetterId, QueueName, SqliteStore, SystemClock, SystemEntropy};
use mapping::{
    BotId, ChatId, ConversationId, Delivery, Key, Ledger, MessageId, PartId, Reverse, Subject, TopicId, WorkspaceId,
    keys,
};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// How many records are read at once.
const AT_ONCE: usize = 100;

/// A reader of the bridge's records.
pub(super) struct Records {
    ledger: Ledger,
    lanes: Lanes,
    bot: BotId,
    chat: ChatId,
    workspace: WorkspaceId,
}

/// How many messages are in the bridge's queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Queued {
    inbound: u64,
    outbound: u64,
}

/// The messages of which a copy lies among the dead letters.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenUp(Vec<(Way, String, LetterId)>);

impl GivenUp {
    /// Whether this one can be sent again.
    pub(super) fn holds(&self, way: Way, message: &str) -> bool {
        self.letter(way, message).is_some()
    }

    fn letter(&self, way: Way, message: &str) -> Option<LetterId> {
        let mut copies = self.0.iter();
        let found = copies.find(|(its_way, its_message, _)| *its_way == way && its_message == message);
        found.map(|(_, _, letter)| *letter)
    }
}

/// The messages that an envelope brings.
fn messages_in(way: Way, body: &str) -> Vec<String> {
    match way {
        Way::ToIntercom => {
            let message = match from_json::<InboundEnvelope>(body).map(|envelope| envelope.errand) {
                Ok(InboundErrand::Update(update)) => update.pointer("/message/message_id").and_then(id),
                Ok(InboundErrand::Flush(_)) | Err(_) => None,
            };
            message.into_iter().collect()
        }
        Way::ToTelegram => {
            let envelope = from_json::<OutboundEnvelope>(body);
            envelope.map_or_else(|_| Vec::new(), |envelope| parts_in(&envelope.errand))
        }
    }
}

fn parts_in(errand: &Errand) -> Vec<String> {
    match errand {
        Errand::Notification { notification } => {
            let parts = notification.pointer("/data/item/conversation_parts/conversation_parts");
            let parts = parts.and_then(Value::as_array).into_iter().flatten();
            parts.filter_map(|part| id(part.get("id")?)).collect()
        }
        Errand::Conversation { parts, .. } => parts.iter().map(ToString::to_string).collect(),
        Errand::TopicState { .. } | Errand::Notice { .. } => Vec::new(),
    }
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Records {
    /// Opens the bridge's database file.
    pub(super) fn open(file: &Path, bot: i64, chat: i64, workspace: &str) -> anyhow::Result<Self> {
        let database = Database::open(file)?;
        let store = Arc::new(SqliteStore::new(database.clone()));
        let clock = Arc::new(SystemClock);
        Ok(Self {
            ledger: Ledger::new(store, clock.clone(), Arc::new(SystemEntropy)),
            lanes: Lanes::new(database, clock),
            bot: BotId(bot),
            chat: ChatId(chat),
            workspace: WorkspaceId::new(workspace),
        })
    }

    /// What became of messages that were written in Telegram.
    pub(super) async fn inbound(&self, messages: &[i64]) -> anyhow::Result<BTreeMap<i64, Delivery>> {
        let key = |message: &i64| keys::inbound_delivery(self.bot, self.chat, Subject::Message(MessageId(*message)));
        self.deliveries(messages, key).await
    }

    /// What became of parts that were written in Intercom.
    pub(super) async fn outbound(&self, parts: &[String]) -> anyhow::Result<BTreeMap<String, Delivery>> {
        let key = |part: &String| keys::outbound_delivery(&self.workspace, &PartId::new(part));
        self.deliveries(parts, key).await
    }

    async fn deliveries<T: Ord + Clone>(
        &self,
        subjects: &[T],
        key: impl Fn(&T) -> Key,
    ) -> anyhow::Result<BTreeMap<T, Delivery>> {
        let mut found = BTreeMap::new();
        for some in subjects.chunks(AT_ONCE) {
            let wanted: Vec<Key> = some.iter().map(&key).collect();
            let reading = self.ledger.read(&wanted).await?;
            for (subject, key) in some.iter().zip(&wanted) {
                if let Some(stored) = reading.get::<Delivery>(key)? {
                    found.insert(subject.clone(), stored.value);
                }
            }
        }
        Ok(found)
    }

    /// The topics that conversations are linked to.
    pub(super) async fn topics(&self, conversations: &[String]) -> anyhow::Result<BTreeMap<String, i64>> {
        let mut found = BTreeMap::new();
        for some in conversations.chunks(AT_ONCE) {
            let key = |id: &String| keys::reverse(&self.workspace, &ConversationId::new(id));
            let wanted: Vec<Key> = some.iter().map(key).collect();
            let reading = self.ledger.read(&wanted).await?;
            for (conversation, key) in some.iter().zip(&wanted) {
                let reverse = reading.get::<Reverse>(key)?;
                if let Some(TopicId(topic)) = reverse.and_then(|reverse| reverse.value.link.topic) {
                    found.insert(conversation.clone(), topic);
                }
            }
        }
        Ok(found)
    }

    /// What waits in the bridge's queues.
    pub(super) async fn queued(&self) -> anyhow::Result<Queued> {
        Ok(Queued {
            inbound: self.lanes.len(QueueName::Inbound).await?,
            outbound: self.lanes.len(QueueName::Outbound).await?,
        })
    }

    /// What was given up and not sent again since.
    pub(super) async fn given_up(&self) -> anyhow::Result<GivenUp> {
        let mut all = Vec::new();
        for way in [Way::ToIntercom, Way::ToTelegram] {
            let (dead, _) = queues(way);
            for letter in self.lanes.dead_letters(dead).await? {
                let messages = messages_in(way, &letter.body);
                all.extend(messages.into_iter().map(|message| (way, message, letter.id)));
            }
        }
        Ok(GivenUp(all))
    }

    /// Sends a message that was given up on its way once more; tells whether a copy of it was there to be sent.
    pub(super) async fn redrive(&self, way: Way, message: &str) -> anyhow::Result<bool> {
        let given_up = self.given_up().await?;
        let Some(letter) = given_up.letter(way, message) else {
            return Ok(false);
        };
        let (dead, alive) = queues(way);
        Ok(self.lanes.redrive_one(dead, alive, letter).await?)
    }
}

impl Queued {
    /// Whether nothing is under way.
    pub(super) fn is_empty(self) -> bool {
        self.inbound + self.outbound == 0
    }
}

/// The dead letters of a way, and where they came from.
fn queues(way: Way) -> (QueueName, QueueName) {
    match way {
        Way::ToIntercom => (QueueName::InboundDead, QueueName::Inbound),
        Way::ToTelegram => (QueueName::OutboundDead, QueueName::Outbound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_known_by_the_message_that_it_brings() {
        let update = r#"{"received_at":1,"update":{"update_id":9,"message":{"message_id":7}}}"#;
        assert_eq!(messages_in(Way::ToIntercom, update), ["7"]);
        let notification = r#"{"received_at":1,"errand":"notification","notification":{"data":{"item":
            {"id":"8","conversation_parts":{"conversation_parts":[{"id":"31"}]}}}}}"#;
        assert_eq!(messages_in(Way::ToTelegram, notification), ["31"]);
        let found =
            r#"{"received_at":1,"errand":"conversation","workspace":"w","conversation":"8","parts":["31","32"]}"#;
        assert_eq!(messages_in(Way::ToTelegram, found), ["31", "32"]);
        assert!(messages_in(Way::ToTelegram, "unreadable").is_empty());
    }
}
