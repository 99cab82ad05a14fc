//! Durable queues of lanes in the database file: what SQS FIFO queues are to the functions.
//!
//! Messages of one lane come out one after the other. A message that was taken is hidden; if its worker dies it comes out again.

mod dead;
mod tending;

pub use dead::{DeadLetter, LetterId};
pub use tending::Lying;

use crate::{
    database::{Database, DatabaseError},
    store::SqliteStore,
};
use async_trait::async_trait;
use bridge::{
    Received,
    ports::{Queue, QueueError, QueueMessage},
};
use mapping::{Clock, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE lane (
        queue TEXT NOT NULL,
        lane TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        taken INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (queue, lane)
    ) WITHOUT ROWID;
    CREATE INDEX lane_due ON lane (queue, due_at);
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        lane TEXT NOT NULL,
        body TEXT NOT NULL,
        gave_up INTEGER,
        receives INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX message_lane ON message (queue, lane, id);
    CREATE TABLE dedupe (
        queue TEXT NOT NULL,
        lane TEXT NOT NULL,
        dedupe TEXT NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (queue, lane, dedupe)
    ) WITHOUT ROWID;
    CREATE INDEX dedupe_until ON dedupe (until);
";

/// Longer than a claim's lease: a message that comes out again proves that its former worker is dead.
const HIDDEN_FOR: Duration = Duration::from_secs(130);

/// A message with a dedupe id that was sent so short a time ago is the same message.
const SAME_WITHIN: Duration = Duration::from_mins(5);

/// The queues of the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueName {
    /// To Intercom.
    Inbound,
    /// To Telegram.
    Outbound,
    /// What was given up on its way to Intercom.
    InboundDead,
    /// What was given up on its way to Telegram.
    OutboundDead,
}

impl QueueName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::InboundDead => "inbound-dead",
            Self::OutboundDead => "outbound-dead",
        }
    }
}

/// All queues of one database file.
#[derive(Clone)]
pub struct Lanes {
    database: Database,
    clock: Arc<dyn Clock>,
    sent: Arc<Bells>,
}

/// One for each queue: rung for another's, a worker would go back to sleep, and nobody would be awake for the message.
#[derive(Default)]
struct Bells {
    inbound: Notify,
    outbound: Notify,
    inbound_dead: Notify,
    outbound_dead: Notify,
}

impl Bells {
    fn of(&self, name: QueueName) -> &Notify {
        match name {
            QueueName::Inbound => &self.inbound,
            QueueName::Outbound => &self.outbound,
            QueueName::InboundDead => &self.inbound_dead,
            QueueName::OutboundDead => &self.outbound_dead,
        }
    }
}

/// A message that was taken out of a queue and is hidden until it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The message.
    pub received: Received,
    queue: &'static str,
    id: i64,
    // Counted up each time the lane's head is taken: whoever took it earlier can settle it no more.
    taking: i64,
}

