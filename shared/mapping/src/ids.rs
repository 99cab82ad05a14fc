//! One type for every id, so that a message id can never stand where a topic id belongs.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as the vendor spells it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as the vendor spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

number! {
    /// A Telegram bot: the number before the colon of its token.
    BotId,
    /// A Telegram chat; supergroups look like `-100…`, and ids have up to 52 bits.
    ChatId,
    /// A forum topic: `message_thread_id` of a message with `is_topic_message`.
    TopicId,
    /// A Telegram message, unique within its chat.
    MessageId,
    /// Who wrote in Telegram: `sender_chat.id` where there is one, else `from.id`.
    CustomerId,
    /// A Telegram update; a redelivery carries the same one.
    UpdateId,
}

text! {
    /// An Intercom workspace: `app_id` of a notification, `app.id_code` of `GET /me`.
    WorkspaceId,
    /// An Intercom conversation, unique within its workspace.
    ConversationId,
    /// An Intercom contact: 24 hex digits.
    ContactId,
    /// An Intercom conversation part, unique within its workspace. They are numbers that rise with time.
    PartId,
    /// An Intercom admin: a teammate, or the workspace's bot.
    AdminId,
    /// An Intercom notification: `notif_…`.
    NotificationId,
    /// A Telegram album: `media_group_id`.
    AlbumId,
    /// A file in Telegram, as this bot fetches it: `file_id`. One file has several over time.
    FileId,
    /// What a file in Telegram is known by wherever it turns up: `file_unique_id`. Nothing can be fetched by it.
    UniqueFileId,
}

impl PartId {
    /// The id as the number that Intercom counts up, where it is one: what parts are ordered by.
    pub fn number(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl ChatId {
    /// Whether it is the chat of one person with the bot: those have the person's id, all others have negative ones.
    pub fn is_private(self) -> bool {
        self.0 > 0
    }
}
