//! Conditions: a write happens only on what it expects, and a transaction whole or not at all.

use super::{
    Case,
    scene::{Scene, assert_conflict, check, check_absent, create, numbered, remove, replace},
};
use crate::store::{Expected, Item, Key, Version, Write};
use std::slice::from_ref;

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_put_happens_only_on_what_it_expects,
        a_put_replaces_the_whole_record,
        a_delete_happens_only_on_what_it_expects,
        a_check_changes_nothing,
        an_older_version_writes_no_more,
        a_transaction_does_all_its_writes,
        a_transaction_fails_whole_wherever_it_fails,
        a_hundred_writes_fail_whole,
        checks_alone_are_a_transaction_too,
        no_writes_are_no_problem,
        a_repeated_write_is_a_conflict_that_shows_its_own_version,
    ]
}

async fn a_put_happens_only_on_what_it_expects(scene: Scene) {
    let first = scene.item("a", numbered(1));
    let stranger = scene.item("a", numbered(2));
    assert_conflict(&scene.store.write(&[replace(&stranger, &first)]).await);
    assert_eq!(scene.find("a").await, None);

    scene.store.write(&[create(&first)]).await.unwrap();
    assert_conflict(&scene.store.write(&[create(&stranger)]).await);
    assert_conflict(
        &scene
            .store
            .write(&[replace(&stranger, &scene.item("a", numbered(3)))])
            .await,
    );
    assert_eq!(scene.find("a").await.as_ref(), Some(&first));

    scene.store.write(&[replace(&first, &stranger)]).await.unwrap();
    assert_eq!(scene.find("a").await, Some(stranger));
}

async fn a_put_replaces_the_whole_record(scene: Scene) {
    let full = scene
        .given("a", serde_json::json!({"kind": "x", "old": {"deep": [1]}, "both": 1}))
        .await;
    let bare = scene.item("a", serde_json::json!({"both": 2}));
    scene.store.write(&[replace(&full, &bare)]).await.unwrap();
    assert_eq!(scene.find("a").await, Some(bare));
}

async fn a_delete_happens_only_on_what_it_expects(scene: Scene) {
    let item = scene.given("a", numbered(1)).await;
    let wrong = scene.item("a", numbered(2));
    assert_conflict(&scene.store.write(&[remove(&wrong)]).await);
    assert_conflict(&scene.store.write(&[delete_nothing(item.key.clone())]).await);
    assert_eq!(scene.find("a").await.as_ref(), Some(&item));

    scene.store.write(&[remove(&item)]).await.unwrap();
    assert_eq!(scene.find("a").await, None);
    assert_conflict(&scene.store.write(&[remove(&item)]).await);
    scene.store.write(&[delete_nothing(item.key)]).await.unwrap();
}

fn delete_nothing(key: Key) -> Write {
    Write::Delete {
        key,
        expected: Expected::Absent,
    }
}

async fn a_check_changes_nothing(scene: Scene) {
    let item = scene.given("there", numbered(1)).await;
    scene.store.write(&[check(&item)]).await.unwrap();
    scene.store.write(&[check_absent(scene.key("missing"))]).await.unwrap();
    assert_conflict(&scene.store.write(&[check_absent(item.key.clone())]).await);
    assert_conflict(&scene.store.write(&[check(&scene.item("there", numbered(2)))]).await);
    assert_conflict(&scene.store.write(&[check(&scene.item("missing", numbered(3)))]).await);
    assert_eq!(scene.find("there").await, Some(item));
    assert_eq!(scene.find("missing").await, None);
}

async fn an_older_version_writes_no_more(scene: Scene) {
    let mine = scene.given("claim", numbered(1)).await;
    let taken_over = scene.item("claim", numbered(2));
    scene.store.write(&[replace(&mine, &taken_over)]).await.unwrap();

    let late = scene.item("claim", numbered(3));
    let proof = scene.item("proof", numbered(4));
    assert_conflict(&scene.store.write(&[replace(&mine, &late)]).await);
    assert_conflict(&scene.store.write(&[remove(&mine)]).await);
    assert_conflict(&scene.store.write(&[replace(&mine, &late), create(&proof)]).await);
    assert_conflict(&scene.store.write(&[create(&proof), check(&mine)]).await);
    // The same content is still another writing.
    let looks_alike = Item {
        version: Version::fresh(scene.entropy.as_ref()),
        ..taken_over.clone()
    };
    assert_conflict(&scene.store.write(&[replace(&looks_alike, &late)]).await);
    assert_eq!(scene.find("claim").await, Some(taken_over));
    assert_eq!(scene.find("proof").await, None);
}

/// Five items and a transaction that touches all of them, in every way.
struct Mixed {
    before: Vec<Item>,
    writes: Vec<Write>,
}

