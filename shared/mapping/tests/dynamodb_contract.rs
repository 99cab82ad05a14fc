//! The contract suite on `DynamoDB`, or what stands for it at `DYNAMODB_ENDPOINT`: one table a run, a client of its own for each
//! connection. Without the variable all cases are skipped, but where `CI` is set or `REQUIRE_DYNAMODB` is 1: there they fail.

#![expect(clippy::expect_used, reason = "a test without the harness that the lint knows")]

use async_trait::async_trait;
use libtest_mimic::{Arguments, Trial};
use mapping::{
    Store,
    contract::{Fixture, cases},
    dynamodb::DynamoDbStore,
    emulator::{Emulator, Table},
};
use std::{process::ExitCode, sync::Arc};
use tokio::{runtime::Runtime, sync::OnceCell};

struct Shared {
    emulator: Emulator,
    table: OnceCell<Table>,
}

#[async_trait]
impl Fixture for Shared {
    async fn connect(&self) -> Arc<dyn Store> {
        let table = self.table.get_or_try_init(|| self.emulator.table());
        let table = table.await.expect("a table");
        Arc::new(DynamoDbStore::new(self.emulator.client(), table.name()))
    }
}

fn main() -> ExitCode {
    let emulator = Emulator::from_env();
    let skipped = emulator.is_none() && Emulator::may_be_missing();
    let shared = emulator.map(|emulator| {
        Arc::new(Shared {
            emulator,
            table: OnceCell::new(),
        })
    });
    let tests = cases().into_iter().map(|case| {
        let fixture = shared.clone();
        let test = Trial::test(case.name(), move || {
            let fixture = fixture.ok_or("DYNAMODB_ENDPOINT is not set (see tests/aws/emulator)")?;
            Runtime::new()?.block_on(case.run(fixture));
            Ok(())
        });
        let kind = if skipped { "needs DYNAMODB_ENDPOINT" } else { "" };
        test.with_kind(kind).with_ignored_flag(skipped)
    });
    libtest_mimic::run(&Arguments::from_args(), tests.collect()).exit_code()
}
