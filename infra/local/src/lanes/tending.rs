//! Queues as whoever looks after them sees them: all that lies in them, hidden messages included, and each of it removable.

use super::{Lanes, LetterId, QueueName, close_lane};
use crate::database::DatabaseError;
use bridge::Received;
use rusqlite::{Connection, OptionalExtension as _, params};

/// A message that lies in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// Its name there.
    pub id: LetterId,
    /// The message.
    pub received: Received,
}

impl Lanes {
    /// What lies in a queue behind this message, at most so many, the oldest first.
    pub async fn look(
        &self,
        name: QueueName,
        after: Option<LetterId>,
        limit: usize,
    ) -> Result<Vec<Lying>, DatabaseError> {
        let queue = name.as_str();
        let after = after.map_or(0, |after| after.0);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database
            .read(move |connection| look(connection, queue, after, limit))
            .await
    }

    /// Removes a message, whoever is at it; tells whether it was still there.
    pub async fn remove(&self, name: QueueName, message: LetterId) -> Result<bool, DatabaseError> {
        let queue = name.as_str();
        self.database
            .write(move |connection| remove(connection, queue, message.0))
            .await
    }
}

fn look(connection: &Connection, queue: &str, after: i64, limit: i64) -> rusqlite::Result<Vec<Lying>> {
    let sql = "SELECT id, lane, body, gave_up, receives FROM message WHERE queue = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let lying = statement.query_map(params![queue, after, limit], |row| {
        let received = Received {
            id: row.get::<_, i64>(0)?.to_string(),
            lane: row.get(1)?,
            body: row.get(2)?,
            gave_up: row.get(3)?,
            receives: row.get(4)?,
        };
        Ok(Lying {
            id: LetterId(row.get(0)?),
            received,
        })
    })?;
    lying.collect()
}

fn remove(connection: &Connection, queue: &str, message: i64) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM message WHERE id = ?1 AND queue = ?2 RETURNING lane";
    let lane: Option<String> = connection
        .prepare_cached(sql)?
        .query_row(params![message, queue], |row| row.get(0))
        .optional()?;
    let Some(lane) = lane else { return Ok(false) };
    close_lane(connection, queue, &lane)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, SystemClock};
    use QueueName::{Inbound, InboundDead};
    use bridge::ports::QueueMessage;
    use std::sync::Arc;

    async fn lanes_with(bodies: &[&str]) -> Lanes {
        let lanes = Lanes::new(Database::temporary().unwrap(), Arc::new(SystemClock));
        for body in bodies {
            let message = QueueMessage {
                lane: "a".into(),
                dedupe: (*body).into(),
                body: (*body).into(),
                gave_up: Some(1),
            };
            lanes.queue(InboundDead).send(message).await.unwrap();
        }
        lanes
    }

    #[tokio::test]
    async fn a_queue_is_looked_through_piece_by_piece() {
        let lanes = lanes_with(&["a1", "a2", "a3"]).await;
        let first = lanes.look(InboundDead, None, 2).await.unwrap();
        let rest = lanes.look(InboundDead, Some(first[1].id), 2).await.unwrap();
        let bodies = first.iter().chain(&rest).map(|lying| lying.received.body.as_str());
        assert_eq!(bodies.collect::<Vec<_>>(), ["a1", "a2", "a3"]);
        assert_eq!(first[0].received.gave_up, Some(1));
        assert!(lanes.look(Inbound, None, 2).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_removed_under_a_worker_stays_away_and_its_lane_goes_on() {
        let lanes = lanes_with(&["a1", "a2"]).await;
        let at_it = lanes.take(InboundDead).await.unwrap().unwrap();
        let lying = lanes.look(InboundDead, None, 10).await.unwrap();
        assert!(
            !lanes.remove(Inbound, lying[0].id).await.unwrap(),
            "it is in another queue"
        );
        assert!(lanes.remove(InboundDead, lying[0].id).await.unwrap());
        assert!(!lanes.remove(InboundDead, lying[0].id).await.unwrap(), "it is gone");
        lanes.done(&at_it).await.unwrap();
        assert_eq!(lanes.look(InboundDead, None, 10).await.unwrap(), lying[1..]);
        assert!(lanes.remove(InboundDead, lying[1].id).await.unwrap());
        assert_eq!(lanes.next_due(InboundDead).await.unwrap(), None);
    }
}
