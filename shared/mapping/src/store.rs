//! The `Store` port: one table of versioned items, read strongly and written on conditions, all or nothing.
//!
//! It is this small so that every rule about links, claims and deliveries stands once, above it, and an adapter can only be
//! wrong in ways that the contract suite looks for.

use crate::time::{Entropy, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Where an item lies: partition and sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The partition: everything that one [`Store::list`] can see.
    pub pk: String,
    /// The item's place in it, ordered by bytes.
    pub sk: String,
}

impl Key {
    /// The key of these two halves.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

/// Which writing of an item this is. Every write brings a fresh one, made by the writer: so a version is a fence (whoever holds
/// an older one can write no more) and a signature (a writer that lost its answer knows its own work again).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// A version that no other write has.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self(format!("{:016x}{:016x}", entropy.bits(), entropy.bits()))
    }

    /// A version read back from an adapter's own storage.
    pub fn stored(version: impl Into<String>) -> Self {
        Self(version.into())
    }

    /// The version as an adapter stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One stored item.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where it lies.
    pub key: Key,
    /// Which writing it is.
    pub version: Version,
    /// From when on the store may drop it, at a time of its own choosing; until then it counts as there. Kept in whole
    /// seconds, rounded up.
    pub expires_at: Option<Timestamp>,
    /// A JSON object: the record. What it may hold, [`check_writes`](crate::check_writes) says.
    pub body: Value,
}

/// What must be true of an item for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing lies there.
    Absent,
    /// Exactly this writing lies there.
    Version(Version),
}

/// One write of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Puts the item in the place of what is expected.
    Put {
        /// What will lie there.
        item: Item,
        /// What must lie there.
        expected: Expected,
    },
    /// Removes what is expected.
    Delete {
        /// Where.
        key: Key,
        /// What must lie there.
        expected: Expected,
    },
    /// Changes nothing, and lets the others happen only if this holds.
    Check {
        /// Where.
        key: Key,
        /// What must lie there.
        expected: Expected,
    },
}

impl Write {
    /// The item that this write is about.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { item, .. } => &item.key,
            Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    /// What must be true of it.
    pub fn expected(&self) -> &Expected {
        match self {
            Self::Put { expected, .. } | Self::Delete { expected, .. } | Self::Check { expected, .. } => expected,
        }
    }
}

/// A stretch of one partition, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The partition.
    pub pk: String,
    /// The lowest sort key.
    pub from: String,
    /// The highest sort key.
    pub to: String,
    /// From the highest down instead of from the lowest up.
    pub descending: bool,
    /// At most so many items.
    pub limit: usize,
}

impl Range {
    /// All items of a partition whose sort key begins with `prefix`, from the lowest up.
    pub fn prefix(pk: impl Into<String>, prefix: &str, limit: usize) -> Self {
        // Sort keys are ASCII, so this is above every key that begins with the prefix.
        Self {
            pk: pk.into(),
            from: prefix.to_owned(),
            to: format!("{prefix}\u{7f}"),
            descending: false,
            limit,
        }
    }
}

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is throttled or broken now. After a write: whether it happened is not known.
    #[error("reach the store: {0}")]
    Unavailable(String),
    /// An item is not what this program writes, or not what a store takes. Trying again does not help.
    #[error("use the item {key}: {problem}")]
    Malformed {
        /// Where it lies.
        key: Key,
        /// What is wrong with it; no content.
        problem: String,
    },
}

/// Why a write did not happen, or may not have.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A condition did not hold; nothing was written. Where a put's own version lies there, an adapter lost the answer to its
    /// first attempt and tried again: then all of it was written.
    #[error("write: a condition did not hold")]
    Conflict,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The table. It refuses what [`check_keys`](crate::check_keys) and [`check_writes`](crate::check_writes) refuse. Implementations carry their database's name; all of them pass the same contract suite.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads up to 100 items, strongly consistent, in the order of `keys`.
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError>;

    /// Reads a stretch of one partition, strongly consistent, ordered by sort key.
    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError>;

    /// Does all of up to 100 writes to different items, or none of them.
    async fn write(&self, writes: &[Write]) -> Result<(), WriteError>;
}
