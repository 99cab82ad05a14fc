//! What the webhook reads of an update: whether it is Telegram's, where it belongs, what it is.

use crate::{
    decode,
    fields::{Shape, shape},
    live_location::{self, LiveLocation},
    message::{self, Message},
    wire::Json,
};
use bridge::{
    ports::{Unreadable, UpdateReader},
    secrets::Secrets,
    telegram_message::{Answered, Peek, Sender, Update, UpdateKind},
    webhook::WebhookRequest,
};
use bytes::Bytes;
use mapping::{AlbumId, ChatId, UpdateId};
use serde_json::Value;
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

/// The header in which Telegram proves that it is Telegram: <https://core.telegram.org/bots/api#setwebhook>.
pub(crate) const SECRET_TOKEN: &str = "X-Telegram-Bot-Api-Secret-Token";

/// The kinds that are looked for first; an update carries one kind.
const BRIDGED: [&str; 4] = ["message", "edited_message", "my_chat_member", "message_reaction"];

/// Reads Telegram's updates.
#[derive(Clone, Copy, Debug, Default)]
pub struct TelegramUpdates;

/// The body of a delivery whose secret token was right; [`TelegramUpdates`] alone can make one, or read it.
pub struct VerifiedUpdate(Bytes);

impl fmt::Debug for VerifiedUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedUpdate({} bytes)", self.0.len())
    }
}

impl UpdateReader for TelegramUpdates {
    type Verified = VerifiedUpdate;

    fn verify(&self, request: &WebhookRequest, secrets: &Secrets) -> Option<VerifiedUpdate> {
        let token = request.header(SECRET_TOKEN)?.as_bytes();
        let mut right = Choice::from(0);
        for secret in &secrets.telegram_webhook_secrets {
            let secret = secret.expose().as_bytes();
            right |= token.ct_eq(secret) & Choice::from(u8::from(!secret.is_empty()));
        }
        bool::from(right).then(|| VerifiedUpdate(request.body.clone()))
    }

    fn peek(&self, verified: &VerifiedUpdate) -> Result<(Peek, Value), Unreadable> {
        let update = serde_json::from_slice(&verified.0).map_err(|error| not_json(&error))?;
        let peek = self.peek_value(&update)?;
        Ok((peek, update))
    }

    fn peek_value(&self, update: &Value) -> Result<Peek, Unreadable> {
        let update = Json::new(update);
        let id = update
            .integer("update_id")
            .ok_or_else(|| Unreadable("no update_id".into()))?;
        Ok(peek(UpdateId(id), update))
    }

    fn decode(&self, update: &Value, bot_username: Option<&str>) -> Result<Update, Unreadable> {
        decode::update(Json::new(update), bot_username)
    }
}

/// The error without its text, which may quote the body.
fn not_json(error: &serde_json::Error) -> Unreadable {
    let (line, column) = (error.line(), error.column());
    Unreadable(format!("not JSON, line {line} column {column}: {:?}", error.classify()))
}

/// The one kind that an update carries, by Telegram's name, and what it holds.
pub(crate) fn kind(update: Json<'_>) -> Option<(&str, Json<'_>)> {
    let first = update.keys().find(|key| BRIDGED.contains(key));
    let name = first.or_else(|| update.keys().find(|key| update.get(key).is_some_and(Json::is_object)))?;
    Some((name, update.get(name)?))
}

fn peek(update: UpdateId, json: Json<'_>) -> Peek {
    let nowhere = Peek {
        update,
        chat: None,
        kind: UpdateKind::Other("nothing".into()),
        topic: None,
        message: None,
        sender: None,
        replies_to: None,
        album: None,
    };
    let Some((kind, body)) = kind(json) else { return nowhere };
    // Buttons bring along the message that they stand under.
    let message = Message(body.get("message").filter(|inner| inner.is_object()).unwrap_or(body));
    Peek {
        chat: message.chat(),
        kind: update_kind(kind, body),
        topic: message.topic(),
        message: message.id(),
        sender: sender(kind, body),
        replies_to: message.answered().and_then(answered),
        album: message.0.text("media_group_id").map(AlbumId::new),
        ..nowhere
    }
}

fn answered(message: Message<'_>) -> Option<Answered> {
    Some(Answered {
        author: message.sender()?.id,
        message: message.id(),
    })
}

fn update_kind(kind: &str, body: Json<'_>) -> UpdateKind {
    match kind {
        "message" => message_kind(Message(body)),
        "edited_message" => match live_location::of(Message(body)) {
            LiveLocation::Step => UpdateKind::Other(live_location::STEP.into()),
            LiveLocation::None | LiveLocation::End(_) => UpdateKind::Edited,
        },
        "my_chat_member" => UpdateKind::Membership,
        "message_reaction" => UpdateKind::Reaction,
        other => UpdateKind::Other(other.to_owned()),
    }
}

fn message_kind(message: Message<'_>) -> UpdateKind {
    match shape(message.0) {
        Shape::Migration(field) => migration(message, field).unwrap_or_else(|| UpdateKind::Service(field.into())),
        Shape::Topic(_) => UpdateKind::Topic,
        Shape::Service(field) => UpdateKind::Service(field.into()),
        Shape::Content(_) | Shape::Unknown(_) | Shape::Nothing => UpdateKind::Message,
    }
}

fn migration(message: Message<'_>, field: &str) -> Option<UpdateKind> {
    let here = message.chat()?.id;
    let there = ChatId(message.0.integer(field)?);
    let (from, to) = if field == "migrate_to_chat_id" {
        (here, there)
    } else {
        (there, here)
    };
    Some(UpdateKind::Migration { from, to })
}

/// Reactions name who reacted in fields of their own; all others write `from`, or are a message.
fn sender(kind: &str, body: Json<'_>) -> Option<Sender> {
    let chat = || body.get("actor_chat").and_then(message::chat);
    match kind {
        "message_reaction" => match chat() {
            Some(chat) => Some(Message(body).written_as(chat.id)),
            None => body.get("user").and_then(message::user),
        },
        _ => Message(body).sender(),
    }
}
