//! What was given up: queues of dead letters, and the way back from them.

use super::{Lanes, QueueName, close_lane, open_lane};
use crate::database::DatabaseError;
use mapping::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

/// Names one message of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterId(pub(super) i64);

/// A message as it lies among the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its name there.
    pub id: LetterId,
    /// The envelope, as it was sent.
    pub body: String,
}

impl Lanes {
    /// Sends every message of a queue of dead letters back to where it came from; tells how many there were.
    pub async fn redrive(&self, from: QueueName, to: QueueName) -> Result<u64, DatabaseError> {
        let bell = self.sent.of(to);
        let (from, to, now) = (from.as_str(), to.as_str(), self.clock.now());
        let moved = self
            .database
            .write(move |connection| redrive(connection, from, to, now))
            .await?;
        bell.notify_one();
        Ok(moved)
    }

    /// What lies in a queue of dead letters, the oldest first.
    pub async fn dead_letters(&self, name: QueueName) -> Result<Vec<DeadLetter>, DatabaseError> {
        let queue = name.as_str();
        let letters = move |connection: &Connection| {
            let mut statement =
                connection.prepare_cached("SELECT id, body FROM message WHERE queue = ?1 ORDER BY id")?;
            let letters = statement.query_map([queue], |row| {
                let (id, body) = (LetterId(row.get(0)?), row.get(1)?);
                Ok(DeadLetter { id, body })
            })?;
            letters.collect()
        };
        self.database.read(letters).await
    }

    /// Sends one message of a queue of dead letters back to where it came from; tells whether it was there.
    pub async fn redrive_one(&self, from: QueueName, to: QueueName, letter: LetterId) -> Result<bool, DatabaseError> {
        let bell = self.sent.of(to);
        let (from, to, now) = (from.as_str(), to.as_str(), self.clock.now());
        let moved = self
            .database
            .write(move |connection| redrive_one(connection, from, to, letter.0, now))
            .await?;
        bell.notify_one();
        Ok(moved)
    }
}

fn redrive(connection: &Connection, from: &str, to: &str, now: Timestamp) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare("SELECT id FROM message WHERE queue = ?1 ORDER BY id")?;
    let waiting = statement.query_map([from], |row| row.get::<_, i64>(0))?;
    let mut moved = 0;
    for id in waiting.collect::<rusqlite::Result<Vec<_>>>()? {
        moved += u64::from(redrive_one(connection, from, to, id, now)?);
    }
    Ok(moved)
}

fn redrive_one(connection: &Connection, from: &str, to: &str, id: i64, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM message WHERE id = ?1 AND queue = ?2 RETURNING lane, body, gave_up";
    let letter = connection
        .prepare_cached(sql)?
        .query_row(params![id, from], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<u32>>(2)?,
            ))
        })
        .optional()?;
    let Some((lane, body, gave_up)) = letter else {
        return Ok(false);
    };
    // A new id puts it behind what is in the lane by now.
    connection
        .prepare_cached("INSERT INTO message (queue, lane, body, gave_up) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![to, lane, body, gave_up])?;
    open_lane(connection, to, &lane, now)?;
    close_lane(connection, from, &lane)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use bridge::ports::QueueMessage;
    use mapping::testing::ManualClock;
    use std::sync::Arc;

    fn lanes() -> Lanes {
        let clock = ManualClock::new(Timestamp::from_millis(1_000_000));
        Lanes::new(Database::temporary().unwrap(), Arc::new(clock))
    }

    #[tokio::test]
    async fn dead_letters_come_back_with_the_number_of_their_giving_up() {
        let lanes = lanes();
        let message = QueueMessage {
            lane: "a".into(),
            dedupe: "d".into(),
            body: "dead".into(),
            gave_up: Some(3),
        };
        lanes.queue(QueueName::InboundDead).send(message).await.unwrap();
        assert_eq!(
            lanes.redrive(QueueName::InboundDead, QueueName::Inbound).await.unwrap(),
            1
        );
        assert_eq!(
            lanes.take(QueueName::Inbound).await.unwrap().unwrap().received.gave_up,
            Some(3)
        );
        assert_eq!(lanes.len(QueueName::InboundDead).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn one_dead_letter_comes_back_alone_and_once() {
        use QueueName::{Inbound, InboundDead};
        let lanes = lanes();
        for body in ["first", "second"] {
            let message = QueueMessage {
                lane: "a".into(),
                dedupe: body.into(),
                body: body.into(),
                gave_up: Some(1),
            };
            lanes.queue(InboundDead).send(message).await.unwrap();
        }
        let letters = lanes.dead_letters(InboundDead).await.unwrap();
        let second = letters.iter().find(|letter| letter.body == "second").unwrap().id;
        assert!(lanes.redrive_one(InboundDead, Inbound, second).await.unwrap());
        assert!(!lanes.redrive_one(InboundDead, Inbound, second).await.unwrap());
        assert_eq!(
            lanes.take(QueueName::Inbound).await.unwrap().unwrap().received.body,
            "second"
        );
        let left = lanes.dead_letters(InboundDead).await.unwrap();
        assert_eq!(left.first().map(|letter| letter.body.as_str()), Some("first"));
    }
}
