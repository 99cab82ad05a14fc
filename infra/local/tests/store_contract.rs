//! The contract suite on `SQLite`: one file, a database of its own for each connection.

#![expect(clippy::expect_used, reason = "a test without the harness that the lint knows")]

use async_trait::async_trait;
use libtest_mimic::{Arguments, Trial};
use local::SqliteStore;
use mapping::{
    Store,
    contract::{Fixture, cases},
};
use std::{path::PathBuf, sync::Arc};
use tokio::runtime::Runtime;

struct File(PathBuf);

#[async_trait]
impl Fixture for File {
    async fn connect(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0).expect("to open the database"))
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("bridge.db");
    let tests = cases().into_iter().map(|case| {
        let fixture = Arc::new(File(file.clone()));
        Trial::test(case.name(), move || {
            Runtime::new()?.block_on(case.run(fixture));
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, tests.collect());
    drop(directory);
    conclusion.exit();
}
