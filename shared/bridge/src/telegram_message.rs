//! What happens in Telegram, in neutral terms: what a webhook reads of an update, and what a worker carries.

use crate::rich_text::RichText;
use mapping::{AlbumId, ChatId, CustomerId, FileId, MessageId, Timestamp, TopicId, UniqueFileId, UpdateId};

/// What the webhook reads of an update: ids and kinds, no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peek {
    /// The update's id; a redelivery has the same.
    pub update: UpdateId,
    /// Where it happened; some kinds of update happen nowhere.
    pub chat: Option<ChatRef>,
    /// What happened.
    pub kind: UpdateKind,
    /// The topic, if the message stands in one other than General.
    pub topic: Option<TopicId>,
    /// The message that it is about; `None` also for message id 0, which names no message.
    pub message: Option<MessageId>,
    /// Who wrote.
    pub sender: Option<Sender>,
    /// The message that is answered, if one is: what a staff member's answer in a topic with several customers goes by.
    pub replies_to: Option<Answered>,
    /// The album that the message is an item of.
    pub album: Option<AlbumId>,
}

/// A message that another one answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Who wrote it.
    pub author: CustomerId,
    /// Its id, where it has one, in the chat in which it is answered.
    pub message: Option<MessageId>,
}

/// A chat as the lane and the link need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatRef {
    /// Its id.
    pub id: ChatId,
    /// Its kind.
    pub kind: ChatKind,
}

/// What kind of chat it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// One person and the bot.
    Private,
    /// A group without topics, basic or super.
    Group,
    /// A supergroup with topics.
    Forum,
    /// A channel.
    Channel,
}

/// What kind of update it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateKind {
    /// A message that somebody wrote.
    Message,
    /// A message was changed.
    Edited,
    /// A service message about a topic: created, renamed, closed, opened.
    Topic,
    /// The chat got another id.
    Migration {
        /// The id that is no more.
        from: ChatId,
        /// The id that is in its place.
        to: ChatId,
    },
    /// The bot's own rights in a chat changed.
    Membership,
    /// Somebody reacted to a message.
    Reaction,
    /// Any other service message: no content.
    Service(String),
    /// A kind that is not bridged, by Telegram's name for it.
    Other(String),
}

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// `sender_chat.id` where there is one, else `from.id`.
    pub id: CustomerId,
    /// What they are.
    pub kind: SenderKind,
}

/// What a sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderKind {
    /// A person.
    User,
    /// An administrator who writes as the group itself.
    AnonymousAdmin,
    /// Somebody who writes as a channel.
    Channel,
    /// A post of the linked channel, forwarded by Telegram.
    LinkedChannel,
    /// A bot, ours included.
    Bot,
}

/// An update with its content.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// Somebody wrote.
    Message(Box<CustomerMessage>),
    /// Somebody changed what they wrote.
    Edited(Box<CustomerMessage>),
    /// Somebody does not share any more where they are: the place where that ended.
    LocationEnded(Box<CustomerMessage>),
    /// Somebody reacted to a message.
    Reaction(Reaction),
    /// A topic was created or renamed.
    TopicTitle {
        /// The topic; `None` is General.
        topic: Option<TopicId>,
        /// Its title from now on.
        title: String,
    },
    /// A topic was closed (`true`) or opened.
    TopicClosed {
        /// The topic; `None` is General.
        topic: Option<TopicId>,
        /// Closed, or opened.
        closed: bool,
    },
    /// The bot's own rights in a chat changed.
    Membership {
        /// Whether it can read and write there now.
        present: bool,
        /// Whether it is an administrator, without which it does not see everything.
        administrator: bool,
        /// Whether it may create and open topics.
        manages_topics: bool,
    },
    /// Nothing that is carried: Telegram's name for it.
    Other(String),
}

/// What somebody thinks of a message, as far as it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Who reacted.
    pub by: String,
    /// The emoji that are new, in words where they have no character.
    pub added: Vec<String>,
    /// Those that were taken back.
    pub taken_back: Vec<String>,
}

/// A message that somebody wrote in Telegram.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerMessage {
    /// The chat's title, or the person's name in a private chat.
    pub chat_title: String,
    /// The chat's public @name, without the @.
    pub chat_username: Option<String>,
    /// The topic's title, where the message brings it along.
    pub topic_title: Option<String>,
    /// Who created the topic, where the message brings that along.
    pub topic_creator: Option<CustomerId>,
    /// Who wrote.
    pub author: Author,
    /// When it was written.
    pub date: Timestamp,
    /// The text, or the caption, as formatted; kinds that are neither text nor files begin with one honest line that says what they
    /// are. Blank only where there are files.
    pub text: RichText,
    /// What came with it as files that the bot can fetch, in order.
    pub files: Vec<SentFile>,
    /// What is answered, if something is: its author's name and the quoted text.
    pub quote: Option<Quote>,
    /// From whom it was forwarded, in words.
    pub forwarded_from: Option<String>,
    /// The inline bot that it was written with, without the @.
    pub via_bot: Option<String>,
    /// A command for another bot, which is not content.
    pub for_another_bot: bool,
}

/// A file in a message. Name and media type are what the sender's app said, which may not be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentFile {
    /// What the bot fetches it by.
    pub id: FileId,
    /// What it is known by wherever it turns up.
    pub unique_id: Option<UniqueFileId>,
    /// How it was sent.
    pub kind: FileKind,
    /// The honest line that says what it is.
    pub line: String,
    /// Its name.
    pub name: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// The message that it came with, where that is not the one that it is carried with: an item of an album.
    pub message: Option<MessageId>,
}

/// How a file was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// As a picture, which Telegram makes a JPEG of.
    Photo,
    /// As a film.
    Video,
    /// As a film without sound that repeats.
    Animation,
    /// As a file.
    Document,
    /// As music or the like.
    Audio,
    /// As something said.
    Voice,
    /// As something said into the camera.
    VideoMessage,
    /// As a sticker: its picture.
    Sticker,
    /// As a sticker of which there is a film only.
    VideoSticker,
}

/// Who wrote a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The name as Telegram shows it: first and last name, a group's or channel's title, else the @name.
    pub name: String,
    /// The public @name, without the @.
    pub username: Option<String>,
    /// The language of the person's app: an IETF tag.
    pub language: Option<String>,
    /// The title under which an anonymous administrator signs.
    pub signature: Option<String>,
}

/// What a message answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Whose words they are, where that is known.
    pub author: Option<String>,
    /// The words: the part that was picked, else the beginning of the message.
    pub text: RichText,
}
