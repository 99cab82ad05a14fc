//! Updates on their way to a bot: serial lanes, and when to try again.
//!
//! The rules are those of the Bot API server's `WebhookActor`: a lane has one request in flight, a failing head blocks its lane
//! until it succeeds or expires.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::world::World;

const DAY_MS: i64 = 86_400_000;
/// A webhook that answers 410 for longer than this is closed.
const GONE_MS: i64 = 82_800_000;
const LONGEST_RETRY_AFTER_S: i64 = 3_600;
const MOST_PENDING: usize = 100_000;
/// Kinds that come only when they are named in `allowed_updates`.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Kind group and chat or user: what must stay in order.
pub(crate) type LaneKey = (u8, i64);

#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) body: Value,
    expires_ms: i64,
    pub(crate) due_ms: i64,
    /// The last delay of the exponential schedule, in seconds; none before the first failure.
    backoff_s: Option<i64>,
    copies: u32,
}

impl Update {
    /// The request body, with the line break that the real server puts there.
    pub(crate) fn payload(&self) -> String {
        format!("{{\"update_id\":{},\n\"{}\":{}}}", self.id, self.kind, self.body)
    }

    pub(crate) fn json(&self) -> Value {
        let mut update = json!({ "update_id": self.id });
        update[self.kind.as_str()] = self.body.clone();
        update
    }
}

#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) updates: VecDeque<Update>,
    pub(crate) in_flight: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) max_connections: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) webhook: Option<Webhook>,
    /// Empty for the default set.
    pub(crate) allowed: Vec<String>,
    pub(crate) lanes: BTreeMap<LaneKey, Lane>,
    pub(crate) last_error: Option<(i64, String)>,
    /// Every update ever made, for [`Outbox::redeliver`].
    pub(crate) made: BTreeMap<i64, (LaneKey, Update)>,
    /// How often each new update is delivered; zero counts as one.
    pub(crate) copies: u32,
    /// How many successful answers are still to be taken for lost.
    pub(crate) lose_answers: usize,
    pub(crate) gone_since_ms: Option<i64>,
    pub(crate) next_id: i64,
}

/// What a webhook's answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Accepted,
    Failed {
        status: Option<u16>,
        retry_after_s: Option<i64>,
        error: String,
    },
}

impl Delivery {
    /// No answer at all.
    pub(crate) fn broken(error: &str) -> Self {
        Self::Failed {
            status: None,
            retry_after_s: None,
            error: error.to_owned(),
        }
    }
}

impl Outbox {
    fn wants(&self, kind: &str) -> bool {
        match self.allowed.as_slice() {
            [] => !ON_REQUEST.contains(&kind),
            allowed => allowed.iter().any(|allowed| allowed == kind),
        }
    }

    pub(crate) fn add(&mut self, kind: &str, body: Value, id: Option<i64>, now_ms: i64) -> i64 {
        let id = id.unwrap_or(self.next_id);
        self.next_id = self.next_id.max(id + 1);
        let key = lane_key(kind, &body);
        let update = Update {
            id,
            expires_ms: expiry_ms(kind, &body, now_ms),
            kind: kind.to_owned(),
            body,
            due_ms: now_ms,
            backoff_s: None,
            copies: self.copies.max(1),
        };
        self.made.insert(id, (key, update.clone()));
        self.lanes.entry(key).or_default().updates.push_back(update);
        id
    }

    /// Sends an update again, behind what waits in its lane, with the same id.
    pub(crate) fn redeliver(&mut self, id: i64, now_ms: i64) -> bool {
        let Some((key, update)) = self.made.get(&id).cloned() else {
            return false;
        };
        let again = Update {
            due_ms: now_ms,
            expires_ms: now_ms + DAY_MS,
            copies: 1,
            ..update
        };
        self.lanes.entry(key).or_default().updates.push_back(again);
        true
    }

    pub(crate) fn pending(&self) -> usize {
        self.lanes.values().map(|lane| lane.updates.len()).sum()
    }

    /// Forgets what nobody fetched in time.
    pub(crate) fn expire(&mut self, now_ms: i64) {
        for lane in self.lanes.values_mut().filter(|lane| !lane.in_flight) {
            lane.updates.retain(|update| now_ms <= update.expires_ms);
        }
        self.lanes.retain(|_, lane| !lane.updates.is_empty());
    }

    fn open_connections(&self) -> usize {
        self.lanes.values().filter(|lane| lane.in_flight).count()
    }

