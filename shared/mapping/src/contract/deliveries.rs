//! Deliveries: one worker carries a message, and whoever was overtaken changes nothing.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, claimed, conversation, is_claimed},
    scene::{Scene, only_winner, race},
};
use crate::{
    claim::{Begun, End, LEASE, POISON_AFTER},
    delivery::{DeliveryState, Proof, Step},
    ids::PartId,
    keys::FINISHED_FOR,
    ledger::Ledger,
    store::Key,
    time::Timestamp,
};
use std::time::Duration;

const INSTANT: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_delivery_waits_for_its_time,
        what_a_dead_worker_did_is_in_doubt,
        waiting_keeps_a_doubt,
        a_doubt_is_looked_at_in_time,
        progress_keeps_receipts_and_counts_anew,
        an_overtaken_worker_changes_nothing,
        what_is_done_stays_done,
        only_its_own_copy_opens_what_was_given_up,
        a_doubt_outlives_giving_up,
        a_message_that_kills_its_workers_is_poison,
        finished_deliveries_expire_and_open_ones_do_not,
        a_finished_delivery_counts_as_there_after_its_time,
        what_was_put_back_has_a_life_of_its_own,
        a_message_that_kills_its_workers_before_they_begin_it_is_poison,
    ]
}

fn later(begun: &Begun) -> Option<Timestamp> {
    match begun {
        Begun::Later(at) => Some(*at),
        Begun::Claimed(_) | Begun::Finished | Begun::Poison(_) => None,
    }
}

/// Begins now; nothing may come of it before `at`.
async fn assert_later(ledgers: &Ledgers, worker: &Ledger, message: usize, at: Timestamp) {
    let before = ledgers.item(&ledgers.delivery(message)).await;
    assert_eq!(later(&ledgers.begin(worker, message).await), Some(at));
    assert_eq!(ledgers.item(&ledgers.delivery(message)).await, before);
}

async fn a_delivery_waits_for_its_time(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let claim = ledgers.begun(&one, 1).await;
    assert_later(&ledgers, &other, 1, one.now() + LEASE).await;
    let not_before = one.now() + MINUTE;
    one.wait(claim, "slot", not_before, false).await.unwrap();
    let waiting = DeliveryState::Waiting {
        reason: "slot".to_owned(),
        not_before,
    };
    assert_eq!(ledgers.delivery_of(1).await.state, waiting);
    ledgers.clock.set(not_before - INSTANT);
    assert_later(&ledgers, &other, 1, not_before).await;
    ledgers.clock.set(not_before);
    let claim = ledgers.begun(&other, 1).await;
    assert!(!claim.may_have_gone_out);
    // Waiting for a slot is no failure.
    assert_eq!((claim.delivery.attempt, claim.delivery.begun), (0, 1));
}

async fn what_a_dead_worker_did_is_in_doubt(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let mut claim = ledgers.begun(&one, 1).await;
    assert!(!claim.may_have_gone_out);
    // Even what recorded progress may have gone on after it.
    one.progress(&mut claim).await.unwrap();
    let lease_until = one.now() + LEASE;
    ledgers.clock.set(lease_until - INSTANT);
    assert_later(&ledgers, &other, 1, lease_until).await;
    ledgers.clock.set(lease_until);
    let claim = ledgers.begun(&other, 1).await;
    assert!(claim.may_have_gone_out);
    assert_later(&ledgers, &one, 1, lease_until + LEASE).await;
}

async fn waiting_keeps_a_doubt(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    ledgers.begun(&one, 1).await;
    for _ in 0..3 {
        ledgers.clock.advance(LEASE);
        let claim = ledgers.begun(&other, 1).await;
        assert!(claim.may_have_gone_out);
        let not_before = other.now() + MINUTE;
        other.wait(claim, "busy", not_before, true).await.unwrap();
        let state = ledgers.delivery_of(1).await.state;
        assert_eq!(
            state,
            DeliveryState::Claimed {
                lease_until: not_before
            }
        );
        assert_later(&ledgers, &one, 1, not_before).await;
    }
    // Somebody has looked: it is there.
    ledgers.clock.advance(LEASE);
    let mut claim = ledgers.begun(&one, 1).await;
    claim.prove(Step::Text, Proof::Part(PartId::new("1")), one.now());
    one.wait(claim, "busy", one.now(), true).await.unwrap();
    assert!(!ledgers.begun(&other, 1).await.may_have_gone_out);
    assert_eq!(ledgers.delivery_of(1).await.attempt, 4);
}

async fn a_doubt_is_looked_at_in_time(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let claim = ledgers.begun(&one, 1).await;
    let look_at = one.now() + MINUTE;
    one.doubt(claim, look_at).await.unwrap();
    ledgers.clock.set(look_at - INSTANT);
    assert_later(&ledgers, &other, 1, look_at).await;
    ledgers.clock.set(look_at);
    let claim = ledgers.begun(&other, 1).await;
    assert!(claim.may_have_gone_out);
    assert_eq!((claim.delivery.attempt, claim.delivery.begun), (1, 1));
}

