//! Notifications on their way: what is due when, and what becomes of it after each attempt.

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    links,
    model::World,
    render::{Parts, Shown},
};

const MINUTE_MS: i64 = 60_000;
/// A throttled subscription waits at most this long between two attempts, and what waited longer is lost.
const LONGEST_THROTTLE_MS: i64 = 120 * MINUTE_MS;

/// The notifications that were not sent yet.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) subscription: Option<Subscription>,
    pub(super) queue: Vec<Notification>,
    pub(super) in_flight: usize,
    pub(super) lost: usize,
    pub(super) sent: Vec<Sent>,
    shuffles: u64,
    pub(super) serial: u64,
}

/// Where notifications go.
pub(super) struct Subscription {
    pub(super) url: String,
    pub(super) topics: Vec<String>,
    pub(super) is_disabled: bool,
    throttle_ms: i64,
    throttled_until_ms: i64,
}

/// An attempt to deliver a notification, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// `conversation.admin.replied` and so on.
    pub topic: String,
    /// The notification's id, the same in each attempt; none for a ping.
    pub id: Option<String>,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The HTTP status that came back, if any did in time.
    pub status: Option<u16>,
}

/// One notification.
#[derive(Clone)]
pub(super) struct Notification {
    pub(super) topic: String,
    pub(super) subject: Subject,
    serial: u64,
    id: Option<String>,
    created_s: i64,
    created_ms: i64,
    first_sent_s: Option<i64>,
    attempts: u32,
    pub(super) due_ms: i64,
}

/// What a notification is about. It is looked up when it is sent first: a part redacted meanwhile is shown redacted.
#[derive(Clone)]
pub(super) enum Subject {
    Conversation { id: u64, part: Option<u64> },
    Item(Value),
    Raw { body: Vec<u8>, signature: Option<String> },
}

/// What goes over the wire.
pub(super) struct Letter {
    pub(super) url: String,
    pub(super) body: Vec<u8>,
    pub(super) signature: Option<String>,
}

impl Subscription {
    pub(super) fn new(url: &str, topics: Vec<String>) -> Self {
        Self {
            url: url.to_owned(),
            topics,
            is_disabled: false,
            throttle_ms: 0,
            throttled_until_ms: 0,
        }
    }
}

impl World {
    /// Queues a notification, if its topic is subscribed to.
    pub(super) fn notify(&mut self, topic: &str, subject: Subject) {
        let wanted = |topics: &[String]| topics.iter().any(|one| one == topic) || topic == "ping";
        if !self
            .outbox
            .subscription
            .as_ref()
            .is_some_and(|to| !to.is_disabled && wanted(&to.topics))
        {
            return;
        }
        self.queue(topic, subject);
    }

    /// Queues a notification whatever the topic.
    pub(super) fn queue(&mut self, topic: &str, subject: Subject) {
        if self.options.lose_notifications {
            self.outbox.lost += 1;
            return;
        }
        self.outbox.serial += 1;
        let now_ms = self.clock.now_ms();
        let delay = i64::try_from(self.options.notification_delay.as_millis()).unwrap_or(i64::MAX);
        let notification = Notification {
            topic: topic.to_owned(),
            subject,
            serial: self.outbox.serial,
            id: (topic != "ping").then(|| format!("notif_{}", Uuid::new_v4())),
            created_s: now_ms / 1000,
            created_ms: now_ms,
            first_sent_s: None,
            attempts: 0,
            due_ms: now_ms.saturating_add(delay),
        };
        let copies = std::iter::repeat_n(notification, 1 + self.options.duplicates);
        self.outbox.queue.extend(copies);
    }

    /// Takes what is due now and was queued after the given serial number, in the order in which it is sent.
    pub(super) fn take_due(&mut self, after: u64) -> Vec<Notification> {
        let now_ms = self.clock.now_ms();
        let is_due = |one: &Notification| one.due_ms <= now_ms && one.serial > after;
        let (mut due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.outbox.queue).into_iter().partition(is_due);
        self.outbox.queue = later;
        self.outbox.in_flight += due.len();
        due.sort_by_key(|one| one.due_ms);
        if let Some(seed) = self.options.shuffle_seed {
            self.outbox.shuffles += 1;
            due.shuffle(&mut StdRng::seed_from_u64(seed.wrapping_add(self.outbox.shuffles)));
        }
        due
    }

