//! What Telegram sends, and may send next.

use crate::{
    Target, flat,
    json::{self, Body},
    view,
};
use bridge::{
    envelope::{self, InboundEnvelope, InboundErrand},
    ports::UpdateReader,
    secrets::{Secret, Secrets},
    telegram_message::{CustomerMessage, Peek, Update as Decoded, UpdateKind},
    webhook::{WebhookMethod, WebhookRequest},
};
use bytes::Bytes;
use intercom::render;
use mapping::Timestamp;
use proptest::{prop_assert, prop_assert_eq, strategy::BoxedStrategy, test_runner::TestCaseError};
use serde_json::{Value, json};
use telegram::TelegramUpdates;

/// An update is peeked into, queued, decoded and shown.
pub struct Update;

const SECRET: &str = "webhook_secret";

impl Target for Update {
    type Input = Body;

    const NAME: &'static str = "update";

    fn inputs() -> BoxedStrategy<Body> {
        json::bodies("telegram", |kind, value| json!({ "update_id": 1, kind: value }))
    }

    fn read(bytes: &[u8]) -> Option<Body> {
        Some(Body(bytes.to_vec()))
    }

    fn check(body: &Body) -> Result<(), TestCaseError> {
        let request = request(&body.0, "X-Telegram-Bot-Api-Secret-Token", SECRET);
        let Some(verified) = TelegramUpdates.verify(&request, &secrets()) else {
            return Err(TestCaseError::fail("the right secret does not verify"));
        };
        let parsed: Option<Value> = serde_json::from_slice(&body.0).ok();
        match TelegramUpdates.peek(&verified) {
            Ok((peek, update)) => {
                prop_assert_eq!(Some(&update), parsed.as_ref());
                check_update(&peek, &update)
            }
            Err(error) => {
                let id = parsed.as_ref().and_then(|update| update.get("update_id"));
                prop_assert!(id.is_none_or(|id| !id.is_i64()), "{} in spite of {:?}", error, id);
                tells_nothing(&error.to_string())
            }
        }
    }
}

pub(crate) fn request(body: &[u8], header: &str, value: &str) -> WebhookRequest {
    WebhookRequest {
        method: WebhookMethod::Post,
        headers: vec![(header.to_owned(), value.to_owned())],
        body: Bytes::copy_from_slice(body),
    }
}

pub(crate) fn secrets() -> Secrets {
    Secrets {
        telegram_bot_token: Secret::new("1:token"),
        telegram_webhook_secrets: vec![Secret::new(SECRET)],
        intercom_access_token: Secret::new("token"),
        intercom_client_secrets: vec![Secret::new(SECRET)],
    }
}

/// An error says where something is wrong, in words that are ours: nothing of a body is among them.
pub(crate) fn tells_nothing(error: &str) -> Result<(), TestCaseError> {
    const WORDS: &str = "read it not JSON readable line column no update_id app_id a object cut off at \
                         Syntax Eof Data Io an update without anything in";
    let words = error.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
    for word in words.filter(|word| !word.is_empty()) {
        prop_assert!(WORDS.split_ascii_whitespace().any(|ours| ours == word), "{}", error);
    }
    Ok(())
}

fn check_update(peek: &Peek, update: &Value) -> Result<(), TestCaseError> {
    let queued = envelope::to_ascii_json(&InboundEnvelope {
        received_at: Timestamp::EPOCH,
        errand: InboundErrand::Update(update.clone()),
    });
    let queued = queued.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(queued.is_ascii());
    let taken: InboundEnvelope =
        envelope::from_json(&queued).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let InboundErrand::Update(taken) = taken.errand else {
        return Err(TestCaseError::fail("the queue makes another errand of it"));
    };
    prop_assert_eq!(&taken, update, "the queue changes it");
    prop_assert_eq!(TelegramUpdates.peek_value(&taken), Ok(peek.clone()));
    match TelegramUpdates.decode(&taken, Some("our_bot")) {
        Ok(decoded) => {
            prop_assert!(
                agree(&peek.kind, &decoded),
                "{:?} was peeked, {:?} decoded",
                peek,
                decoded
            );
            match decoded {
                Decoded::Message(message) | Decoded::Edited(message) | Decoded::LocationEnded(message) => {
                    check_message(&message, update)
                }
                _ => Ok(()),
            }
        }
        Err(error) => {
            let holds = |(key, value): (&String, &Value)| key != "update_id" && value.is_object();
            let fields = update.as_object().into_iter().flatten();
            prop_assert!(!fields.into_iter().any(holds), "{} in spite of {}", error, update);
            tells_nothing(&error.to_string())
        }
    }
}

/// Whether what the webhook read is what the worker finds.
fn agree(peeked: &UpdateKind, decoded: &Decoded) -> bool {
    match peeked {
        UpdateKind::Message => matches!(decoded, Decoded::Message(_)),
        UpdateKind::Edited => matches!(decoded, Decoded::Edited(_) | Decoded::LocationEnded(_)),
        UpdateKind::Membership => matches!(decoded, Decoded::Membership { .. } | Decoded::Other(_)),
        UpdateKind::Topic => matches!(
            decoded,
            Decoded::TopicTitle { .. } | Decoded::TopicClosed { .. } | Decoded::Other(_)
        ),
        UpdateKind::Migration { .. } => matches!(decoded, Decoded::Other(_)),
        UpdateKind::Reaction => matches!(decoded, Decoded::Reaction(_)),
        UpdateKind::Service(name) | UpdateKind::Other(name) => {
            matches!(decoded, Decoded::Other(other) if name == other)
        }
    }
}

/// Every message leaves a trace, and all of its text.
fn check_message(message: &CustomerMessage, update: &Value) -> Result<(), TestCaseError> {
    prop_assert!(
        !message.text.is_blank() || !message.files.is_empty(),
        "no trace of {}",
        update
    );
    let html = render::contact_reply(&message.text);
    let shown = flat::seen(&view::of_ours(&html)?);
    for kind in ["message", "edited_message"] {
        let written = update
            .get(kind)
            .and_then(|message| message.get("text"))
            .and_then(Value::as_str);
        let seen = written
            .filter(|_| kind_of(update) == Some(kind))
            .map(|text| flat::seen(&as_shown(text)));
        if let Some(seen) = seen.filter(|seen| !seen.is_empty()) {
            prop_assert_eq!(&shown, &seen, "{}", html);
        }
    }
    let quoted = message.quote.iter().map(|quote| &quote.text);
    for text in quoted {
        view::of_ours(&render::contact_reply(text))?;
    }
    Ok(())
}

/// The kind that is looked for first.
fn kind_of(update: &Value) -> Option<&str> {
    let known = ["message", "edited_message", "my_chat_member", "message_reaction"];
    let mut keys = update.as_object()?.iter().filter(|(_, value)| !value.is_null());
    keys.find(|(key, _)| known.contains(&key.as_str()))
        .map(|(key, _)| key.as_str())
}

/// HTML has no way to say NUL.
fn as_shown(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
