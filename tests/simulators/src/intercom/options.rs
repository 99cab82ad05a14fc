//! What a test or the demo can change about the workspace.

use std::{collections::BTreeSet, time::Duration};

use super::scopes::Scope;

/// Knobs of the simulated workspace. The defaults are what the real one is known to do, and where that is not known, the harder case.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a knob of its own")]
pub struct Options {
    /// The app's API version, which decides how notifications look: HTML bodies up to 2.14, plain text from 2.15 on.
    pub api_version: String,
    /// What the app asked for when it was made. A call beyond that is a violation.
    pub scopes: BTreeSet<Scope>,
    /// What of it somebody took away: a call that fails for that is nobody's mistake.
    pub withheld: BTreeSet<Scope>,
    /// Calls that a window allows.
    pub calls_per_window: u32,
    /// How long a window is, in seconds.
    pub window_s: i64,
    /// How long a new contact is answered with 404.
    pub contact_visibility_lag: Duration,
    /// How long a contact search does not know of a change.
    pub contact_search_lag: Duration,
    /// How long a conversation search does not know of a change.
    pub conversation_search_lag: Duration,
    /// Searches give out no longer pages than this, whatever is asked for.
    pub longest_page: usize,
    /// What happens to the reply of a contact who is no participant.
    pub outsider_reply: OutsiderReply,
    /// What a conversation that was merged away answers to whoever writes in it.
    pub merged_write: MergedWrite,
    /// Whether an archived contact can be read. Not documented; whoever cannot be read is noticed more easily, so both are played.
    pub archived_contacts_are_shown: bool,
    /// How long the external id of a deleted contact stays taken.
    pub external_id_lock: Duration,
    /// How long the URL of a file is good for.
    pub download_lifetime: Duration,
    /// What URLs of files begin with, if not with the server's own.
    pub download_host: Option<String>,
    /// Whoever asks for a file is sent there.
    pub download_redirect: Option<String>,
    /// How often each notification comes again.
    pub duplicates: usize,
    /// Notifications that are due together are sent in an order drawn from this seed.
    pub shuffle_seed: Option<u64>,
    /// New notifications are never sent.
    pub lose_notifications: bool,
    /// How long after the event its notification is sent.
    pub notification_delay: Duration,
    /// Notifications of what a call does are sent before the call is answered.
    pub notify_before_answer: bool,
    /// The topics that a bot's reply comes on.
    pub bot_topics: BotTopics,
    /// Notifications of replies carry a state part without text in place of the reply.
    pub bare_state_parts: bool,
    /// What `conversation_part.redacted` carries.
    pub redaction_payload: RedactionPayload,
    /// The topics of a reply that closes or assigns with the same click.
    pub one_click: OneClick,
    /// What becomes of an image inside the text where bodies are plain text.
    pub plaintext_images: PlaintextImages,
    /// `app_package_code` of parts made through the API.
    pub app_package_code: Option<String>,
    /// What nobody has established, and the bridge takes for granted.
    pub unsettled: Unsettled,
    /// How long (real time) a notification waits for its answer.
    pub webhook_timeout: Duration,
    /// The workspace that `GET /me` names, if the access token belongs to another one than this: what is here is not to be seen then.
    pub token_of: Option<String>,
}

/// What happens to the reply of a contact who is no participant. Not documented; refused is the harder case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutsiderReply {
    /// 404, as if the contact did not exist.
    NotFound,
    /// 422.
    Invalid,
    /// The reply is taken and its author becomes a participant.
    Accepted,
}

/// What a conversation that was merged away answers to whoever writes in it. Not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergedWrite {
    /// 422.
    Invalid,
    /// 404, as if it did not exist; it can be read all the same.
    NotFound,
}

/// The topics that a bot's reply comes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BotTopics {
    /// `conversation.admin.replied` and `conversation.operator.replied`, as two notifications.
    Both,
    /// `conversation.operator.replied` only.
    OperatorOnly,
    /// `conversation.admin.replied` only.
    AdminOnly,
}

/// What `conversation_part.redacted` carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactionPayload {
    /// The conversation with the part, `redacted` set.
    Full,
    /// The conversation's id and nothing else.
    Minimal,
}

/// The topics of a reply that changes the state with the same click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneClick {
    /// Reply and close on `closed` only; reply and assign on `replied` and `assigned`.
    Observed,
    /// On `replied` and on the topic of the state, with the same part.
    Both,
    /// On the topic of the state only.
    StateOnly,
    /// On none of those that the bridge listens to.
    Untold,
}

/// What nobody has established about the real service: the default is what the bridge takes for granted, the other answer what a live
/// check has to notice.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a knob of its own")]
pub struct Unsettled {
    /// The second attempt at a notification has the id of the first.
    pub retries_keep_id: bool,
    /// Replies are read as HTML; otherwise they are shown as they were written, tags and all.
    pub replies_are_html: bool,
    /// Conversations that are read through the API have HTML in them; otherwise plain text.
    pub reads_are_html: bool,
    /// Notifications in plain text have the line breaks of the message; otherwise spaces.
    pub plaintext_has_lines: bool,
    /// The most bytes that the files of a reply may have together. More is refused, and counts as nobody's mistake where this is less
    /// than what is taken for granted.
    pub most_attached: usize,
    /// Conversations that are opened through the API set off workflows: one assigns and greets.
    pub workflows_see_api: bool,
    /// The newest version calls what was said by another name.
    pub newest_is_another: bool,
    /// So many parts a conversation takes.
    pub most_parts: Option<usize>,
}

impl Unsettled {
    /// The most bytes of files that are taken for granted: what incoming e-mail may bring.
    pub const GRANTED: usize = 20 << 20;
}

impl Default for Unsettled {
    fn default() -> Self {
        Self {
            retries_keep_id: true,
            replies_are_html: true,
            reads_are_html: true,
            plaintext_has_lines: true,
            most_attached: Self::GRANTED,
            workflows_see_api: false,
            newest_is_another: false,
            most_parts: None,
        }
    }
}

/// What becomes of an image inside the text where bodies are plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaintextImages {
    /// `[Image "name.png"]`.
    Marker,
    /// Nothing is left of it.
    Dropped,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_version: "2.14".to_owned(),
            scopes: Scope::all(),
            withheld: BTreeSet::new(),
            calls_per_window: 1666,
            window_s: 10,
            contact_visibility_lag: Duration::ZERO,
            contact_search_lag: Duration::from_mins(2),
            conversation_search_lag: Duration::from_secs(30),
            longest_page: 150,
            outsider_reply: OutsiderReply::NotFound,
            merged_write: MergedWrite::Invalid,
            archived_contacts_are_shown: false,
            external_id_lock: Duration::from_hours(7 * 24),
            download_lifetime: Duration::from_mins(30),
            download_host: None,
            download_redirect: None,
            duplicates: 0,
            shuffle_seed: None,
            lose_notifications: false,
            notification_delay: Duration::ZERO,
            notify_before_answer: false,
            bot_topics: BotTopics::Both,
            bare_state_parts: false,
            redaction_payload: RedactionPayload::Full,
            one_click: OneClick::Observed,
            plaintext_images: PlaintextImages::Marker,
            app_package_code: None,
            unsettled: Unsettled::default(),
            webhook_timeout: Duration::from_secs(5),
            token_of: None,
        }
    }
}

impl Options {
    /// Whether notifications carry plain text in place of HTML.
    pub(super) fn plaintext_notifications(&self) -> bool {
        matches!(self.api_version.as_str(), "2.15" | "2.16" | "2.17")
    }
}
