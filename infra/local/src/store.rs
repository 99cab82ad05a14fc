//! The store on `SQLite`.

use crate::database::{Database, DatabaseError};
use async_trait::async_trait;
use mapping::{
    Expected, Item, Key, Range, Store, StoreError, Timestamp, Version, Write, WriteError, check_keys, check_writes,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// The table, which the `sqlite3` shell reads as it is.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE items (
        pk TEXT NOT NULL,
        sk TEXT NOT NULL,
        version TEXT NOT NULL,
        expires_at INTEGER, -- seconds since 1970
        record TEXT NOT NULL, -- JSON
        PRIMARY KEY (pk, sk)
    ) WITHOUT ROWID;
    CREATE INDEX items_by_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;
";

/// How many expired items one write removes, so that no other waits for long.
const PURGE: u32 = 500;

/// A table in a `SQLite` file as the [`Store`].
#[derive(Clone, Debug)]
pub struct SqliteStore {
    database: Database,
}

impl SqliteStore {
    /// The store in a database that is open already.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Opens the file, and makes it where there is none.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatabaseError> {
        Database::open(path).map(Self::new)
    }

    /// The items behind this key in the order of keys, at most so many: for whoever reads the whole table.
    pub async fn behind(&self, key: Option<Key>, limit: usize) -> Result<Vec<Item>, StoreError> {
        let behind = move |connection: &Connection| behind(connection, key.as_ref(), limit);
        let rows = self.database.read(behind).await.map_err(unavailable)?;
        rows.into_iter().map(Stored::item).collect()
    }

    /// Removes the items that may be dropped at `now`; gives how many there were.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut removed = 0_usize;
        loop {
            let purge = move |connection: &Connection| purge(connection, now.as_seconds());
            let some = self.database.write(purge).await.map_err(unavailable)?;
            removed = removed.saturating_add(some);
            if some == 0 {
                return Ok(removed);
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        check_keys(keys)?;
        let keys = keys.to_vec();
        let find = move |connection: &Connection| keys.iter().map(|key| find(connection, key)).collect();
        let rows: Vec<Option<Stored>> = self.database.read(find).await.map_err(unavailable)?;
        rows.into_iter().map(|row| row.map(Stored::item).transpose()).collect()
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        let range = range.clone();
        let list = move |connection: &Connection| list(connection, &range);
        let rows = self.database.read(list).await.map_err(unavailable)?;
        rows.into_iter().map(Stored::item).collect()
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        check_writes(writes)?;
        let writes = writes.to_vec();
        let apply = move |connection: &Connection| apply(connection, &writes);
        match self.database.write(apply).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(WriteError::Conflict),
            Err(error) => Err(unavailable(error).into()),
        }
    }
}

/// What `SQLite` says holds no bound value, so it can be told.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives the value")]
fn unavailable(error: DatabaseError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// An item as it lies in the table.
struct Stored {
    key: Key,
    version: String,
    expires_at: Option<i64>,
    record: String,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: Key::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
            version: row.get(2)?,
            expires_at: row.get(3)?,
            record: row.get(4)?,
        })
    }

    fn item(self) -> Result<Item, StoreError> {
        match serde_json::from_str(&self.record) {
            Ok(body) => Ok(Item {
                key: self.key,
                version: Version::stored(self.version),
                expires_at: self.expires_at.map(Timestamp::from_seconds),
                body,
            }),
            Err(_) => Err(StoreError::Malformed {
                key: self.key,
                problem: "its record is no JSON".to_owned(),
            }),
        }
    }
}

fn find(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Stored>> {
    let sql = "SELECT pk, sk, version, expires_at, record FROM items WHERE pk = ?1 AND sk = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![key.pk, key.sk], Stored::read).optional()
}

fn list(connection: &Connection, range: &Range) -> rusqlite::Result<Vec<Stored>> {
    let sql = if range.descending {
        "SELECT pk, sk, version, expires_at, record FROM items
         WHERE pk = ?1 AND sk BETWEEN ?2 AND ?3 ORDER BY sk DESC LIMIT ?4"
    } else {
        "SELECT pk, sk, version, expires_at, record FROM items
         WHERE pk = ?1 AND sk BETWEEN ?2 AND ?3 ORDER BY sk LIMIT ?4"
    };
    let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![range.pk, range.from, range.to, limit], Stored::read)?;
    rows.collect()
}

fn behind(connection: &Connection, key: Option<&Key>, limit: usize) -> rusqlite::Result<Vec<Stored>> {
    let sql = "SELECT pk, sk, version, expires_at, record FROM items
         WHERE (pk, sk) > (?1, ?2) ORDER BY pk, sk LIMIT ?3";
    let (pk, sk) = key.map_or(("", ""), |key| (&key.pk, &key.sk));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![pk, sk, limit], Stored::read)?;
    rows.collect()
}

/// Looks at every condition before it writes anything, so that there is nothing to undo.
fn apply(connection: &Connection, writes: &[Write]) -> rusqlite::Result<bool> {
    for write in writes {
        if !holds(connection, write)? {
            return Ok(false);
        }
    }
    for write in writes {
        match write {
            Write::Put { item, .. } => put(connection, item)?,
            Write::Delete { key, .. } => delete(connection, key)?,
            Write::Check { .. } => {}
        }
    }
    Ok(true)
}

fn holds(connection: &Connection, write: &Write) -> rusqlite::Result<bool> {
    let Key { pk, sk } = write.key();
    let mut statement = connection.prepare_cached("SELECT version FROM items WHERE pk = ?1 AND sk = ?2")?;
    let found: Option<String> = statement.query_row(params![pk, sk], |row| row.get(0)).optional()?;
    Ok(match write.expected() {
        Expected::Absent => found.is_none(),
        Expected::Version(version) => found.as_deref() == Some(version.as_str()),
    })
}

fn put(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    let sql = "REPLACE INTO items (pk, sk, version, expires_at, record) VALUES (?1, ?2, ?3, ?4, ?5)";
    let expires_at = item.expires_at.map(Timestamp::as_seconds_up);
    let version = item.version.as_str();
    let record = item.body.to_string();
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![item.key.pk, item.key.sk, version, expires_at, record])?;
    Ok(())
}

fn delete(connection: &Connection, key: &Key) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM items WHERE pk = ?1 AND sk = ?2")?;
    statement.execute(params![key.pk, key.sk])?;
    Ok(())
}

fn purge(connection: &Connection, now: i64) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM items WHERE (pk, sk) IN (SELECT pk, sk FROM items WHERE expires_at <= ?1 LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![now, PURGE])
}
