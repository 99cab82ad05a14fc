//! What becomes of a conversation when somebody writes in it or acts on it; the API and the agents' inbox both come through here.

use serde_json::{Map, Value, json};

use super::{
    html,
    model::{Author, Conversation, Fate, Index, Part, State, World},
    outbox::Subject,
};

/// Where the series of part ids begins.
pub(super) const PART_IDS: u64 = 37_350_000_000;
const SOURCE_IDS: u64 = 403_900_000;
const CONVERSATION_IDS: u64 = 215_470_000_000_000;
/// What stands in the place of something that was redacted.
pub(super) const REDACTED: &str = "<p><i>This message was deleted</i></p>";

/// A part that is about to be written.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) kind: String,
    /// HTML as it is kept.
    pub(super) body: Option<String>,
    pub(super) files: Vec<u64>,
    pub(super) created_at: Option<i64>,
    pub(super) assigned_to: Option<Value>,
    pub(super) quick_replies: Vec<Value>,
    pub(super) through_api: bool,
}

impl Draft {
    /// A part without text.
    pub(super) fn bare(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }
}

/// Why nothing can be redacted.
pub(super) enum NotRedacted {
    NotFound,
    NotRedactable,
}

impl World {
    /// Opens a conversation. The body is HTML as it is kept.
    pub(super) fn open_conversation(
        &mut self,
        author: Author,
        contact: &str,
        body: String,
        files: Vec<u64>,
        created_at: Option<i64>,
    ) -> u64 {
        let id = self.next_id(CONVERSATION_IDS);
        let source_id = self.next_id(SOURCE_IDS);
        let now = self.clock.now_s();
        let created_at = created_at.unwrap_or(now);
        let topic = match author {
            Author::Contact(_) => "conversation.user.created",
            Author::Staff(_) => "conversation.admin.single.created",
        };
        let source = Part {
            id: source_id,
            kind: "source".to_owned(),
            body: Some(body),
            created_at,
            updated_at: created_at,
            author,
            files,
            assigned_to: None,
            quick_replies: Vec::new(),
            redacted: false,
            through_api: false,
            state: State::Open,
        };
        let conversation = Conversation {
            id,
            workspace: self.workspace_of_token(),
            title: None,
            created_at,
            updated_at: now,
            contacts: vec![contact.to_owned()],
            source,
            parts: Vec::new(),
            state: State::Open,
            read: false,
            admin_assignee: None,
            team_assignee: None,
            tags: Vec::new(),
            custom_attributes: Map::new(),
            merged_into: None,
            index: Index::default(),
        };
        self.conversations.insert(id, conversation);
        self.touch(id);
        self.notify(topic, Subject::Conversation { id, part: None });
        id
    }

    /// What the workspace's workflow for new conversations does: it assigns to the token's own admin, and greets.
    pub(super) fn run_workflow(&mut self, conversation: u64) {
        let admin = self.workspace.own_admin.clone();
        self.assign(
            conversation,
            &admin.clone(),
            Assignee::Admin(admin),
            Draft {
                body: Some("<p>Somebody will be with you soon</p>".to_owned()),
                ..Draft::default()
            },
        );
    }

    /// Adds a part and nothing else.
    pub(super) fn add_part(&mut self, conversation: u64, author: Author, draft: Draft) -> u64 {
        let id = self.next_id(PART_IDS);
        let created_at = draft.created_at.unwrap_or_else(|| self.clock.now_s());
        if let Some(found) = self.conversations.get_mut(&conversation) {
            found.read = matches!(author, Author::Staff(_));
            found.parts.push(Part {
                id,
                kind: draft.kind,
                body: draft.body,
                created_at,
                updated_at: created_at,
                author,
                files: draft.files,
                assigned_to: draft.assigned_to,
                quick_replies: draft.quick_replies,
                redacted: false,
                through_api: draft.through_api,
                state: found.state,
            });
        }
        self.touch(conversation);
        id
    }

    /// Adds a message: on a closed or snoozed conversation it opens it, and the part is called `open`.
    pub(super) fn write_message(&mut self, conversation: u64, author: Author, mut draft: Draft) -> u64 {
        let is_open = self
            .conversations
            .get(&conversation)
            .is_some_and(|one| one.state == State::Open);
        if !is_open && !draft.kind.starts_with("note") {
            self.set_state(conversation, State::Open);
            "open".clone_into(&mut draft.kind);
        }
        let part = self.add_part(conversation, author, draft);
        self.tell_of(conversation, part);
        part
    }

