//! What of Intercom's JSON is in use. Nothing is required, unknown fields are ignored, and a field of the wrong form counts as missing.

#![expect(clippy::struct_field_names, reason = "the names are Intercom's")]

use crate::lenient;
use mapping::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A notification.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Envelope {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) app_id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) topic: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) data: Option<Data>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Data {
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) item: Option<Item>,
}

/// The ids in what a notification is about; its content is read by [`Conversation`] from the same value.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Item {
    #[serde(rename = "type", deserialize_with = "lenient::field")]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    /// In what was deleted, and in parts that stand alone.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) conversation_id: Option<String>,
    /// In `conversation.contact.attached`, and in parts that stand alone.
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) conversation: Option<Nested>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) conversation_parts: Option<PartIds>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) part_type: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Nested {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) model: Option<Model>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Model {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct PartIds {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) conversation_parts: Vec<PartId>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct PartId {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) redacted: Option<bool>,
}

/// A conversation, of a notification or of the REST API; `user` and `conversation_message` are what `contacts` and `source` were
/// called before version 2.5.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Conversation {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) title: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) state: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) open: Option<bool>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) source: Option<Part>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) conversation_message: Option<Part>,
    #[serde(deserialize_with = "contacts")]
    pub(crate) contacts: Vec<Contact>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) user: Option<Contact>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) conversation_parts: Option<Parts>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) linked_objects: Option<LinkedObjects>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinkedObjects {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) data: Vec<LinkedObject>,
}

/// A conversation or a ticket.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinkedObject {
    #[serde(rename = "type", deserialize_with = "lenient::field")]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) external_id: Option<String>,
    /// What `external_id` was called before version 2.0.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) user_id: Option<String>,
}

/// `{"contacts": […]}`, or the bare list.
fn contacts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Contact>, D::Error> {
    let list = match Value::deserialize(deserializer)? {
        Value::Object(mut object) => object.remove("contacts").unwrap_or_default(),
        other => other,
    };
    Ok(lenient::list(list).unwrap_or_default())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parts {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) conversation_parts: Vec<Part>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) total_count: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Part {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) part_type: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) body: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) author: Option<Author>,
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) attachments: Vec<Attachment>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) redacted: Option<bool>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Author {
    #[serde(rename = "type", deserialize_with = "lenient::field")]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) url: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) content_type: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) filesize: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) quick_reply_options: Vec<QuickReply>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct QuickReply {
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) text: Option<String>,
}

/// What a new conversation is answered with: a message. Its own `id` is not the conversation's.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Opened {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) conversation_id: Option<String>,
}

/// Anything of which only the id matters: a contact, a tag.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Identified {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
}

/// Somebody or something with a name: an admin, a team.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) name: Option<String>,
}

/// `GET /teams`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Teams {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) teams: Vec<Named>,
}

/// A contact by itself.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Person {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) external_id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) name: Option<String>,
}

/// `GET /me`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Me {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) app: Option<App>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct App {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id_code: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) region: Option<String>,
}

/// A page of a search.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Found {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) conversations: Vec<Conversation>,
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) pages: Option<Pages>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pages {
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) next: Option<Next>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Next {
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) starting_after: Option<String>,
}

/// The error envelope.
#[derive(Deserialize)]
pub(crate) struct ErrorList {
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) errors: Vec<ErrorItem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorItem {
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) code: Option<String>,
    /// May echo what was sent: it is looked at, and never kept.
    #[serde(deserialize_with = "lenient::field")]
    pub(crate) message: Option<String>,
}
