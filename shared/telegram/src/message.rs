//! What every message tells, whatever is in it: where it stands, who wrote it, what it answers.

use crate::wire::Json;
use bridge::telegram_message::{Author, ChatKind, ChatRef, Sender, SenderKind};
use mapping::{ChatId, CustomerId, MessageId, TopicId};

/// The account that forwards a channel's posts into the group that is linked to it.
const TELEGRAM: i64 = 777_000;
/// The user that stands in `from` for an administrator who writes as the group.
const GROUP_ANONYMOUS_BOT: i64 = 1_087_968_824;
/// The user that stands in `from` for somebody who writes as a channel.
const CHANNEL_BOT: i64 = 136_817_688;

/// A message, as Telegram writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a>(pub(crate) Json<'a>);

impl<'a> Message<'a> {
    pub(crate) fn chat(self) -> Option<ChatRef> {
        chat(self.0.get("chat")?)
    }

    /// `None` for id 0 too: ephemeral and scheduled messages all have it.
    pub(crate) fn id(self) -> Option<MessageId> {
        self.0.integer("message_id").filter(|id| *id != 0).map(MessageId)
    }

    /// The topic. A thread id without `is_topic_message` is the root of a chain of replies.
    pub(crate) fn topic(self) -> Option<TopicId> {
        self.0
            .is("is_topic_message")
            .then(|| self.0.integer("message_thread_id"))
            .flatten()
            .map(TopicId)
    }

    pub(crate) fn sender(self) -> Option<Sender> {
        match self.0.get("sender_chat").and_then(|chat| chat.integer("id")) {
            Some(id) => Some(self.written_as(ChatId(id))),
            None => user(self.0.get("from")?),
        }
    }

    /// The sender, where somebody writes or reacts as a chat.
    pub(crate) fn written_as(self, chat: ChatId) -> Sender {
        let here = self.chat();
        let kind = if self.0.is("is_automatic_forward") {
            SenderKind::LinkedChannel
        } else if here.is_some_and(|here| here.id == chat && here.kind != ChatKind::Channel) {
            SenderKind::AnonymousAdmin
        } else {
            SenderKind::Channel
        };
        Sender {
            id: CustomerId(chat.0),
            kind,
        }
    }

    /// The message that is answered, if somebody chose to: in a topic every message is a reply to the one that created it.
    pub(crate) fn answered(self) -> Option<Message<'a>> {
        let target = Message(self.0.get("reply_to_message")?);
        (!self.is_topic_root(target)).then_some(target)
    }

    /// The message that created the topic, where it comes along as what is replied to.
    pub(crate) fn topic_root(self) -> Option<Message<'a>> {
        let target = Message(self.0.get("reply_to_message")?);
        self.is_topic_root(target).then_some(target)
    }

    fn is_topic_root(self, target: Message<'_>) -> bool {
        let of_topic = self
            .topic()
            .is_some_and(|topic| target.id() == Some(MessageId(topic.0)));
        of_topic || target.0.get("forum_topic_created").is_some()
    }

    pub(crate) fn author(self) -> Author {
        let signature = self.0.text("author_signature").map(str::to_owned);
        if let Some(chat) = self.0.get("sender_chat") {
            return Author {
                name: chat_name(chat),
                username: chat.text("username").map(str::to_owned),
                language: None,
                signature,
            };
        }
        let Some(from) = self.0.get("from") else {
            return Author {
                signature,
                ..Author::default()
            };
        };
        Author {
            name: user_name(from),
            username: from.text("username").map(str::to_owned),
            language: from.text("language_code").map(str::to_owned),
            signature,
        }
    }
}

/// A chat's id and kind. A kind that is not known is treated like a group: the narrowest that is bridged.
pub(crate) fn chat(chat: Json<'_>) -> Option<ChatRef> {
    let kind = match chat.text("type") {
        Some("private") => ChatKind::Private,
        Some("channel") => ChatKind::Channel,
        _ if chat.is("is_forum") => ChatKind::Forum,
        _ => ChatKind::Group,
    };
    let id = ChatId(chat.integer("id")?);
    Some(ChatRef { id, kind })
}

/// A user as a sender.
pub(crate) fn user(user: Json<'_>) -> Option<Sender> {
    let id = user.integer("id")?;
    let kind = match id {
        TELEGRAM => SenderKind::LinkedChannel,
        GROUP_ANONYMOUS_BOT => SenderKind::AnonymousAdmin,
        CHANNEL_BOT => SenderKind::Channel,
        _ if user.is("is_bot") => SenderKind::Bot,
        _ => SenderKind::User,
    };
    Some(Sender {
        id: CustomerId(id),
        kind,
    })
}

/// First and last name, else the @name.
pub(crate) fn user_name(user: Json<'_>) -> String {
    let names = ["first_name", "last_name"].map(|key| user.text(key).map(str::trim));
    let names = names
        .into_iter()
        .flatten()
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>();
    if names.is_empty() {
        user.text("username").unwrap_or_default().to_owned()
    } else {
        names.join(" ")
    }
}

/// A group's or channel's title; of a private chat, the person's name.
pub(crate) fn chat_name(chat: Json<'_>) -> String {
    match chat.text("title").map(str::trim).filter(|title| !title.is_empty()) {
        Some(title) => title.to_owned(),
        None => user_name(chat),
    }
}
