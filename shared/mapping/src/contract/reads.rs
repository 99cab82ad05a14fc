//! Reads: strongly consistent, complete, in order.

use super::{
    Case,
    scene::{Scene, create, numbered, remove, replace},
};
use crate::store::{Item, Key, Range, Write};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    cases![
        get_answers_in_the_order_of_the_keys,
        get_reads_more_than_one_answer_can_hold,
        what_one_connection_wrote_the_others_see_at_once,
        list_gives_a_stretch_from_either_end,
        list_is_ordered_by_bytes,
        list_of_what_cannot_be_there_is_empty,
        list_reads_on_over_pages,
    ]
}

/// Puts these items, as many at a time as one transaction takes.
async fn put_all(scene: &Scene, items: &[Item], together: usize) {
    for some in items.chunks(together) {
        let writes: Vec<Write> = some.iter().map(create).collect();
        scene.store.write(&writes).await.unwrap();
    }
}

fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.key.sk.as_str()).collect()
}

async fn get_answers_in_the_order_of_the_keys(scene: Scene) {
    assert_eq!(scene.store.get(&[]).await.unwrap(), []);
    let items: Vec<Item> = (0..50)
        .map(|number| scene.item(format!("{number:03}"), numbered(number)))
        .collect();
    put_all(&scene, &items, 100).await;

    let [first, second] = [&items[0], &items[1]];
    let missing = scene.key("missing");
    let keys = [&second.key, &missing, &first.key, &second.key, &missing].map(Key::clone);
    let expected = [Some(second), None, Some(first), Some(second), None].map(Option::<&Item>::cloned);
    assert_eq!(scene.store.get(&keys).await.unwrap(), expected);
    assert_eq!(
        scene.store.get(&[first.key.clone(), first.key.clone()]).await.unwrap(),
        [Some(first.clone()), Some(first.clone())]
    );

    // A hundred at once, every second of them missing, from the last to the first.
    let keys: Vec<Key> = (0..100)
        .rev()
        .map(|half| scene.key(format!("{:03}{}", half / 2, ["", "-no"][half % 2])))
        .collect();
    let found = scene.store.get(&keys).await.unwrap();
    assert_eq!(found.len(), 100);
    for (key, item) in keys.iter().zip(&found) {
        assert_eq!(item.is_some(), !key.sk.ends_with("-no"), "{key}");
        assert!(item.as_ref().is_none_or(|item| item.key == *key), "{key}");
    }
}

async fn get_reads_more_than_one_answer_can_hold(scene: Scene) {
    // 22 MB: DynamoDB answers with 16 at most, and names the keys that it left out.
    let text = "x".repeat(220_000);
    let items: Vec<Item> = (0..100)
        .map(|number| scene.item(format!("{number}"), json!({"text": text})))
        .collect();
    put_all(&scene, &items, 10).await;
    let keys: Vec<Key> = items.iter().map(|item| item.key.clone()).collect();
    let found = scene.store.get(&keys).await.unwrap();
    assert!(found.iter().eq(items.into_iter().map(Some).collect::<Vec<_>>().iter()));
}

async fn what_one_connection_wrote_the_others_see_at_once(scene: Scene) {
    let other = scene.connect().await;
    let all = Range::prefix(&scene.key("").pk, "", 10);
    for round in 0..25 {
        let item = scene.given("a", numbered(round)).await;
        let keys = [item.key.clone(), scene.key("b")];
        assert_eq!(other.get(&keys[..1]).await.unwrap(), [Some(item.clone())]);
        assert_eq!(other.get(&keys).await.unwrap(), [Some(item.clone()), None]);
        assert_eq!(other.list(&all).await.unwrap(), std::slice::from_ref(&item));

        let changed = scene.item("a", numbered(round + 100));
        other.write(&[replace(&item, &changed)]).await.unwrap();
        assert_eq!(scene.find("a").await.as_ref(), Some(&changed));

        scene.store.write(&[remove(&changed)]).await.unwrap();
        assert_eq!(other.get(&keys).await.unwrap(), [None, None]);
        assert_eq!(other.list(&all).await.unwrap(), []);
    }
}