    pub(super) fn set_state(&mut self, conversation: u64, state: State) {
        if let Some(found) = self.conversations.get_mut(&conversation) {
            found.state = state;
        }
    }

    /// Closes, opens or snoozes, with a message if the draft has one.
    pub(super) fn change_state(&mut self, conversation: u64, admin: &str, state: State, mut draft: Draft) -> u64 {
        self.set_state(conversation, state);
        let kind = match state {
            State::Open => "open",
            State::Closed => "close",
            State::Snoozed { .. } => "snoozed",
        };
        kind.clone_into(&mut draft.kind);
        let part = self.add_part(conversation, Author::Staff(admin.to_owned()), draft);
        self.tell_of(conversation, part);
        part
    }

    /// Assigns to an admin or a team (`None`: to nobody), with a message if the draft has one. Wakes and reopens.
    pub(super) fn assign(&mut self, conversation: u64, admin: &str, to: Assignee, mut draft: Draft) -> u64 {
        let Some(found) = self.conversations.get_mut(&conversation) else {
            return 0;
        };
        let kind = match found.state {
            State::Open => "assignment",
            State::Closed => "assign_and_reopen",
            State::Snoozed { .. } => "assign_and_unsnooze",
        };
        found.state = State::Open;
        let assigned_to = match &to {
            Assignee::Admin(id) => json!({"type": "admin", "id": id}),
            Assignee::Team(id) => json!({"type": "team", "id": id}),
            Assignee::Nobody => json!({"type": "nobody_admin", "id": null}),
        };
        match to {
            Assignee::Admin(id) => found.admin_assignee = Some(id),
            Assignee::Team(id) => found.team_assignee = Some(id),
            Assignee::Nobody => (found.admin_assignee, found.team_assignee) = (None, None),
        }
        kind.clone_into(&mut draft.kind);
        draft.assigned_to = Some(assigned_to);
        let part = self.add_part(conversation, Author::Staff(admin.to_owned()), draft);
        self.tell_of(conversation, part);
        part
    }

    /// Replaces what a part says. The opening message can be redacted if a contact wrote it.
    pub(super) fn redact(&mut self, conversation: u64, part: u64) -> Result<(), NotRedacted> {
        let now = self.clock.now_s();
        let found = self.conversations.get_mut(&conversation).ok_or(NotRedacted::NotFound)?;
        let redacted = if found.source.id == part {
            if matches!(found.source.author, Author::Staff(_)) {
                return Err(NotRedacted::NotRedactable);
            }
            &mut found.source
        } else {
            found
                .parts
                .iter_mut()
                .find(|one| one.id == part)
                .ok_or(NotRedacted::NotFound)?
        };
        if redacted.body.as_deref().is_none_or(html::is_blank) {
            return Err(NotRedacted::NotRedactable);
        }
        redacted.body = Some(REDACTED.to_owned());
        redacted.redacted = true;
        redacted.updated_at = now;
        redacted.files.clear();
        self.touch(conversation);
        self.tell_of_redaction(conversation, part);
        Ok(())
    }

    /// Removes a conversation for good.
    pub(super) fn remove_conversation(&mut self, conversation: u64) -> bool {
        let is_gone = self.conversations.remove(&conversation).is_some();
        if is_gone {
            self.tell_of_deletion(conversation);
        }
        is_gone
    }

    /// Notes that a conversation changed: searches learn of it later.
    pub(super) fn touch(&mut self, conversation: u64) {
        let (now_ms, now) = (self.clock.now_ms(), self.clock.now_s());
        if let Some(found) = self.conversations.get_mut(&conversation) {
            found.updated_at = now;
        }
        let Some(found) = self.conversations.get(&conversation) else {
            return;
        };
        let known = self.conversation_index(found);
        if let Some(found) = self.conversations.get_mut(&conversation) {
            found.index.coming.push_back((now_ms, known));
        }
    }

    /// The contact that a reply may be written for: neither archived, merged nor deleted.
    pub(super) fn is_reachable(&self, contact: &str) -> bool {
        self.contacts
            .get(contact)
            .is_some_and(|contact| contact.fate == Fate::Live && self.is_visible(contact))
    }
}

/// Whom a conversation is given to.
pub(super) enum Assignee {
    Admin(String),
    Team(String),
    Nobody,
}
