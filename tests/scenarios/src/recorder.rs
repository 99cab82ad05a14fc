//! A store that remembers what was asked of it, and so knows where to look for what was left behind.

use async_trait::async_trait;
use mapping::{Item, Key, Range, Store, StoreError, Write, WriteError};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a store was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Batch reads: the keys of each.
    pub reads: Vec<Vec<Key>>,
    /// Stretches that were listed, by their partition.
    pub lists: Vec<String>,
    /// Transactions: the keys of each.
    pub writes: Vec<Vec<Key>>,
}

/// A store that remembers what was asked of it.
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn Store>,
    recording: Arc<Mutex<Recording>>,
    written: Arc<Mutex<BTreeSet<Key>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            recording: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Knows what the former one wrote to the same table, too.
    pub(crate) fn remember(&self, former: &Self) {
        let written = lock(&former.written).clone();
        lock(&self.written).extend(written);
    }

    /// What was asked since the last time, or since the beginning.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut lock(&self.recording))
    }

    /// Everything that lies in the table.
    pub async fn items(&self) -> Vec<Item> {
        let keys: Vec<Key> = lock(&self.written).iter().cloned().collect();
        let mut items = Vec::new();
        for some in keys.chunks(100) {
            let found = self.store.get(some).await.expect("the table answers");
            items.extend(found.into_iter().flatten());
        }
        items
    }
}

#[async_trait]
impl Store for Recorder {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        lock(&self.recording).reads.push(keys.to_vec());
        self.store.get(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        lock(&self.recording).lists.push(range.pk.clone());
        self.store.list(range).await
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        let keys: Vec<Key> = writes.iter().map(|write| write.key().clone()).collect();
        lock(&self.written).extend(keys.iter().cloned());
        lock(&self.recording).writes.push(keys);
        self.store.write(writes).await
    }
}
