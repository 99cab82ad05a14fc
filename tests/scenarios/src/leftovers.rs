//! What must not be left behind.

use crate::world::World;
use local::QueueName;
use mapping::{Item, Key};
use serde_json::{Value, json};
use simulators::telegram::{Call, Outcome};

/// What a scenario leaves behind on purpose.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// So many messages among the dead letters.
    pub dead_letters: u64,
    /// So many deliveries that were given up.
    pub undeliverable: usize,
    /// Notifications may be lost.
    pub lost_notifications: bool,
    /// So many calls that the real service would refuse.
    pub violations: usize,
}

impl World {
    /// Nothing is left behind but this.
    pub async fn finish_but(mut self, left: Left) {
        self.is_finished = true;
        self.settle().await;
        let mut found = Vec::new();
        self.look_at_queues(&left, &mut found).await;
        self.look_at_vendors(&left, &mut found);
        let items = self.store.items().await;
        let given_up: Vec<&Key> = items
            .iter()
            .filter(|item| item.body["state"] == "undeliverable")
            .map(|item| &item.key)
            .collect();
        if given_up.len() != left.undeliverable {
            found.push(format!("{} deliveries were given up", given_up.len()));
        }
        found.extend(items.iter().flat_map(|item| open_ends(item, &given_up)));
        assert!(found.is_empty(), "left behind:\n{}", found.join("\n"));
    }

    /// Whatever is left behind is nothing to this scenario.
    pub fn leave(mut self) {
        self.is_finished = true;
    }

    async fn look_at_queues(&self, left: &Left, found: &mut Vec<String>) {
        let lanes = self.stage.machine.lanes();
        let len = async |queue| lanes.len(queue).await.expect("the lanes answer");
        for queue in [QueueName::Inbound, QueueName::Outbound] {
            match len(queue).await {
                0 => {}
                waiting => found.push(format!("{waiting} messages in {queue:?}")),
            }
        }
        let dead = len(QueueName::InboundDead).await + len(QueueName::OutboundDead).await;
        if dead != left.dead_letters {
            found.push(format!("{dead} dead letters"));
        }
    }

    fn look_at_vendors(&self, left: &Left, found: &mut Vec<String>) {
        let (telegram, intercom) = (self.telegram(), self.intercom());
        let mut violations = telegram.violations();
        violations.extend(intercom.violations());
        if violations.len() != left.violations {
            found.extend(violations.iter().map(|violation| format!("violation: {violation}")));
            found.push(format!("{} violations", violations.len()));
        }
        let refusal = |call: &&Call| matches!(call.outcome, Outcome::Refused { code: 429, .. });
        let too_fast = |call: &&Call| call.fault.is_none() && refusal(call);
        let undelivered = [
            (
                telegram.calls().iter().filter(too_fast).count(),
                "messages came faster than Telegram takes them",
            ),
            (telegram.pending(), "updates wait"),
            (intercom.pending(), "notifications wait"),
            (
                if left.lost_notifications { 0 } else { intercom.lost() },
                "notifications are lost",
            ),
            (
                telegram.faults().armed() + intercom.faults().armed(),
                "faults never struck",
            ),
        ];
        let left_over = undelivered.into_iter().filter(|(count, _)| *count > 0);
        found.extend(left_over.map(|(count, what)| format!("{count} {what}")));
    }
}

/// A claim that nobody gave back, a link that never opened, an album that never was flushed, a reservation that never was resolved.
fn open_ends(item: &Item, given_up: &[&Key]) -> Vec<String> {
    let text = |name: &str| item.body[name].as_str().unwrap_or_default().to_owned();
    match (text("kind").as_str(), text("state").as_str()) {
        ("delivery", "claimed" | "waiting") | ("link", "opening") | ("succession", "claimed") => {
            vec![format!("{} is {}: {}", item.key, text("state"), text("reason"))]
        }
        ("album", "open") | ("open_album", _) => vec![format!("{} is open", item.key)],
        ("album", "closed") if given_up.is_empty() => vec![format!("{} is closed and not flushed", item.key)],
        ("echo", _) => {
            let replies = item.body["replies"].as_array().into_iter().flatten();
            let is_given_up = |reply: &Value| given_up.iter().any(|key| json!(key) == reply["delivery"]);
            let open = replies.filter(|reply| reply.get("part").is_none_or(Value::is_null) && !is_given_up(reply));
            open.map(|_| format!("{} is reserved by a reply that never came", item.key))
                .collect()
        }
        _ => Vec::new(),
    }
}
