//! Writing messages into chats, and showing them to bots.

use serde_json::{Map, Value, json};

use super::{
    people::{Right, TELEGRAM},
    world::{ChatKind, Message, World},
};

/// A message that is about to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) from: i64,
    pub(crate) topic: Option<i64>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) fields: Map<String, Value>,
    pub(crate) service: bool,
    /// The message that creates a topic stands in that topic itself.
    pub(crate) opens_topic: bool,
}

impl Draft {
    /// A service message with one field, such as `forum_topic_closed`.
    pub(crate) fn service(from: i64, topic: Option<i64>, field: &str, value: Value) -> Self {
        Self {
            from,
            topic,
            fields: fields([(field, value)]),
            service: true,
            ..Self::default()
        }
    }
}

/// An object of a few fields.
pub(crate) fn fields<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl World {
    /// Writes a message, and tells every bot that may see it.
    pub(crate) fn post(&mut self, chat: i64, draft: Draft, now_ms: i64) -> i64 {
        let id = self.next_message_id(chat);
        let thread = self.reply_thread(chat, &draft);
        let message = Message {
            id,
            from: draft.from,
            date_ms: now_ms,
            edited_s: None,
            topic: if draft.opens_topic { Some(id) } else { draft.topic },
            thread,
            reply_to: draft.reply_to,
            fields: draft.fields,
            service: draft.service,
            deleted: false,
            reactions: std::collections::BTreeMap::new(),
        };
        self.chat_mut(chat).messages.insert(id, message);
        self.announce(chat, id, "message", now_ms);
        id
    }

    /// Outside topics a supergroup gives replies the id of their chain's first message.
    fn reply_thread(&self, chat: i64, draft: &Draft) -> Option<i64> {
        let chat = self.chat(chat);
        if chat.kind != ChatKind::Supergroup || draft.topic.is_some() {
            return None;
        }
        let target = chat.visible(draft.reply_to?)?;
        Some(target.thread.unwrap_or(target.id))
    }

    /// Tells every bot of the chat about a message or its edit.
    pub(crate) fn announce(&mut self, chat: i64, message: i64, kind: &str, now_ms: i64) {
        let readers: Vec<i64> = self
            .bots
            .keys()
            .copied()
            .filter(|bot| self.sees(*bot, chat, message))
            .collect();
        let body = self.message_json(chat, message);
        for bot in readers {
            self.publish(bot, kind, body.clone(), now_ms);
        }
    }

    /// Privacy mode and the rules about bots' own messages.
    fn sees(&self, bot: i64, chat: i64, message: i64) -> bool {
        let (chat, Some(account)) = (self.chat(chat), self.bots.get(&bot)) else {
            return false;
        };
        let (Some(member), Some(message)) = (chat.members.get(&bot), chat.messages.get(&message)) else {
            return false;
        };
        if !member.status.is_present() {
            return false;
        }
        if message.service {
            return true;
        }
        let by_bot = self.person(message.from).is_bot && !message.fields.contains_key("sender_chat");
        if by_bot {
            return false;
        }
        let everything = chat.kind == ChatKind::Private || account.sees_all || member.status.is_admin();
        everything || self.is_meant_for(bot, chat.id, message)
    }

    fn is_meant_for(&self, bot: i64, chat: i64, message: &Message) -> bool {
        let text = message.fields.get("text").and_then(Value::as_str).unwrap_or_default();
        let answers = message
            .reply_to
            .and_then(|target| self.chat(chat).messages.get(&target));
        text.starts_with('/') || answers.is_some_and(|target| target.from == bot)
    }

    /// The `Message` that the API shows.
    pub(crate) fn message_json(&self, chat: i64, message: i64) -> Value {
        let mut json = self.bare_message_json(chat, message);
        let found = self.chat(chat);
        let written = found.messages.get(&message);
        // A real answer wins; without one, whatever stands in a topic answers the message that created the topic.
        let target = written
            .and_then(|message| message.reply_to.or(message.topic))
            .filter(|target| found.visible(*target).is_some());
        if let Some(target) = target.filter(|target| *target != message) {
            json["reply_to_message"] = self.bare_message_json(chat, target);
        }
        json
    }

    /// A message without the one that it answers: what `reply_to_message` itself looks like.
    fn bare_message_json(&self, chat: i64, message: i64) -> Value {
        let Some(message) = self.chat(chat).messages.get(&message) else {
            return Value::Null;
        };
        let mut json = json!({
            "message_id": message.id,
            "from": self.person(message.from).json(),
            "chat": self.chat_json(chat),
            "date": message.date_ms / 1000,
        });
        if let Some(edited) = message.edited_s {
            json["edit_date"] = edited.into();
        }
        if let Some(topic) = message.topic {
            json["message_thread_id"] = topic.into();
            json["is_topic_message"] = true.into();
        } else if let Some(thread) = message.thread {
            json["message_thread_id"] = thread.into();
        }
        for (name, value) in &message.fields {
            json[name.as_str()] = value.clone();
        }
        json
    }

    /// Writes a service message into a topic; General has none of its own.
    pub(crate) fn topic_event(&mut self, chat: i64, from: i64, topic: Option<i64>, event: (&str, Value), now_ms: i64) {
        self.post(chat, Draft::service(from, topic, event.0, event.1), now_ms);
    }

    /// Opens a topic; its id is that of the message that says so.
    pub(crate) fn open_topic(&mut self, chat: i64, from: i64, topic: NewTopic, now_ms: i64) -> i64 {
        let mut created = json!({ "name": topic.name, "icon_color": topic.icon_color });
        if let Some(icon) = &topic.icon {
            created["icon_custom_emoji_id"] = icon.as_str().into();
        }
        let id = self.next_topic_message(chat, from, created, now_ms);
        let state = super::world::Topic {
            name: topic.name,
            icon: topic.icon,
            creator: from,
            closed: false,
            deleted_ms: None,
            checked_ms: None,
        };
        self.chat_mut(chat).topics.insert(id, state);
        id
    }

    fn next_topic_message(&mut self, chat: i64, from: i64, created: Value, now_ms: i64) -> i64 {
        let draft = Draft {
            opens_topic: true,
            ..Draft::service(from, None, "forum_topic_created", created)
        };
        self.post(chat, draft, now_ms)
    }

    /// Takes a topic away with all that was written in it. Nobody is told.
    pub(crate) fn remove_topic(&mut self, chat: i64, topic: i64, now_ms: i64) {
        let chat = self.chat_mut(chat);
        if let Some(topic) = chat.topics.get_mut(&topic) {
            topic.deleted_ms = Some(now_ms);
        }
        for message in chat
            .messages
            .values_mut()
            .filter(|message| message.topic == Some(topic))
        {
            message.deleted = true;
        }
    }

    /// In a closed topic only its creator and those who manage topics may write.
    pub(crate) fn may_write_in(&self, chat: i64, member: i64, topic: Option<i64>) -> bool {
        let chat = self.chat(chat);
        let manages = chat.may(member, Right::ManageTopics) || member == TELEGRAM;
        match topic.and_then(|topic| chat.topics.get(&topic)) {
            Some(topic) => !topic.closed || topic.creator == member || manages,
            None => !(chat.forum && chat.general_closed) || manages,
        }
    }
}

/// What a new topic is to look like.
#[derive(Clone, Debug)]
pub(crate) struct NewTopic {
    pub(crate) name: String,
    pub(crate) icon_color: i64,
    pub(crate) icon: Option<String>,
}
