//! What the cases about the domain have at hand: ledgers on connections of their own, one clock, and ids that no other case has.

use super::scene::Scene;
use crate::{
    claim::{Begun, Claim},
    delivery::{Arrival, Delivery},
    ids::{BotId, ChatId, ContactId, ConversationId, CustomerId, MessageId, TopicId, WorkspaceId},
    keys::{self, LinkKey, Subject},
    ledger::Ledger,
    link::{Claimed, Link, Opening, OpeningClaim, Reverse},
    record::{Record, Stored},
    store::{Item, Key, Store, StoreError, WriteError},
    testing::{ManualClock, SeededEntropy},
    time::{Entropy, Timestamp},
};
use std::{future::Future, sync::Arc, time::Duration};

/// A busy store may ask to be tried again, but not for ever.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

const BEGINNING: Timestamp = Timestamp::from_seconds(1_750_000_000);

#[derive(Clone)]
pub(super) struct Ledgers {
    scene: Scene,
    pub(super) clock: Arc<ManualClock>,
    bot: BotId,
    pub(super) workspace: WorkspaceId,
}

impl Ledgers {
    pub(super) fn of(scene: Scene) -> Self {
        Self {
            clock: Arc::new(ManualClock::new(BEGINNING)),
            bot: BotId(i64::try_from(scene.entropy.bits() >> 12).unwrap()),
            workspace: WorkspaceId::new(scene.key("").pk),
            scene,
        }
    }

    /// A worker's ledger: with a connection and chance of its own.
    pub(super) async fn worker(&self) -> Ledger {
        self.over(self.scene.connect().await)
    }

    pub(super) async fn workers(&self) -> Vec<Ledger> {
        let stores = self.scene.connections().await;
        stores.into_iter().map(|store| self.over(store)).collect()
    }

    /// A ledger in this store.
    pub(super) fn over(&self, store: Arc<dyn Store>) -> Ledger {
        let entropy = SeededEntropy::new(self.scene.entropy.bits());
        Ledger::new(store, Arc::<ManualClock>::clone(&self.clock), Arc::new(entropy))
    }

    pub(super) async fn connect(&self) -> Arc<dyn Store> {
        self.scene.connect().await
    }

    pub(super) fn bot(&self) -> BotId {
        self.bot
    }

    pub(super) fn link(&self, topic: usize) -> LinkKey {
        LinkKey {
            bot: self.bot,
            chat: ChatId(-1001),
            topic: Some(TopicId(number(topic))),
            customer: None,
        }
    }

    /// Who writes this message.
    pub(super) fn customer(&self, message: usize) -> CustomerId {
        CustomerId(self.bot.0 + number(message))
    }

    /// Where the delivery of a message lies.
    pub(super) fn delivery(&self, message: usize) -> Key {
        keys::inbound_delivery(self.bot, ChatId(-1001), Subject::Message(MessageId(number(message))))
    }

    /// What a worker that carries `message` wants to open.
    pub(super) fn opening(&self, link: LinkKey, message: usize) -> Opening {
        let now = crate::time::Clock::now(self.clock.as_ref());
        Opening {
            link,
            lease_until: now,
            delivery: self.delivery(message),
            customer: self.customer(message),
            contact: ContactId::new(format!("contact-{message}")),
            since: now,
            marker: format!("marker-{message}"),
        }
    }

    pub(super) fn reverse_key(&self, conversation: &ConversationId) -> Key {
        keys::reverse(&self.workspace, conversation)
    }

    /// The item itself, to see whether anything about it changed.
    pub(super) async fn item(&self, key: &Key) -> Option<Item> {
        super::scene::find(self.scene.store.as_ref(), key).await
    }

    pub(super) async fn record<T: Record>(&self, key: &Key) -> Option<Stored<T>> {
        let item = self.item(key).await?;
        Some(crate::record::decode(&item).expect("a record of this kind"))
    }

    pub(super) async fn link_at(&self, link: LinkKey) -> Option<Stored<Link>> {
        self.record(&link.key()).await
    }

    pub(super) async fn reverse_of(&self, conversation: &ConversationId) -> Option<Reverse> {
        let stored = self.record::<Reverse>(&self.reverse_key(conversation)).await;
        stored.map(|stored| stored.value)
    }

    /// Reads the link and claims its opening for `message`.
    pub(super) async fn claim(&self, ledger: &Ledger, link: LinkKey, message: usize) -> Claimed {
        self.claim_after(ledger, link, self.link_at(link).await, message).await
    }

