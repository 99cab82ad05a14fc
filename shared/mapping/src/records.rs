//! The smaller records: contacts, echoes, pace, indexes, titles, watermarks.

use crate::{
    ids::{BotId, ChatId, ContactId, ConversationId, PartId, WorkspaceId},
    keys::{self, LinkKey},
    ledger::Ledger,
    record::{Record, Stored},
    store::{Key, StoreError, WriteError},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who a customer is in Intercom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The contact.
    pub contact: ContactId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Keyed hash of the name that Intercom was told, so that a change is noticed.
    pub name: String,
}

impl Record for Contact {
    const KIND: &'static str = "contact";
}

/// That a chat got another id: a group that became a supergroup. Never deleted, for old ids come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// The id that it had before.
    pub from: Option<ChatId>,
    /// The id that it has now.
    pub to: Option<ChatId>,
}

impl Record for Forward {
    const KIND: &'static str = "forward";
}

/// What a topic is called, told before it had a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicTitle {
    /// The title.
    pub title: String,
}

impl Record for TopicTitle {
    const KIND: &'static str = "topic_title";
}

/// Whether a topic is closed, as far as the bridge knows: it did it, or was told. Without a record it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicState {
    /// Closed, or open.
    pub closed: bool,
    /// The change of its conversation after which a sweep last had it looked after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minded: Option<Timestamp>,
}

impl TopicState {
    /// What it has just become.
    pub fn new(closed: bool) -> Self {
        Self { closed, minded: None }
    }
}

impl Record for TopicState {
    const KIND: &'static str = "topic_state";
}

/// A message that we sent to Telegram, and what it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// The link that it went through.
    pub link: LinkKey,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The part that it shows.
    pub part: PartId,
}

impl Record for SentMessage {
    const KIND: &'static str = "sent_message";
}

/// Replies of the same text that were made through the API in an admin's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// One entry a reply.
    pub replies: Vec<EchoReply>,
}

/// One reply that will come back as a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EchoReply {
    /// The delivery that makes it.
    pub delivery: Key,
    /// The part that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartId>,
}

impl Record for Echo {
    const KIND: &'static str = "echo";
}

impl Echo {
    /// How long an echo is remembered: longer than a notification and the sweep take.
    pub const KEPT: Duration = Duration::from_hours(15 * 24);
    /// How many replies of one text are remembered.
    const MOST: usize = 50;

    /// With a reservation for `delivery`, if it has none yet.
    #[must_use]
    pub fn reserve(mut self, delivery: &Key) -> Self {
        if !self.replies.iter().any(|reply| reply.delivery == *delivery) {
            self.replies.push(EchoReply {
                delivery: delivery.clone(),
                part: None,
            });
        }
        let surplus = self.replies.len().saturating_sub(Self::MOST);
        self.replies.drain(..surplus);
        self
    }

    /// Without the reservation of `delivery`, whose reply was refused.
    #[must_use]
    pub fn release(mut self, delivery: &Key) -> Self {
        self.replies
            .retain(|reply| reply.delivery != *delivery || reply.part.is_some());
        self
    }

    /// With the part that the reply of `delivery` became.
    #[must_use]
    pub fn resolve(mut self, delivery: &Key, part: &PartId) -> Self {
        for reply in self.replies.iter_mut().filter(|reply| reply.delivery == *delivery) {
            reply.part = Some(part.clone());
        }
        self
    }

    /// Whether a part is one of the replies.
    pub fn is_ours(&self, part: &PartId) -> bool {
        self.replies.iter().any(|reply| reply.part.as_ref() == Some(part))
    }

    /// The deliveries whose replies have no part id yet: a part with this text may be one of theirs until they are finished.
    pub fn unresolved(&self) -> impl Iterator<Item = &Key> {
        self.replies
            .iter()
            .filter(|reply| reply.part.is_none())
            .map(|reply| &reply.delivery)
    }
}

/// When something may next be sent to a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// The next free slot.
    pub next: Timestamp,
    /// Until when Telegram wants the whole chat to wait.
    pub blocked_until: Timestamp,
}

impl Record for Pace {
    const KIND: &'static str = "pace";
}

impl Pace {
    /// How long a pace that nobody uses is kept.
    const KEPT: Duration = Duration::from_hours(24);
}

/// That a human was told, so that they are not told again at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSent {
    /// When.
    pub at: Timestamp,
    /// About what.
    pub about: String,
    /// Of how many messages it was said, where that was more than one.
    #[serde(default)]
    pub messages: u32,
    /// How often it would have been said since then.
    pub withheld: u32,
}

impl Record for NoticeSent {
    const KIND: &'static str = "notice";
}

/// How far the sweep over Intercom's conversations has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Every change up to here has been looked at.
    pub at: Timestamp,
    /// A sweep that stopped before it came to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<Unfinished>,
}

/// Where a sweep stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// From when on it looks for replies: a conversation that it has not come to yet may hold an old one below a new one.
    pub since: Timestamp,
    /// Changes before this need not be looked at again.
    pub reached: Timestamp,
}

