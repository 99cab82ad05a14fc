//! What Intercom sends, and may send next.

use crate::{
    Target, flat,
    json::{self, Body},
    signature::sign,
    update::{request, secrets, tells_nothing},
};
use bridge::{
    intercom_message::{Conversation, Event, NotificationPeek},
    ports::NotificationReader,
};
use intercom::IntercomNotifications;
use mapping::PartId;
use proptest::{prop_assert, prop_assert_eq, strategy::BoxedStrategy, test_runner::TestCaseError};
use serde_json::{Value, json};

/// A notification is verified, peeked into and decoded, and its parts are made ready for Telegram.
pub struct Notification;

impl Target for Notification {
    type Input = Body;

    const NAME: &'static str = "notification";

    fn inputs() -> BoxedStrategy<Body> {
        json::bodies(
            "intercom",
            |event, item| json!({"app_id": "abc", "topic": format!("conversation.{event}"), "data": {"item": item}}),
        )
    }

    fn read(bytes: &[u8]) -> Option<Body> {
        Some(Body(bytes.to_vec()))
    }

    fn check(body: &Body) -> Result<(), TestCaseError> {
        let secrets = secrets();
        let signature = secrets
            .intercom_client_secrets
            .first()
            .map(|secret| sign(secret.expose(), &body.0));
        let request = request(&body.0, "X-Hub-Signature", &signature.unwrap_or_default());
        let Some(verified) = IntercomNotifications.verify(&request, &secrets) else {
            return Err(TestCaseError::fail("the right signature does not verify"));
        };
        let parsed: Option<Value> = serde_json::from_slice(&body.0).ok();
        match IntercomNotifications.peek(&verified) {
            Ok((peek, notification)) => {
                prop_assert_eq!(Some(&notification), parsed.as_ref());
                check_notification(&peek, &notification)
            }
            Err(error) => {
                let workspace = parsed.as_ref().and_then(|notification| notification.get("app_id"));
                let names_it = workspace
                    .and_then(Value::as_str)
                    .is_some_and(|id| !matches!(id.trim(), "" | "0"));
                prop_assert!(!names_it, "{} in spite of {:?}", error, workspace);
                tells_nothing(&error.to_string())
            }
        }
    }
}

/// Whatever is peeked into is decoded, and to the same ids.
fn check_notification(peek: &NotificationPeek, notification: &Value) -> Result<(), TestCaseError> {
    let decoded = IntercomNotifications.decode(notification);
    let decoded = decoded.map_err(|error| TestCaseError::fail(format!("{error} in spite of {peek:?}")))?;
    prop_assert_eq!(&decoded.workspace, &peek.workspace);
    match decoded.event {
        Event::Conversation(conversation) | Event::Opened(conversation) => {
            prop_assert_eq!(Some(&conversation.id), peek.conversation.as_ref());
            let ids: Vec<PartId> = conversation.parts.iter().map(|part| part.id.clone()).collect();
            prop_assert_eq!(&ids, &peek.parts);
            check_parts(&conversation)
        }
        Event::Redacted { conversation, parts } => {
            prop_assert_eq!(Some(&conversation), peek.conversation.as_ref());
            prop_assert!(parts.iter().all(|part| peek.parts.contains(part)));
            Ok(())
        }
        Event::Other(name) => {
            prop_assert_eq!(name, peek.event.as_str());
            Ok(())
        }
    }
}

fn check_parts(conversation: &Conversation) -> Result<(), TestCaseError> {
    let parts = conversation.parts.iter().chain(&conversation.source);
    parts.map(|part| &part.body).try_for_each(flat::check)
}
