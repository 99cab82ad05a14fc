//! Intercom's JSON → the neutral model.

use crate::{
    body, lenient,
    webhook::unreadable,
    wire::{self, Envelope, Item},
};
use bridge::{
    intercom_message::{
        Attachment, AuthorKind, ContactRef, Conversation, ConversationState, Event, Notification, NotificationPeek,
        Part, PartAuthor, PartKind,
    },
    ports::Unreadable,
};
use mapping::{ContactId, ConversationId, NotificationId, PartId, Timestamp, WorkspaceId};
use serde::Deserialize;
use serde_json::Value;

/// What the opening message of a conversation is called; it must never pass for a reply.
const SOURCE: &str = "source";

pub(crate) fn peek(envelope: Envelope) -> Result<NotificationPeek, Unreadable> {
    let event = envelope.topic.unwrap_or_default();
    let item = envelope.data.and_then(|data| data.item).unwrap_or_default();
    Ok(NotificationPeek {
        workspace: workspace(envelope.app_id)?,
        id: envelope.id.map(NotificationId::new),
        conversation: conversation_of(&event, &item),
        parts: parts_of(&event, &item)
            .filter_map(|part| part.id.map(PartId::new))
            .collect(),
        event,
    })
}

pub(crate) fn notification(value: &Value) -> Result<Notification, Unreadable> {
    let envelope = envelope(value)?;
    let item = envelope.data.and_then(|data| data.item).unwrap_or_default();
    let whole = value.pointer("/data/item").unwrap_or(&Value::Null);
    Ok(Notification {
        workspace: workspace(envelope.app_id)?,
        event: event(envelope.topic.unwrap_or_default(), &item, whole),
    })
}

pub(crate) fn envelope(value: &Value) -> Result<Envelope, Unreadable> {
    // A list would be taken for the fields in their order.
    if !value.is_object() {
        return Err(Unreadable("not a JSON object".into()));
    }
    Envelope::deserialize(value).map_err(|error| unreadable(&error))
}

fn workspace(app_id: Option<String>) -> Result<WorkspaceId, Unreadable> {
    app_id
        .map(WorkspaceId::new)
        .ok_or_else(|| Unreadable("no app_id".into()))
}

fn event(name: String, item: &Item, whole: &Value) -> Event {
    if is_redaction(&name) {
        return match conversation_of(&name, item) {
            Some(conversation) => Event::Redacted {
                conversation,
                parts: redacted_of(&name, item),
            },
            None => Event::Other(name),
        };
    }
    if !tells_what_was_said(&name, item) {
        return Event::Other(name);
    }
    match lenient::one(whole.clone()).and_then(conversation) {
        Some(conversation) if name == "conversation.user.created" => Event::Opened(Box::new(conversation)),
        Some(conversation) => Event::Conversation(Box::new(conversation)),
        None => Event::Other(name),
    }
}

/// Whatever brings parts tells it, and so do replies whose parts are missing: those have to be read from Intercom. A bare part does
/// not: its id is no conversation's.
fn tells_what_was_said(name: &str, item: &Item) -> bool {
    let about_one = name.starts_with("conversation.") && name != "conversation.deleted" && !is_bare_part(name, item);
    let may_say = name.starts_with("conversation.admin.")
        || name.starts_with("conversation.operator.")
        || name == "conversation.user.created";
    about_one && (item.conversation_parts.is_some() || may_say)
}

fn is_redaction(name: &str) -> bool {
    name == "conversation_part.redacted"
}

/// The id of the conversation. `item.id` is one only in events about conversations, and not in those that bring a bare part.
fn conversation_of(name: &str, item: &Item) -> Option<ConversationId> {
    if !name.starts_with("conversation") {
        return None;
    }
    let own = item.id.as_ref().filter(|_| !is_bare_part(name, item));
    let nested = item
        .conversation
        .as_ref()
        .and_then(|nested| nested.id.as_ref().or_else(|| nested.model.as_ref()?.id.as_ref()));
    own.or(item.conversation_id.as_ref())
        .or(nested)
        .map(ConversationId::new)
}

/// The published description of `conversation_part.*` brings a bare part, captures bring the conversation with that part in it.
fn is_bare_part(name: &str, item: &Item) -> bool {
    match item.kind.as_deref() {
        Some("conversation_part") => true,
        Some("conversation") => false,
        _ => name.starts_with("conversation_part.") && item.conversation_parts.is_none(),
    }
}

fn parts_of<'i>(name: &str, item: &'i Item) -> impl Iterator<Item = PartRef<'i>> {
    let bare = (name.starts_with("conversation") && is_bare_part(name, item)).then_some(PartRef {
        id: item.id.as_ref(),
        redacted: true,
    });
    let within = item
        .conversation_parts
        .iter()
        .flat_map(|parts| &parts.conversation_parts);
    bare.into_iter().chain(within.map(|part| PartRef {
        id: part.id.as_ref(),
        redacted: part.redacted.unwrap_or(false),
    }))
}

struct PartRef<'i> {
    id: Option<&'i String>,
    /// Whether a redaction that brings this part means it.
    redacted: bool,
}