async fn list_gives_a_stretch_from_either_end(scene: Scene) {
    let names = ["a", "topic#1", "topic#1#5", "topic#2", "topic#3", "topics", "z"];
    let items: Vec<Item> = names.iter().map(|name| scene.item(*name, numbered(0))).collect();
    put_all(&scene, &items, 100).await;
    let neighbour = Item {
        key: Key::new(format!("{}0", scene.key("").pk), "topic#2"),
        ..scene.item("topic#2", numbered(1))
    };
    put_all(&scene, &[neighbour], 1).await;

    let pk = scene.key("").pk;
    let stretch = |from: &str, to: &str, descending, limit| Range {
        pk: pk.clone(),
        from: from.to_owned(),
        to: to.to_owned(),
        descending,
        limit,
    };
    let cases: [(Range, &[&str]); 10] = [
        (
            stretch("topic#1", "topic#2", false, 10),
            &["topic#1", "topic#1#5", "topic#2"],
        ),
        (
            stretch("topic#1", "topic#2", true, 10),
            &["topic#2", "topic#1#5", "topic#1"],
        ),
        (stretch("topic#1", "topic#3", false, 2), &["topic#1", "topic#1#5"]),
        (stretch("topic#1", "topic#3", true, 2), &["topic#3", "topic#2"]),
        (stretch("b", "topic#1!", false, 10), &["topic#1"]),
        (stretch("topic#2", "topic#2", false, 10), &["topic#2"]),
        (stretch("", "topic#1", false, 10), &["a", "topic#1"]),
        (
            stretch("", "zz", true, usize::MAX),
            &["z", "topics", "topic#3", "topic#2", "topic#1#5", "topic#1", "a"],
        ),
        (
            Range::prefix(&pk, "topic#", 10),
            &["topic#1", "topic#1#5", "topic#2", "topic#3"],
        ),
        (Range::prefix(&pk, "", 3), &["a", "topic#1", "topic#1#5"]),
    ];
    for (range, expected) in cases {
        let found = scene.store.list(&range).await.unwrap();
        assert_eq!(sort_keys(&found), expected, "{range:?}");
        assert!(found.iter().all(|item| items.contains(item)), "{range:?}");
    }
}

async fn list_is_ordered_by_bytes(scene: Scene) {
    // In the order of their UTF-8 bytes, which is not that of any alphabet, nor of UTF-16.
    let ordered = [
        "!", "0", "10", "9", "A", "Z", "_", "a", "b", "z", "~", "ä", "я", "中", "\u{ff5e}", "😀",
    ];
    let mut items: Vec<Item> = ordered.iter().map(|name| scene.item(*name, numbered(0))).collect();
    items.reverse();
    put_all(&scene, &items, 100).await;
    let mut range = Range {
        to: "\u{10ffff}".to_owned(),
        ..Range::prefix(scene.key("").pk, "", 100)
    };
    assert_eq!(sort_keys(&scene.store.list(&range).await.unwrap()), ordered);
    range.descending = true;
    items.sort_by(|one, other| other.key.cmp(&one.key));
    assert_eq!(scene.store.list(&range).await.unwrap(), items);
}

async fn list_of_what_cannot_be_there_is_empty(scene: Scene) {
    scene.given("m", numbered(0)).await;
    let pk = scene.key("").pk;
    let stretch = |pk: &str, from: &str, to: &str, limit| Range {
        pk: pk.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        descending: false,
        limit,
    };
    for range in [
        stretch(&pk, "n", "z", 10),
        stretch(&pk, "z", "a", 10),
        stretch(&pk, "a", "", 10),
        stretch(&pk, "a", "z", 0),
        stretch("nobody", "a", "z", 10),
        stretch("", "a", "z", 10),
    ] {
        assert_eq!(scene.store.list(&range).await.unwrap(), [], "{range:?}");
    }
}

async fn list_reads_on_over_pages(scene: Scene) {
    // 2.4 MB: DynamoDB's pages end at one.
    let text = "x".repeat(40_000);
    let mut items: Vec<Item> = (0..60)
        .map(|number| scene.item(format!("{number:02}"), json!({"text": text})))
        .collect();
    put_all(&scene, &items, 20).await;
    let mut range = Range::prefix(scene.key("").pk, "", 1000);
    assert!(scene.store.list(&range).await.unwrap() == items);
    range.limit = 45;
    assert!(scene.store.list(&range).await.unwrap() == items[..45]);
    range.descending = true;
    items.reverse();
    assert!(scene.store.list(&range).await.unwrap() == items[..45]);
}
