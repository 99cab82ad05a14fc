//! The claim of an opening: one worker at a time has it, and whoever lost it can do nothing with it.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, conversation, ours, settled, taken_over},
    scene::{RACERS, Scene, only_winner, race},
};
use crate::{
    claim::LEASE,
    keys::LinkKey,
    ledger::Ledger,
    link::{Claimed, Link, LinkState, OpeningClaim},
    record::Stored,
    store::WriteError,
};
use std::time::Duration;

const ROUNDS: usize = 12;
const INSTANT: Duration = Duration::from_millis(1);

pub(super) fn cases() -> Vec<Case> {
    cases![
        one_worker_claims_an_opening,
        one_worker_takes_over_a_dead_claim,
        one_worker_makes_a_taken_over_claim_its_own,
        one_worker_binds_under_a_claim,
        a_claim_keeps_others_off_until_its_lease_ends,
        a_claim_that_was_taken_over_binds_nothing,
        a_claim_that_was_lost_releases_nothing,
        a_released_claim_leaves_no_link,
        the_holder_itself_takes_over_at_once,
        a_stranger_s_word_does_not_shorten_a_lease,
    ]
}

/// All workers claim the link for a message of their own. In every other round all of them have read it before one has written.
async fn rush(ledgers: &Ledgers, workers: &[Ledger], link: LinkKey, round: usize, messages: usize) -> Vec<Claimed> {
    let read = ledgers.link_at(link).await;
    race(workers, |racer, worker| {
        let (ledgers, read) = (ledgers.clone(), read.clone());
        async move {
            if round.is_multiple_of(2) {
                ledgers.claim_after(&worker, link, read, messages + racer).await
            } else {
                ledgers.claim(&worker, link, messages + racer).await
            }
        }
    })
    .await
}

fn is_ours(claimed: &Claimed) -> bool {
    matches!(claimed, Claimed::Ours(_))
}

fn is_taken_over(claimed: &Claimed) -> bool {
    matches!(claimed, Claimed::TakenOver { .. })
}

fn winner(claims: &[Claimed], won: fn(&Claimed) -> bool) -> usize {
    let lost = |claimed: &&Claimed| matches!(claimed, Claimed::Later(_));
    assert_eq!(claims.iter().filter(lost).count(), claims.len() - 1, "{claims:?}");
    only_winner(&claims.iter().map(won).collect::<Vec<_>>())
}

async fn one_worker_claims_an_opening(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    for round in 0..ROUNDS {
        let link = ledgers.link(round);
        let claims = rush(&ledgers, &workers, link, round, 0).await;
        let winner = winner(&claims, is_ours);
        let Stored { value, .. } = ledgers.link_at(link).await.unwrap();
        let LinkState::Opening(opening) = value.state else {
            panic!("an open link came of claims")
        };
        assert_eq!((opening.delivery, value.generation), (ledgers.delivery(winner), 1));
        // What it was told is what lies there: the winner can bind.
        let claim = ours(claims[winner].clone());
        ledgers
            .bind(&workers[winner], &claim, &conversation(round))
            .await
            .unwrap();
    }
}

async fn one_worker_takes_over_a_dead_claim(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let link = ledgers.link(1);
    let mut held = ledgers.claimed(&workers[0], link, 1000).await;
    for round in 0..ROUNDS {
        let early = rush(&ledgers, &workers, link, round, 0).await;
        assert!(early.iter().all(|claimed| matches!(claimed, Claimed::Later(_))));
        ledgers.clock.advance(LEASE);
        let claims = rush(&ledgers, &workers, link, round, 0).await;
        let winner = winner(&claims, is_taken_over);
        let claim = taken_over(claims[winner].clone());
        // Until it was looked for, what the first holder may have opened is what matters.
        assert_eq!(claim.opening.delivery, ledgers.delivery(1000));
        assert_eq!(claim.opening.marker, held.opening.marker);
        assert_overtaken(
            &ledgers
                .bind(&workers[winner], &held, &conversation(format!("lost-{round}")))
                .await,
        );
        held = claim;
    }
    ledgers.bind(&workers[0], &held, &conversation("last")).await.unwrap();
}

async fn one_worker_makes_a_taken_over_claim_its_own(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    for round in 0..ROUNDS {
        let link = ledgers.link(round);
        ledgers.claimed(&workers[0], link, 1000).await;
        ledgers.clock.advance(LEASE);
        let claim = taken_over(ledgers.claim(&workers[1], link, 1001).await);
        let reopened = race(&workers, |racer, worker| {
            let (claim, opening) = (claim.clone(), ledgers.opening(link, racer));
            async move { settled(|| worker.reopen(claim.clone(), opening.clone())).await }
        });
        let reopened = reopened.await;
        let winner = only_winner(&reopened.iter().map(Result::is_ok).collect::<Vec<_>>());
        let own = reopened[winner].as_ref().unwrap();
        assert_eq!(own.opening.delivery, ledgers.delivery(winner));
        // The claim as it was before is no claim any more.
        assert_overtaken(&ledgers.bind(&workers[1], &claim, &conversation("former")).await);
        ledgers.bind(&workers[winner], own, &conversation(round)).await.unwrap();
    }
}

async fn one_worker_binds_under_a_claim(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    for round in 0..ROUNDS {
        let link = ledgers.link(round);
        let claim = ledgers.claimed(&workers[0], link, round).await;
        let own = |racer: usize| conversation(format!("{round}-{racer}"));
        let bound = race(&workers, |racer, worker| {
            let (ledgers, claim, own) = (ledgers.clone(), claim.clone(), own(racer));
            async move { ledgers.bind(&worker, &claim, &own).await.is_ok() }
        });
        let winner = only_winner(&bound.await);
        for racer in 0..RACERS {
            let reverse = ledgers.reverse_of(&own(racer)).await;
            assert_eq!(reverse.is_some(), racer == winner, "racer {racer}, winner {winner}");
        }
        let Some(Link {
            state: LinkState::Open(open),
            ..
        }) = ledgers.link_at(link).await.map(|stored| stored.value)
        else {
            panic!("the link is not open")
        };
        assert_eq!(open.conversation, own(winner));
    }
}

