//! Delivering updates to webhooks.

use std::{sync::Arc, time::Duration};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::{
    args::Raw,
    call::Pending,
    people::Bot,
    sim::{Shared, TelegramSim},
    updates::{Delivery, LaneKey, Webhook},
};

/// Calls that a webhook's answer cannot make.
const NOT_IN_AN_ANSWER: [&str; 4] = ["deletewebhook", "setwebhook", "close", "logout"];

/// One delivery under way. Dropping it without a result counts as a closed connection.
struct Job {
    shared: Arc<Shared>,
    bot: i64,
    lane: LaneKey,
    update: i64,
    webhook: Webhook,
    payload: String,
    done: bool,
}

impl TelegramSim {
    /// Delivers what is due now, lane by lane, until nothing is due, and says how many requests that took.
    ///
    /// Updates that come up meanwhile, because the webhook itself calls the API, go out too.
    pub async fn pump(&self) -> usize {
        let mut requests = 0;
        while let Some(job) = self.take_due() {
            job.run().await;
            requests += 1;
        }
        requests
    }

    /// Delivers at most one update; false if none is due.
    pub async fn pump_one(&self) -> bool {
        match self.take_due() {
            Some(job) => {
                job.run().await;
                true
            }
            None => false,
        }
    }

    /// When the next delivery is due, in milliseconds since the Unix epoch; none if nothing waits for a webhook.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.shared
            .world()
            .bots
            .values()
            .filter_map(|bot| bot.outbox.next_due_ms())
            .min()
    }

    /// How many updates wait to be delivered.
    pub fn pending(&self) -> usize {
        self.shared.world().bots.values().map(|bot| bot.outbox.pending()).sum()
    }

    /// Delivers by itself from now on, lanes beside each other, on the machine's clock.
    pub fn run_in_background(&self) -> JoinHandle<()> {
        let sim = self.clone();
        tokio::spawn(async move {
            loop {
                let woken = sim.shared.wake.notified();
                while let Some(job) = sim.take_due() {
                    tokio::spawn(job.run());
                }
                let wait_ms = sim.next_wait_ms();
                tokio::select! {
                    () = woken => {}
                    () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
                }
            }
        })
    }

    /// How long nothing can be due: a lane in flight wakes the loop itself.
    fn next_wait_ms(&self) -> u64 {
        let now_ms = self.shared.clock.now_ms();
        let next = self.next_due_ms().map_or(1_000, |due| (due - now_ms).clamp(20, 1_000));
        u64::try_from(next).unwrap_or(1_000)
    }

    /// Every new update is delivered `times` times.
    pub fn duplicate_updates(&self, times: u32) {
        for bot in self.shared.world().bots.values_mut() {
            bot.outbox.copies = times;
        }
    }

    /// The next `times` successful answers of webhooks are lost on their way.
    pub fn lose_webhook_answers(&self, times: usize) {
        for bot in self.shared.world().bots.values_mut() {
            bot.outbox.lose_answers = times;
        }
    }

    /// Delivers an update once more, whatever became of it; false if there never was such an update.
    pub fn redeliver(&self, update_id: i64) -> bool {
        let now_ms = self.shared.clock.now_ms();
        let mut world = self.shared.world();
        let found = world
            .bots
            .values_mut()
            .any(|bot| bot.outbox.redeliver(update_id, now_ms));
        drop(world);
        self.shared.wake.notify_waiters();
        found
    }

    /// Puts a raw update on its way to the only (or first) bot, whatever kinds it allows, and returns its id. Without an
    /// `update_id` it gets the next one.
    ///
    /// # Panics
    /// If there is no bot, or the value is no object with one field besides `update_id`.
    pub fn inject(&self, update: Value) -> i64 {
        let Value::Object(mut update) = update else {
            panic!("an update is an object")
        };
        let id = update.remove("update_id").and_then(|id| id.as_i64());
        let (kind, body) = update.into_iter().next().expect("an update has content");
        let now_ms = self.shared.clock.now_ms();
        let id = {
            let mut world = self.shared.world();
            let bot = world.bots.values_mut().next().expect("a bot");
            bot.outbox.add(&kind, body, id, now_ms)
        };
        self.shared.wake.notify_waiters();
        id
    }

    /// The id that the next update gets; the real server jumps after a quiet week.
    pub fn jump_update_id(&self, bot: &Bot, to: i64) {
        if let Some(bot) = self.shared.world().bots.get_mut(&bot.id) {
            bot.outbox.next_id = to;
        }
    }

    /// Every update that was ever made, oldest first.
    pub fn updates(&self) -> Vec<Value> {
        let world = self.shared.world();
        world
            .bots
            .values()
            .flat_map(|bot| bot.outbox.made.values().map(|(_, update)| update.json()))
            .collect()
    }

    fn take_due(&self) -> Option<Job> {
        let now_ms = self.shared.clock.now_ms();
        let mut world = self.shared.world();
        for account in world.bots.values_mut() {
            account.outbox.expire(now_ms);
        }
        let found = world.bots.iter().find_map(|(bot, account)| {
            let (lane, head) = account.outbox.due(now_ms)?;
            Some((*bot, lane, head.id, head.payload(), account.outbox.webhook.clone()?))
        });
        let (bot, lane, update, payload, webhook) = found?;
        let account = world.bots.get_mut(&bot)?;
        account.outbox.lanes.get_mut(&lane)?.in_flight = true;
        Some(Job {
            shared: Arc::clone(&self.shared),
            bot,
            lane,
            update,
            webhook,
            payload,
            done: false,
        })
    }
}

