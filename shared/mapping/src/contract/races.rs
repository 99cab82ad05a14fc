//! Races: sixteen tasks on sixteen connections, let go at the same moment, many times.

use super::{
    Case,
    scene::{Scene, attempt, create, find, numbered, only_winner, race, remove, replace},
};
use crate::store::{Item, Store, Write};
use serde_json::json;
use std::slice::from_ref;

const ROUNDS: usize = 30;
const COUNTS: u64 = 12;

pub(super) fn cases() -> Vec<Case> {
    cases![
        one_racer_claims_what_nobody_had,
        one_racer_takes_over_a_claim,
        one_racer_deletes_an_item,
        one_racer_s_transaction_happens,
        a_counter_loses_no_count,
        crossing_transactions_stay_whole,
    ]
}

async fn one_racer_claims_what_nobody_had(scene: Scene) {
    let stores = scene.connections().await;
    for round in 0..ROUNDS {
        let sk = format!("{round}");
        let claims: Vec<Item> = (0..stores.len())
            .map(|racer| scene.item(&sk, numbered(racer)))
            .collect();
        let won = race(&stores, |racer, store| {
            let put = create(&claims[racer]);
            async move { attempt(store.as_ref(), from_ref(&put)).await }
        });
        let winner = only_winner(&won.await);
        assert_eq!(scene.find(sk).await.as_ref(), claims.get(winner));
    }
}

async fn one_racer_takes_over_a_claim(scene: Scene) {
    let stores = scene.connections().await;
    let mut held = scene.given("claim", numbered(0)).await;
    for _ in 0..ROUNDS {
        let claims: Vec<Item> = (0..stores.len())
            .map(|racer| scene.item("claim", numbered(racer)))
            .collect();
        let won = race(&stores, |racer, store| {
            let put = replace(&held, &claims[racer]);
            async move { attempt(store.as_ref(), from_ref(&put)).await }
        });
        held = claims[only_winner(&won.await)].clone();
        assert_eq!(scene.find("claim").await.as_ref(), Some(&held));
    }
}

async fn one_racer_deletes_an_item(scene: Scene) {
    let stores = scene.connections().await;
    for round in 0..ROUNDS {
        let item = scene.given(format!("{round}"), numbered(round)).await;
        // A delete leaves no version by which a busy store's answer could be made sure of: the proof beside it does.
        let won = race(&stores, |racer, store| {
            let proof = create(&scene.item(format!("{round}-by-{racer}"), numbered(racer)));
            let writes = [remove(&item), proof];
            async move { attempt(store.as_ref(), &writes).await }
        });
        only_winner(&won.await);
        assert_eq!(scene.find(format!("{round}")).await, None);
    }
}

async fn one_racer_s_transaction_happens(scene: Scene) {
    let stores = scene.connections().await;
    for round in 0..ROUNDS {
        let own = |racer: usize| format!("{round}-own-{racer}");
        let won = race(&stores, |racer, store| {
            let shared = create(&scene.item(format!("{round}"), numbered(racer)));
            let writes = [create(&scene.item(own(racer), numbered(racer))), shared];
            async move { attempt(store.as_ref(), &writes).await }
        });
        let winner = only_winner(&won.await);
        for racer in 0..stores.len() {
            assert_eq!(
                scene.find(own(racer)).await.is_some(),
                racer == winner,
                "racer {racer}, winner {winner}"
            );
        }
    }
}

async fn a_counter_loses_no_count(scene: Scene) {
    let stores = scene.connections().await;
    scene.given("counter", json!({"count": 0})).await;
    race(&stores, |_, store| {
        let scene = scene.clone();
        async move {
            for _ in 0..COUNTS {
                while !count_up(&scene, store.as_ref(), &["counter"]).await {}
            }
        }
    })
    .await;
    let expected = COUNTS * u64::try_from(stores.len()).unwrap();
    assert_eq!(scene.find("counter").await.unwrap().body["count"], expected);
}

async fn crossing_transactions_stay_whole(scene: Scene) {
    let stores = scene.connections().await;
    scene.given("left", json!({"count": 0})).await;
    scene.given("right", json!({"count": 0})).await;
    race(&stores, |racer, store| {
        let scene = scene.clone();
        // Half of them write in the other order, which is where a store that locks items one by one would stop for ever.
        let order = if racer % 2 == 0 {
            ["left", "right"]
        } else {
            ["right", "left"]
        };
        async move {
            for _ in 0..COUNTS {
                while !count_up(&scene, store.as_ref(), &order).await {}
            }
        }
    })
    .await;
    let expected = COUNTS * u64::try_from(stores.len()).unwrap();
    for side in ["left", "right"] {
        assert_eq!(scene.find(side).await.unwrap().body["count"], expected, "{side}");
    }
}

/// Adds one to each of the items in one transaction, if nobody was faster.
async fn count_up(scene: &Scene, store: &dyn Store, names: &[&str]) -> bool {
    let mut writes: Vec<Write> = Vec::new();
    for name in names {
        let old = find(store, &scene.key(*name)).await.unwrap();
        let count = old.body["count"].as_u64().unwrap();
        let new = scene.item(*name, json!({"count": count + 1}));
        writes.push(replace(&old, &new));
    }
    attempt(store, &writes).await
}
