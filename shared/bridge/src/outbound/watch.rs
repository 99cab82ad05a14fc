//! The watch: what nobody would notice until a message is missed. A token that a vendor refuses, a webhook that Telegram does not
//! deliver to, and what waits there meanwhile.

use crate::{
    context::Context,
    failure::{HelpdeskError, MessengerError},
    ports::{Registration, Registry},
};
use mapping::Timestamp;
use std::{sync::Arc, time::Duration};

/// How our webhook's URL ends.
const DOOR: &str = "/telegram-webhook";

/// Telegram keeps its last error until the webhook is registered again; one that is older is over.
const LATELY: Duration = Duration::from_mins(10);

/// Looks at what the vendors say of us.
pub struct Watch {
    context: Arc<Context>,
    registry: Arc<dyn Registry>,
}

/// What is wrong with a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    NotRegistered,
    AnotherUrl,
    WithoutUpdates(String),
}

impl Watch {
    /// A watch on this ground.
    pub fn new(context: Arc<Context>, registry: Arc<dyn Registry>) -> Self {
        Self { context, registry }
    }

    /// Looks once. What is found is told in the log, and counted there.
    pub async fn look(&self) {
        match self.context.helpdesk.identity().await {
            Ok(_) => {}
            Err(HelpdeskError::Unauthorized { reason }) => refused("Intercom", &reason),
            Err(error) => unanswered("Intercom", &error.to_string()),
        }
        match self.registry.registration().await {
            Ok(registration) => self.judge(&registration),
            Err(MessengerError::Unauthorized { reason }) => refused("Telegram", &reason),
            Err(error) => unanswered("Telegram", &error.to_string()),
        }
    }

    fn judge(&self, registration: &Registration) {
        let now = self.context.ledger.now();
        let error = lately(registration, now);
        tracing::info!(
            webhook.error = error,
            metric.webhook_backlog = registration.pending,
            metric.webhook_failing = error.map(|_| 1_u64),
            "Telegram's webhook was looked at"
        );
        match wrong(registration, self.registry.wanted()) {
            None => {}
            Some(Wrong::NotRegistered) => misconfigured("no webhook is registered"),
            Some(Wrong::AnotherUrl) => misconfigured("the webhook that is registered is not this bridge's"),
            Some(Wrong::WithoutUpdates(kind)) => misconfigured(&format!("the webhook does not get {kind}")),
        }
    }
}

fn refused(vendor: &str, reason: &str) {
    tracing::error!(vendor, reason, metric.token_refused = 1, "a vendor refuses our token");
}

fn unanswered(vendor: &str, error: &str) {
    tracing::warn!(vendor, error, "a vendor did not say what it knows of us");
}

fn misconfigured(problem: &str) {
    tracing::error!(
        problem,
        metric.webhook_misconfigured = 1,
        "Telegram's webhook has to be registered again"
    );
}

/// How a delivery failed a short time ago.
fn lately(registration: &Registration, now: Timestamp) -> Option<&str> {
    let (at, error) = registration.last_error.as_ref()?;
    (now.since(*at) < LATELY).then_some(error.as_str())
}

fn wrong(registration: &Registration, wanted: &[&str]) -> Option<Wrong> {
    if registration.url.is_empty() {
        return Some(Wrong::NotRegistered);
    }
    if !registration.url.ends_with(DOOR) {
        return Some(Wrong::AnotherUrl);
    }
    let gets = |kind: &str| registration.updates.iter().any(|got| got == kind);
    let missing = wanted.iter().find(|kind| !gets(kind))?;
    // An empty list is Telegram's own choice, which leaves out what has to be asked for.
    Some(Wrong::WithoutUpdates((*missing).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> Registration {
        Registration {
            url: "https://bridge.example/telegram-webhook".into(),
            pending: 0,
            last_error: None,
            updates: vec!["message".into(), "edited_message".into()],
        }
    }

    #[test]
    fn what_would_lose_updates_is_wrong() {
        let wanted = ["message", "edited_message"];
        let with = |change: fn(&mut Registration)| {
            let mut changed = registration();
            change(&mut changed);
            wrong(&changed, &wanted)
        };
        assert_eq!(with(|_| ()), None);
        assert_eq!(with(|one| one.url.clear()), Some(Wrong::NotRegistered));
        assert_eq!(
            with(|one| one.url = "https://other.example/hook".into()),
            Some(Wrong::AnotherUrl)
        );
        let without = |kind: &str| Some(Wrong::WithoutUpdates(kind.into()));
        assert_eq!(with(|one| one.updates.truncate(1)), without("edited_message"));
        assert_eq!(with(|one| one.updates.clear()), without("message"));
    }

    #[test]
    fn an_error_of_long_ago_is_over() {
        let failed = Registration {
            last_error: Some((Timestamp::from_seconds(1_000), "503".into())),
            ..registration()
        };
        assert_eq!(lately(&failed, Timestamp::from_seconds(1_599)), Some("503"));
        assert_eq!(lately(&failed, Timestamp::from_seconds(1_600)), None);
        assert_eq!(lately(&registration(), Timestamp::from_seconds(1_000)), None);
    }
}
