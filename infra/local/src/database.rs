//! The one database file, and the threads that its connections live on.
//!
//! One thread writes, a few read. Writes that wait at the same time share one commit, for the flush to the disk is what a commit
//! costs; each still stands or falls alone, and is answered only when it is on the disk.

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How the file's tables came to be; its `user_version` is the last step that it has taken. A step that was released never changes.
const SCHEMA: [(i64, &str); 2] = [(1, crate::store::SCHEMA), (2, crate::lanes::SCHEMA)];

/// How long a connection waits for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
const READERS: usize = 2;
/// How many writes share one commit at most, so that the first of them is not kept waiting.
const MOST_TOGETHER: usize = 128;
const STATEMENTS: usize = 64;
/// With a million links every message is on other pages of the file. These stay in memory for each connection, in KiB (below zero:
/// that unit), and so many pages of 4 KiB gather in the log before they are put in their places: a third more messages a second.
const CACHE_KIB: i64 = -8_192;
const CHECKPOINT_PAGES: i64 = 8_000;

/// Why the database could not do it.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// `SQLite` says so. After a write: whether it happened is not known.
    #[error("use the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Its file, or a thread for it, cannot be made.
    #[error("create the database: {0}")]
    File(#[from] std::io::Error),
    /// A newer version of this program has written to it.
    #[error("open the database: its tables are of version {found}, this program knows {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Its thread ended, or what it was asked to do panicked.
    #[error("use the database: its thread gave no answer")]
    NoAnswer,
}

type Read = Box<dyn FnOnce(&Connection) + Send>;
/// Runs inside the shared transaction, and leaves behind what is to be told when that is committed.
type Write = Box<dyn FnOnce(&mut Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), DatabaseError>) + Send>;

/// A `SQLite` database file. Clones share its connections; the last one closes them.
///
/// A process must not read the file in another way while it is open here: closing it again would take away these connections' locks.
#[derive(Clone, Debug)]
pub struct Database(Arc<Threads>);

#[derive(Debug)]
struct Threads {
    writer: Sender<Write>,
    readers: Sender<Read>,
    // Removed when the last clone is dropped.
    _directory: Option<TempDir>,
}

impl Database {
    /// Opens the file, makes it where there is none, and brings its tables up to date. Blocks, so it is for the start of a program.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatabaseError> {
        Self::start(path.as_ref(), "FULL", None)
    }

    /// A database that ends with the program: for tests and demonstrations.
    pub fn temporary() -> Result<Self, DatabaseError> {
        let directory = TempDir::new()?;
        Self::start(&directory.path().join("temporary.db"), "OFF", Some(directory))
    }

    fn start(path: &Path, synchronous: &str, directory: Option<TempDir>) -> Result<Self, DatabaseError> {
        let mut writer = connect(path, synchronous)?;
        migrate(&mut writer)?;
        let (to_writer, for_writer) = mpsc::channel();
        spawn("database-writer", move || write_all(&mut writer, &for_writer))?;
        let (to_readers, for_readers) = mpsc::channel();
        let for_readers = Arc::new(Mutex::new(for_readers));
        for _ in 0..READERS {
            let reader = connect(path, synchronous)?;
            reader.pragma_update(None, "query_only", true)?;
            let for_reader = Arc::clone(&for_readers);
            spawn("database-reader", move || read_all(&reader, &for_reader))?;
        }
        Ok(Self(Arc::new(Threads {
            writer: to_writer,
            readers: to_readers,
            _directory: directory,
        })))
    }

    /// Runs `f` on a connection that sees every write which was answered before.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // A caller that went away needs no answer.
            let _ = sender.send(f(connection));
        });
        self.0.readers.send(read).map_err(|_| DatabaseError::NoAnswer)?;
        Ok(receiver.await.map_err(|_| DatabaseError::NoAnswer)??)
    }

    /// Runs `f` alone on the whole file. What it wrote is on the disk when this returns, and undone if it gives an error.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (sender, receiver) = oneshot::channel();
        let write: Write = Box::new(move |connection| {
            let written = separately(connection, f);
            Box::new(move |committed| {
                let _ = sender.send(committed.and_then(|()| written.map_err(DatabaseError::from)));
            })
        });
        self.0.writer.send(write).map_err(|_| DatabaseError::NoAnswer)?;
        receiver.await.map_err(|_| DatabaseError::NoAnswer)?
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

fn connect(path: &Path, synchronous: &str) -> Result<Connection, DatabaseError> {
    let is_new = !path.exists();
    let connection = Connection::open(path)?;
    if is_new {
        keep_from_others(path)?;
    }
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    switch_to_wal(&connection)?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(connection)
}

/// Lets only its owner read the file, and with it those that `SQLite` puts beside it: what waits in the lanes is what people wrote.
///
/// By name: to open the file here and close it again would take away the locks that other connections of this process have on it.
fn keep_from_others(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

/// `SQLite` does not wait by itself here: of several that open a new file at the same time, all but one are refused at once.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    let give_up_at = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && Instant::now() < give_up_at => thread::sleep(PAUSE),
            result => return result,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn migrate(connection: &mut Connection) -> Result<(), DatabaseError> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = SCHEMA.iter().map(|(step, _)| *step).max().unwrap_or_default();
    if found > known {
        return Err(DatabaseError::Newer { found, known });
    }
    for (step, statements) in SCHEMA.iter().filter(|(step, _)| *step > found) {
        change.execute_batch(statements)?;
        change.pragma_update(None, "user_version", step)?;
    }
    Ok(change.commit()?)
}

/// Does one write so that its failure undoes nothing else.
fn separately<T>(
    connection: &mut Connection,
    f: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let savepoint = connection.savepoint()?;
    let written = f(&savepoint)?;
    savepoint.commit()?;
    Ok(written)
}

fn read_all(connection: &Connection, reads: &Mutex<Receiver<Read>>) {
    loop {
        let next = reads.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(read) = next else { return };
        // A panic drops the sender of the answer, which tells the caller; the thread lives on for the others.
        let _ = catch_unwind(AssertUnwindSafe(|| read(connection)));
    }
}

fn write_all(connection: &mut Connection, writes: &Receiver<Write>) {
    while let Ok(first) = writes.recv() {
        let together = std::iter::once(first).chain(writes.try_iter());
        let mut answers = Vec::new();
        let committed = commit(connection, together.take(MOST_TOGETHER), &mut answers);
        let failure = committed.err();
        for answer in answers {
            answer(failure.as_ref().map_or(Ok(()), |failure| Err(again(failure))));
        }
    }
}

fn commit(
    connection: &mut Connection,
    writes: impl Iterator<Item = Write>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for write in writes {
        // A write that panics is undone by its savepoint and dropped without an answer.
        answers.extend(catch_unwind(AssertUnwindSafe(|| write(connection))));
    }
    let committed = connection.execute_batch("COMMIT");
    if committed.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    committed
}

/// The same failure for everyone whose write shared the commit.
fn again(failure: &rusqlite::Error) -> DatabaseError {
    let code = failure
        .sqlite_error()
        .map_or(rusqlite::ffi::SQLITE_ERROR, |error| error.extended_code);
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(failure.to_string())).into()
}