impl Mixed {
    async fn given(scene: &Scene, prefix: &str) -> Self {
        let mut before = Vec::new();
        for number in 0..3 {
            before.push(scene.given(format!("{prefix}{number}"), numbered(number)).await);
        }
        let writes = vec![
            replace(&before[0], &scene.item(format!("{prefix}0"), numbered(10))),
            remove(&before[1]),
            check(&before[2]),
            create(&scene.item(format!("{prefix}3"), numbered(13))),
            check_absent(scene.key(format!("{prefix}4"))),
        ];
        Self { before, writes }
    }

    /// What lies at the five places.
    async fn now(&self, scene: &Scene) -> Vec<Option<Item>> {
        let keys: Vec<Key> = self.writes.iter().map(|write| write.key().clone()).collect();
        scene.store.get(&keys).await.unwrap()
    }

    fn untouched(&self) -> Vec<Option<Item>> {
        let mut items: Vec<_> = self.before.iter().cloned().map(Some).collect();
        items.resize(self.writes.len(), None);
        items
    }
}

async fn a_transaction_does_all_its_writes(scene: Scene) {
    let mixed = Mixed::given(&scene, "").await;
    scene.store.write(&mixed.writes).await.unwrap();
    let now = mixed.now(&scene).await;
    let numbers: Vec<_> = now
        .iter()
        .map(|item| item.as_ref().and_then(|item| item.body["number"].as_u64()))
        .collect();
    assert_eq!(numbers, [Some(10), None, Some(2), Some(13), None]);
}

async fn a_transaction_fails_whole_wherever_it_fails(scene: Scene) {
    for position in 0..5 {
        let mixed = Mixed::given(&scene, &format!("{position}-")).await;
        let mut writes = mixed.writes.clone();
        break_condition(&scene, &mut writes[position]);
        assert_conflict(&scene.store.write(&writes).await);
        writes.reverse();
        assert_conflict(&scene.store.write(&writes).await);
        assert_eq!(
            mixed.now(&scene).await,
            mixed.untouched(),
            "a condition failed at {position}"
        );
    }
}

/// Turns what is expected into what is not there.
fn break_condition(scene: &Scene, write: &mut Write) {
    let never = Expected::Version(Version::fresh(scene.entropy.as_ref()));
    match write {
        Write::Put { expected, .. } | Write::Delete { expected, .. } | Write::Check { expected, .. } => {
            *expected = never;
        }
    }
}

async fn a_hundred_writes_fail_whole(scene: Scene) {
    let mut writes: Vec<Write> = (0..100)
        .map(|number| create(&scene.item(format!("{number:03}"), numbered(number))))
        .collect();
    let in_the_way = scene.given("099", numbered(0)).await;
    assert_conflict(&scene.store.write(&writes).await);
    let keys: Vec<Key> = writes.iter().map(|write| write.key().clone()).collect();
    let found = scene.store.get(&keys).await.unwrap();
    assert_eq!(found.iter().flatten().collect::<Vec<_>>(), [&in_the_way]);

    writes[99] = replace(&in_the_way, &scene.item("099", numbered(99)));
    scene.store.write(&writes).await.unwrap();
    let found = scene.store.get(&keys).await.unwrap();
    assert!(found.iter().all(Option::is_some));
}

async fn checks_alone_are_a_transaction_too(scene: Scene) {
    let first = scene.given("1", numbered(1)).await;
    let second = scene.given("2", numbered(2)).await;
    let missing = || check_absent(scene.key("3"));
    scene
        .store
        .write(&[check(&first), check(&second), missing()])
        .await
        .unwrap();
    let wrong = scene.item("2", numbered(2));
    assert_conflict(&scene.store.write(&[check(&first), check(&wrong), missing()]).await);
    assert_conflict(
        &scene
            .store
            .write(&[check(&first), check_absent(second.key), missing()])
            .await,
    );
}

async fn no_writes_are_no_problem(scene: Scene) {
    scene.store.write(&[]).await.unwrap();
}

async fn a_repeated_write_is_a_conflict_that_shows_its_own_version(scene: Scene) {
    let single = create(&scene.item("single", numbered(1)));
    scene.store.write(from_ref(&single)).await.unwrap();
    assert_conflict(&scene.store.write(from_ref(&single)).await);

    let old = scene.given("old", numbered(2)).await;
    let both = [
        replace(&old, &scene.item("old", numbered(3))),
        create(&scene.item("new", numbered(4))),
    ];
    scene.store.write(&both).await.unwrap();
    assert_conflict(&scene.store.write(&both).await);

    for write in both.iter().chain([&single]) {
        let Write::Put { item, .. } = write else { unreachable!() };
        let found = scene.find(&item.key.sk).await;
        assert_eq!(found.map(|found| found.version).as_ref(), Some(&item.version));
    }
}