impl Lanes {
    /// The queues in this file.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self {
            database,
            clock,
            sent: Arc::default(),
        }
    }

    /// The store in the same file.
    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::new(self.database.clone())
    }

    /// One of them, to send to.
    pub fn queue(&self, name: QueueName) -> Arc<dyn Queue> {
        Arc::new(LaneQueue {
            lanes: self.clone(),
            name,
        })
    }

    /// Wakes up when something was sent to this one by this program.
    pub async fn sent(&self, name: QueueName) {
        self.sent.of(name).notified().await;
    }

    /// Takes the head of a lane that is due, the longest due first.
    pub async fn take(&self, name: QueueName) -> Result<Option<Taken>, DatabaseError> {
        let (queue, now) = (name.as_str(), self.clock.now());
        self.database
            .write(move |connection| take(connection, queue, now))
            .await
    }

    /// Removes a message that is dealt with.
    pub async fn done(&self, taken: &Taken) -> Result<(), DatabaseError> {
        let (taken, now) = (taken.clone(), self.clock.now());
        self.database
            .write(move |connection| done(connection, &taken, now))
            .await
    }

    /// Leaves a message at the head of its lane, to come out again at this time.
    pub async fn later(&self, taken: &Taken, at: Timestamp) -> Result<(), DatabaseError> {
        let taken = taken.clone();
        self.database
            .write(move |connection| later(connection, &taken, at))
            .await
    }

    /// When the next message of a queue is due, if there is one.
    pub async fn next_due(&self, name: QueueName) -> Result<Option<Timestamp>, DatabaseError> {
        let queue = name.as_str();
        let due = move |connection: &Connection| {
            let sql = "SELECT min(due_at) FROM lane WHERE queue = ?1";
            connection
                .prepare_cached(sql)?
                .query_row([queue], |row| row.get::<_, Option<i64>>(0))
        };
        Ok(self.database.read(due).await?.map(Timestamp::from_millis))
    }

    /// How many messages are in a queue, hidden ones included.
    pub async fn len(&self, name: QueueName) -> Result<u64, DatabaseError> {
        let queue = name.as_str();
        let count = move |connection: &Connection| {
            let sql = "SELECT count(*) FROM message WHERE queue = ?1";
            connection.prepare_cached(sql)?.query_row([queue], |row| row.get(0))
        };
        let count: i64 = self.database.read(count).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

struct LaneQueue {
    lanes: Lanes,
    name: QueueName,
}

#[async_trait]
impl Queue for LaneQueue {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let (queue, now) = (self.name.as_str(), self.lanes.clock.now());
        let sent = self
            .lanes
            .database
            .write(move |connection| send(connection, queue, &message, now))
            .await;
        sent.map_err(|error| QueueError::Unavailable(error.to_string()))?;
        self.lanes.sent.of(self.name).notify_one();
        Ok(())
    }
}

fn send(connection: &Connection, queue: &str, message: &QueueMessage, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM dedupe WHERE until <= ?1")?
        .execute([now.as_millis()])?;
    let first = connection
        .prepare_cached("INSERT OR IGNORE INTO dedupe (queue, lane, dedupe, until) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            queue,
            message.lane,
            message.dedupe,
            (now + SAME_WITHIN).as_millis()
        ])?;
    if first == 0 {
        return Ok(());
    }
    connection
        .prepare_cached("INSERT INTO message (queue, lane, body, gave_up) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![queue, message.lane, message.body, message.gave_up])?;
    open_lane(connection, queue, &message.lane, now)
}

/// A lane that has messages already keeps its time: its head decides.
fn open_lane(connection: &Connection, queue: &str, lane: &str, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO lane (queue, lane, due_at) VALUES (?1, ?2, ?3)";
    connection
        .prepare_cached(sql)?
        .execute(params![queue, lane, now.as_millis()])
        .map(drop)
}

