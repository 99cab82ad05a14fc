//! Pace and echoes: what many workers change at once, each by reading and trying again.

use super::{
    Case,
    ledgers::{Ledgers, conversation, settled},
    scene::{RACERS, Scene, race},
};
use crate::{
    ids::{ChatId, PartId},
    keys,
    ledger::Ledger,
    records::{Echo, Pace},
    store::Key,
    time::Timestamp,
};
use std::{collections::BTreeSet, time::Duration};

const INTERVAL: Duration = Duration::from_millis(1050);
const SLOTS: usize = 3;
const EACH: usize = 4;

pub(super) fn cases() -> Vec<Case> {
    cases![
        no_slot_is_reserved_twice,
        slots_reserved_together_are_apart,
        a_pause_is_no_credit,
        a_blocked_chat_waits,
        a_block_during_a_rush_is_heeded,
        echoes_lose_no_reply,
        an_echo_is_reserved_once,
    ]
}

fn pace(ledgers: &Ledgers) -> Key {
    keys::pace(ledgers.bot(), ChatId(-1001))
}

async fn reserve(worker: &Ledger, key: &Key, count: usize) -> Vec<Timestamp> {
    let reserved = settled(|| async {
        let read = worker.find::<Pace>(key).await?;
        worker.reserve_slots(key, read, count, INTERVAL).await
    });
    reserved.await.expect("slots")
}

/// Asserts that the slots are those from `first` on, each once, none left out.
fn assert_gapless(slots: impl IntoIterator<Item = Timestamp>, first: Timestamp, count: usize) {
    let mut slots: Vec<Timestamp> = slots.into_iter().collect();
    slots.sort_unstable();
    let expected = std::iter::successors(Some(first), |slot| Some(*slot + INTERVAL));
    assert_eq!(slots, expected.take(count).collect::<Vec<_>>());
}

async fn no_slot_is_reserved_twice(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let key = pace(&ledgers);
    let reserved = race(&workers, |_, worker| {
        let key = key.clone();
        async move {
            let mut slots = Vec::new();
            for _ in 0..EACH {
                slots.extend(reserve(&worker, &key, SLOTS).await);
            }
            slots
        }
    });
    let reserved = reserved.await;
    for slots in &reserved {
        assert!(slots.is_sorted(), "{slots:?}");
    }
    let count = RACERS * EACH * SLOTS;
    assert_gapless(reserved.into_iter().flatten(), workers[0].now(), count);
    assert_eq!(
        reserve(&workers[0], &key, 1).await[0].since(workers[0].now()),
        INTERVAL * u32::try_from(count).unwrap()
    );
}

async fn slots_reserved_together_are_apart(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = pace(&ledgers);
    let now = worker.now();
    assert_gapless(reserve(&worker, &key, 5).await, now, 5);
    assert_eq!(reserve(&worker, &key, 0).await, []);
    assert_gapless(reserve(&worker, &key, 2).await, now + INTERVAL * 5, 2);
    // What was read at first is old by now: that is noticed.
    let stale = worker.reserve_slots(&key, None, 1, INTERVAL).await.unwrap();
    assert_gapless(stale, now + INTERVAL * 7, 1);
    // Another chat has a pace of its own.
    let other = keys::pace(ledgers.bot(), ChatId(-1002));
    assert_gapless(reserve(&worker, &other, 1).await, now, 1);
}

async fn a_pause_is_no_credit(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = pace(&ledgers);
    reserve(&worker, &key, 1).await;
    ledgers.clock.advance(INTERVAL * 20);
    assert_gapless(reserve(&worker, &key, 3).await, worker.now(), 3);
}

async fn a_blocked_chat_waits(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = pace(&ledgers);
    let until = worker.now() + Duration::from_mins(1);
    // Also where nobody has reserved anything yet.
    worker.block_chat(&key, until).await.unwrap();
    assert_gapless(reserve(&worker, &key, 2).await, until, 2);
    // A shorter block takes nothing back, neither the longer one nor the slots that are reserved.
    worker.block_chat(&key, worker.now()).await.unwrap();
    assert_gapless(reserve(&worker, &key, 1).await, until + INTERVAL * 2, 1);
    let longer = until + Duration::from_mins(1);
    worker.block_chat(&key, longer).await.unwrap();
    assert_gapless(reserve(&worker, &key, 2).await, longer, 2);
    assert_eq!(
        worker.find::<Pace>(&key).await.unwrap().unwrap().value.blocked_until,
        longer
    );
}

