//! Topics that are gone: which one is in whose place, and the claim under which one is made anew.
//!
//! The claim lies on the topic, not on one of its links: however many conversations it has, there is one topic in its place.

use crate::{
    claim::{LEASE, RACE_LOST},
    ids::{BotId, ChatId, ConversationId, TopicId, WorkspaceId},
    keys::{LinkKey, TopicKey},
    ledger::Ledger,
    link::Link,
    record::{Record, Stored},
    store::{StoreError, Version, WriteError},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What is known of a topic that is gone, or that is in the place of one. Never deleted, for messages of the old topic come late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// The topic in whose place this one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TopicId>,
    /// What became of it.
    #[serde(flatten)]
    pub state: SuccessionState,
}

/// What became of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SuccessionState {
    /// It is there, as far as is known.
    Present,
    /// It is gone, and a worker has the right to make another. The item's version is its claim.
    Claimed(Making),
    /// It is gone, and there is another in its place.
    Succeeded(Made),
}

/// A topic that is being made in the place of one that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    /// The topic that is gone: whoever finds the item among others can tell whose it is.
    pub topic: TopicKey,
    /// Until when nobody else may take over.
    pub lease_until: Timestamp,
    /// Since when: a topic made by a lost call is younger.
    pub since: Timestamp,
    /// Its title, so that a topic made by a lost call is recognised.
    pub title: String,
    /// The workspace of the conversation.
    pub workspace: WorkspaceId,
    /// The conversation whose message found out, where the agent is told.
    pub conversation: ConversationId,
}

/// The topic in the place of one that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub to: TopicId,
    /// Its title.
    pub title: String,
    /// Since when it was wanted.
    pub since: Timestamp,
}

impl Record for Succession {
    const KIND: &'static str = "succession";
}

/// The right to make a topic in the place of one that is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicClaim {
    /// What was claimed.
    pub making: Making,
    version: Version,
    from: Option<TopicId>,
}

/// What came of the wish for a topic in the place of one that is gone.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimedTopic {
    /// It is ours to make. Whoever held the claim before may have made it without telling.
    Ours(TopicClaim),
    /// Somebody else is at it; not before this time can it be taken over.
    Later(Timestamp),
    /// It is there.
    There(TopicId),
}

impl TopicClaim {
    /// The claim that stands in a record as it was read: for whoever learned what its holder did not.
    pub fn of(read: &Stored<Succession>) -> Option<Self> {
        let SuccessionState::Claimed(making) = &read.value.state else {
            return None;
        };
        Some(Self {
            making: making.clone(),
            version: read.version.clone(),
            from: read.value.from,
        })
    }
}

/// Topics are deleted by hand, so a chain of them is short.
const FORMER: usize = 20;

/// How many topics of one chat are looked through for one that waits.
const OF_CHAT: usize = 1_000;

/// How many links are moved at once. What is left behind moves when it is next needed.
const MOVED_AT_ONCE: usize = 200;

impl Ledger {
    /// Claims the right to make a topic in the place of `wish.topic`. A claim that is taken over keeps all that a lost call is
    /// recognised by.
    pub async fn claim_topic(&self, wish: Making) -> Result<ClaimedTopic, WriteError> {
        let now = self.now();
        let key = wish.topic.key();
        let read = self.find::<Succession>(&key).await?;
        let former = match read.as_ref().map(|read| &read.value.state) {
            Some(SuccessionState::Succeeded(made)) => return Ok(ClaimedTopic::There(made.to)),
            Some(SuccessionState::Claimed(former)) if former.lease_until > now => {
                return Ok(ClaimedTopic::Later(former.lease_until));
            }
            Some(SuccessionState::Claimed(former)) => Some(former.clone()),
            Some(SuccessionState::Present) | None => None,
        };
        let making = Making {
            lease_until: now + LEASE,
            ..former.unwrap_or(wish)
        };
        let from = read.as_ref().and_then(|read| read.value.from);
        let record = Succession {
            from,
            state: SuccessionState::Claimed(making.clone()),
        };
        let version = read.map(|read| read.version);
        match self
            .commit(self.transaction().put_after(key, version.as_ref(), &record, None))
            .await
        {
            Ok(version) => Ok(ClaimedTopic::Ours(TopicClaim { making, version, from })),
            Err(WriteError::Conflict) => Ok(ClaimedTopic::Later(now + RACE_LOST)),
            Err(error) => Err(error),
        }
    }

