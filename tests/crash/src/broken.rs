//! What breaks the bridge from outside: a store and a queue that do not do what they say, and a reader that is misled.

use async_trait::async_trait;
use bridge::ports::{Queue, QueueError, QueueMessage};
use bridgectl::stage::Ports;
use mapping::{Expected, Item, Key, Range, Store, StoreError, Version, Write, WriteError};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) fn kind(item: &Item) -> &str {
    item.body.get("kind").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn state(item: &Item) -> &str {
    item.body.get("state").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn set(item: &mut Item, field: &str, value: Value) {
    if let Some(fields) = item.body.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

pub(crate) type Change = fn(&mut Item);

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

pub(crate) fn reading(ports: Ports, read: Change) -> Ports {
    broken(ports, |broken| broken.read = read)
}

pub(crate) fn writing(ports: Ports, written: Change) -> Ports {
    broken(ports, |broken| broken.written = written)
}

pub(crate) fn listing(ports: Ports, listed: fn(&mut Vec<Item>)) -> Ports {
    broken(ports, |broken| broken.listed = listed)
}

pub(crate) fn forgetting(ports: Ports, forgets: fn(&Key) -> bool) -> Ports {
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

/// A webhook that answers first: whatever then becomes of the message, or of whoever enqueues it, the vendor has its 200.
struct Early {
    queue: Arc<dyn Queue>,
}

#[async_trait]
impl Queue for Early {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let queue = Arc::clone(&self.queue);
        let _ = tokio::spawn(async move { queue.send(message).await }).await;
        Ok(())
    }
}

pub(crate) fn acknowledge_first(ports: Ports) -> Ports {
    let mut queues = ports.queues.clone();
    queues.inbound = Arc::new(Early { queue: queues.inbound });
    Ports { queues, ..ports }
}

pub(crate) fn drop_dead_letters(ports: Ports) -> Ports {
    let mut queues = ports.queues.clone();
    queues.outbound_dead = Arc::new(Leaky {
        queue: queues.outbound_dead,
        loses: |_| true,
    });
    Ports { queues, ..ports }
}

/// Writes down that a message is given up before its copy is among the dead letters.
pub(crate) fn give_up_at_once(ports: Ports) -> Ports {
    let last = Arc::default();
    let mut queues = ports.queues.clone();
    queues.outbound_dead = Arc::new(Hasty {
        queue: queues.outbound_dead,
        store: Arc::clone(&ports.store),
        last: Arc::clone(&last),
        hurries: |_| true,
        end: |item, message| {
            set(item, "state", json!("undeliverable"));
            set(item, "generation", json!(message.gave_up));
        },
    });
    let store = Arc::new(Watched {
        store: ports.store,
        last,
    });
    Ports { store, queues, ..ports }
}

/// Writes down that an item is dealt with before the marker that flushes its album is enqueued.
pub(crate) fn join_at_once(ports: Ports) -> Ports {
    let last = Arc::default();
    let mut queues = ports.queues.clone();
    queues.inbound = Arc::new(Hasty {
        queue: queues.inbound,
        store: Arc::clone(&ports.store),
        last: Arc::clone(&last),
        hurries: is_marker,
        end: |item, _| set(item, "state", json!("skipped")),
    });
    let store = Arc::new(Watched {
        store: ports.store,
        last,
    });
    Ports { store, queues, ..ports }
}

fn is_marker(message: &QueueMessage) -> bool {
    message.body.contains("\"flush\"")
}

pub(crate) fn drop_markers(ports: Ports) -> Ports {
    let mut queues = ports.queues.clone();
    queues.inbound = Arc::new(Leaky {
        queue: queues.inbound,
        loses: is_marker,
    });
    Ports { queues, ..ports }
}

/// The record of the delivery that is being carried.
type Last = Arc<Mutex<Option<Item>>>;

struct Watched {
    store: Arc<dyn Store>,
    last: Last,
}

#[async_trait]
impl Store for Watched {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        self.store.get(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        self.store.list(range).await
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        self.store.write(writes).await?;
        let put = writes.iter().filter_map(|write| match write {
            Write::Put { item, .. } => Some(item),
            Write::Delete { .. } | Write::Check { .. } => None,
        });
        if let Some(delivery) = put.rev().find(|item| kind(item) == "delivery") {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(delivery.clone());
        }
        Ok(())
    }
}

/// Ends the delivery before it sends.
struct Hasty {
    queue: Arc<dyn Queue>,
    store: Arc<dyn Store>,
    last: Last,
    hurries: fn(&QueueMessage) -> bool,
    end: fn(&mut Item, &QueueMessage),
}

#[async_trait]
impl Queue for Hasty {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let last = if (self.hurries)(&message) {
            self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
        } else {
            None
        };
        if let Some(mut item) = last.filter(|item| state(item) == "claimed") {
            let expected = Expected::Version(item.version.clone());
            item.version = Version::stored("too early");
            set(&mut item, "reason", json!("sabotage"));
            (self.end)(&mut item, &message);
            let written = self.store.write(&[Write::Put { item, expected }]).await;
            written.map_err(|error| QueueError::Unavailable(error.to_string()))?;
        }
        self.queue.send(message).await
    }
}
