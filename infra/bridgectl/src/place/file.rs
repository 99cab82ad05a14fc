//! A bridge in a database file.

use super::{Found, Kind, Place, Walk, Walks, WholeTable};
use crate::serve::queues;
use anyhow::Context as _;
use async_trait::async_trait;
use local::{Database, Lanes, LetterId, QueueName, SqliteStore, SystemClock};
use mapping::{Item, Key, StoreError};
use std::{path::Path, sync::Arc};

/// How many items or messages are read at once.
const AT_ONCE: usize = 500;

pub(super) fn open(data: &Path) -> anyhow::Result<Place> {
    // To look after what is not there would make it.
    anyhow::ensure!(data.exists(), "there is no {}", data.display());
    let database = Database::open(data).with_context(|| format!("{} cannot be opened", data.display()))?;
    let store = SqliteStore::new(database.clone());
    let lanes = Lanes::new(database, Arc::new(SystemClock));
    Ok(Place::new(
        data.display().to_string(),
        Arc::new(store.clone()),
        Box::new(store),
        Box::new(lanes.clone()),
        queues(&lanes),
        Kind::File,
    ))
}

#[async_trait]
impl WholeTable for SqliteStore {
    async fn part(&self, from: Option<Key>) -> Result<(Vec<Item>, Option<Key>), StoreError> {
        let items = self.behind(from, AT_ONCE).await?;
        let last = items.last().map(|item| item.key.clone());
        let next = last.filter(|_| items.len() == AT_ONCE);
        Ok((items, next))
    }
}

impl Walks for Lanes {
    fn begin(&self, queue: QueueName) -> Box<dyn Walk> {
        Box::new(LaneWalk {
            lanes: self.clone(),
            queue,
            ids: Vec::new(),
        })
    }
}

struct LaneWalk {
    lanes: Lanes,
    queue: QueueName,
    ids: Vec<LetterId>,
}

impl LaneWalk {
    fn id(&self, found: &Found) -> anyhow::Result<LetterId> {
        self.ids.get(found.at).copied().context("a message of another queue")
    }
}

#[async_trait]
impl Walk for LaneWalk {
    async fn len(&self) -> anyhow::Result<u64> {
        Ok(self.lanes.len(self.queue).await?)
    }

    async fn next(&mut self) -> anyhow::Result<Vec<Found>> {
        let after = self.ids.last().copied();
        let mut all = Vec::new();
        for lying in self.lanes.look(self.queue, after, AT_ONCE).await? {
            all.push(Found {
                at: self.ids.len(),
                received: lying.received,
            });
            self.ids.push(lying.id);
        }
        Ok(all)
    }

    async fn put_back(&mut self, found: &Found) -> anyhow::Result<()> {
        let home = match self.queue {
            QueueName::Inbound | QueueName::InboundDead => QueueName::Inbound,
            QueueName::Outbound | QueueName::OutboundDead => QueueName::Outbound,
        };
        self.lanes.redrive_one(self.queue, home, self.id(found)?).await?;
        Ok(())
    }

    async fn remove(&mut self, found: &Found) -> anyhow::Result<()> {
        self.lanes.remove(self.queue, self.id(found)?).await?;
        Ok(())
    }

    async fn end(self: Box<Self>) -> anyhow::Result<()> {
        Ok(())
    }
}