    /// The lane whose head may go out now, and the head's id. The oldest update comes first.
    pub(crate) fn due(&self, now_ms: i64) -> Option<(LaneKey, &Update)> {
        let webhook = self.webhook.as_ref()?;
        if i64::try_from(self.open_connections()).is_ok_and(|open| open >= webhook.max_connections) {
            return None;
        }
        let idle = self.lanes.iter().filter(|(_, lane)| !lane.in_flight);
        idle.filter_map(|(key, lane)| Some((*key, lane.updates.front()?)))
            .filter(|(_, head)| head.due_ms <= now_ms)
            .min_by_key(|(_, head)| head.id)
    }

    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.webhook.as_ref()?;
        self.lanes
            .values()
            .filter_map(|lane| lane.updates.front())
            .map(|head| head.due_ms)
            .min()
    }

    /// Takes what came of a delivery; the head of the lane is the update that was delivered.
    pub(crate) fn settle(&mut self, key: LaneKey, id: i64, delivery: Delivery, now_ms: i64) {
        let delivery = self.lose_if_asked(delivery);
        self.watch_gone(&delivery, now_ms);
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.in_flight = false;
        let Some(head) = lane.updates.front_mut().filter(|head| head.id == id) else {
            return;
        };
        let stays = match &delivery {
            Delivery::Accepted => {
                head.copies -= 1;
                head.backoff_s = None;
                head.copies > 0
            }
            Delivery::Failed { retry_after_s, .. } => head.postpone(*retry_after_s, now_ms),
        };
        if !stays {
            lane.updates.pop_front();
        }
        if lane.updates.is_empty() {
            self.lanes.remove(&key);
        }
        if let Delivery::Failed { error, .. } = delivery {
            self.last_error = Some((now_ms / 1000, error));
        }
    }

    fn lose_if_asked(&mut self, delivery: Delivery) -> Delivery {
        if delivery != Delivery::Accepted || self.lose_answers == 0 {
            return delivery;
        }
        self.lose_answers -= 1;
        Delivery::broken("Webhook connection closed")
    }

    fn watch_gone(&mut self, delivery: &Delivery, now_ms: i64) {
        if !matches!(delivery, Delivery::Failed { status: Some(410), .. }) {
            self.gone_since_ms = None;
            return;
        }
        let since = *self.gone_since_ms.get_or_insert(now_ms);
        if now_ms - since > GONE_MS {
            self.webhook = None;
            self.gone_since_ms = None;
        }
    }
}

impl Update {
    /// Moves the next attempt on; false if the update expires before it.
    fn postpone(&mut self, retry_after_s: Option<i64>, now_ms: i64) -> bool {
        let delay_s = if let Some(asked) = retry_after_s {
            asked.clamp(0, LONGEST_RETRY_AFTER_S)
        } else {
            let delay = next_backoff_s(self.backoff_s, self.id);
            self.backoff_s = Some(delay);
            delay
        };
        self.due_ms = now_ms + delay_s * 1000;
        self.due_ms <= self.expires_ms
    }
}

/// 0, 2, 4, 8, 16, 32 s, then the double, at most something between 60 and 120 s.
fn next_backoff_s(last: Option<i64>, update: i64) -> i64 {
    match last {
        None => 0,
        Some(0) => 2,
        // The real server draws lots. Here the draw follows from the update and the attempt, so that a test can be repeated.
        Some(last) => (last * 2).min(60 + (update * 31 + last * 17).rem_euclid(61)),
    }
}

fn lane_key(kind: &str, body: &Value) -> LaneKey {
    let chat = body["chat"]["id"].as_i64().unwrap_or_default();
    let user = body["from"]["id"]
        .as_i64()
        .or(body["user"]["id"].as_i64())
        .unwrap_or_default();
    match kind {
        "message" | "edited_message" | "channel_post" | "edited_channel_post" => (0, chat),
        "callback_query" => (3, user),
        "my_chat_member" => (5, chat),
        "chat_member" | "chat_join_request" => (6, user),
        "message_reaction" => (8, chat),
        "message_reaction_count" => (9, chat),
        "business_connection" => (10, user),
        "business_message" | "edited_business_message" | "deleted_business_messages" => (11, chat),
        "guest_message" => (12, chat),
        _ => (13, user),
    }
}

fn expiry_ms(kind: &str, body: &Value, now_ms: i64) -> i64 {
    match kind {
        "callback_query" | "shipping_query" | "pre_checkout_query" => now_ms + 150_000,
        "inline_query" => now_ms + 30_000,
        "chosen_inline_result" => now_ms + 600_000,
        _ => {
            let date = body["edit_date"].as_i64().or(body["date"].as_i64());
            let expires_ms = date.map_or(now_ms, |seconds| seconds * 1000) + DAY_MS;
            // A raw update with an old date lives as if it were new.
            if expires_ms > now_ms {
                expires_ms
            } else {
                now_ms + DAY_MS
            }
        }
    }
}

impl World {
    /// Makes an update for a bot, if the bot wants that kind.
    pub(crate) fn publish(&mut self, bot: i64, kind: &str, body: Value, now_ms: i64) {
        if let Some(account) = self.bots.get_mut(&bot)
            && account.outbox.wants(kind)
            && account.outbox.pending() < MOST_PENDING
        {
            account.outbox.add(kind, body, None, now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_about_a_minute_or_two() {
        let mut delays = Vec::new();
        let mut last = None;
        for _ in 0..10 {
            last = Some(next_backoff_s(last, 7));
            delays.extend(last);
        }
        assert_eq!(delays[..6], [0, 2, 4, 8, 16, 32]);
        assert!(delays[6..].iter().all(|delay| (60..=120).contains(delay)), "{delays:?}");
    }

    #[test]
    fn membership_and_reactions_have_lanes_of_their_own() {
        let body = json!({ "chat": { "id": -5 }, "from": { "id": 3 } });
        let lanes = ["message", "my_chat_member", "chat_member", "message_reaction"].map(|kind| lane_key(kind, &body));
        assert_eq!(lanes, [(0, -5), (5, -5), (6, 3), (8, -5)]);
    }
}
