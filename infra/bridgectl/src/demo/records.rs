//! The bridge's own records, read beside it from its database file: also while it does not run.

use local::{Database, Lanes, QueueName, SqliteStore, SystemClock, SystemEntropy};
use mapping::{
    BotId, ChatId, ConversationId, Delivery, Key, Ledger, MessageId, PartId, Reverse, Subject, TopicId, WorkspaceId,
    keys,
};
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
    dead: u64,
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
        use QueueName::{Inbound, InboundDead, Outbound, OutboundDead};
        let dead = self.lanes.len(InboundDead).await? + self.lanes.len(OutboundDead).await?;
        Ok(Queued {
            inbound: self.lanes.len(Inbound).await?,
            outbound: self.lanes.len(Outbound).await?,
            dead,
        })
    }

    /// Sends everything that was given up on its way once more.
    pub(super) async fn redrive(&self) -> anyhow::Result<()> {
        use QueueName::{Inbound, InboundDead, Outbound, OutboundDead};
        self.lanes.redrive(InboundDead, Inbound).await?;
        self.lanes.redrive(OutboundDead, Outbound).await?;
        Ok(())
    }
}
