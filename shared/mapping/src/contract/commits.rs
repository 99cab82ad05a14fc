//! Answers that get lost: a worker knows its own write again, and takes nobody else's for it.

use super::{
    Case,
    ledgers::{Ledgers, claimed, conversation, number, ours},
    scene::Scene,
};
use crate::{
    claim::{Begun, End, LEASE},
    delivery::Delivery,
    ids::{ChatId, MessageId},
    keys,
    ledger::Ledger,
    records::{Pace, Watermark},
    store::{Item, Key, Range, Store, StoreError, Version, Write, WriteError},
    time::Timestamp,
};
use async_trait::async_trait;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_commit_knows_its_own_write_again,
        a_commit_takes_no_other_write_for_its_own,
        a_commit_that_never_happened_says_so,
        a_claim_survives_a_lost_answer,
        a_bind_survives_a_lost_answer,
        a_delivery_survives_lost_answers,
        a_lost_answer_costs_no_slot,
        a_lost_answer_hides_no_take_over,
    ]
}

/// What happens to one write.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    /// It happens; the answer is lost.
    AnswerLost,
    /// It happens; the client below loses the answer and tries again.
    TriedAgain,
    /// It does not happen, and there is no answer.
    NothingDone,
}

/// All that one lost answer can mean, and several in a row.
const MISHAPS: [&[Mishap]; 7] = [
    &[Mishap::AnswerLost],
    &[Mishap::TriedAgain],
    &[Mishap::NothingDone],
    &[Mishap::NothingDone, Mishap::AnswerLost],
    &[Mishap::AnswerLost, Mishap::NothingDone],
    &[Mishap::NothingDone, Mishap::NothingDone, Mishap::AnswerLost],
    &[Mishap::AnswerLost, Mishap::AnswerLost, Mishap::AnswerLost],
];

/// A store behind a bad line.
struct BadLine {
    store: Arc<dyn Store>,
    mishaps: Mutex<VecDeque<Mishap>>,
}

impl BadLine {
    fn next(&self) -> Option<Mishap> {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

#[async_trait]
impl Store for BadLine {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        self.store.get(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        self.store.list(range).await
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        let lost = || WriteError::from(StoreError::Unavailable("no answer".to_owned()));
        match self.next() {
            None => self.store.write(writes).await,
            Some(Mishap::NothingDone) => Err(lost()),
            Some(Mishap::AnswerLost) => {
                let _ = self.store.write(writes).await;
                Err(lost())
            }
            Some(Mishap::TriedAgain) => {
                let _ = self.store.write(writes).await;
                self.store.write(writes).await
            }
        }
    }
}

/// A worker whose coming writes meet these mishaps.
async fn unlucky(ledgers: &Ledgers, mishaps: &[Mishap]) -> Ledger {
    ledgers.over(Arc::new(BadLine {
        store: ledgers.connect().await,
        mishaps: Mutex::new(mishaps.iter().copied().collect()),
    }))
}

fn mark(seconds: i64) -> Watermark {
    Watermark {
        at: Timestamp::from_seconds(seconds),
        unfinished: None,
    }
}

/// Where the `round`th of these cases may write.
fn key(ledgers: &Ledgers, name: &str, round: usize) -> Key {
    ledgers.reverse_key(&conversation(format!("{name}-{round}")))
}

async fn given(ledgers: &Ledgers, worker: &Ledger, name: &str, round: usize) -> (Key, Version) {
    let key = key(ledgers, name, round);
    let put = worker.transaction().create(key.clone(), &mark(0), None);
    (key, worker.commit(put).await.unwrap())
}

async fn a_commit_knows_its_own_write_again(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let lucky = ledgers.worker().await;
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let worker = unlucky(&ledgers, mishaps).await;
        let new = key(&ledgers, "new", round);
        let (old, read) = given(&ledgers, &lucky, "old", round).await;
        let (gone, there) = given(&ledgers, &lucky, "gone", round).await;
        let (checked, seen) = given(&ledgers, &lucky, "checked", round).await;
        let transaction = worker
            .transaction()
            .create(new.clone(), &mark(1), None)
            .replace(old.clone(), &read, &mark(2), None)
            .delete(gone.clone(), &there)
            .check(checked.clone(), &seen);
        let version = worker
            .commit(transaction)
            .await
            .unwrap_or_else(|error| panic!("{mishaps:?}: {error}"));
        assert_eq!(ledgers.item(&new).await.unwrap().version, version);
        assert_eq!(ledgers.item(&old).await.unwrap().version, version);
        assert_eq!(ledgers.item(&gone).await, None);
        assert_eq!(ledgers.item(&checked).await.unwrap().version, seen);
        // It is as good as any other: it can be replaced.
        let next = worker.transaction().replace(new, &version, &mark(3), None);
        worker.commit(next).await.unwrap();
    }
}

async fn a_commit_takes_no_other_write_for_its_own(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let lucky = ledgers.worker().await;
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let worker = unlucky(&ledgers, mishaps).await;
        let (old, read) = given(&ledgers, &lucky, "old", round).await;
        let new = key(&ledgers, "new", round);
        // The same record, written by another.
        let other = lucky.transaction().replace(old.clone(), &read, &mark(1), None);
        let other = lucky.commit(other).await.unwrap();
        let transaction =
            worker
                .transaction()
                .create(new.clone(), &mark(1), None)
                .replace(old.clone(), &read, &mark(1), None);
        let committed = worker.commit(transaction).await;
        assert!(committed.is_err(), "{mishaps:?}");
        assert_eq!(ledgers.item(&old).await.unwrap().version, other);
        assert_eq!(ledgers.item(&new).await, None);
    }
}

