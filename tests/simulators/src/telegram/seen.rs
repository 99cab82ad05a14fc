//! What a person sees.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    compose::MediaKind,
    entities,
    sim::TelegramSim,
    world::{Message, Place, World},
};

/// A message as somebody in the chat sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The message's id.
    pub id: i64,
    /// The name above it: a person's, a bot's, or that of the chat or channel that wrote.
    pub from_name: String,
    /// Whether a bot wrote it.
    pub from_bot: bool,
    /// Text or caption.
    pub text: String,
    /// The formatting of the text.
    pub entities: Vec<Value>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// The file that it shows.
    pub media: Option<SeenMedia>,
    /// What ties the messages of an album together.
    pub album: Option<String>,
    /// When it was written, in milliseconds since the Unix epoch.
    pub date_ms: i64,
    /// Whether it says "edited".
    pub edited: bool,
    /// Whether it is gone: nobody sees it any more.
    pub deleted: bool,
    /// The emoji below it.
    pub reactions: Vec<String>,
    /// All its fields as the API names them, for content of other kinds.
    pub fields: Map<String, Value>,
}

impl Seen {
    /// The text with its formatting as simple HTML.
    pub fn html(&self) -> String {
        entities::html(&self.text, &self.entities)
    }
}

/// A file in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMedia {
    /// How it was sent.
    pub kind: MediaKind,
    /// File name, also where the kind does not show it.
    pub file_name: Option<String>,
    /// MIME type as it was sent.
    pub mime: Option<String>,
    /// Size in bytes, as stated.
    pub size: i64,
    /// The content.
    pub bytes: Bytes,
}

/// A topic in the list of topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTopic {
    /// The topic's id.
    pub id: i64,
    /// Its title.
    pub name: String,
    /// Whether members can no longer write in it.
    pub closed: bool,
    /// Whether it is gone.
    pub deleted: bool,
}

impl TelegramSim {
    /// The messages in a topic, or in a chat without topics, oldest first, deleted ones included. Service messages are left out.
    pub fn messages(&self, place: Place) -> Vec<Seen> {
        self.list(place, false)
    }

    /// The service messages in a topic or chat, oldest first; [`Seen::fields`] has what they say.
    pub fn service_messages(&self, place: Place) -> Vec<Seen> {
        self.list(place, true)
    }

    /// One message, wherever it stands in the chat.
    pub fn message(&self, chat: i64, id: i64) -> Option<Seen> {
        let world = self.shared.world();
        Some(world.seen(world.chats.get(&chat)?.messages.get(&id)?))
    }

    /// The topics of a forum, oldest first, deleted ones included, without General.
    pub fn topics(&self, chat: i64) -> Vec<SeenTopic> {
        let world = self.shared.world();
        let topics = world.chat(chat).topics.iter().map(|(id, topic)| SeenTopic {
            id: *id,
            name: topic.name.clone(),
            closed: topic.closed,
            deleted: topic.deleted_ms.is_some(),
        });
        topics.collect()
    }

    /// Whether General is closed.
    pub fn general_closed(&self, chat: i64) -> bool {
        self.shared.world().chat(chat).general_closed
    }

    fn list(&self, place: Place, service: bool) -> Vec<Seen> {
        let world = self.shared.world();
        let chat = world.chat(place.chat);
        let here = chat
            .messages
            .values()
            .filter(|message| message.topic == place.topic || !chat.forum);
        here.filter(|message| message.service == service)
            .map(|message| world.seen(message))
            .collect()
    }
}

impl World {
    fn seen(&self, message: &Message) -> Seen {
        let field = |name: &str| message.fields.get(name);
        let sender = self.person(message.from);
        let title = field("sender_chat").and_then(|chat| chat["title"].as_str());
        let list = |name: &str| field(name).and_then(Value::as_array).cloned();
        Seen {
            id: message.id,
            from_name: title.map_or_else(|| sender.name(), str::to_owned),
            from_bot: sender.is_bot && title.is_none(),
            text: ["text", "caption"]
                .iter()
                .find_map(|name| field(name)?.as_str())
                .unwrap_or_default()
                .to_owned(),
            entities: list("entities")
                .or_else(|| list("caption_entities"))
                .unwrap_or_default(),
            reply_to: message.reply_to,
            media: self.seen_media(message),
            album: field("media_group_id").and_then(Value::as_str).map(str::to_owned),
            date_ms: message.date_ms,
            edited: message.edited_s.is_some(),
            deleted: message.deleted,
            reactions: message.reactions.values().flatten().filter_map(emoji).collect(),
            fields: message.fields.clone(),
        }
    }

    fn seen_media(&self, message: &Message) -> Option<SeenMedia> {
        let (kind, shown) = MediaKind::ALL
            .into_iter()
            .find_map(|kind| Some((kind, message.fields.get(kind.field())?)))?;
        let shown = shown.as_array().and_then(|sizes| sizes.last()).unwrap_or(shown);
        let file = self.files.get(shown["file_id"].as_str()?)?;
        Some(SeenMedia {
            kind,
            file_name: file.name.clone(),
            mime: file.mime.clone(),
            size: file.size,
            bytes: file.bytes.clone(),
        })
    }
}

fn emoji(reaction: &Value) -> Option<String> {
    Some(reaction["emoji"].as_str()?.to_owned())
}
