//! The handle that tests and the demo hold.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify, task::AbortHandle};

use super::{
    call::Call,
    people::{Bot, Person, UserId},
    server,
    updates::Outbox,
    world::{BotAccount, World},
};
use crate::{Faults, SimClock};

/// The first update id; real ones are large numbers too.
const FIRST_UPDATE: i64 = 700_000_001;

/// A running Bot API server. Clones share it; it ends with the last of them.
#[derive(Clone)]
pub struct TelegramSim {
    pub(crate) shared: Arc<Shared>,
    _server: Arc<Server>,
}

struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) struct Shared {
    base_url: String,
    pub(crate) clock: SimClock,
    pub(crate) faults: Faults,
    world: Mutex<World>,
    /// Rung whenever something may have become due.
    pub(crate) wake: Notify,
    pub(crate) http: reqwest::Client,
    webhook_timeout_ms: AtomicU64,
}

impl Shared {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn webhook_timeout(&self) -> Duration {
        Duration::from_millis(self.webhook_timeout_ms.load(Ordering::Relaxed))
    }
}

impl TelegramSim {
    /// Opens a server on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If the machine has no free port.
    pub async fn start(clock: SimClock) -> Self {
        // A process that has chosen its TLS provider keeps it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound listener has an address");
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let shared = Arc::new(Shared {
            base_url: format!("http://{address}"),
            clock,
            faults: Faults::default(),
            world: Mutex::new(World::new()),
            wake: Notify::new(),
            http: http.build().expect("a client without special wishes"),
            webhook_timeout_ms: AtomicU64::new(60_000),
        });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Self {
            shared,
            _server: Arc::new(Server(server.abort_handle())),
        }
    }

    /// What replaces `https://api.telegram.org`.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The time that the server lives in.
    pub fn clock(&self) -> &SimClock {
        &self.shared.clock
    }

    /// Faults by method name, `file` for downloads.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// What was called as no correct client would, oldest first. A test should find this empty.
    pub fn violations(&self) -> Vec<String> {
        self.shared.world().violations.clone()
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.world().calls.clone()
    }

    /// How often a method was called, whatever came of it.
    pub fn calls_of(&self, method: &str) -> usize {
        self.shared
            .world()
            .calls
            .iter()
            .filter(|call| call.method == method)
            .count()
    }

    /// Refuses with 429 what a bot writes faster than one message a second in a chat or 20 a minute in a group.
    pub fn enforce_pace(&self, on: bool) {
        self.shared.world().pace = on;
    }

    /// How long a webhook may take, in real time; 60 s unless changed.
    pub fn set_webhook_timeout(&self, timeout: Duration) {
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.shared.webhook_timeout_ms.store(millis, Ordering::Relaxed);
    }

    /// Registers a bot, with privacy mode on as `BotFather` leaves it.
    pub fn bot(&self, name: &str, username: &str) -> Bot {
        let mut world = self.shared.world();
        let id = 8_100_000_000 + world.next();
        let token = token(id, world.next());
        world.people.insert(id, Person::service(id, true, name, Some(username)));
        let outbox = Outbox {
            next_id: FIRST_UPDATE,
            ..Outbox::default()
        };
        world.bots.insert(
            id,
            BotAccount {
                token: token.clone(),
                sees_all: false,
                outbox,
            },
        );
        Bot {
            id,
            token,
            username: username.to_owned(),
        }
    }

    /// Revokes a bot's token and returns the bot with its new one. The webhook has to be set again.
    pub fn rotate_token(&self, bot: &Bot) -> Bot {
        let mut world = self.shared.world();
        let token = token(bot.id, world.next());
        if let Some(account) = world.bots.get_mut(&bot.id) {
            account.token.clone_from(&token);
            account.outbox.webhook = None;
        }
        Bot { token, ..bot.clone() }
    }

    /// Somebody takes a bot's webhook away.
    pub fn forget_webhook(&self, bot: &Bot) {
        if let Some(account) = self.shared.world().bots.get_mut(&bot.id) {
            account.outbox.webhook = None;
        }
    }

    /// Switches privacy mode off or on.
    pub fn set_privacy(&self, bot: &Bot, on: bool) {
        if let Some(account) = self.shared.world().bots.get_mut(&bot.id) {
            account.sees_all = !on;
        }
    }

    /// A new person.
    pub fn user(&self, first_name: &str, last_name: Option<&str>, username: Option<&str>) -> UserId {
        let mut world = self.shared.world();
        let id = 5_200_000_000 + world.next();
        let person = Person {
            last_name: last_name.map(str::to_owned),
            language_code: Some("en".to_owned()),
            ..Person::service(id, false, first_name, username)
        };
        world.people.insert(id, person);
        UserId(id)
    }

    /// Changes the language of a person's app; none is left out of updates.
    pub fn set_language(&self, user: UserId, language: Option<&str>) {
        if let Some(person) = self.shared.world().people.get_mut(&user.0) {
            person.language_code = language.map(str::to_owned);
        }
    }

    /// Changes a person's name.
    pub fn rename_user(&self, user: UserId, first_name: &str, last_name: Option<&str>) {
        if let Some(person) = self.shared.world().people.get_mut(&user.0) {
            first_name.clone_into(&mut person.first_name);
            person.last_name = last_name.map(str::to_owned);
        }
    }

    /// The `User` that updates carry for a person.
    pub fn user_json(&self, user: UserId) -> Value {
        self.shared.world().user(user).json()
    }
}

/// A token of the usual form: id, colon, 35 characters.
fn token(id: i64, draw: i64) -> String {
    let draw = u64::try_from(draw)
        .unwrap_or_default()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{id}:AA{draw:0>33X}")
}