async fn progress_keeps_receipts_and_counts_anew(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    ledgers.begun(&one, 1).await;
    ledgers.clock.advance(LEASE);
    let mut claim = ledgers.begun(&one, 1).await;
    assert_eq!(claim.delivery.begun, 2);
    let part = Proof::Part(PartId::new("11"));
    let file = Proof::Part(PartId::new("12"));
    claim.prove(Step::Text, part.clone(), one.now());
    one.progress(&mut claim).await.unwrap();
    claim.prove(Step::File(0), file.clone(), one.now());
    one.progress(&mut claim).await.unwrap();
    // The claim goes on under its new version.
    assert_eq!(ledgers.delivery_of(1).await, claim.delivery);
    assert_eq!(claim.delivery.begun, 1);
    ledgers.clock.advance(LEASE);
    let claim = ledgers.begun(&other, 1).await;
    assert_eq!(claim.delivery.proof(Step::Text), Some(&part));
    assert_eq!(claim.delivery.proof(Step::File(0)), Some(&file));
    assert_eq!(claim.delivery.begun, 2);
    assert!(claim.may_have_gone_out && claim.delivery.has_arrived());
    assert!(claim.settled_at > other.now(), "its last call may still happen");
}

async fn an_overtaken_worker_changes_nothing(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let proof = Proof::Conversation(conversation(1));
    for message in 0..6 {
        let mut late = ledgers.begun(&one, message).await;
        ledgers.clock.advance(LEASE);
        ledgers.begun(&other, message).await;
        late.prove(Step::Create, proof.clone(), one.now());
        let beside: Key = ledgers.reverse_key(&conversation(message));
        let with = one.transaction().create(beside.clone(), &late.delivery, None);
        let before = ledgers.item(&ledgers.delivery(message)).await;
        let written = match message {
            0 => one.progress_with(&mut late, with).await,
            1 => one.finish(late, End::Delivered, with).await,
            2 => one.finish(late, End::Skipped("bot".to_owned()), with).await,
            3 => one.finish(late, End::Undeliverable("old".to_owned()), with).await,
            4 => one.wait(late, "busy", one.now(), true).await,
            _ => one.doubt(late, one.now()).await,
        };
        assert_overtaken(&written);
        assert_eq!(ledgers.item(&ledgers.delivery(message)).await, before);
        assert_eq!(ledgers.item(&beside).await, None, "outcome {message}");
    }
}

async fn what_is_done_stays_done(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let ends = [
        End::Delivered,
        End::Skipped("bot".to_owned()),
        End::Undeliverable("old".to_owned()),
    ];
    for (message, end) in ends.into_iter().enumerate() {
        let claim = ledgers.begun(&one, message).await;
        let given_up = matches!(end, End::Undeliverable(_));
        one.finish(claim, end, one.transaction()).await.unwrap();
        let before = ledgers.item(&ledgers.delivery(message)).await;
        // A copy of something else that was given up opens nothing.
        let copies: &[_] = if given_up {
            &[None, Some(0), Some(2)]
        } else {
            &[None, Some(0), Some(1)]
        };
        for copy in copies {
            ledgers.clock.advance(LEASE);
            let begun = ledgers.begin_copy(&other, message, *copy).await;
            assert!(matches!(begun, Begun::Finished), "{copy:?}: {begun:?}");
        }
        assert_eq!(ledgers.item(&ledgers.delivery(message)).await, before);
    }
}

async fn only_its_own_copy_opens_what_was_given_up(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let mut claim = ledgers.begun(&workers[0], 1).await;
    let since = claim.delivery.since;
    for generation in 1..=3 {
        workers[0].wait(claim, "busy", workers[0].now(), true).await.unwrap();
        claim = ledgers.begun(&workers[0], 1).await;
        assert_eq!(claim.delivery.attempt, 1);
        let end = End::Undeliverable("old".to_owned());
        workers[0].finish(claim, end, workers[0].transaction()).await.unwrap();
        assert_eq!(ledgers.delivery_of(1).await.generation, generation);
        let former = ledgers.begin_copy(&workers[0], 1, Some(generation - 1)).await;
        assert!(matches!(former, Begun::Finished), "{former:?}");

        ledgers.clock.advance(MINUTE);
        let copies = race(&workers, |_, worker| {
            let ledgers = ledgers.clone();
            async move { ledgers.begin_copy(&worker, 1, Some(generation)).await }
        });
        let mut copies = copies.await;
        let winner = only_winner(&copies.iter().map(is_claimed).collect::<Vec<_>>());
        claim = claimed(copies.swap_remove(winner));
        assert!(!claim.may_have_gone_out);
        // Its life begins anew; what it may have left behind is as old as before.
        assert_eq!((claim.delivery.attempt, claim.delivery.begun), (0, 1));
        assert_eq!(claim.delivery.tried_since, workers[0].now());
        assert_eq!(claim.delivery.since, since);
    }
}

