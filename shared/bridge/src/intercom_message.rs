//! What happens in Intercom, in neutral terms.

use crate::rich_text::RichText;
use mapping::{AdminId, ContactId, ConversationId, NotificationId, PartId, Timestamp, WorkspaceId};

/// What the webhook reads of a notification: ids, no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationPeek {
    /// The workspace in which it happened.
    pub workspace: WorkspaceId,
    /// The notification's id; a ping has none.
    pub id: Option<NotificationId>,
    /// Intercom's name of the event ("topic" in its own words), for the log.
    pub event: String,
    /// The conversation that it is about.
    pub conversation: Option<ConversationId>,
    /// The parts that it brings.
    pub parts: Vec<PartId>,
}

/// A notification with its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The workspace in which it happened.
    pub workspace: WorkspaceId,
    /// What happened.
    pub event: Event,
}

/// What a notification tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something was said or done in a conversation, whatever the event's name: its parts tell. They may be missing.
    Conversation(Box<Conversation>),
    /// A contact opened a conversation.
    Opened(Box<Conversation>),
    /// A part was redacted; which one is not always said.
    Redacted {
        /// The conversation.
        conversation: ConversationId,
        /// The parts that are known to be redacted.
        parts: Vec<PartId>,
    },
    /// Nothing that is carried: Intercom's name for it.
    Other(String),
}

/// A conversation as Intercom shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Who takes part in it, on the customers' side.
    pub contacts: Vec<ContactRef>,
    /// Its title.
    pub title: Option<String>,
    /// What it is doing now; `None` where the payload does not say.
    pub state: Option<ConversationState>,
    /// When something last happened in it.
    pub updated_at: Option<Timestamp>,
    /// The message that opened it.
    pub source: Option<Part>,
    /// What was said and done in it. A notification brings what it is about, reading it the newest 500.
    pub parts: Vec<Part>,
    /// How many parts there are, where Intercom says so.
    pub total_parts: Option<u64>,
    /// The conversations that it may have been merged into; none, as long as it lives.
    pub merged_into: Vec<ConversationId>,
}

impl Conversation {
    /// How many parts there are that were not read and may be younger than this: Intercom gives out the newest 500 and no others.
    pub fn unread_since(&self, since: Timestamp) -> u64 {
        let read = u64::try_from(self.parts.len()).unwrap_or(u64::MAX);
        let unread = self.total_parts.unwrap_or(0).saturating_sub(read);
        let reaches = self.parts.iter().any(|part| part.created_at < since);
        if reaches { 0 } else { unread }
    }
}

/// What a conversation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationState {
    /// Open.
    Open,
    /// Closed.
    Closed,
    /// Put off until later.
    Snoozed,
}

/// A contact as a conversation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRef {
    /// Intercom's id.
    pub id: ContactId,
    /// The id that the contact has elsewhere: `telegram:…` for ours.
    pub external_id: Option<String>,
}

/// One thing that was said or done in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its id.
    pub id: PartId,
    /// What it is.
    pub kind: PartKind,
    /// What was said; an agent's click that closes or assigns can say something too.
    pub body: RichText,
    /// The body may lack pictures that the agent put in: Intercom's plain-text notifications do.
    pub body_is_plain: bool,
    /// Who said it.
    pub author: PartAuthor,
    /// When.
    pub created_at: Timestamp,
    /// Taken back by an agent.
    pub redacted: bool,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
    /// Buttons that the contact may answer with: their labels.
    pub quick_replies: Vec<String>,
}

/// What a part is. Only the first group can reach a customer, and only with something in it: a list of what is internal would
/// leak the next kind of note that Intercom invents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// `comment`.
    Comment,
    /// `quick_reply`.
    QuickReply,
    /// `assignment`, `assign_and_reopen`, `assign_and_unsnooze`: assigned, perhaps with a reply in the same click.
    Assignment,
    /// `open`: reopened, perhaps with a reply.
    Open,
    /// `close`: closed, perhaps with a reply.
    Close,
    /// Anything else, by Intercom's name; notes are among it.
    Other(String),
}

/// Who said something in Intercom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartAuthor {
    /// What they are.
    pub kind: AuthorKind,
    /// Their id: an admin's or a contact's.
    pub id: String,
    /// The name that the workspace gave them.
    pub name: Option<String>,
}

impl PartAuthor {
    /// The admin, if it is one.
    pub fn admin(&self) -> Option<AdminId> {
        matches!(self.kind, AuthorKind::Admin).then(|| AdminId::new(&self.id))
    }
}

/// What an author in Intercom is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorKind {
    /// A teammate.
    Admin,
    /// Fin, Operator, a workflow.
    Bot,
    /// A user, a lead, a visitor.
    Contact,
    /// None of these.
    Other,
}

/// A file that came with a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Where it is; the address is signed and ends after half an hour.
    pub url: String,
    /// Its media type, as Intercom says.
    pub content_type: Option<String>,
    /// Its size in bytes, as Intercom says.
    pub size: Option<u64>,
}
