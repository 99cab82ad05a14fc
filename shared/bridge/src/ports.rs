//! What the use-cases need of the outside, as traits named by capability.

use crate::{
    failure::{HelpdeskError, MessengerError},
    intercom_message::{Conversation, Notification, NotificationPeek},
    media::Media,
    rich_text::RichText,
    secrets::Secrets,
    telegram_message::{Peek, Update},
    webhook::WebhookRequest,
};
use async_trait::async_trait;
use bytes::Bytes;
use mapping::{
    AdminId, ChatId, ContactId, ConversationId, CustomerId, FileId, MessageId, PartId, Timestamp, TopicId, WorkspaceId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Why a body cannot be read; it holds no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read it: {0}")]
pub struct Unreadable(pub String);

/// Reads what Telegram sends. Only `verify` makes a `Verified`, and only that can be peeked into.
pub trait UpdateReader: Send + Sync {
    /// An update whose secret token was right.
    type Verified: Send;

    /// Compares the secret token in constant time with every secret of the list.
    fn verify(&self, request: &WebhookRequest, secrets: &Secrets) -> Option<Self::Verified>;

    /// Parses the body and reads ids and kind; gives the update as JSON for the queue along with it.
    fn peek(&self, verified: &Self::Verified) -> Result<(Peek, Value), Unreadable>;

    /// Reads ids and kind of an update that comes out of the queue.
    fn peek_value(&self, update: &Value) -> Result<Peek, Unreadable>;

    /// Reads the content. `bot_username` tells commands for us from those for other bots.
    fn decode(&self, update: &Value, bot_username: Option<&str>) -> Result<Update, Unreadable>;
}

/// Reads what Intercom sends. Only `verify` makes a `Verified`, and only that can be peeked into.
pub trait NotificationReader: Send + Sync {
    /// A notification whose signature was right.
    type Verified: Send;

    /// Checks the signature over the raw body in constant time against every secret of the list.
    fn verify(&self, request: &WebhookRequest, secrets: &Secrets) -> Option<Self::Verified>;

    /// Parses the body and reads ids and kind; gives the notification as JSON for the queue along with it.
    fn peek(&self, verified: &Self::Verified) -> Result<(NotificationPeek, Value), Unreadable>;

    /// Reads the content of a notification that comes out of the queue.
    fn decode(&self, notification: &Value) -> Result<Notification, Unreadable>;
}

/// Who we are in Intercom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpdeskIdentity {
    /// The workspace of the access token.
    pub workspace: WorkspaceId,
    /// The admin that the access token belongs to.
    pub admin: AdminId,
    /// The workspace's region, as Intercom spells it.
    pub region: Option<String>,
}

/// A contact that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContact {
    /// Our id of it: `telegram:<user id>`.
    pub external_id: String,
    /// The name that agents see.
    pub name: String,
}

/// What became of the wish for a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnsuredContact {
    /// It is there: made now, or found, unarchived, followed to what it was merged into.
    There(ContactId),
    /// Intercom keeps the external id locked after a deletion; another one has to be taken.
    ExternalIdLocked,
}

/// A reply on its way to Intercom.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What it says.
    pub body: RichText,
    /// When it was written, if Intercom shall show that time.
    pub created_at: Option<Timestamp>,
    /// The files that come with it, at most [`MOST_FILES`](crate::files::MOST_FILES). A message that opens a conversation takes none.
    pub files: Vec<Upload>,
}

/// A file on its way to the other side.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

impl fmt::Debug for Upload {
    /// Neither name nor content: both are somebody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({} bytes)", self.bytes.len())
    }
}

/// Who gets a new conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assignee {
    /// A team.
    Team(String),
    /// A teammate.
    Admin(AdminId),
}

/// One page of conversations, by the time of their last change, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedPage {
    /// Conversation and time of its last change.
    pub conversations: Vec<(ConversationId, Timestamp)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// Intercom, as far as the bridge uses it.
#[async_trait]
pub trait Helpdesk: Send + Sync {
    /// Who we are; asks Intercom each time.
    async fn identity(&self) -> Result<HelpdeskIdentity, HelpdeskError>;

    /// Makes a contact, or finds the one that has this external id: takes the id that a conflict names, unarchives, follows merges.
    async fn ensure_contact(&self, contact: &NewContact) -> Result<EnsuredContact, HelpdeskError>;

    /// Whether a contact is there; follows merges. `None` if it is gone.
    async fn contact(&self, contact: &ContactId) -> Result<Option<ContactId>, HelpdeskError>;

    /// Changes a contact's name.
    async fn rename_contact(&self, contact: &ContactId, name: &str) -> Result<(), HelpdeskError>;

    /// Opens a conversation in the contact's name. The call takes plain text, so `body` loses its formatting.
    async fn open_conversation(&self, contact: &ContactId, message: &Reply) -> Result<ConversationId, HelpdeskError>;