    /// Writes a notification as it is sent now; none if there is nothing left to tell or nobody to tell it to.
    pub(super) fn write(&self, notification: &mut Notification) -> Option<Letter> {
        let subscription = self.outbox.subscription.as_ref().filter(|to| !to.is_disabled)?;
        let url = subscription.url.clone();
        notification.attempts += 1;
        if notification.attempts > 1 && !self.options.unsettled.retries_keep_id {
            notification.id = Some(format!("notif_{}", Uuid::new_v4()));
        }
        notification.first_sent_s.get_or_insert(self.clock.now_s());
        if let Subject::Raw { body, signature } = &notification.subject {
            return Some(Letter {
                url,
                body: body.clone(),
                signature: signature.clone(),
            });
        }
        if let Subject::Conversation { id, part } = notification.subject {
            notification.subject = Subject::Item(self.notification_item(id, part)?);
        }
        let Subject::Item(item) = &notification.subject else {
            return None;
        };
        let is_ping = notification.id.is_none();
        let body = json!({
            "type": "notification_event", "app_id": self.workspace.id,
            "data": {"type": "notification_event_data", "item": item},
            "links": {}, "id": notification.id, "topic": notification.topic,
            "delivery_status": if is_ping { Value::Null } else { json!("pending") },
            "delivery_attempts": notification.attempts, "delivered_at": 0,
            "first_sent_at": notification.first_sent_s, "created_at": notification.created_s, "self": null,
        });
        let body = body.to_string().into_bytes();
        let signature = Some(self.sign(&body));
        Some(Letter { url, body, signature })
    }

    /// The signature of a notification: HMAC-SHA1 of its raw body, keyed with the app's client secret.
    pub(super) fn sign(&self, body: &[u8]) -> String {
        format!(
            "sha1={}",
            links::signature(self.workspace.client_secret.as_bytes(), body)
        )
    }

    fn notification_item(&self, id: u64, part: Option<u64>) -> Option<Value> {
        let conversation = self.conversations.get(&id)?;
        let is_plaintext = self.options.plaintext_notifications();
        let shown = Shown {
            parts: Parts::One(part.unwrap_or_default()),
            is_plaintext,
            is_216: matches!(self.options.api_version.as_str(), "2.16" | "2.17"),
            has_text_times: !is_plaintext,
        };
        Some(self.conversation_json(conversation, shown))
    }

    /// Learns how an attempt was answered: once again after a minute, then the notification is lost.
    pub(super) fn conclude(&mut self, mut notification: Notification, status: Option<u16>) {
        let now_ms = self.clock.now_ms();
        self.outbox.in_flight -= 1;
        self.outbox.sent.push(Sent {
            topic: notification.topic.clone(),
            id: notification.id.clone(),
            attempt: notification.attempts,
            status,
        });
        let Some(subscription) = &mut self.outbox.subscription else {
            return;
        };
        match status {
            Some(200..=299) => subscription.throttle_ms = 0,
            Some(410) => {
                subscription.is_disabled = true;
                self.outbox.lost += 1 + self.outbox.queue.len();
                self.outbox.queue.clear();
            }
            Some(429) => {
                if subscription.throttled_until_ms <= now_ms {
                    subscription.throttle_ms = (subscription.throttle_ms * 2).clamp(MINUTE_MS, LONGEST_THROTTLE_MS);
                    subscription.throttled_until_ms = now_ms + subscription.throttle_ms;
                }
                notification.attempts -= 1;
                notification.due_ms = subscription.throttled_until_ms;
                self.put_back(notification);
            }
            _ if notification.attempts < 2 => {
                notification.due_ms = now_ms + MINUTE_MS;
                self.put_back(notification);
            }
            _ => self.outbox.lost += 1,
        }
    }

    /// A notification that nothing is left of to send.
    pub(super) fn abandon(&mut self) {
        self.outbox.in_flight -= 1;
        self.outbox.lost += 1;
    }

    fn put_back(&mut self, notification: Notification) {
        if notification.due_ms - notification.created_ms > LONGEST_THROTTLE_MS {
            self.outbox.lost += 1;
        } else {
            self.outbox.queue.push(notification);
        }
    }
}