    /// Records the topic that was made under a claim. A topic is in the place of one other at most.
    pub async fn succeed(&self, claim: &TopicClaim, to: TopicId) -> Result<(), WriteError> {
        let making = &claim.making;
        let made = Made {
            to,
            title: making.title.clone(),
            since: making.since,
        };
        let gone = Succession {
            from: claim.from,
            state: SuccessionState::Succeeded(made),
        };
        let present = Succession {
            from: Some(making.topic.topic),
            state: SuccessionState::Present,
        };
        let successor = TopicKey {
            topic: to,
            ..making.topic
        };
        let transaction = self
            .transaction()
            .replace(making.topic.key(), &claim.version, &gone, None)
            .create(successor.key(), &present, None);
        self.commit(transaction).await.map(drop)
    }

    /// Gives a claim back: its call is known not to have made anything.
    pub async fn release_topic(&self, claim: TopicClaim) -> Result<(), WriteError> {
        let key = claim.making.topic.key();
        let transaction = match claim.from {
            None => self.transaction().delete(key, &claim.version),
            Some(_) => {
                let record = Succession {
                    from: claim.from,
                    state: SuccessionState::Present,
                };
                self.transaction().replace(key, &claim.version, &record, None)
            }
        };
        self.commit(transaction).await.map(drop)
    }

    /// Records that a topic is one too many: a lost call made it after all, and another was made meanwhile.
    pub async fn join_stray(&self, stray: TopicKey, made: &Made) -> Result<(), WriteError> {
        let record = Succession {
            from: None,
            state: SuccessionState::Succeeded(made.clone()),
        };
        self.commit(self.transaction().create(stray.key(), &record, None))
            .await
            .map(drop)
    }

    /// What is known of the topics of a chat that are gone.
    pub async fn successions(&self, bot: BotId, chat: ChatId) -> Result<Vec<Stored<Succession>>, StoreError> {
        let found = self
            .list::<Succession>(&TopicKey::all_of_chat(bot, chat, OF_CHAT))
            .await?;
        Ok(found.into_iter().map(|(_, succession)| succession).collect())
    }

    /// The topic in the place of this one; itself, if it is there.
    pub async fn current_topic(&self, topic: TopicKey) -> Result<TopicId, StoreError> {
        let mut at = topic;
        for _ in 0..FORMER {
            let read = self.find::<Succession>(&at.key()).await?;
            let Some(SuccessionState::Succeeded(made)) = read.map(|read| read.value.state) else {
                break;
            };
            at.topic = made.to;
        }
        Ok(at.topic)
    }

    /// The topics in whose place this one is, the latest first.
    pub async fn former_topics(&self, topic: TopicKey) -> Result<Vec<TopicId>, StoreError> {
        let mut former = Vec::new();
        let mut at = topic;
        while former.len() < FORMER {
            let read = self.find::<Succession>(&at.key()).await?;
            let Some(from) = read.and_then(|read| read.value.from) else {
                break;
            };
            former.push(from);
            at.topic = from;
        }
        Ok(former)
    }

    /// Moves the links of a topic, whoever's they are, to the one in its place.
    pub async fn move_links(&self, from: TopicKey, to: TopicId) -> Result<(), StoreError> {
        let links = LinkKey::all_of_topic(from.bot, from.chat, Some(from.topic), MOVED_AT_ONCE);
        for (key, _) in self.list::<Link>(&links).await? {
            let Some(link) = from.link_at(&key) else { continue };
            let moved = LinkKey {
                topic: Some(to),
                ..link
            };
            match self.move_link(link, moved).await {
                // Somebody changed it meanwhile, or moved it.
                Ok(()) | Err(WriteError::Conflict) => {}
                Err(WriteError::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }
}