fn redacted_of(name: &str, item: &Item) -> Vec<PartId> {
    parts_of(name, item)
        .filter(|part| part.redacted)
        .filter_map(|part| part.id.map(PartId::new))
        .collect()
}

/// A conversation; `None` without an id.
pub(crate) fn conversation(wire: wire::Conversation) -> Option<Conversation> {
    let fallback = wire.updated_at.or(wire.created_at);
    let parts = wire.conversation_parts.unwrap_or_default();
    let state = state(wire.state.as_deref(), wire.open);
    let old_user = wire.user.into_iter();
    Some(Conversation {
        id: ConversationId::new(wire.id?),
        contacts: wire.contacts.into_iter().chain(old_user).filter_map(contact).collect(),
        title: wire.title.filter(|title| !title.trim().is_empty()),
        state,
        updated_at: wire.updated_at,
        source: wire
            .source
            .or(wire.conversation_message)
            .and_then(|source| source_part(source, wire.created_at)),
        total_parts: parts.total_count,
        merged_into: merged_into(state, wire.linked_objects.unwrap_or_default()),
        parts: parts
            .conversation_parts
            .into_iter()
            .filter_map(|wire| part(wire, fallback))
            .collect(),
    })
}

fn state(state: Option<&str>, open: Option<bool>) -> Option<ConversationState> {
    match state {
        Some("open") => Some(ConversationState::Open),
        Some("closed") => Some(ConversationState::Closed),
        Some("snoozed") => Some(ConversationState::Snoozed),
        _ => open.map(|open| {
            if open {
                ConversationState::Open
            } else {
                ConversationState::Closed
            }
        }),
    }
}

/// The conversations that a conversation may have been merged into. Of a merge Intercom says that "the secondary conversation is closed
/// and linked to the primary" and names no field that tells this link from others
/// (<https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/mergeconversation>): whatever is closed and
/// linked to another conversation may be a secondary one. So this is to be asked only where something in it was refused.
fn merged_into(state: Option<ConversationState>, linked: wire::LinkedObjects) -> Vec<ConversationId> {
    if state != Some(ConversationState::Closed) {
        return Vec::new();
    }
    let is_conversation = |one: &wire::LinkedObject| one.kind.as_deref() == Some("conversation");
    let conversations = linked.data.into_iter().filter(is_conversation);
    conversations
        .filter_map(|one| one.id.map(ConversationId::new))
        .collect()
}

fn contact(wire: wire::Contact) -> Option<ContactRef> {
    Some(ContactRef {
        id: ContactId::new(wire.id?),
        external_id: wire.external_id.or(wire.user_id),
    })
}

fn source_part(wire: wire::Part, created_at: Option<Timestamp>) -> Option<Part> {
    part(wire, created_at).map(|part| Part {
        kind: PartKind::Other(SOURCE.into()),
        ..part
    })
}

/// A part; `None` without an id, for nothing could be remembered of it.
fn part(wire: wire::Part, fallback: Option<Timestamp>) -> Option<Part> {
    let attachments: Vec<_> = wire.attachments.into_iter().filter_map(attachment).collect();
    let body = body::read(wire.body.as_deref().unwrap_or_default());
    let (body, body_is_plain) = body::without_stand_in(body, !attachments.is_empty());
    Some(Part {
        id: PartId::new(wire.id?),
        kind: kind(wire.part_type.unwrap_or_default()),
        body,
        body_is_plain,
        author: author(wire.author.unwrap_or_default()),
        // Without any time it counts as old, and is read from Intercom before it goes out.
        created_at: wire.created_at.or(fallback).unwrap_or(Timestamp::EPOCH),
        redacted: wire.redacted.unwrap_or(false),
        attachments,
        quick_replies: labels(wire.metadata.unwrap_or_default()),
    })
}

fn kind(part_type: String) -> PartKind {
    match part_type.as_str() {
        "comment" => PartKind::Comment,
        "quick_reply" => PartKind::QuickReply,
        "assignment" | "assign_and_reopen" | "assign_and_unsnooze" => PartKind::Assignment,
        "open" => PartKind::Open,
        "close" => PartKind::Close,
        _ => PartKind::Other(part_type),
    }
}

fn author(wire: wire::Author) -> PartAuthor {
    PartAuthor {
        kind: match wire.kind.as_deref() {
            Some("admin") => AuthorKind::Admin,
            Some("bot" | "operator") => AuthorKind::Bot,
            Some("user" | "lead" | "contact" | "visitor") => AuthorKind::Contact,
            _ => AuthorKind::Other,
        },
        id: wire.id.unwrap_or_default(),
        name: wire.name.filter(|name| !name.trim().is_empty()),
    }
}

fn attachment(wire: wire::Attachment) -> Option<Attachment> {
    let url = wire.url.filter(|url| !url.trim().is_empty())?;
    Some(Attachment {
        name: wire
            .name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| "file".into()),
        url,
        content_type: wire.content_type.filter(|kind| !kind.trim().is_empty()),
        size: wire.filesize,
    })
}

fn labels(metadata: wire::Metadata) -> Vec<String> {
    metadata
        .quick_reply_options
        .into_iter()
        .filter_map(|option| option.text)
        .filter(|label| !label.trim().is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
