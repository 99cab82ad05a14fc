//! The bridge broken on purpose, from outside, one rule at a time: the suite is worth what it finds here.

use async_trait::async_trait;
use bridge::ports::{Queue, QueueError, QueueMessage};
use bridgectl::stage::Ports;
use mapping::{Expected, Item, Key, Range, Store, StoreError, Write, WriteError};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// One rule that is broken.
pub struct Sabotage {
    /// Which.
    pub name: &'static str,
    /// The scene in which it has to show.
    pub scene: &'static str,
    pub(crate) wrap: fn(Ports) -> Ports,
    pub(crate) look_after: Option<Duration>,
}

const fn sabotage(name: &'static str, scene: &'static str, wrap: fn(Ports) -> Ports) -> Sabotage {
    Sabotage {
        name,
        scene,
        wrap,
        look_after: None,
    }
}

const OPENS: &str = "a customer opens a conversation and goes on";
const ANSWERS: &str = "an agent answers, in three messages";
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
    sabotage("acknowledged before it is enqueued", OPENS, drop_first_enqueued),
    Sabotage {
        look_after: Some(Duration::ZERO),
        ..sabotage("whoever does not know looks too early", OPENS, |ports| ports)
    },
    sabotage("a wait never ends", ANSWERS, |ports| reading(ports, wait_for_ever)),
    sabotage("deliveries end before they are made", OPENS, |ports| {
        writing(ports, finish_at_once)
    }),
    sabotage("text is kept in the table", OPENS, |ports| writing(ports, keep_text)),
    sabotage("a claim is never given up", OPENS, |ports| writing(ports, never_finish)),
];

fn kind(item: &Item) -> &str {
    item.body.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn state(item: &Item) -> &str {
    item.body.get("state").and_then(Value::as_str).unwrap_or_default()
}

fn set(item: &mut Item, field: &str, value: Value) {
    if let Some(fields) = item.body.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

fn forget_receipts(item: &mut Item) {
    if kind(item) == "delivery" {
        set(item, "receipts", json!([]));
    }
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

fn is_inbound_delivery(key: &Key) -> bool {
    key.pk.starts_with("tg#")
}

fn is_echo(key: &Key) -> bool {
    key.pk.starts_with("echo#") || key.pk.starts_with("part#")
}

type Change = fn(&mut Item);

struct Broken {
    store: Arc<dyn Store>,
    read: Change,
    written: Change,
    listed: fn(&mut Vec<Item>),
    forgets: fn(&Key) -> bool,
}

fn broken(ports: Ports, change: impl FnOnce(&mut Broken)) -> Ports {
    let mut broken = Broken {
        store: ports.store,
        read: |_| {},
        written: |_| {},
        listed: |_| {},
        forgets: |_| false,
    };
    change(&mut broken);
    Ports {
        store: Arc::new(broken),
        ..ports
    }
}

fn reading(ports: Ports, read: Change) -> Ports {
    broken(ports, |broken| broken.read = read)
}

fn writing(ports: Ports, written: Change) -> Ports {
    broken(ports, |broken| broken.written = written)
}

fn listing(ports: Ports, listed: fn(&mut Vec<Item>)) -> Ports {
    broken(ports, |broken| broken.listed = listed)
}

fn forgetting(ports: Ports, forgets: fn(&Key) -> bool) -> Ports {
    broken(ports, |broken| broken.forgets = forgets)
}

#[async_trait]
impl Store for Broken {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let found = self.store.get(keys).await?;
        let read = |mut item: Item| {
            (self.read)(&mut item);
            item
        };
        Ok(found
            .into_iter()
            .map(|item| item.filter(|item| !(self.forgets)(&item.key)).map(read))
            .collect())
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        let mut items = self.store.list(range).await?;
        (self.listed)(&mut items);
        Ok(items)
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        let mut writes = writes.to_vec();
        for write in &mut writes {
            if (self.forgets)(write.key()) {
                let there = self
                    .store
                    .get(std::slice::from_ref(write.key()))
                    .await?
                    .into_iter()
                    .flatten()
                    .next();
                let as_it_is = there.map_or(Expected::Absent, |item| Expected::Version(item.version));
                match write {
                    Write::Put { expected, .. } | Write::Delete { expected, .. } | Write::Check { expected, .. } => {
                        *expected = as_it_is;
                    }
                }
            }
            if let Write::Put { item, .. } = write {
                (self.written)(item);
            }
        }
        self.store.write(&writes).await
    }
}

/// A queue that says that it has taken what it has not.
struct Leaky {
    queue: Arc<dyn Queue>,
    loses: fn(&QueueMessage) -> bool,
}

#[async_trait]
impl Queue for Leaky {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        if (self.loses)(&message) {
            return Ok(());
        }
        self.queue.send(message).await
    }
}

fn drop_first_enqueued(ports: Ports) -> Ports {
    let mut queues = ports.queues.clone();
    let loses = |message: &QueueMessage| message.body.contains("second words") || message.body.contains("from ken");
    queues.inbound = Arc::new(Leaky {
        queue: queues.inbound,
        loses,
    });
    Ports { queues, ..ports }
}

fn drop_dead_letters(ports: Ports) -> Ports {
    let mut queues = ports.queues.clone();
    queues.outbound_dead = Arc::new(Leaky {
        queue: queues.outbound_dead,
        loses: |_| true,
    });
    Ports { queues, ..ports }
}