    /// Finds a conversation that this contact opened at or after `since` and whose opening message ends with `marker`.
    async fn find_opened(
        &self,
        contact: &ContactId,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<ConversationId>, HelpdeskError>;

    /// Replies in the contact's name; gives the part that came of it.
    async fn reply_as_contact(
        &self,
        conversation: &ConversationId,
        contact: &ContactId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError>;

    /// Replies in an admin's name; gives the part that came of it.
    async fn reply_as_admin(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError>;

    /// Writes an internal note; gives the part that came of it.
    async fn add_note(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        note: &Reply,
    ) -> Result<PartId, HelpdeskError>;

    /// Makes a contact a participant; one who is already there stays.
    async fn attach(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        contact: &ContactId,
    ) -> Result<(), HelpdeskError>;

    /// Gives a conversation a title.
    async fn set_title(&self, conversation: &ConversationId, title: &str) -> Result<(), HelpdeskError>;

    /// Closes or opens a conversation; what is so already is fine.
    async fn set_closed(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        closed: bool,
    ) -> Result<(), HelpdeskError>;

    /// Tags a conversation; the tag is made if it is new.
    async fn tag(&self, conversation: &ConversationId, admin: &AdminId, tag: &str) -> Result<(), HelpdeskError>;

    /// Assigns a conversation; to whom it is assigned already is fine.
    async fn assign(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        assignee: &Assignee,
    ) -> Result<(), HelpdeskError>;

    /// Reads a conversation with its newest 500 parts, bodies with their formatting.
    async fn conversation(&self, conversation: &ConversationId) -> Result<Conversation, HelpdeskError>;

    /// Conversations that changed at or after `since`, oldest change first, from the page that `cursor` names.
    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<ChangedPage, HelpdeskError>;

    /// Whether a file lies with Intercom itself, as its address tells: no other is fetched.
    fn keeps(&self, url: &str) -> bool;

    /// Fetches a file of at most so many bytes that Intercom keeps. An address that has ended at `now` is not asked.
    async fn download(&self, url: &str, most: u64, now: Timestamp) -> Result<Download, HelpdeskError>;
}

/// Who we are in Telegram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessengerIdentity {
    /// The bot's @name, without the @.
    pub username: Option<String>,
}

/// What came of the wish for a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Download {
    /// The file.
    Whole(Bytes),
    /// It is larger than was asked for, or than bots can fetch.
    TooBig,
    /// It is not given out, now or ever: nobody says which.
    Unavailable,
}

/// Text as Telegram takes it: plain, and what of it looks how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatText {
    /// The text.
    pub text: String,
    /// Its formatted stretches.
    pub spans: Vec<Span>,
}

/// A formatted stretch of a [`FlatText`], in UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub offset: usize,
    /// How long it is.
    pub length: usize,
    /// How it looks.
    pub kind: SpanKind,
}

/// How a stretch looks in Telegram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck through.
    Strike,
    /// Hidden until it is touched.
    Spoiler,
    /// Monospace.
    Code,
    /// Preformatted.
    Pre {
        /// The programming language.
        language: Option<String>,
    },
    /// A quotation.
    Quote {
        /// Shown folded.
        expandable: bool,
    },
    /// Leads somewhere.
    Link {
        /// Where.
        url: String,
    },
}

/// Where in Telegram something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The chat.
    pub chat: ChatId,
    /// The topic; `None` for General and for chats without topics.
    pub topic: Option<TopicId>,
    /// The message that is answered; sent without it where that is gone.
    pub reply_to: Option<MessageId>,
}

impl Place {
    /// The same place, but for the message that is answered: Telegram refuses an answer to one that is gone from another topic.
    #[must_use]
    pub fn answering_nothing(self) -> Self {
        Self { reply_to: None, ..self }
    }
}

/// Telegram, as far as the bridge uses it.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Who we are; asks Telegram each time.
    async fn identity(&self) -> Result<MessengerIdentity, MessengerError>;

    /// Cuts a text into the messages that it takes, none of them blank or too long.
    fn compose(&self, text: &RichText) -> Vec<FlatText>;

    /// Sends one message.
    async fn send(&self, place: Place, text: &FlatText) -> Result<MessageId, MessengerError>;

    /// Sends one file, or several that may be an album, with the text below the first. Gives the messages, one for each file.
    async fn send_media(
        &self,
        place: Place,
        media: &[Media],
        caption: Option<&FlatText>,
    ) -> Result<Vec<MessageId>, MessengerError>;

    /// Who administers a chat.
    async fn administrators(&self, chat: ChatId) -> Result<Vec<CustomerId>, MessengerError>;

    /// Deletes a message of ours.
    async fn delete(&self, chat: ChatId, message: MessageId) -> Result<(), MessengerError>;

    /// Fetches a file of at most so many bytes.
    async fn download(&self, file: &FileId, most: u64) -> Result<Download, MessengerError>;

    /// Closes or opens a topic; what is so already is fine.
    async fn set_topic_closed(&self, chat: ChatId, topic: TopicId, closed: bool) -> Result<(), MessengerError>;

    /// Makes a topic.
    async fn create_topic(&self, chat: ChatId, title: &str) -> Result<TopicId, MessengerError>;
}

/// What Telegram knows of our webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Where Telegram delivers to; empty if nothing is registered.
    pub url: String,
    /// How many updates wait.
    pub pending: u64,
    /// When and how a delivery last failed. It stays until the webhook is registered again.
    pub last_error: Option<(Timestamp, String)>,
    /// The kinds of update that are delivered; empty for Telegram's own choice.
    pub updates: Vec<String>,
}

/// Where our webhook is registered.
#[async_trait]
pub trait Registry: Send + Sync {
    /// What is registered now.
    async fn registration(&self) -> Result<Registration, MessengerError>;

    /// The kinds of update that the bridge has to get.
    fn wanted(&self) -> &[&'static str];
}

/// A message on its way through a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// Messages of one lane come out one after the other, in the order in which they went in.
    pub lane: String,
    /// The queue takes this only once within five minutes.
    pub dedupe: String,
    /// The envelope: ASCII JSON.
    pub body: String,
    /// On a dead letter and on its way back: which giving-up it is a copy of.
    pub gave_up: Option<u32>,
}

/// Why a queue did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// It cannot be reached, or is throttled.
    #[error("reach the queue: {0}")]
    Unavailable(String),
    /// It will never take this message.
    #[error("have it taken by the queue: {0}")]
    Refused(String),
}

/// A first-in-first-out queue of lanes.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts a message at the tail of its lane.
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError>;
}