async fn a_block_during_a_rush_is_heeded(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let key = pace(&ledgers);
    let until = workers[0].now() + Duration::from_hours(1);
    let reserved = race(&workers, |racer, worker| {
        let key = key.clone();
        async move {
            if racer == 0 {
                settled(|| worker.block_chat(&key, until)).await.expect("to block");
                return reserve(&worker, &key, SLOTS).await;
            }
            let mut slots = reserve(&worker, &key, SLOTS).await;
            slots.extend(reserve(&worker, &key, SLOTS).await);
            slots
        }
    });
    let reserved = reserved.await;
    assert!(reserved[0].iter().all(|slot| *slot >= until));
    let distinct: BTreeSet<Timestamp> = reserved.iter().flatten().copied().collect();
    assert_eq!(distinct.len(), (RACERS * 2 - 1) * SLOTS);
    let (after, before): (Vec<_>, Vec<_>) = distinct.into_iter().partition(|slot| *slot >= until);
    let (late, early) = (after.len(), before.len());
    assert_gapless(before, workers[0].now(), early);
    assert_gapless(after, until, late);
    assert_gapless(
        reserve(&workers[0], &key, 1).await,
        until + INTERVAL * u32::try_from(late).unwrap(),
        1,
    );
}

async fn echoes_lose_no_reply(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let key = keys::echo(&ledgers.workspace, &conversation(1), "text");
    let changed = race(&workers, |racer, worker| {
        let (key, delivery) = (key.clone(), ledgers.delivery(racer));
        async move {
            settled(|| worker.change_echo(&key, |echo| echo.reserve(&delivery)))
                .await
                .expect("to reserve");
            // Every other one dies before it learns which part its reply became.
            if racer.is_multiple_of(2) {
                settled(|| worker.change_echo(&key, |echo| echo.resolve(&delivery, &part(racer))))
                    .await
                    .expect("to resolve");
            }
        }
    });
    changed.await;
    let echo = workers[0].find::<Echo>(&key).await.unwrap().unwrap().value;
    assert_eq!(echo.replies.len(), RACERS);
    let unresolved: BTreeSet<&Key> = echo.unresolved().collect();
    for racer in 0..RACERS {
        let resolved = racer.is_multiple_of(2);
        assert_eq!(echo.is_ours(&part(racer)), resolved, "{racer}");
        assert_eq!(unresolved.contains(&ledgers.delivery(racer)), !resolved, "{racer}");
    }
}

fn part(of: usize) -> PartId {
    PartId::new(format!("{of}"))
}

async fn an_echo_is_reserved_once(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let key = keys::echo(&ledgers.workspace, &conversation(1), "text");
    let (mine, other) = (ledgers.delivery(1), ledgers.delivery(2));
    let changed = race(&workers, |racer, worker| {
        let (key, mine) = (key.clone(), mine.clone());
        async move { settled(|| worker.change_echo(&key, |echo| echo.reserve(&mine).resolve(&mine, &part(racer)))).await }
    });
    for changed in changed.await {
        changed.unwrap();
    }
    workers[0]
        .change_echo(&key, |echo| echo.resolve(&other, &part(99)))
        .await
        .unwrap();
    let echo = workers[0].find::<Echo>(&key).await.unwrap().unwrap().value;
    // A part of a delivery that reserved nothing is no echo.
    assert_eq!((echo.replies.len(), echo.is_ours(&part(99))), (1, false));
    assert_eq!(echo.unresolved().next(), None);
    let expiry = ledgers.item(&key).await.unwrap().expires_at;
    assert_eq!(expiry, Some(workers[0].now() + Echo::KEPT));
}