async fn a_doubt_outlives_giving_up(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    ledgers.begun(&one, 1).await;
    for generation in 1..=2 {
        ledgers.clock.advance(LEASE);
        let copy = Some(generation - 1).filter(|generation| *generation > 0);
        let claim = claimed(ledgers.begin_copy(&other, 1, copy).await);
        assert!(claim.may_have_gone_out);
        let end = End::Undeliverable("old".to_owned());
        other.finish(claim, end, other.transaction()).await.unwrap();
        let state = ledgers.delivery_of(1).await.state;
        assert!(
            matches!(state, DeliveryState::Undeliverable { in_doubt: true, .. }),
            "{state:?}"
        );
    }
    let claim = claimed(ledgers.begin_copy(&one, 1, Some(2)).await);
    assert!(claim.may_have_gone_out);
}

async fn a_message_that_kills_its_workers_is_poison(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    for _ in 0..POISON_AFTER {
        ledgers.begun(&one, 1).await;
        ledgers.clock.advance(LEASE);
    }
    let Begun::Poison(claim) = ledgers.begin(&other, 1).await else {
        panic!("a message has killed {POISON_AFTER} workers and is not poison")
    };
    // While it is being given up, nobody else does the same.
    assert!(later(&ledgers.begin(&one, 1).await).is_some());
    assert!(claim.may_have_gone_out);
    let end = End::Undeliverable("poison".to_owned());
    other.finish(claim, end, other.transaction()).await.unwrap();
    let claim = claimed(ledgers.begin_copy(&one, 1, Some(1)).await);
    assert_eq!(claim.delivery.begun, 1);

    // Outcomes in between say that it kills nobody.
    let mut claim = claim;
    for _ in 0..=POISON_AFTER {
        one.wait(claim, "busy", one.now(), true).await.unwrap();
        claim = ledgers.begun(&one, 1).await;
    }
}

async fn finished_deliveries_expire_and_open_ones_do_not(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let expiry = async |message| ledgers.item(&ledgers.delivery(message)).await.unwrap().expires_at;
    let ends = [
        End::Delivered,
        End::Skipped("bot".to_owned()),
        End::Undeliverable("old".to_owned()),
    ];
    for (message, end) in ends.into_iter().enumerate() {
        let mut claim = ledgers.begun(&worker, message).await;
        assert_eq!(expiry(message).await, None);
        worker.progress(&mut claim).await.unwrap();
        assert_eq!(expiry(message).await, None);
        worker.wait(claim, "busy", worker.now(), false).await.unwrap();
        assert_eq!(expiry(message).await, None);
        let claim = ledgers.begun(&worker, message).await;
        worker.finish(claim, end, worker.transaction()).await.unwrap();
        assert_eq!(expiry(message).await, Some(worker.now() + FINISHED_FOR));
        ledgers.clock.advance(MINUTE);
    }
    // What is open again has no end in sight.
    claimed(ledgers.begin_copy(&worker, 2, Some(1)).await);
    assert_eq!(expiry(2).await, None);
}

async fn a_finished_delivery_counts_as_there_after_its_time(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let claim = ledgers.begun(&workers[0], 1).await;
    workers[0]
        .finish(claim, End::Delivered, workers[0].transaction())
        .await
        .unwrap();
    let given_up = ledgers.begun(&workers[0], 2).await;
    let end = End::Undeliverable("old".to_owned());
    workers[0]
        .finish(given_up, end, workers[0].transaction())
        .await
        .unwrap();
    // The store drops it at a time of its own choosing.
    ledgers.clock.advance(FINISHED_FOR + MINUTE);
    let begun = race(&workers, |_, worker| {
        let ledgers = ledgers.clone();
        async move { ledgers.begin(&worker, 1).await }
    });
    for begun in begun.await {
        assert!(matches!(begun, Begun::Finished), "{begun:?}");
    }
    claimed(ledgers.begin_copy(&workers[0], 2, Some(1)).await);
}

/// Even if nothing was written down of its first one.
async fn what_was_put_back_has_a_life_of_its_own(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    ledgers.clock.advance(MINUTE);
    let claim = claimed(ledgers.begin_copy(&worker, 1, Some(0)).await);
    assert_eq!(claim.delivery.tried_since, worker.now());
    assert!(claim.delivery.since < worker.now());
    let claim = ledgers.begun(&worker, 2).await;
    assert_eq!(claim.delivery.tried_since, claim.delivery.since);
}

async fn a_message_that_kills_its_workers_before_they_begin_it_is_poison(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let message = ledgers.delivery(1).to_string();
    let try_again = || async { one.try_message(&message).await.unwrap() };
    for _ in 0..POISON_AFTER {
        assert!(!try_again().await.is_poison());
    }
    let trial = try_again().await;
    assert!(trial.is_poison());
    // One that came through ends the row, and one that is not the last ends nothing.
    let last = other.try_message(&message).await.unwrap();
    one.end_trial(trial).await.unwrap();
    assert!(try_again().await.is_poison());
    one.end_trial(last).await.unwrap();
    other.end_trial(try_again().await).await.unwrap();
    assert!(!try_again().await.is_poison());
}
