//! The contract suite must fail on stores that break its promises; what it would not notice, it does not prove.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are test code")]

use async_trait::async_trait;
use local::{Database, SqliteStore};
use mapping::{
    Expected, Item, Key, Range, Store, StoreError, Write, WriteError,
    contract::{Fixture, cases},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// A way to break a promise.
#[derive(Clone, Copy, Debug)]
enum Sabotage {
    /// None, for comparison.
    None,
    /// A put looks, and then expects whatever it saw.
    UnconditionalPut,
    /// A put looks whether its condition holds, and then puts without one.
    LookThenPut,
    /// Deletes whatever is there.
    UnconditionalDelete,
    /// Takes every check for true.
    UnheededCheck,
    /// Does one write of a transaction after the other, until one fails.
    TornTransaction,
    /// Takes an expired item for none when it reads.
    ExpiredIsGone,
    /// Reads what lay there before the last write that this connection did.
    ReadsBeforeItsWrites,
    /// Says of a write that did not happen that it did.
    HidesConflicts,
    /// Says of a conflict that it has no answer.
    ConflictIsNoAnswer,
    /// Keeps everything for ever.
    ForgetsExpiry,
    /// Gives no item twice.
    ForgetsDuplicates,
    /// Takes no limit.
    EndlessList,
    /// Gives the first page only.
    FirstPage,
}

struct Sabotaged {
    store: SqliteStore,
    sabotage: Sabotage,
    /// What lay at the keys of the last write before it.
    before: Mutex<Vec<(Key, Option<Item>)>>,
}

impl Sabotaged {
    /// The same write, expecting what lies there now.
    async fn give_in(&self, write: &Write) -> Result<Write, StoreError> {
        let there = self
            .store
            .get(std::slice::from_ref(write.key()))
            .await?
            .into_iter()
            .flatten()
            .next();
        let seen = there.map_or(Expected::Absent, |item| Expected::Version(item.version));
        let mut write = write.clone();
        match &mut write {
            Write::Put { expected, .. } | Write::Delete { expected, .. } | Write::Check { expected, .. } => {
                *expected = seen;
            }
        }
        Ok(write)
    }

    /// Writes whatever lies there, however often that changes.
    async fn overwrite(&self, writes: &[Write], which: fn(&Write) -> bool) -> Result<(), WriteError> {
        loop {
            let mut writes = writes.to_vec();
            for write in writes.iter_mut().filter(|write| which(write)) {
                *write = self.give_in(write).await?;
            }
            let given_in = writes.iter().any(which);
            match self.store.write(&writes).await {
                Err(WriteError::Conflict) if given_in && self.others_hold(&writes, which).await? => {}
                result => return result,
            }
        }
    }

    async fn others_hold(&self, writes: &[Write], which: fn(&Write) -> bool) -> Result<bool, StoreError> {
        let others: Vec<Write> = writes.iter().filter(|write| !which(write)).map(check_of).collect();
        match self.store.write(&others).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(WriteError::Store(error)) => Err(error),
        }
    }
}

fn check_of(write: &Write) -> Write {
    Write::Check {
        key: write.key().clone(),
        expected: write.expected().clone(),
    }
}

#[async_trait]
impl Store for Sabotaged {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let mut items = self.store.get(keys).await?;
        match self.sabotage {
            Sabotage::ReadsBeforeItsWrites => {
                let before = self.before.lock().unwrap();
                for (key, item) in keys.iter().zip(&mut items) {
                    if let Some((_, old)) = before.iter().find(|(written, _)| written == key) {
                        item.clone_from(old);
                    }
                }
            }
            Sabotage::ExpiredIsGone => {
                for item in &mut items {
                    item.take_if(|item| item.expires_at.is_some());
                }
            }
            Sabotage::ForgetsDuplicates => {
                let mut seen = BTreeSet::new();
                for item in &mut items {
                    item.take_if(|item| !seen.insert(item.key.clone()));
                }
            }
            _ => {}
        }
        Ok(items)
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        let limit = match self.sabotage {
            Sabotage::EndlessList => usize::MAX,
            Sabotage::FirstPage => range.limit.min(26),
            _ => range.limit,
        };
        self.store.list(&Range { limit, ..range.clone() }).await
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        match self.sabotage {
            Sabotage::UnconditionalPut => self.overwrite(writes, |write| matches!(write, Write::Put { .. })).await,
            Sabotage::LookThenPut => {
                let checks: Vec<Write> = writes.iter().map(check_of).collect();
                self.store.write(&checks).await?;
                self.overwrite(writes, |_| true).await
            }
            Sabotage::UnconditionalDelete => {
                self.overwrite(writes, |write| matches!(write, Write::Delete { .. }))
                    .await
            }
            Sabotage::UnheededCheck => {
                self.overwrite(writes, |write| matches!(write, Write::Check { .. }))
                    .await
            }
            Sabotage::TornTransaction => {
                for write in writes {
                    self.store.write(std::slice::from_ref(write)).await?;
                }
                Ok(())
            }
            Sabotage::ReadsBeforeItsWrites => {
                let keys: Vec<Key> = writes.iter().map(|write| write.key().clone()).collect();
                let old = self.store.get(&keys).await?;
                *self.before.lock().unwrap() = keys.into_iter().zip(old).collect();
                self.store.write(writes).await
            }
            Sabotage::HidesConflicts => match self.store.write(writes).await {
                Err(WriteError::Conflict) => Ok(()),
                written => written,
            },
            Sabotage::ConflictIsNoAnswer => match self.store.write(writes).await {
                Err(WriteError::Conflict) => Err(StoreError::Unavailable("no answer".to_owned()).into()),
                written => written,
            },
            Sabotage::ForgetsExpiry => {
                let mut writes = writes.to_vec();
                for write in &mut writes {
                    if let Write::Put { item, .. } = write {
                        item.expires_at = None;
                    }
                }
                self.store.write(&writes).await
            }
            _ => self.store.write(writes).await,
        }
    }
}

