//! How many writes a second one file takes: `cargo bench -p local`. The design counts on more than a thousand messages.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement is for a person to read, and stops where it cannot go on"
)]

use local::SqliteStore;
use mapping::{Expected, Item, Key, Store, Version, Write, testing::SeededEntropy};
use serde_json::json;
use std::{sync::Arc, time::Instant};
use tokio::{runtime::Runtime, task::JoinSet};

const WRITES: u32 = 20_000;
const WRITERS: u32 = 32;

fn main() {
    Runtime::new().unwrap().block_on(measure());
}

async fn measure() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(directory.path().join("bridge.db")).unwrap());
    let entropy = Arc::new(SeededEntropy::new(1));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, entropy) = (Arc::clone(&store), Arc::clone(&entropy));
        tasks.spawn(async move {
            for number in 0..WRITES / WRITERS {
                let key = Key::new("p", format!("{writer}-{number}"));
                store.get(std::slice::from_ref(&key)).await.unwrap();
                let item = Item {
                    key,
                    version: Version::fresh(entropy.as_ref()),
                    expires_at: None,
                    body: json!({"kind": "test"}),
                };
                let expected = Expected::Absent;
                store.write(&[Write::Put { item, expected }]).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let rate = f64::from(WRITES) / begun.elapsed().as_secs_f64();
    println!("{rate:.0} reads and as many writes a second by {WRITERS} at once");
}
