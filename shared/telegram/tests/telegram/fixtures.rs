//! Updates with invented people in them, after the shapes that Telegram sends.

use bridge::{
    ports::UpdateReader,
    telegram_message::{CustomerMessage, Update},
};
use serde_json::{Value, json};
use telegram::TelegramUpdates;

pub(crate) const GROUP: i64 = -1_001_234_567_890;

pub(crate) fn forum() -> Value {
    json!({"id": GROUP, "type": "supergroup", "title": "Support", "is_forum": true})
}

pub(crate) fn ann() -> Value {
    json!({"id": 501, "is_bot": false, "first_name": "Ann", "last_name": "Lee", "username": "annlee", "language_code": "de"})
}

/// A message by Ann in topic 7, with these fields on top; `null` takes one away.
pub(crate) fn message(fields: &Value) -> Value {
    let mut message = json!({
        "message_id": 42, "date": 1_700_000_000, "chat": forum(), "from": ann(),
        "message_thread_id": 7, "is_topic_message": true,
    });
    for (key, value) in fields.as_object().unwrap() {
        message[key] = value.clone();
    }
    message
}

pub(crate) fn decode_message(fields: &Value) -> CustomerMessage {
    let update = json!({"update_id": 1, "message": message(fields)});
    match TelegramUpdates.decode(&update, Some("our_bot")).unwrap() {
        Update::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}
