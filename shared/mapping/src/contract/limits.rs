//! What an item can hold and what is refused.

use super::{
    Case,
    scene::{Scene, assert_conflict, assert_refused, check_absent, create, numbered, remove, replace},
};
use crate::{
    limits::{MAX_BATCH, RESERVED_FIELDS},
    store::{Item, Key, Range, StoreError, Write},
    time::Timestamp,
};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_record_comes_back_as_it_went,
        an_expiry_is_kept_to_the_second,
        an_expired_item_counts_as_there,
        keys_may_hold_any_text,
        a_large_item_fits_and_a_larger_one_is_refused,
        two_writes_to_one_item_are_refused,
        what_no_store_takes_is_refused_before_anything_is_written,
    ]
}

async fn a_record_comes_back_as_it_went(scene: Scene) {
    let records = [
        json!({}),
        json!({"text": "", "space": " ", "lines": "a\r\n\tb\u{0}c\u{7f}\u{2028}", "quotes": "'\"\\`"}),
        json!({"unicode": "日本語 ünïcödé e\u{301} 👩‍👩‍👧‍👦 \u{202e}\u{fffd}\u{10ffff}", "ключ": "значение", "😀": 1}),
        json!({"null": null, "yes": true, "no": false, "list": [], "object": {}, "nulls": [null, [null]]}),
        json!({"zero": 0, "one": 1, "minus": -1, "i64": [i64::MIN, i64::MAX], "u64": u64::MAX}),
        json!({"digits": 1_234_567_890_123_456_789_u64, "round": 1_000_000_000_000_000_000_u64, "chat": -1_001_234_567_890_i64}),
        json!({"mixed": [1, "1", true, null, {"a": [{"b": [[]]}]}], "a.b": 1, "a b": 2, "#a": 3, ":a": 4, "a[0]": 5}),
        json!({"size": 1, "name": "x", "status": "x", "count": 2, "kind": "x", "PK": 3, "Version": 4}),
        nested(30),
    ];
    for (number, record) in records.into_iter().enumerate() {
        let item = scene.given(format!("{number}"), record).await;
        assert_eq!(scene.find(format!("{number}")).await.as_ref(), Some(&item));
        let both = scene
            .store
            .get(&[item.key.clone(), scene.key("missing")])
            .await
            .unwrap();
        assert_eq!(both.first(), Some(&Some(item)));
    }
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("deep"), |inner, _| json!({"in": inner}))
}

async fn an_expiry_is_kept_to_the_second(scene: Scene) {
    for (name, expires_at, kept) in [
        (
            "whole",
            Timestamp::from_millis(1_800_000_000_000),
            Timestamp::from_seconds(1_800_000_000),
        ),
        (
            "up",
            Timestamp::from_millis(1_800_000_000_001),
            Timestamp::from_seconds(1_800_000_001),
        ),
        ("past", Timestamp::from_millis(999), Timestamp::from_seconds(1)),
    ] {
        let item = Item {
            expires_at: Some(expires_at),
            ..scene.item(name, numbered(1))
        };
        scene.store.write(&[create(&item)]).await.unwrap();
        assert_eq!(scene.find(name).await.unwrap().expires_at, Some(kept));
        // The next writing need not expire.
        let for_ever = scene.item(name, numbered(2));
        scene.store.write(&[replace(&item, &for_ever)]).await.unwrap();
        assert_eq!(scene.find(name).await, Some(for_ever));
    }
}

async fn an_expired_item_counts_as_there(scene: Scene) {
    let expired = Item {
        expires_at: Some(Timestamp::from_seconds(1)),
        ..scene.item("a", numbered(1))
    };
    scene.store.write(&[create(&expired)]).await.unwrap();
    assert_eq!(scene.find("a").await.as_ref(), Some(&expired));
    let listed = scene.store.list(&Range::prefix(&expired.key.pk, "", 10)).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&expired));
    assert_conflict(&scene.store.write(&[create(&scene.item("a", numbered(2)))]).await);
    assert_conflict(&scene.store.write(&[check_absent(expired.key.clone())]).await);
    scene.store.write(&[remove(&expired)]).await.unwrap();
}