impl Job {
    async fn run(mut self) {
        let delivery = if self.webhook.url.starts_with("http://") {
            let sent = self.send().await;
            sent.unwrap_or_else(|error| Delivery::broken(words(&error)))
        } else {
            // Nothing leaves this machine: only hosts on it may have a webhook without TLS.
            Delivery::broken("Failed to resolve host: Name or service not known")
        };
        self.settle(delivery);
    }

    fn settle(&mut self, delivery: Delivery) {
        self.done = true;
        let now_ms = self.shared.clock.now_ms();
        if let Some(bot) = self.shared.world().bots.get_mut(&self.bot) {
            bot.outbox.settle(self.lane, self.update, delivery, now_ms);
        }
        self.shared.wake.notify_waiters();
    }

    async fn send(&self) -> Result<Delivery, reqwest::Error> {
        let timeout = self.shared.webhook_timeout();
        let mut request = self.shared.http.post(&self.webhook.url).timeout(timeout);
        request = request
            .header(CONTENT_TYPE, "application/json")
            .body(self.payload.clone());
        let (shows_secret, honours) = {
            let world = self.shared.world();
            (world.unsettled.shows_secret, world.unsettled.honours_retry_after)
        };
        if shows_secret && !self.webhook.secret.is_empty() {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", &self.webhook.secret);
        }
        let response = request.send().await?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).filter(|_| honours);
        let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await?;
        if status.is_success() {
            self.obey(&body);
            return Ok(Delivery::Accepted);
        }
        let reason = status.canonical_reason().unwrap_or_default();
        let error = format!("Wrong response from the webhook: {} {reason}", status.as_u16());
        Ok(Delivery::Failed {
            status: Some(status.as_u16()),
            retry_after_s,
            error,
        })
    }

    /// A successful answer may itself be a call.
    fn obey(&self, body: &[u8]) {
        let Ok(mut call) = serde_json::from_slice::<Map<String, Value>>(body) else {
            return;
        };
        let Some(Value::String(method)) = call.remove("method") else {
            return;
        };
        let lower = method.to_ascii_lowercase();
        if NOT_IN_AN_ANSWER.contains(&lower.as_str()) || lower.starts_with("get") {
            return;
        }
        let token = self.shared.world().bots.get(&self.bot).map(|bot| bot.token.clone());
        if let Some(token) = token {
            let call = Pending {
                token,
                method,
                raw: Ok(Raw::of_json(call)),
                fault: None,
            };
            // The webhook never learns what came of it.
            drop(self.shared.perform(call));
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.done {
            self.settle(Delivery::broken("Webhook connection closed"));
        }
    }
}

fn words(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "Read timeout expired"
    } else if error.is_connect() {
        "Connection refused"
    } else {
        "Webhook connection closed"
    }
}