struct Broken {
    database: Database,
    sabotage: Sabotage,
}

#[async_trait]
impl Fixture for Broken {
    async fn connect(&self) -> Arc<dyn Store> {
        Arc::new(Sabotaged {
            store: SqliteStore::new(self.database.clone()),
            sabotage: self.sabotage,
            before: Mutex::default(),
        })
    }
}

/// Whether the case of this name fails.
async fn fails(name: &str, sabotage: Sabotage) -> bool {
    let database = Database::temporary().unwrap();
    let case = cases().into_iter().find(|case| case.name() == name).unwrap();
    let run = async move { case.run(Arc::new(Broken { database, sabotage })).await };
    tokio::spawn(run).await.is_err()
}

async fn assert_caught(sabotage: Sabotage, by: &[&str]) {
    for case in by {
        assert!(!fails(case, Sabotage::None).await, "{case} fails without sabotage");
        assert!(fails(case, sabotage).await, "{case} does not notice {sabotage:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unconditional_put_is_caught() {
    let by = [
        "a_put_happens_only_on_what_it_expects",
        "one_racer_claims_what_nobody_had",
        "a_counter_loses_no_count",
        "one_worker_claims_an_opening",
        "one_worker_begins_a_delivery",
        "a_claim_that_was_taken_over_binds_nothing",
        "a_link_is_bound_once",
        "a_conversation_that_has_a_topic_gets_no_other",
        "an_overtaken_worker_changes_nothing",
        "participants_lose_nobody",
        "no_slot_is_reserved_twice",
        "echoes_lose_no_reply",
        "a_commit_takes_no_other_write_for_its_own",
    ];
    assert_caught(Sabotage::UnconditionalPut, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_put_that_looks_first_is_caught_by_the_races() {
    let by = [
        "one_racer_claims_what_nobody_had",
        "one_racer_takes_over_a_claim",
        "one_racer_deletes_an_item",
        "one_racer_s_transaction_happens",
        "a_counter_loses_no_count",
        "crossing_transactions_stay_whole",
        "one_worker_claims_an_opening",
        "one_worker_takes_over_a_dead_claim",
        "one_worker_binds_under_a_claim",
        "one_worker_begins_a_delivery",
        "one_worker_begins_what_another_left",
        "no_slot_is_reserved_twice",
        "echoes_lose_no_reply",
    ];
    assert_caught(Sabotage::LookThenPut, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unconditional_delete_is_caught() {
    let by = [
        "a_delete_happens_only_on_what_it_expects",
        "an_older_version_writes_no_more",
        "a_claim_that_was_lost_releases_nothing",
    ];
    assert_caught(Sabotage::UnconditionalDelete, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unheeded_check_is_caught() {
    let by = [
        "a_check_changes_nothing",
        "checks_alone_are_a_transaction_too",
        "a_transaction_fails_whole_wherever_it_fails",
    ];
    assert_caught(Sabotage::UnheededCheck, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_torn_transaction_is_caught() {
    let by = [
        "a_transaction_fails_whole_wherever_it_fails",
        "a_hundred_writes_fail_whole",
        "one_racer_s_transaction_happens",
        "a_conversation_that_has_a_topic_gets_no_other",
        "a_bind_fails_whole_with_a_delivery_that_was_overtaken",
        "an_overtaken_worker_changes_nothing",
        "a_link_moves_nowhere_that_is_taken",
        "a_commit_takes_no_other_write_for_its_own",
    ];
    assert_caught(Sabotage::TornTransaction, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_that_leave_something_out_are_caught() {
    let by = [
        "an_expired_item_counts_as_there",
        "what_is_done_stays_done",
        "a_finished_delivery_counts_as_there_after_its_time",
    ];
    assert_caught(Sabotage::ExpiredIsGone, &by).await;
    assert_caught(Sabotage::ForgetsDuplicates, &["get_answers_in_the_order_of_the_keys"]).await;
    assert_caught(Sabotage::EndlessList, &["list_gives_a_stretch_from_either_end"]).await;
    assert_caught(Sabotage::FirstPage, &["list_reads_on_over_pages"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_of_what_was_before_is_caught() {
    let by = [
        "a_commit_knows_its_own_write_again",
        "a_put_happens_only_on_what_it_expects",
    ];
    assert_caught(Sabotage::ReadsBeforeItsWrites, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hidden_conflict_is_caught() {
    let by = [
        "a_put_happens_only_on_what_it_expects",
        "one_racer_claims_what_nobody_had",
        "one_worker_claims_an_opening",
        "one_worker_begins_a_delivery",
        "a_link_is_bound_once",
        "no_slot_is_reserved_twice",
        "a_lost_answer_hides_no_take_over",
    ];
    assert_caught(Sabotage::HidesConflicts, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conflict_without_an_answer_is_caught() {
    let by = [
        "a_put_happens_only_on_what_it_expects",
        "an_overtaken_worker_changes_nothing",
    ];
    assert_caught(Sabotage::ConflictIsNoAnswer, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_expiry_that_is_lost_is_caught() {
    let by = [
        "an_expiry_is_kept_to_the_second",
        "finished_deliveries_expire_and_open_ones_do_not",
        "an_echo_is_reserved_once",
    ];
    assert_caught(Sabotage::ForgetsExpiry, &by).await;
}
