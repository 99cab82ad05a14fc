//! What every case has at hand: stores, keys that are its own, fresh items and a start line for races.

use super::Fixture;
use crate::{
    store::{Expected, Item, Key, Store, StoreError, Version, Write, WriteError},
    testing::SeededEntropy,
};
use serde_json::{Value, json};
use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Barrier, task::JoinSet};

/// How many tasks race for one thing, each on a connection of its own.
pub(super) const RACERS: usize = 16;

/// A busy store may ask to be tried again, but not for ever.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Clone)]
pub(super) struct Scene {
    fixture: Arc<dyn Fixture>,
    pub(super) store: Arc<dyn Store>,
    pub(super) entropy: Arc<SeededEntropy>,
    partition: String,
}

impl Scene {
    pub(super) async fn new(case: &str, fixture: Arc<dyn Fixture>) -> Self {
        // Other processes may run the same cases on the same table.
        let seed = RandomState::new().hash_one(case);
        Self {
            store: fixture.connect().await,
            entropy: Arc::new(SeededEntropy::new(seed)),
            partition: format!("{case}#{seed:016x}"),
            fixture,
        }
    }

    pub(super) fn key(&self, sk: impl Into<String>) -> Key {
        Key::new(&self.partition, sk)
    }

    pub(super) fn item(&self, sk: impl Into<String>, body: Value) -> Item {
        Item {
            key: self.key(sk),
            version: Version::fresh(self.entropy.as_ref()),
            expires_at: None,
            body,
        }
    }

    /// Puts an item where nothing lies.
    pub(super) async fn given(&self, sk: impl Into<String>, body: Value) -> Item {
        let item = self.item(sk, body);
        let put = create(&item);
        self.store.write(&[put]).await.expect("to put a first item");
        item
    }

    pub(super) async fn find(&self, sk: impl Into<String>) -> Option<Item> {
        find(self.store.as_ref(), &self.key(sk)).await
    }

    pub(super) async fn connect(&self) -> Arc<dyn Store> {
        self.fixture.connect().await
    }

    pub(super) async fn connections(&self) -> Vec<Arc<dyn Store>> {
        let mut stores = Vec::with_capacity(RACERS);
        for _ in 0..RACERS {
            stores.push(self.connect().await);
        }
        stores
    }
}

pub(super) fn create(item: &Item) -> Write {
    Write::Put {
        item: item.clone(),
        expected: Expected::Absent,
    }
}

pub(super) fn replace(old: &Item, new: &Item) -> Write {
    Write::Put {
        item: new.clone(),
        expected: Expected::Version(old.version.clone()),
    }
}

pub(super) fn remove(old: &Item) -> Write {
    Write::Delete {
        key: old.key.clone(),
        expected: Expected::Version(old.version.clone()),
    }
}

pub(super) fn check(old: &Item) -> Write {
    Write::Check {
        key: old.key.clone(),
        expected: Expected::Version(old.version.clone()),
    }
}

pub(super) fn check_absent(key: Key) -> Write {
    Write::Check {
        key,
        expected: Expected::Absent,
    }
}

/// A record that tells items apart.
pub(super) fn numbered(number: usize) -> Value {
    json!({"kind": "contract", "number": number})
}

pub(super) async fn find(store: &dyn Store, key: &Key) -> Option<Item> {
    for _ in 0..ATTEMPTS {
        match store.get(std::slice::from_ref(key)).await {
            Ok(mut items) => return items.pop().expect("one answer to one key"),
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store is unavailable");
}

/// Writes as a careful caller does: tries again while the store is busy, and knows its own work by its version. True if it won.
pub(super) async fn attempt(store: &dyn Store, writes: &[Write]) -> bool {
    let mut uncertain = false;
    for _ in 0..ATTEMPTS {
        match store.write(writes).await {
            Ok(()) => return true,
            Err(WriteError::Conflict) => return uncertain && is_mine(store, writes).await,
            Err(WriteError::Store(StoreError::Unavailable(_))) => {
                uncertain = true;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store is unavailable");
}

async fn is_mine(store: &dyn Store, writes: &[Write]) -> bool {
    for write in writes {
        if let Write::Put { item, .. } = write {
            return find(store, &item.key)
                .await
                .is_some_and(|found| found.version == item.version);
        }
    }
    false
}

pub(super) fn assert_conflict(written: &Result<(), WriteError>) {
    assert!(
        matches!(written, Err(WriteError::Conflict)),
        "a conflict was expected, not {written:?}"
    );
}

pub(super) fn assert_refused(written: &Result<(), WriteError>) {
    let refused = matches!(written, Err(WriteError::Store(StoreError::Malformed { .. })));
    assert!(refused, "a refusal was expected, not {written:?}");
}

/// Lets one task for each racer's connection begin at the same moment; gives what they came back with, in the order of the connections.
pub(super) async fn race<C, T, F>(connections: &[C], job: impl Fn(usize, C) -> F) -> Vec<T>
where
    C: Clone,
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(connections.len()));
    let mut tasks = JoinSet::new();
    for (racer, connection) in connections.iter().enumerate() {
        let (start, job) = (Arc::clone(&start), job(racer, connection.clone()));
        tasks.spawn(async move {
            start.wait().await;
            (racer, job.await)
        });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(racer, _)| *racer);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Asserts that exactly one racer won; gives which.
pub(super) fn only_winner(won: &[bool]) -> usize {
    let winners: Vec<usize> = (0..won.len()).filter(|racer| won.get(*racer) == Some(&true)).collect();
    let &[winner] = winners.as_slice() else {
        panic!("{} of {} racers won: {winners:?}", winners.len(), won.len());
    };
    winner
}
