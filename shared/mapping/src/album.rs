//! Albums: Telegram sends their items one by one and does not say how many come, so they are gathered here until they are flushed.
//!
//! This is the one place where the table holds what people wrote: an item lies here as Telegram sent it, from the moment at which
//! its queue message is acknowledged until the album is on the other side.

use crate::{
    delivery::{Delivery, DeliveryState},
    ids::MessageId,
    keys::{self, AlbumKey, FINISHED_FOR},
    ledger::Ledger,
    record::{Record, Stored},
    store::{Key, WriteError},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// So much an album holds, in bytes, which leaves room below the most that a store takes. An album has ten items of one or two
/// kilobytes.
pub const MOST_OF_ALBUM: usize = 256 * 1024;

/// An album that was given up keeps its items as long as a dead letter may wait for its operator, and a day.
const GIVEN_UP_FOR: Duration = Duration::from_hours(15 * 24);

/// An album.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Album {
    /// The lane in which it is carried.
    pub lane: String,
    /// Since when it is tried: when the webhook took its first item, or that was put back.
    pub since: Timestamp,
    /// When its newest item joined.
    pub last_at: Timestamp,
    /// Whether more may join.
    pub state: AlbumState,
    /// Its items, in the order in which they came.
    pub items: Vec<AlbumItem>,
}

/// How far an album is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlbumState {
    /// Items may join.
    Open,
    /// It is on its way, or was given up; nothing joins any more, so that it stays the same however often it is tried.
    Closed,
    /// Its delivery has ended; of its items only the ids are left.
    Flushed,
}

/// An item of an album.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlbumItem {
    /// Its message.
    pub message: MessageId,
    /// The update that brought it, as JSON, until the album is flushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
}

impl Record for Album {
    const KIND: &'static str = "album";
}

/// Which album is open in a lane: whatever else comes there flushes it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlbum {
    /// The album.
    pub album: AlbumKey,
}

impl Record for OpenAlbum {
    const KIND: &'static str = "open_album";
}

/// What came of the wish to join an album.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The item is in it, now or since before.
    In(Album),
    /// The album takes no more items.
    Closed,
    /// The item would make it too large.
    Full,
}

impl Album {
    fn new(lane: &str, since: Timestamp) -> Self {
        Self {
            lane: lane.to_owned(),
            since,
            last_at: since,
            state: AlbumState::Open,
            items: Vec::new(),
        }
    }

    /// The message of its first item, by which its delivery is named.
    pub fn first(&self) -> Option<MessageId> {
        self.items.first().map(|item| item.message)
    }

    fn has(&self, message: MessageId) -> bool {
        self.items.iter().any(|item| item.message == message)
    }

    fn has_room_for(&self, item: &AlbumItem) -> bool {
        let weight = |item: &AlbumItem| item.update.as_ref().map_or(0, String::len);
        let held: usize = self.items.iter().map(weight).sum();
        held.saturating_add(weight(item)) <= MOST_OF_ALBUM
    }

    fn with(mut self, item: AlbumItem, now: Timestamp) -> Self {
        self.items.push(item);
        self.last_at = now;
        self
    }

    /// Without what people wrote.
    fn flushed(mut self) -> Self {
        for item in &mut self.items {
            item.update = None;
        }
        self.state = AlbumState::Flushed;
        self
    }
}

impl Ledger {
    /// Adds an item to an album, which opens in this lane with its first one. `read` is what was read of the album. A lane has one
    /// open album at a time: while another one is open there it is a conflict.
    pub async fn join_album(
        &self,
        key: &AlbumKey,
        read: Option<Stored<Album>>,
        lane: &str,
        since: Timestamp,
        item: &AlbumItem,
    ) -> Result<Joined, WriteError> {
        let mut read = read;
        loop {
            let version = read.as_ref().map(|album| album.version.clone());
            let album = read.map_or_else(|| Album::new(lane, since), |album| album.value);
            if album.has(item.message) {
                return Ok(Joined::In(album));
            }
            match album.state {
                AlbumState::Open if album.has_room_for(item) => {}
                AlbumState::Open => return Ok(Joined::Full),
                AlbumState::Closed | AlbumState::Flushed => return Ok(Joined::Closed),
            }
            let album = album.with(item.clone(), self.now());
            let mut transaction = self.transaction().put_after(key.key(), version.as_ref(), &album, None);
            if version.is_none() {
                let open = OpenAlbum { album: key.clone() };
                transaction = transaction.create(keys::open_album(key.bot, lane), &open, None);
            }
            match self.commit(transaction).await {
                Ok(_) => return Ok(Joined::In(album)),
                Err(WriteError::Conflict) => read = self.find(&key.key()).await?,
                Err(error) => return Err(error),
            }
            if read.is_none() {
                return Err(WriteError::Conflict);
            }
        }
    }

    /// Lets nothing join an album any more.
    pub async fn close_album(&self, key: &AlbumKey, read: Stored<Album>) -> Result<Stored<Album>, WriteError> {
        match read.value.state {
            AlbumState::Closed | AlbumState::Flushed => return Ok(read),
            AlbumState::Open => {}
        }
        let value = Album {
            state: AlbumState::Closed,
            ..read.value
        };
        let transaction = self.transaction().replace(key.key(), &read.version, &value, None);
        let version = self.commit(transaction).await?;
        Ok(Stored { version, value })
    }

    /// Ends a closed album whose delivery has ended, or never will begin: its lane is free for another, and what people wrote goes. An album that was given up
    /// keeps it, for it may be put back.
    pub async fn end_album(&self, key: &AlbumKey, lane: &str, delivery: &Key) -> Result<(), WriteError> {
        let open_key = keys::open_album(key.bot, lane);
        let read = self.read(&[key.key(), open_key.clone(), delivery.clone()]).await?;
        let Some(album) = read.get::<Album>(&key.key())? else {
            return Ok(());
        };
        match album.value.state {
            AlbumState::Open | AlbumState::Flushed => return Ok(()),
            AlbumState::Closed => {}
        }
        let state = read.get::<Delivery>(delivery)?.map(|delivery| delivery.value.state);
        let (ended, kept_for) = match state {
            Some(DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. }) => return Ok(()),
            Some(DeliveryState::Undeliverable { .. }) => (album.value, GIVEN_UP_FOR),
            Some(DeliveryState::Delivered | DeliveryState::Skipped { .. }) | None => {
                (album.value.flushed(), FINISHED_FOR)
            }
        };
        let expires_at = Some(self.now() + kept_for);
        let mut transaction = self
            .transaction()
            .replace(key.key(), &album.version, &ended, expires_at);
        let open = read.get::<OpenAlbum>(&open_key)?;
        if let Some(open) = open.filter(|open| open.value.album == *key) {
            transaction = transaction.delete(open_key, &open.version);
        }
        self.commit(transaction).await.map(drop)
    }
}