fn take(connection: &Connection, queue: &'static str, now: Timestamp) -> rusqlite::Result<Option<Taken>> {
    let sql = "UPDATE lane SET due_at = ?3, taken = taken + 1
         WHERE queue = ?1 AND lane = (SELECT lane FROM lane WHERE queue = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT 1)
         RETURNING lane, taken";
    let hidden_until = (now + HIDDEN_FOR).as_millis();
    let lane = connection
        .prepare_cached(sql)?
        .query_row(params![queue, now.as_millis(), hidden_until], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((lane, taking)) = lane else { return Ok(None) };
    let sql = "UPDATE message SET receives = receives + 1
         WHERE id = (SELECT min(id) FROM message WHERE queue = ?1 AND lane = ?2)
         RETURNING id, body, gave_up, receives";
    connection
        .prepare_cached(sql)?
        .query_row(params![queue, lane], |row| {
            let id: i64 = row.get(0)?;
            let received = Received {
                id: id.to_string(),
                lane: lane.clone(),
                body: row.get(1)?,
                gave_up: row.get(2)?,
                receives: row.get(3)?,
            };
            Ok(Taken {
                received,
                queue,
                id,
                taking,
            })
        })
        .optional()
}

fn done(connection: &Connection, taken: &Taken, now: Timestamp) -> rusqlite::Result<()> {
    if !later(connection, taken, now).map(|()| connection.changes() == 1)? {
        return Ok(());
    }
    connection
        .prepare_cached("DELETE FROM message WHERE id = ?1")?
        .execute([taken.id])?;
    close_lane(connection, taken.queue, &taken.received.lane)
}

fn later(connection: &Connection, taken: &Taken, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE lane SET due_at = ?4 WHERE queue = ?1 AND lane = ?2 AND taken = ?3
         AND EXISTS (SELECT 1 FROM message WHERE id = ?5)";
    let whose = params![taken.queue, taken.received.lane, taken.taking, at.as_millis(), taken.id];
    connection.prepare_cached(sql)?.execute(whose).map(drop)
}

/// A lane without messages is none.
fn close_lane(connection: &Connection, queue: &str, lane: &str) -> rusqlite::Result<()> {
    let sql = "DELETE FROM lane WHERE queue = ?1 AND lane = ?2
         AND NOT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND lane = ?2)";
    connection.prepare_cached(sql)?.execute(params![queue, lane]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::testing::ManualClock;

    const START: i64 = 1_000_000;

    fn lanes() -> (Lanes, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(START)));
        (
            Lanes::new(Database::temporary().unwrap(), Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
        )
    }

    async fn send(lanes: &Lanes, lane: &str, body: &str) {
        let message = QueueMessage {
            lane: lane.into(),
            dedupe: body.into(),
            body: body.into(),
            gave_up: None,
        };
        lanes.queue(QueueName::Inbound).send(message).await.unwrap();
    }

    async fn take(lanes: &Lanes) -> Option<Taken> {
        lanes.take(QueueName::Inbound).await.unwrap()
    }

    #[tokio::test]
    async fn a_lane_gives_out_one_message_at_a_time_in_order() {
        let (lanes, clock) = lanes();
        for body in ["a1", "a2"] {
            send(&lanes, "a", body).await;
        }
        clock.advance(Duration::from_millis(1));
        send(&lanes, "b", "b1").await;
        let a1 = take(&lanes).await.unwrap();
        let b1 = take(&lanes).await.unwrap();
        assert_eq!((a1.received.body.as_str(), b1.received.body.as_str()), ("a1", "b1"));
        assert_eq!(take(&lanes).await, None, "a2 waits for a1");
        lanes.later(&a1, Timestamp::from_millis(START + 5_000)).await.unwrap();
        assert_eq!(take(&lanes).await, None, "a1 waits for its time");
        clock.advance(Duration::from_secs(5));
        let again = take(&lanes).await.unwrap();
        assert_eq!(again.received.body, "a1");
        lanes.done(&again).await.unwrap();
        assert_eq!(take(&lanes).await.unwrap().received.body, "a2");
        assert_eq!(lanes.len(QueueName::Inbound).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_message_whose_worker_died_comes_again_and_the_dead_settle_nothing() {
        let (lanes, clock) = lanes();
        send(&lanes, "a", "a1").await;
        let dead = take(&lanes).await.unwrap();
        clock.advance(HIDDEN_FOR);
        let alive = take(&lanes).await.unwrap();
        lanes.done(&dead).await.unwrap();
        assert_eq!(lanes.len(QueueName::Inbound).await.unwrap(), 1);
        lanes.done(&alive).await.unwrap();
        assert_eq!(lanes.len(QueueName::Inbound).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_is_sent_wakes_whoever_waits_for_it_and_nobody_else() {
        let (lanes, _) = lanes();
        let mut others = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.sent(QueueName::Outbound).await }
        });
        // It waits first, and would be woken first.
        tokio::task::yield_now().await;
        send(&lanes, "a", "a1").await;
        lanes.sent(QueueName::Inbound).await;
        let woken = tokio::time::timeout(Duration::from_millis(10), &mut others).await;
        assert!(woken.is_err(), "nothing was sent to the other");
        others.abort();
    }

    #[tokio::test]
    async fn the_same_message_is_taken_once_within_five_minutes() {
        let (lanes, clock) = lanes();
        send(&lanes, "a", "a1").await;
        send(&lanes, "a", "a1").await;
        assert_eq!(lanes.len(QueueName::Inbound).await.unwrap(), 1);
        clock.advance(SAME_WITHIN);
        send(&lanes, "a", "a1").await;
        assert_eq!(lanes.len(QueueName::Inbound).await.unwrap(), 2);
    }
}
