//! Races for one delivery: new, waiting, left by a dead worker, or about to end.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, claimed, is_claimed},
    scene::{Scene, only_winner, race},
};
use crate::{
    claim::{Begun, Claim, End, LEASE},
    delivery::Delivery,
    ledger::Ledger,
};
use std::time::Duration;

const ROUNDS: usize = 12;
const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn cases() -> Vec<Case> {
    cases![
        one_worker_begins_a_delivery,
        one_worker_begins_what_waited,
        one_worker_begins_what_another_left,
        a_delivery_ends_or_is_taken_over,
    ]
}

/// All workers begin the delivery; gives the winner and its claim. In every other round all have read before one writes.
async fn rush(ledgers: &Ledgers, workers: &[Ledger], message: usize, round: usize) -> (usize, Claim) {
    let read = ledgers.record::<Delivery>(&ledgers.delivery(message)).await;
    let begun = race(workers, |_, worker| {
        let (ledgers, read) = (ledgers.clone(), read.clone());
        async move {
            if round.is_multiple_of(2) {
                ledgers.begin_after(&worker, message, read, None).await
            } else {
                ledgers.begin(&worker, message).await
            }
        }
    });
    let mut begun = begun.await;
    let winner = only_winner(&begun.iter().map(is_claimed).collect::<Vec<_>>());
    let claim = claimed(begun.swap_remove(winner));
    let later = |begun: &Begun| matches!(begun, Begun::Later(_));
    assert!(begun.iter().all(later), "{begun:?}");
    (winner, claim)
}

async fn one_worker_begins_a_delivery(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    for round in 0..ROUNDS {
        let (winner, claim) = rush(&ledgers, &workers, round, round).await;
        assert!(!claim.may_have_gone_out);
        assert_eq!(claim.delivery, ledgers.delivery_of(round).await);
        let worker = &workers[winner];
        worker
            .finish(claim, End::Delivered, worker.transaction())
            .await
            .unwrap();
    }
}

async fn one_worker_begins_what_waited(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let (_, mut claim) = rush(&ledgers, &workers, 1, 0).await;
    for round in 0..ROUNDS {
        let not_before = workers[0].now() + MINUTE;
        workers[0].wait(claim, "busy", not_before, true).await.unwrap();
        ledgers.clock.set(not_before);
        (_, claim) = rush(&ledgers, &workers, 1, round).await;
        assert!(!claim.may_have_gone_out);
    }
    assert_eq!(ledgers.delivery_of(1).await.attempt, u32::try_from(ROUNDS).unwrap());
}

async fn one_worker_begins_what_another_left(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    for round in 0..ROUNDS {
        let (_, lost) = rush(&ledgers, &workers, round, round).await;
        ledgers.clock.advance(LEASE);
        let (winner, claim) = rush(&ledgers, &workers, round, round).await;
        assert!(claim.may_have_gone_out);
        assert_overtaken(&workers[0].doubt(lost, workers[0].now()).await);
        let worker = &workers[winner];
        worker
            .finish(claim, End::Delivered, worker.transaction())
            .await
            .unwrap();
    }
}

async fn a_delivery_ends_or_is_taken_over(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    for round in 0..ROUNDS {
        // The end and the take-over meet: one of them happens.
        let claim = ledgers.begun(&one, round).await;
        let read = ledgers.record::<Delivery>(&ledgers.delivery(round)).await;
        ledgers.clock.advance(LEASE);
        let finish = one.finish(claim, End::Delivered, one.transaction());
        let (finished, begun) = tokio::join!(finish, ledgers.begin_after(&other, round, read, None));
        assert_ne!(finished.is_ok(), is_claimed(&begun), "{finished:?} {begun:?}");
        assert_eq!(ledgers.delivery_of(round).await.is_finished(), finished.is_ok());
    }
}
