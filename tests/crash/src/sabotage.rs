//! The bridge broken on purpose, from outside, one rule at a time: the suite is worth what it finds here.

use crate::broken::{
    acknowledge_first, drop_dead_letters, drop_markers, forgetting, give_up_at_once, join_at_once, kind, listing,
    reading, set, state, writing,
};
use bridge::intercom_message::Conversation;
use bridgectl::stage::Ports;
use mapping::{Item, Key, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// One rule that is broken.
pub struct Sabotage {
    /// Which.
    pub name: &'static str,
    /// The scene in which it has to show.
    pub scene: &'static str,
    pub(crate) wrap: fn(Ports) -> Ports,
    pub(crate) look_after: Option<Duration>,
    pub(crate) reading: Option<Reading>,
}

/// Changes what is read of a conversation at this time.
pub(crate) type Reading = fn(&mut Conversation, Timestamp);

const fn sabotage(name: &'static str, scene: &'static str, wrap: fn(Ports) -> Ports) -> Sabotage {
    Sabotage {
        name,
        scene,
        wrap,
        look_after: None,
        reading: None,
    }
}

const OPENS: &str = "a customer opens a conversation and goes on";
const ANSWERS: &str = "an agent answers, in three messages";
const ALBUMS: &str = "albums among texts";
const FILES: &str = "an agent answers with files";
const OWN_ALBUM: &str = "an agent answers with an album";
const GIVEN_UP: &str = "an answer is given up and put back";

/// All of them.
pub const SABOTAGES: &[Sabotage] = &[
    sabotage("no receipt is kept", ANSWERS, |ports| writing(ports, forget_receipts)),
    sabotage(
        "given up without a copy among the dead letters",
        GIVEN_UP,
        drop_dead_letters,
    ),
    sabotage("what may have gone out counts as not sent", OPENS, |ports| {
        reading(ports, forget_doubt)
    }),
    sabotage("deliveries are not found again", "a message is corrected", |ports| {
        forgetting(ports, is_inbound_delivery)
    }),
    sabotage("parts are not found again", ANSWERS, |ports| {
        forgetting(ports, |key| key.pk.starts_with("part#"))
    }),
    sabotage("links are not found again", OPENS, |ports| {
        forgetting(ports, |key| key.sk.starts_with("topic#"))
    }),
    sabotage(
        "no reply of our own is reserved",
        "staff and agent say the same",
        |ports| forgetting(ports, is_echo),
    ),
    sabotage(
        "neighbours' receipts are not read",
        "the same word again and again",
        |ports| listing(ports, Vec::clear),
    ),
    sabotage("acknowledged before it is enqueued", OPENS, acknowledge_first),
    Sabotage {
        look_after: Some(Duration::ZERO),
        ..sabotage("whoever does not know looks too early", OPENS, |ports| ports)
    },
    sabotage(
        "given up before its copy is among the dead letters",
        GIVEN_UP,
        give_up_at_once,
    ),
    Sabotage {
        reading: Some(everything_is_new),
        ..sabotage(
            "the age of a reply is not looked at",
            "notifications are lost and swept up",
            |ports| ports,
        )
    },
    sabotage(
        "leases are not looked at",
        "a topic with a conversation for each customer is deleted",
        |ports| reading(ports, end_lease),
    ),
    sabotage(
        "what kills its workers before it is begun is not counted",
        "an answer kills its workers",
        |ports| forgetting(ports, |key| key.sk == "trial"),
    ),
    sabotage(
        "it is forgotten that a topic is closed",
        "a topic and its conversation are closed and opened",
        |ports| forgetting(ports, |key| key.sk.starts_with("state#")),
    ),
    sabotage("a wait never ends", ANSWERS, |ports| reading(ports, wait_for_ever)),
    sabotage("deliveries end before they are made", OPENS, |ports| {
        writing(ports, finish_at_once)
    }),
    sabotage("text is kept in the table", OPENS, |ports| writing(ports, keep_text)),
    sabotage("a claim is never given up", OPENS, |ports| writing(ports, never_finish)),
    sabotage(
        "an item is acknowledged before its marker is enqueued",
        ALBUMS,
        join_at_once,
    ),
    sabotage("no marker is enqueued", ALBUMS, drop_markers),
    sabotage("nothing waits for an album", ALBUMS, |ports| {
        forgetting(ports, |key| key.pk.starts_with("lane#"))
    }),
    sabotage("what an album held stays in the table", ALBUMS, |ports| {
        writing(ports, keep_caption)
    }),
    sabotage("files are sent without their receipts", FILES, |ports| {
        writing(ports, forget_files)
    }),
    sabotage("an item of an album is sent without its receipt", OWN_ALBUM, |ports| {
        writing(ports, forget_items)
    }),
    sabotage("the files count as sent with their text", FILES, |ports| {
        reading(ports, finish_with_text)
    }),
];

fn forget_receipts(item: &mut Item) {
    if kind(item) == "delivery" {
        set(item, "receipts", json!([]));
    }
}

/// As if what was said were proven, but none of its files.
fn forget_files(item: &mut Item) {
    keep_receipts(item, |receipt| !is_of_file(receipt));
}

/// As if of an album only its first message had an id.
fn forget_items(item: &mut Item) {
    let mut is_first = true;
    keep_receipts(item, |receipt| !is_of_file(receipt) || std::mem::take(&mut is_first));
}

/// As if whoever finds the text of a reply sent had nothing left to do.
fn finish_with_text(item: &mut Item) {
    let is_part = item.key.pk.starts_with("part#");
    let receipts = item.body.get("receipts").and_then(Value::as_array);
    if is_part && kind(item) == "delivery" && receipts.is_some_and(|receipts| !receipts.is_empty()) {
        set(item, "state", json!("delivered"));
    }
}

fn keep_receipts(item: &mut Item, mut keeps: impl FnMut(&Value) -> bool) {
    let is_delivery = kind(item) == "delivery";
    let receipts = item.body.get_mut("receipts").and_then(Value::as_array_mut);
    if let Some(receipts) = receipts.filter(|_| is_delivery) {
        receipts.retain(|receipt| keeps(receipt));
    }
}

fn is_of_file(receipt: &Value) -> bool {
    receipt.pointer("/step/file").is_some()
}

/// As if a worker that died, or whose answer was lost, had written down that nothing went out.
fn forget_doubt(item: &mut Item) {
    if kind(item) == "delivery" && state(item) == "claimed" {
        let until = item.body.get("lease_until").cloned().unwrap_or_default();
        set(item, "state", json!("waiting"));
        set(item, "reason", json!("sabotage"));
        set(item, "not_before", until);
    }
}

fn end_lease(item: &mut Item) {
    if item.body.get("lease_until").is_some() {
        set(item, "lease_until", json!(0));
    }
}

fn wait_for_ever(item: &mut Item) {
    if kind(item) == "delivery" && state(item) == "waiting" {
        set(item, "not_before", json!(i64::MAX / 2));
    }
}

fn finish_at_once(item: &mut Item) {
    if kind(item) == "delivery" && state(item) == "claimed" {
        set(item, "state", json!("delivered"));
    }
}

fn never_finish(item: &mut Item) {
    if kind(item) == "delivery" && state(item) == "delivered" {
        set(item, "state", json!("claimed"));
        set(item, "lease_until", json!(0));
    }
}

fn keep_text(item: &mut Item) {
    if kind(item) == "delivery" {
        set(
            item,
            "text",
            json!("first words second words from maria okey will do at five a question answer one"),
        );
    }
}

fn keep_caption(item: &mut Item) {
    if kind(item) == "album" && state(item) == "flushed" {
        set(item, "text", json!("the box the dent"));
    }
}

fn is_inbound_delivery(key: &Key) -> bool {
    key.pk.starts_with("tg#")
}

fn is_echo(key: &Key) -> bool {
    key.pk.starts_with("echo#") || key.pk.starts_with("part#")
}

fn everything_is_new(conversation: &mut Conversation, now: Timestamp) {
    for part in &mut conversation.parts {
        part.created_at = part.created_at.max(now - Duration::from_mins(3));
    }
}
