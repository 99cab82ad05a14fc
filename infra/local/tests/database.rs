//! The database file: kept, private, refused when it is too new; each write stands or falls alone.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are test code")]

use local::{Database, DatabaseError, SqliteStore};
use mapping::{
    Entropy, Expected, Item, Key, Range, Store, StoreError, Timestamp, Version, Write, WriteError,
    testing::SeededEntropy,
};
use rusqlite::{Connection, params};
use serde_json::json;
use std::{os::unix::fs::PermissionsExt, slice::from_ref};

fn put(entropy: &dyn Entropy, sk: String, expires_at: Option<Timestamp>) -> Write {
    let item = Item {
        key: Key::new("p", sk),
        version: Version::fresh(entropy),
        expires_at,
        body: json!({"kind": "test"}),
    };
    Write::Put {
        item,
        expected: Expected::Absent,
    }
}

async fn sort_keys(store: &SqliteStore) -> Vec<String> {
    let items = store.list(&Range::prefix("p", "", 10_000)).await.unwrap();
    items.into_iter().map(|item| item.key.sk).collect()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bridge.db");
    let write = put(&SeededEntropy::new(1), "a".into(), None);
    SqliteStore::open(&path).unwrap().write(from_ref(&write)).await.unwrap();
    assert_eq!(sort_keys(&SqliteStore::open(&path).unwrap()).await, ["a"]);
}

#[tokio::test]
async fn only_the_owner_reads_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("bridge.db")).unwrap();
    store
        .write(&[put(&SeededEntropy::new(1), "a".into(), None)])
        .await
        .unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and the log's index");
}

#[test]
fn a_file_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bridge.db");
    drop(Database::open(&path).unwrap());
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 1000).unwrap();
    assert!(matches!(
        Database::open(&path),
        Err(DatabaseError::Newer { found: 1000, .. })
    ));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "not a database, and longer than its header would be".repeat(10)).unwrap();
    assert!(matches!(Database::open(&path), Err(DatabaseError::Sqlite(_))));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("not a database"));
    assert!(Database::open(directory.path().join("missing/bridge.db")).is_err());
}

#[tokio::test]
async fn purging_removes_what_has_expired_and_nothing_else() {
    let store = SqliteStore::new(Database::temporary().unwrap());
    let entropy = SeededEntropy::new(1);
    let mut writes = vec![put(&entropy, "for ever".into(), None)];
    for second in 0..1200 {
        let at = Timestamp::from_seconds(second);
        writes.push(put(&entropy, format!("{second:04}"), Some(at)));
    }
    for some in writes.chunks(100) {
        store.write(some).await.unwrap();
    }
    assert_eq!(
        store.purge_expired(Timestamp::from_millis(1_100_999)).await.unwrap(),
        1101
    );
    let left = sort_keys(&store).await;
    assert_eq!((left.len(), left.first().map(String::as_str)), (100, Some("1101")));
    assert_eq!(store.purge_expired(Timestamp::from_seconds(1100)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_or_panics_undoes_only_itself() {
    let database = Database::temporary().unwrap();
    let insert = |sk: &'static str| {
        move |connection: &Connection| {
            let sql = "INSERT INTO items (pk, sk, version, record) VALUES ('p', ?1, 'v', '{}')";
            connection.execute(sql, params![sk])
        }
    };
    // They wait together behind the first, so they share a commit.
    let slow = database.write(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        Ok(())
    });
    let good = database.write(insert("good"));
    let bad = database.write(move |connection| {
        insert("bad")(connection)?;
        connection.execute("INSERT INTO nowhere VALUES (1)", [])
    });
    let broken = database.write(move |connection| -> rusqlite::Result<()> {
        insert("broken")(connection)?;
        panic!("on purpose")
    });
    let better = database.write(insert("better"));
    let (_, good, bad, broken, better) = tokio::join!(slow, good, bad, broken, better);
    assert!(matches!((good, better), (Ok(1), Ok(1))));
    assert!(matches!(bad, Err(DatabaseError::Sqlite(_))));
    assert!(matches!(broken, Err(DatabaseError::NoAnswer)));
    let panicked = database.read(|_| -> rusqlite::Result<()> { panic!("on purpose") });
    assert!(matches!(panicked.await, Err(DatabaseError::NoAnswer)));
    assert_eq!(sort_keys(&SqliteStore::new(database)).await, ["better", "good"]);
}

#[tokio::test]
async fn what_cannot_be_read_or_reached_is_told_without_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bridge.db");
    let store = SqliteStore::open(&path).unwrap();
    store
        .write(&[put(&SeededEntropy::new(1), "a".into(), None)])
        .await
        .unwrap();
    let operator = Connection::open(&path).unwrap();
    operator.execute("UPDATE items SET record = '{\"secret\"'", []).unwrap();
    let malformed = store.get(&[Key::new("p", "a")]).await.unwrap_err();
    assert!(matches!(&malformed, StoreError::Malformed { .. }));
    assert!(!malformed.to_string().contains("secret"));

    operator.execute("DROP TABLE items", []).unwrap();
    let unavailable = store
        .write(&[put(&SeededEntropy::new(2), "secret".into(), None)])
        .await
        .unwrap_err();
    assert!(matches!(&unavailable, WriteError::Store(StoreError::Unavailable(_))));
    assert!(!unavailable.to_string().contains("secret"));
}