async fn a_commit_that_never_happened_says_so(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = unlucky(&ledgers, &[Mishap::NothingDone; 3]).await;
    let new = key(&ledgers, "new", 0);
    let put = || worker.transaction().create(new.clone(), &mark(1), None);
    let committed = worker.commit(put()).await;
    assert!(
        matches!(committed, Err(WriteError::Store(StoreError::Unavailable(_)))),
        "{committed:?}"
    );
    assert_eq!(ledgers.item(&new).await, None);
    worker.commit(put()).await.unwrap();
}

async fn a_claim_survives_a_lost_answer(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let worker = unlucky(&ledgers, mishaps).await;
        let link = ledgers.link(round);
        let opening = ledgers.opening(link, round);
        let claim = ours(worker.claim_opening(link, None, opening, false).await.unwrap());
        // Nobody else got it meanwhile, and it is worth something.
        ledgers.bind(&worker, &claim, &conversation(round)).await.unwrap();
    }
}

async fn a_bind_survives_a_lost_answer(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let lucky = ledgers.worker().await;
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let worker = unlucky(&ledgers, mishaps).await;
        let link = ledgers.link(round);
        let claim = ledgers.claimed(&lucky, link, round).await;
        let mut delivery = ledgers.begun(&lucky, round).await;
        let message = Some(MessageId(1));
        let name = conversation(round);
        let (bind, _) = worker.bind(worker.transaction(), &claim, &name, &ledgers.workspace, message);
        worker.progress_with(&mut delivery, bind).await.unwrap();
        assert!(ledgers.link_at(link).await.unwrap().value.is_open());
        assert_eq!(ledgers.reverse_of(&name).await.unwrap().link, link);
        let found = lucky.links_of_customer(ledgers.customer(round), 10).await.unwrap();
        assert_eq!(found.len(), 1);
        // The delivery's claim went on to the version that was written.
        lucky
            .finish(delivery, End::Delivered, lucky.transaction())
            .await
            .unwrap();
    }
}

async fn a_delivery_survives_lost_answers(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let claim = ledgers.begun(&unlucky(&ledgers, mishaps).await, round).await;
        // One beginning, however often it was written.
        assert_eq!((claim.delivery.begun, claim.may_have_gone_out), (1, false));
        let mut claim = claim;
        unlucky(&ledgers, mishaps).await.progress(&mut claim).await.unwrap();
        let worker = unlucky(&ledgers, mishaps).await;
        worker.wait(claim, "busy", worker.now(), true).await.unwrap();
        assert_eq!(ledgers.delivery_of(round).await.attempt, 1);
        let claim = ledgers.begun(&unlucky(&ledgers, mishaps).await, round).await;
        let worker = unlucky(&ledgers, mishaps).await;
        let end = End::Undeliverable("old".to_owned());
        worker.finish(claim, end, worker.transaction()).await.unwrap();
        assert_eq!(ledgers.delivery_of(round).await.generation, 1);
        let copy = ledgers
            .begin_copy(&unlucky(&ledgers, mishaps).await, round, Some(1))
            .await;
        assert!(!claimed(copy).may_have_gone_out);
    }
}

async fn a_lost_answer_costs_no_slot(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let worker = unlucky(&ledgers, mishaps).await;
        let key = keys::pace(ledgers.bot(), ChatId(-number(round + 1)));
        let slots = worker.reserve_slots(&key, None, 2, INTERVAL).await.unwrap();
        assert_eq!(slots, [worker.now(), worker.now() + INTERVAL]);
        let pace = worker.find::<Pace>(&key).await.unwrap().unwrap().value;
        assert_eq!(pace.next, worker.now() + INTERVAL * 2, "{mishaps:?}");
    }
}

async fn a_lost_answer_hides_no_take_over(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let lucky = ledgers.worker().await;
    for (round, mishaps) in MISHAPS.into_iter().enumerate() {
        let worker = unlucky(&ledgers, mishaps).await;
        let late = ledgers.begun(&lucky, round).await;
        ledgers.clock.advance(LEASE);
        let held = ledgers.begun(&lucky, round).await;
        let before = ledgers.record::<Delivery>(&ledgers.delivery(round)).await;
        let finished = worker.finish(late, End::Delivered, worker.transaction()).await;
        assert!(finished.is_err(), "{mishaps:?}");
        assert_eq!(ledgers.record::<Delivery>(&ledgers.delivery(round)).await, before);
        lucky.finish(held, End::Delivered, lucky.transaction()).await.unwrap();
        assert!(matches!(ledgers.begin(&worker, round).await, Begun::Finished));
    }
}
