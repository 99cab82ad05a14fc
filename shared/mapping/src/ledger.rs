//! The ledger: the store, the clock and chance together, and the two things done with them: read and commit.

use crate::{
    record::{Reading, Record, Stored, decode, encode},
    store::{Expected, Key, Range, Store, StoreError, Version, Write, WriteError},
    time::{Clock, Entropy, Timestamp},
};
use std::{sync::Arc, time::Duration};

/// Where the bridge keeps what it knows.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Ledger {
    /// A ledger in this store, with this idea of time and chance.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, clock, entropy }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A time between nothing and `most`, any of them as likely.
    pub fn jitter(&self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.entropy.bits() % millis.saturating_add(1).max(1))
    }

    /// Reads up to 100 items at once.
    pub async fn read(&self, keys: &[Key]) -> Result<Reading, StoreError> {
        Ok(Reading::new(self.store.get(keys).await?.into_iter().flatten()))
    }

    /// Reads one record.
    pub async fn find<T: Record>(&self, key: &Key) -> Result<Option<Stored<T>>, StoreError> {
        self.read(std::slice::from_ref(key)).await?.get(key)
    }

    /// Reads the records of one stretch, with their sort keys. Items of another kind are passed over.
    pub async fn list<T: Record>(&self, range: &Range) -> Result<Vec<(Key, Stored<T>)>, StoreError> {
        let items = self.store.list(range).await?;
        let of_kind = items
            .iter()
            .filter(|item| item.body.get("kind").and_then(|kind| kind.as_str()) == Some(T::KIND));
        of_kind.map(|item| Ok((item.key.clone(), decode(item)?))).collect()
    }

    /// Begins a transaction.
    pub fn transaction(&self) -> Transaction {
        Transaction {
            version: Version::fresh(self.entropy.as_ref()),
            writes: Vec::new(),
            problem: None,
        }
    }

    /// Does all writes of a transaction or none; gives the version that everything put by it now has.
    ///
    /// A conflict may be with oneself: the write happened, its answer was lost, and a client below tried it again. The version tells.
    pub async fn commit(&self, transaction: Transaction) -> Result<Version, WriteError> {
        let Transaction {
            version,
            writes,
            problem,
        } = transaction;
        if let Some(problem) = problem {
            return Err(problem.into());
        }
        for _ in 0..WRITE_ATTEMPTS {
            match self.store.write(&writes).await {
                Ok(()) => return Ok(version),
                Err(WriteError::Conflict) if self.is_written(&version, &writes).await? => return Ok(version),
                Err(WriteError::Store(StoreError::Unavailable(_))) => {}
                Err(error) => return Err(error),
            }
        }
        // The version makes it safe to have tried: this either finds the last try's work, or says why there is none.
        if self.is_written(&version, &writes).await? {
            return Ok(version);
        }
        Err(StoreError::Unavailable("it did not take the write".into()).into())
    }

    async fn is_written(&self, version: &Version, writes: &[Write]) -> Result<bool, StoreError> {
        let put: Vec<Key> = writes
            .iter()
            .filter_map(|write| match write {
                Write::Put { item, .. } => Some(item.key.clone()),
                Write::Delete { .. } | Write::Check { .. } => None,
            })
            .collect();
        let items = self.store.get(&put).await?;
        Ok(!put.is_empty()
            && items
                .iter()
                .all(|item| item.as_ref().is_some_and(|item| item.version == *version)))
    }
}

/// What happened on the other side is known only here until it is written, so one failure does not end it.
const WRITE_ATTEMPTS: usize = 3;

/// Writes that happen together or not at all.
#[derive(Debug)]
pub struct Transaction {
    version: Version,
    writes: Vec<Write>,
    problem: Option<StoreError>,
}

impl Transaction {
    /// Puts a record where nothing lies.
    #[must_use]
    pub fn create<T: Record>(self, key: Key, record: &T, expires_at: Option<Timestamp>) -> Self {
        self.put(key, Expected::Absent, record, expires_at)
    }

    /// Puts a record in the place of the writing that was read.
    #[must_use]
    pub fn replace<T: Record>(self, key: Key, read: &Version, record: &T, expires_at: Option<Timestamp>) -> Self {
        self.put(key, Expected::Version(read.clone()), record, expires_at)
    }

    /// Puts a record in the place of what was read, be it nothing.
    #[must_use]
    pub fn put_after<T: Record>(
        self,
        key: Key,
        read: Option<&Version>,
        record: &T,
        expires_at: Option<Timestamp>,
    ) -> Self {
        self.put(
            key,
            read.map_or(Expected::Absent, |version| Expected::Version(version.clone())),
            record,
            expires_at,
        )
    }

    /// Removes the writing that was read.
    #[must_use]
    pub fn delete(mut self, key: Key, read: &Version) -> Self {
        self.writes.push(Write::Delete {
            key,
            expected: Expected::Version(read.clone()),
        });
        self
    }

    /// Lets the rest happen only if this writing still lies there.
    #[must_use]
    pub fn check(mut self, key: Key, read: &Version) -> Self {
        self.writes.push(Write::Check {
            key,
            expected: Expected::Version(read.clone()),
        });
        self
    }

    fn put<T: Record>(mut self, key: Key, expected: Expected, record: &T, expires_at: Option<Timestamp>) -> Self {
        match encode(key, self.version.clone(), record, expires_at) {
            Ok(item) => self.writes.push(Write::Put { item, expected }),
            Err(problem) => self.problem = Some(problem),
        }
        self
    }
}