async fn a_claim_keeps_others_off_until_its_lease_ends(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let claim = ledgers.claimed(&one, link, 1).await;
    let lease_until = claim.opening.lease_until;
    assert_eq!(lease_until, one.now() + LEASE);
    ledgers.clock.advance(LEASE.checked_sub(INSTANT).unwrap());
    let before = ledgers.item(&link.key()).await;
    assert_eq!(ledgers.claim(&other, link, 2).await, Claimed::Later(lease_until));
    assert_eq!(ledgers.item(&link.key()).await, before);
    ledgers.clock.advance(INSTANT);
    let claim = taken_over(ledgers.claim(&other, link, 2).await);
    assert_eq!(claim.opening.lease_until, other.now() + LEASE);
}

/// A claim of `message` that another worker has taken over, and the other's.
async fn overtaken(ledgers: &Ledgers, link: LinkKey, one: &Ledger, other: &Ledger) -> (OpeningClaim, OpeningClaim) {
    let lost = ledgers.claimed(one, link, 1).await;
    ledgers.clock.advance(LEASE);
    (lost, taken_over(ledgers.claim(other, link, 2).await))
}

async fn a_claim_that_was_taken_over_binds_nothing(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let (lost, held) = overtaken(&ledgers, link, &one, &other).await;
    let before = ledgers.item(&link.key()).await;
    assert_overtaken(&ledgers.bind(&one, &lost, &conversation("lost")).await);
    assert_eq!(ledgers.item(&link.key()).await, before);
    assert_eq!(ledgers.reverse_of(&conversation("lost")).await, None);

    let own = other.reopen(held, ledgers.opening(link, 2)).await.unwrap();
    assert_overtaken(&ledgers.bind(&one, &lost, &conversation("lost")).await);
    assert_overtaken(&one.reopen(lost, ledgers.opening(link, 1)).await);
    ledgers.bind(&other, &own, &conversation("held")).await.unwrap();
    assert_eq!(ledgers.reverse_of(&conversation("lost")).await, None);
    assert_eq!(ledgers.reverse_of(&conversation("held")).await.unwrap().link, link);
}

async fn a_claim_that_was_lost_releases_nothing(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let (lost, held) = overtaken(&ledgers, link, &one, &other).await;
    let before = ledgers.item(&link.key()).await;
    assert_overtaken(&one.release_opening(lost.clone()).await);
    assert_eq!(ledgers.item(&link.key()).await, before);

    ledgers.bind(&other, &held, &conversation("held")).await.unwrap();
    let before = ledgers.item(&link.key()).await;
    assert_overtaken(&one.release_opening(lost).await);
    assert_eq!(ledgers.item(&link.key()).await, before);

    // A link that was open once is never gone, whoever releases what.
    let again = ledgers.claimed(&one, link, 3).await;
    let before = ledgers.item(&link.key()).await;
    let released = one.release_opening(again).await;
    assert!(matches!(released, Ok(()) | Err(WriteError::Conflict)), "{released:?}");
    assert_eq!(ledgers.item(&link.key()).await, before);
}

async fn a_released_claim_leaves_no_link(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let claim = ledgers.claimed(&one, link, 1).await;
    one.release_opening(claim.clone()).await.unwrap();
    assert_eq!(ledgers.link_at(link).await, None);
    assert_overtaken(&ledgers.bind(&one, &claim, &conversation("released")).await);
    assert_eq!(ledgers.link_at(link).await, None);
    assert_eq!(ledgers.reverse_of(&conversation("released")).await, None);
    // Nobody has to wait for the lease.
    ledgers.opened(&other, link, 2, &conversation("next")).await;
    assert_eq!(ledgers.link_at(link).await.unwrap().value.generation, 1);
}

async fn the_holder_itself_takes_over_at_once(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    for nothing_went_out in [true, false] {
        let link = ledgers.link(usize::from(nothing_went_out));
        let first = ledgers.claimed(&one, link, 1).await;
        ledgers.clock.advance(INSTANT);
        let read = ledgers.link_at(link).await;
        let opening = ledgers.opening(link, 1);
        let again = other
            .claim_opening(link, read.as_ref(), opening.clone(), nothing_went_out)
            .await
            .unwrap();
        let claim = if nothing_went_out {
            let claim = ours(again);
            assert_eq!(claim.opening.since, opening.since);
            claim
        } else {
            let claim = taken_over(again);
            // What it may have opened the first time is older than this beginning.
            assert_eq!(claim.opening.since, first.opening.since);
            claim
        };
        assert_eq!(claim.opening.lease_until, other.now() + LEASE);
        let name = conversation(format!("{nothing_went_out}"));
        assert_overtaken(&ledgers.bind(&one, &first, &name).await);
        ledgers.bind(&other, &claim, &name).await.unwrap();
    }
}

async fn a_stranger_s_word_does_not_shorten_a_lease(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let claim = ledgers.claimed(&one, link, 1).await;
    let read = ledgers.link_at(link).await;
    let say = || other.claim_opening(link, read.as_ref(), ledgers.opening(link, 2), true);
    assert_eq!(say().await.unwrap(), Claimed::Later(claim.opening.lease_until));
    // What it knows of its own call says nothing of the holder's.
    ledgers.clock.advance(LEASE);
    taken_over(say().await.unwrap());
}
