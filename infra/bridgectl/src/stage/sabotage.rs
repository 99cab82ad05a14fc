//! Parts of the bridge broken on purpose, from outside: what a check is worth shows when it fails on a broken bridge.

use super::Setting;
use async_trait::async_trait;
use bridge::{
    intercom_message::{Notification, NotificationPeek},
    ports::{NotificationReader, Unreadable, UpdateReader},
    secrets::Secrets,
    telegram_message::{Peek, Update},
    webhook::WebhookRequest,
};
use mapping::{Expected, Item, Key, Range, Store, StoreError, Write, WriteError};
use serde_json::Value;
use simulators::intercom::IntercomSim;
use std::sync::Arc;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Sabotage {
    /// Whatever an Intercom webhook is signed with is taken for right.
    Signature,
    /// Links are not found again.
    Link,
    /// Replies of our own making are not recognised when they come back.
    Echo,
}

/// A word at which a worker dies, each time that it comes upon it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// When it looks what a message is about.
    Glimpsed(&'static str),
    /// When it reads what a message says.
    Read(&'static str),
}

impl Poison {
    fn glimpsed(poison: Option<Self>, message: &Value) {
        if let Some(Self::Glimpsed(word)) = poison {
            die_of(word, message);
        }
    }

    fn read(poison: Option<Self>, message: &Value) {
        if let Some(Self::Read(word)) = poison {
            die_of(word, message);
        }
    }
}

fn die_of(word: &str, message: &Value) {
    assert!(!message.to_string().contains(word), "{POISONED}");
}

/// What a worker says that dies of poison.
pub const POISONED: &str = "poison";

impl Sabotage {
    pub(super) fn store(sabotage: Option<Self>, store: Arc<dyn Store>) -> Arc<dyn Store> {
        match sabotage {
            Some(Self::Link) => Arc::new(Forgetful {
                store,
                forgets: |item| item.key.sk.starts_with("topic#"),
            }),
            Some(Self::Echo) => Arc::new(Forgetful {
                store,
                forgets: is_of_an_echo,
            }),
            Some(Self::Signature) | None => store,
        }
    }
}

/// A reservation, or the record that a part is one of ours.
fn is_of_an_echo(item: &Item) -> bool {
    item.key.pk.starts_with("echo#") || item.body.get("reason").and_then(Value::as_str) == Some("echo")
}

/// A store that does not find some of what it keeps, and so lets it be written over.
struct Forgetful {
    store: Arc<dyn Store>,
    forgets: fn(&Item) -> bool,
}

#[async_trait]
impl Store for Forgetful {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let found = self.store.get(keys).await?;
        Ok(found
            .into_iter()
            .map(|item| item.filter(|item| !(self.forgets)(item)))
            .collect())
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        self.store.list(range).await
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        let mut writes = writes.to_vec();
        for write in &mut writes {
            let there = self
                .store
                .get(std::slice::from_ref(write.key()))
                .await?
                .into_iter()
                .flatten()
                .next();
            let Some(forgotten) = there.filter(|item| (self.forgets)(item)) else {
                continue;
            };
            match write {
                Write::Put { expected, .. } | Write::Delete { expected, .. } | Write::Check { expected, .. } => {
                    *expected = Expected::Version(forgotten.version);
                }
            }
        }
        self.store.write(&writes).await
    }
}

/// A reader that may be broken.
#[derive(Clone)]
pub struct Sabotaged<R> {
    reader: R,
    // Whoever can sign what was not signed.
    forger: Option<IntercomSim>,
    poison: Option<Poison>,
}

impl<R> Sabotaged<R> {
    pub(super) fn new(reader: R, setting: &Setting, intercom: &IntercomSim) -> Self {
        let forger = (setting.sabotage == Some(Sabotage::Signature)).then(|| intercom.clone());
        Self {
            reader,
            forger,
            poison: setting.poison,
        }
    }
}

impl<R: UpdateReader> UpdateReader for Sabotaged<R> {
    type Verified = R::Verified;

    fn verify(&self, request: &WebhookRequest, secrets: &Secrets) -> Option<Self::Verified> {
        self.reader.verify(request, secrets)
    }

    fn peek(&self, verified: &Self::Verified) -> Result<(Peek, Value), Unreadable> {
        self.reader.peek(verified)
    }

    fn peek_value(&self, update: &Value) -> Result<Peek, Unreadable> {
        Poison::glimpsed(self.poison, update);
        self.reader.peek_value(update)
    }

    fn decode(&self, update: &Value, bot_username: Option<&str>) -> Result<Update, Unreadable> {
        Poison::read(self.poison, update);
        self.reader.decode(update, bot_username)
    }
}

impl<R: NotificationReader> NotificationReader for Sabotaged<R> {
    type Verified = R::Verified;

    fn verify(&self, request: &WebhookRequest, secrets: &Secrets) -> Option<Self::Verified> {
        let verified = self.reader.verify(request, secrets);
        let Some(forger) = self.forger.as_ref().filter(|_| verified.is_none()) else {
            return verified;
        };
        // The type lets nobody skip the check, so the request is given the signature that it lacks.
        let mut signed = request.clone();
        signed
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("x-hub-signature"));
        signed
            .headers
            .push(("X-Hub-Signature".into(), forger.sign(&request.body)));
        self.reader.verify(&signed, secrets)
    }

    fn peek(&self, verified: &Self::Verified) -> Result<(NotificationPeek, Value), Unreadable> {
        self.reader.peek(verified)
    }

    fn decode(&self, notification: &Value) -> Result<Notification, Unreadable> {
        Poison::read(self.poison, notification);
        self.reader.decode(notification)
    }
}
