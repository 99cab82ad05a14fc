//! What the server knows: accounts, chats, topics, messages and files.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{
    call::Call,
    files::StoredFile,
    people::{CHANNEL_BOT, GROUP_ANONYMOUS_BOT, Member, Person, Right, Status, TELEGRAM, UserId},
    unsettled::Unsettled,
    updates::Outbox,
};

/// Where a message stands: a chat, and in a forum one of its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The chat's id.
    pub chat: i64,
    /// The topic's id; none is General in a forum, and the whole chat elsewhere.
    pub topic: Option<i64>,
}

impl Place {
    /// General of a forum, or a chat without topics.
    pub fn chat(chat: i64) -> Self {
        Self { chat, topic: None }
    }

    /// A topic of a forum.
    pub fn topic(chat: i64, topic: i64) -> Self {
        Self {
            chat,
            topic: Some(topic),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatKind {
    Private,
    Group,
    Supergroup,
}

/// A topic other than General.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) icon: Option<String>,
    pub(crate) creator: i64,
    pub(crate) closed: bool,
    pub(crate) deleted_ms: Option<i64>,
    /// When a bot's send last found the topic alive; the real server remembers that for up to 60 s.
    pub(crate) checked_ms: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) from: i64,
    pub(crate) date_ms: i64,
    pub(crate) edited_s: Option<i64>,
    pub(crate) topic: Option<i64>,
    /// The root of a reply chain outside topics.
    pub(crate) thread: Option<i64>,
    pub(crate) reply_to: Option<i64>,
    /// Every further field as the API shows it: content, `sender_chat`, `forward_origin`…
    pub(crate) fields: Map<String, Value>,
    pub(crate) service: bool,
    pub(crate) deleted: bool,
    pub(crate) reactions: BTreeMap<i64, Vec<Value>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    pub(crate) kind: ChatKind,
    pub(crate) title: String,
    pub(crate) forum: bool,
    pub(crate) members: BTreeMap<i64, Member>,
    pub(crate) topics: BTreeMap<i64, Topic>,
    pub(crate) general_closed: bool,
    pub(crate) messages: BTreeMap<i64, Message>,
    pub(crate) migrated_to: Option<i64>,
    /// When bots wrote here lately, for the pace limit.
    pub(crate) sent_ms: VecDeque<i64>,
}

impl Chat {
    pub(crate) fn new(id: i64, kind: ChatKind, title: &str) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            forum: false,
            members: BTreeMap::new(),
            topics: BTreeMap::new(),
            general_closed: false,
            messages: BTreeMap::new(),
            migrated_to: None,
            sent_ms: VecDeque::new(),
        }
    }

    pub(crate) fn may(&self, member: i64, right: Right) -> bool {
        self.members.get(&member).is_some_and(|member| member.may(right))
    }

    /// A message that somebody could still see.
    pub(crate) fn visible(&self, message: i64) -> Option<&Message> {
        self.messages.get(&message).filter(|message| !message.deleted)
    }

    /// The word for the chat in errors.
    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            ChatKind::Private => "private chat",
            ChatKind::Group => "group chat",
            ChatKind::Supergroup => "supergroup chat",
        }
    }
}

#[derive(Debug)]
pub(crate) struct BotAccount {
    pub(crate) token: String,
    /// Whether the bot sees everything that is written in groups where it is no administrator.
    pub(crate) sees_all: bool,
    pub(crate) outbox: Outbox,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) bots: BTreeMap<i64, BotAccount>,
    pub(crate) people: BTreeMap<i64, Person>,
    pub(crate) chats: BTreeMap<i64, Chat>,
    pub(crate) files: BTreeMap<String, StoredFile>,
    pub(crate) calls: Vec<Call>,
    pub(crate) violations: Vec<String>,
    pub(crate) pace: bool,
    pub(crate) unsettled: Unsettled,
    counter: i64,
    /// Message ids outside supergroups count through all of an account's chats.
    account_message: i64,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self::default();
        for person in [
            Person::service(GROUP_ANONYMOUS_BOT, true, "Group", Some("GroupAnonymousBot")),
            Person::service(CHANNEL_BOT, true, "Channel", Some("Channel_Bot")),
            Person::service(TELEGRAM, false, "Telegram", None),
        ] {
            world.people.insert(person.id, person);
        }
        world
    }

    /// A number that was never given out before.
    pub(crate) fn next(&mut self) -> i64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn violation(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }

    pub(crate) fn person(&self, id: i64) -> &Person {
        self.people.get(&id).expect("a person of this simulator")
    }

    pub(crate) fn user(&self, user: UserId) -> &Person {
        self.person(user.0)
    }

    pub(crate) fn chat(&self, id: i64) -> &Chat {
        self.chats.get(&id).expect("a chat of this simulator")
    }

    pub(crate) fn chat_mut(&mut self, id: i64) -> &mut Chat {
        self.chats.get_mut(&id).expect("a chat of this simulator")
    }

    pub(crate) fn next_message_id(&mut self, chat: i64) -> i64 {
        let chat = self.chat(chat);
        if chat.kind == ChatKind::Supergroup {
            return chat.messages.last_key_value().map_or(1, |(id, _)| id + 1);
        }
        self.account_message += 1;
        self.account_message
    }

    /// The `Chat` that messages carry.
    pub(crate) fn chat_json(&self, id: i64) -> Value {
        let chat = self.chat(id);
        match chat.kind {
            ChatKind::Private => {
                let mut json = self.person(id).json();
                if let Some(fields) = json.as_object_mut() {
                    fields.remove("is_bot");
                    fields.remove("language_code");
                    fields.insert("type".into(), "private".into());
                }
                json
            }
            ChatKind::Group => json!({
                "id": id, "title": chat.title, "type": "group",
                "all_members_are_administrators": false,
            }),
            ChatKind::Supergroup => {
                let mut json = json!({ "id": id, "title": chat.title, "type": "supergroup" });
                if chat.forum {
                    json["is_forum"] = true.into();
                }
                json
            }
        }
    }

    /// The `ChatMember` of somebody, who may be a stranger.
    pub(crate) fn member_json(&self, chat: i64, member: i64) -> Value {
        let chat = self.chat(chat);
        let stranger = Member::of(Status::Left);
        let found = chat.members.get(&member).unwrap_or(&stranger);
        found.json(self.person(member), chat.kind == ChatKind::Supergroup)
    }
}
