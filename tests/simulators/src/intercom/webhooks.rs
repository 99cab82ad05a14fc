//! The webhook side of the handle: where notifications go, when they are sent, what can be put among them.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    events::TOPICS,
    outbox::{Notification, Sent, Subject, Subscription},
    server::Shared,
    sim::IntercomSim,
};

const USER_AGENT: &str = "intercom-parrot-service-client/1.0";
/// How often the demo looks for something to send.
const TICK: Duration = Duration::from_millis(50);

impl IntercomSim {
    /// Sends notifications of everything that the bridge listens to ([`TOPICS`]) to this URL, if it answers a `HEAD` request
    /// with success; a ping is sent at once. The error says what the URL answered.
    pub async fn subscribe(&self, url: &str) -> Result<(), String> {
        self.subscribe_to(url, TOPICS).await
    }

    /// The same with a choice of topics.
    pub async fn subscribe_to(&self, url: &str, topics: &[&str]) -> Result<(), String> {
        let head = self
            .shared()
            .http
            .head(url)
            .timeout(self.options().webhook_timeout)
            .send()
            .await;
        match head {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => return Err(format!("HEAD {url} was answered with {}", answer.status())),
            Err(error) => return Err(format!("HEAD {url} was not answered: {error}")),
        }
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        self.world().outbox.subscription = Some(Subscription::new(url, topics));
        self.ping();
        Ok(())
    }

    /// Whether a 410 has ended the subscription.
    pub fn is_disabled(&self) -> bool {
        self.world()
            .outbox
            .subscription
            .as_ref()
            .is_some_and(|to| to.is_disabled)
    }

    /// Queues a ping.
    pub fn ping(&self) {
        let item = json!({"type": "ping", "message": "something something interzen"});
        self.world().queue("ping", Subject::Item(item));
    }

    /// Queues a notification with any item.
    pub fn inject(&self, topic: &str, item: Value) {
        self.world().queue(topic, Subject::Item(item));
    }

    /// Queues a body as it is, with any signature header or none.
    pub fn inject_raw(&self, body: impl Into<Vec<u8>>, signature: Option<&str>) {
        let subject = Subject::Raw {
            body: body.into(),
            signature: signature.map(str::to_owned),
        };
        self.world().queue("raw", subject);
    }

    /// The value of `X-Hub-Signature` for a body.
    pub fn sign(&self, body: &[u8]) -> String {
        self.world().sign(body)
    }

    /// Sends what is due now and returns how many attempts that took. What comes up meanwhile is for the next time.
    pub async fn pump(&self) -> usize {
        self.shared().deliver(0).await
    }

    /// When a notification is due next, in milliseconds since the Unix epoch.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.world()
            .outbox
            .queue
            .iter()
            .map(|notification| notification.due_ms)
            .min()
    }

    /// When the next snooze ends, in milliseconds since the Unix epoch.
    pub fn next_waking_ms(&self) -> Option<i64> {
        self.world().next_waking_ms()
    }

    /// How many notifications wait to be sent or are being sent.
    pub fn pending(&self) -> usize {
        let world = self.world();
        world.outbox.queue.len() + world.outbox.in_flight
    }

    /// How many notifications will never be delivered.
    pub fn lost(&self) -> usize {
        self.world().outbox.lost
    }

    /// Every attempt so far, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.world().outbox.sent.clone()
    }

    /// Sends notifications when they are due, for as long as this simulator lives.
    pub fn run_in_background(&self) {
        let shared: Weak<Shared> = Arc::downgrade(self.shared());
        tokio::spawn(async move {
            while let Some(shared) = shared.upgrade() {
                shared.deliver(0).await;
                drop(shared);
                tokio::time::sleep(TICK).await;
            }
        });
    }
}

impl Shared {
    /// Sends what is due and was queued after the given serial number.
    pub(super) async fn deliver(&self, after: u64) -> usize {
        let due = self.world().take_due(after);
        let mut attempts = 0;
        for notification in due {
            attempts += usize::from(self.attempt(notification).await);
        }
        attempts
    }

    async fn attempt(&self, mut notification: Notification) -> bool {
        let (letter, timeout) = {
            let world = self.world();
            (world.write(&mut notification), world.options.webhook_timeout)
        };
        let Some(letter) = letter else {
            self.world().abandon();
            return false;
        };
        let mut request = self
            .http
            .post(&letter.url)
            .timeout(timeout)
            .header("user-agent", USER_AGENT);
        request = request
            .header("content-type", "application/json")
            .header("accept", "*/*")
            .body(letter.body);
        if let Some(signature) = letter.signature {
            request = request.header("x-hub-signature", signature);
        }
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        self.world().conclude(notification, status);
        true
    }
}