impl Record for Watermark {
    const KIND: &'static str = "watermark";
}

/// A chat can change its id more than once; a handful of steps is all there ever is.
const MIGRATIONS: usize = 4;

impl Ledger {
    /// Records that a chat has another id now.
    pub async fn record_migration(&self, bot: BotId, from: ChatId, to: ChatId) -> Result<(), WriteError> {
        let (old, new) = (keys::forward(bot, from), keys::forward(bot, to));
        loop {
            let read = self.read(&[old.clone(), new.clone()]).await?;
            let (at_old, at_new) = (read.get::<Forward>(&old)?, read.get::<Forward>(&new)?);
            let before = at_old.as_ref().map(|forward| forward.value).unwrap_or_default();
            let after = at_new.as_ref().map(|forward| forward.value).unwrap_or_default();
            if before.to == Some(to) && after.from == Some(from) {
                return Ok(());
            }
            let version = |read: &Option<Stored<Forward>>| read.as_ref().map(|forward| forward.version.clone());
            let transaction = self
                .transaction()
                .put_after(
                    old.clone(),
                    version(&at_old).as_ref(),
                    &Forward { to: Some(to), ..before },
                    None,
                )
                .put_after(
                    new.clone(),
                    version(&at_new).as_ref(),
                    &Forward {
                        from: Some(from),
                        ..after
                    },
                    None,
                );
            match self.commit(transaction).await {
                Err(WriteError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    /// The ids that a chat had before, the latest first.
    pub async fn former_ids(&self, bot: BotId, chat: ChatId) -> Result<Vec<ChatId>, StoreError> {
        let mut former = Vec::new();
        let mut at = chat;
        while former.len() < MIGRATIONS {
            let forward = self.find::<Forward>(&keys::forward(bot, at)).await?;
            let Some(from) = forward.and_then(|forward| forward.value.from) else {
                break;
            };
            former.push(from);
            at = from;
        }
        Ok(former)
    }

    /// The id that a chat has now.
    pub async fn current_id(&self, bot: BotId, chat: ChatId) -> Result<ChatId, StoreError> {
        let mut at = chat;
        for _ in 0..MIGRATIONS {
            let forward = self.find::<Forward>(&keys::forward(bot, at)).await?;
            let Some(to) = forward.and_then(|forward| forward.value.to) else {
                break;
            };
            at = to;
        }
        Ok(at)
    }

    /// Reserves `count` slots, `interval` apart, in the pace of a chat. `read` is what was read of it.
    pub async fn reserve_slots(
        &self,
        key: &Key,
        read: Option<Stored<Pace>>,
        count: usize,
        interval: Duration,
    ) -> Result<Vec<Timestamp>, WriteError> {
        let mut read = read;
        loop {
            let now = self.now();
            let pace = read.as_ref().map(|pace| &pace.value);
            let blocked_until = pace.map_or(Timestamp::EPOCH, |pace| pace.blocked_until);
            let first = pace.map_or(now, |pace| pace.next.max(now)).max(blocked_until);
            let slots: Vec<Timestamp> = std::iter::successors(Some(first), |slot| Some(*slot + interval))
                .take(count)
                .collect();
            let next = slots.last().map_or(first, |last| *last + interval);
            match self.put_pace(key, read.as_ref(), Pace { next, blocked_until }).await {
                Ok(()) => return Ok(slots),
                Err(WriteError::Conflict) => read = self.find(key).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the whole chat wait: Telegram said so.
    pub async fn block_chat(&self, key: &Key, until: Timestamp) -> Result<(), WriteError> {
        loop {
            let read = self.find::<Pace>(key).await?;
            let pace = read.as_ref().map(|pace| &pace.value);
            let next = pace.map_or(until, |pace| pace.next.max(until));
            let blocked_until = pace.map_or(until, |pace| pace.blocked_until.max(until));
            match self.put_pace(key, read.as_ref(), Pace { next, blocked_until }).await {
                Err(WriteError::Conflict) => {}
                done => return done,
            }
        }
    }

    async fn put_pace(&self, key: &Key, read: Option<&Stored<Pace>>, pace: Pace) -> Result<(), WriteError> {
        let expires_at = Some(pace.next + Pace::KEPT);
        let version = read.map(|pace| &pace.version);
        self.commit(self.transaction().put_after(key.clone(), version, &pace, expires_at))
            .await
            .map(drop)
    }

    /// Changes the echoes of a text by `change`, which may be tried more than once.
    pub async fn change_echo(&self, key: &Key, change: impl Fn(Echo) -> Echo + Send + Sync) -> Result<(), WriteError> {
        loop {
            let read = self.find::<Echo>(key).await?;
            let version = read.as_ref().map(|echo| echo.version.clone());
            let echo = change(read.map(|echo| echo.value).unwrap_or_default());
            let expires_at = Some(self.now() + Echo::KEPT);
            match self
                .commit(
                    self.transaction()
                        .put_after(key.clone(), version.as_ref(), &echo, expires_at),
                )
                .await
            {
                Err(WriteError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }
}