    pub(super) async fn claim_after(
        &self,
        ledger: &Ledger,
        link: LinkKey,
        read: Option<Stored<Link>>,
        message: usize,
    ) -> Claimed {
        let opening = self.opening(link, message);
        let claim = || ledger.claim_opening(link, read.as_ref(), opening.clone(), false);
        settled(claim).await.expect("an answer to a claim")
    }

    /// A link that `message` has claimed.
    pub(super) async fn claimed(&self, ledger: &Ledger, link: LinkKey, message: usize) -> OpeningClaim {
        ours(self.claim(ledger, link, message).await)
    }

    pub(super) async fn bind(
        &self,
        ledger: &Ledger,
        claim: &OpeningClaim,
        conversation: &ConversationId,
    ) -> Result<(), WriteError> {
        settled(|| async {
            let (transaction, _) = ledger.bind(ledger.transaction(), claim, conversation, &self.workspace, None);
            ledger.commit(transaction).await.map(drop)
        })
        .await
    }

    /// A link that `message` has opened.
    pub(super) async fn opened(&self, ledger: &Ledger, link: LinkKey, message: usize, conversation: &ConversationId) {
        let claim = self.claimed(ledger, link, message).await;
        self.bind(ledger, &claim, conversation).await.expect("to bind");
    }

    /// What a worker makes of `message` as it comes out of the queue.
    pub(super) async fn begin(&self, ledger: &Ledger, message: usize) -> Begun {
        self.begin_copy(ledger, message, None).await
    }

    pub(super) async fn begin_copy(&self, ledger: &Ledger, message: usize, gave_up: Option<u32>) -> Begun {
        let key = self.delivery(message);
        let read = self.record::<Delivery>(&key).await;
        self.begin_after(ledger, message, read, gave_up).await
    }

    pub(super) async fn begin_after(
        &self,
        ledger: &Ledger,
        message: usize,
        read: Option<Stored<Delivery>>,
        gave_up: Option<u32>,
    ) -> Begun {
        let arrival = Arrival {
            lane: "-1001:0".to_owned(),
            since: BEGINNING,
            gave_up,
        };
        let begin = || async {
            let begun = ledger.begin(self.delivery(message), read.clone(), &arrival).await;
            begun.map_err(WriteError::from)
        };
        settled(begin).await.expect("an answer to a beginning")
    }

    pub(super) async fn begun(&self, ledger: &Ledger, message: usize) -> Claim {
        claimed(self.begin(ledger, message).await)
    }

    pub(super) async fn delivery_of(&self, message: usize) -> Delivery {
        let stored = self.record::<Delivery>(&self.delivery(message)).await;
        stored.expect("a delivery").value
    }
}

pub(super) fn number(of: usize) -> i64 {
    i64::try_from(of).unwrap()
}

pub(super) fn conversation(name: impl std::fmt::Display) -> ConversationId {
    ConversationId::new(format!("conversation-{name}"))
}

pub(super) fn ours(claimed: Claimed) -> OpeningClaim {
    match claimed {
        Claimed::Ours(claim) => claim,
        other @ (Claimed::TakenOver { .. } | Claimed::Later(_)) => panic!("a claim was expected, not {other:?}"),
    }
}

pub(super) fn taken_over(claimed: Claimed) -> OpeningClaim {
    match claimed {
        Claimed::TakenOver { claim } => claim,
        other @ (Claimed::Ours(_) | Claimed::Later(_)) => panic!("a take-over was expected, not {other:?}"),
    }
}

pub(super) fn claimed(begun: Begun) -> Claim {
    match begun {
        Begun::Claimed(claim) => claim,
        other @ (Begun::Later(_) | Begun::Finished | Begun::Poison(_)) => {
            panic!("a claim was expected, not {other:?}")
        }
    }
}

pub(super) fn is_claimed(begun: &Begun) -> bool {
    matches!(begun, Begun::Claimed(_))
}

/// Calls until the store is not too busy to answer.
pub(super) async fn settled<T, F>(call: impl Fn() -> F) -> Result<T, WriteError>
where
    F: Future<Output = Result<T, WriteError>>,
{
    for _ in 0..ATTEMPTS {
        match call().await {
            Err(WriteError::Store(StoreError::Unavailable(_))) => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
    panic!("the store is unavailable");
}

pub(super) fn assert_overtaken<T: std::fmt::Debug>(written: &Result<T, WriteError>) {
    assert!(
        matches!(written, Err(WriteError::Conflict)),
        "a conflict was expected, not {written:?}"
    );
}