async fn keys_may_hold_any_text(scene: Scene) {
    let names = [
        "#",
        "/",
        "a/b#c",
        " ",
        "'; --",
        "%",
        "_",
        "*",
        "ü😀",
        "a\u{0}b",
        "\n",
        &"k".repeat(1024),
    ];
    for name in names {
        let item = scene.given(name, json!({"name": name})).await;
        assert_eq!(scene.find(name).await, Some(item));
    }
    let own = scene.key("").pk;
    let long = Item {
        key: Key::new(format!("{own}{}", "p".repeat(2048 - own.len())), "a"),
        ..scene.item("a", numbered(0))
    };
    scene.store.write(&[create(&long)]).await.unwrap();
    assert_eq!(
        scene.store.get(std::slice::from_ref(&long.key)).await.unwrap(),
        [Some(long)]
    );
}

async fn a_large_item_fits_and_a_larger_one_is_refused(scene: Scene) {
    let text = |length| json!({"text": "x".repeat(length)});
    let large = scene.given("large", text(400 * 1024 - 300)).await;
    assert!(scene.find("large").await == Some(large));
    let larger = scene.item("larger", text(400 * 1024));
    assert_refused(&scene.store.write(&[create(&larger)]).await);
    assert_eq!(scene.find("larger").await, None);
    // Letters of several bytes count with all of them.
    let wide = scene.item("wide", json!({"text": "ü".repeat(210 * 1024)}));
    assert_refused(&scene.store.write(&[create(&wide)]).await);
    // Each fits, all together do not.
    let many: Vec<Write> = (0..11)
        .map(|number| create(&scene.item(format!("{number}"), text(390 * 1024))))
        .collect();
    assert_refused(&scene.store.write(&many).await);
    assert_eq!(scene.find("0").await, None);
}

async fn two_writes_to_one_item_are_refused(scene: Scene) {
    let item = scene.given("a", numbered(1)).await;
    let next = scene.item("a", numbered(2));
    let other = scene.item("b", numbered(3));
    for writes in [
        [create(&other), replace(&item, &next), remove(&item)],
        [replace(&item, &next), create(&other), replace(&next, &item)],
        [super::scene::check(&item), replace(&item, &next), create(&other)],
    ] {
        assert_refused(&scene.store.write(&writes).await);
    }
    assert_eq!(scene.find("a").await, Some(item));
    assert_eq!(scene.find("b").await, None);
}

async fn what_no_store_takes_is_refused_before_anything_is_written(scene: Scene) {
    let witness = create(&scene.item("witness", numbered(0)));
    let mut strange: Vec<Item> = [
        json!("text"),
        json!([]),
        Value::Null,
        json!({"half": 0.5}),
        json!({"float": 1e300}),
        json!({"deep": [{"": 1}]}),
        nested(40),
    ]
    .into_iter()
    .map(|record| scene.item("strange", record))
    .collect();
    strange.extend(RESERVED_FIELDS.map(|name| scene.item("strange", json!({name: "x"}))));
    for key in [
        scene.key(""),
        Key::new("", "strange"),
        scene.key("k".repeat(1025)),
        Key::new("p".repeat(2049), "strange"),
    ] {
        assert!(matches!(
            scene.store.get(std::slice::from_ref(&key)).await,
            Err(StoreError::Malformed { .. })
        ));
        assert_refused(&scene.store.write(&[check_absent(key.clone())]).await);
        strange.push(Item {
            key,
            ..scene.item("strange", numbered(0))
        });
    }
    for item in strange {
        assert_refused(&scene.store.write(&[create(&item)]).await);
        assert_refused(&scene.store.write(&[witness.clone(), create(&item)]).await);
    }
    let many: Vec<Item> = (0..=MAX_BATCH)
        .map(|number| scene.item(format!("{number}"), numbered(0)))
        .collect();
    assert_refused(&scene.store.write(&many.iter().map(create).collect::<Vec<_>>()).await);
    let keys: Vec<Key> = many.into_iter().map(|item| item.key).collect();
    assert!(matches!(
        scene.store.get(&keys).await,
        Err(StoreError::Malformed { .. })
    ));
    assert_eq!(
        scene
            .store
            .list(&Range::prefix(scene.key("").pk, "", 10))
            .await
            .unwrap(),
        []
    );
}
