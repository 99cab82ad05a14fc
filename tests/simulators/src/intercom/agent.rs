//! What agents, bots and contacts do in Intercom itself.

use super::{
    html,
    model::{Author, State, Upload, World},
    parts::{Assignee, Draft},
    sim::IntercomSim,
};

/// A file that an agent sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with the extension.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The size that is stated, if it is not the true one.
    pub stated_size: Option<usize>,
}

impl File {
    /// A file.
    pub fn new(name: &str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            bytes: bytes.into(),
            stated_size: None,
        }
    }

    /// The same, stated to be of another size than it is.
    #[must_use]
    pub fn stated(mut self, size: usize) -> Self {
        self.stated_size = Some(size);
        self
    }
}

/// What an agent writes and does with one click.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTML as the composer makes it; empty for a message that is nothing but files.
    pub html: String,
    /// Files below the text.
    pub attachments: Vec<File>,
    /// Images inside the text: `src="cid:0"` names the first; those that the text does not name stand at its end.
    pub inline_images: Vec<File>,
    /// Sends and closes.
    pub close: bool,
    /// Sends and assigns to this admin.
    pub assign: Option<String>,
    /// Sends and snoozes until this time in Unix seconds.
    pub snooze: Option<i64>,
    /// Labels of the buttons that the contact can answer with.
    pub quick_replies: Vec<String>,
}

impl Reply {
    /// A message in HTML; without any tag it becomes one paragraph.
    pub fn html(html: &str) -> Self {
        let is_wrapped = html.trim_start().starts_with('<') || html.is_empty();
        let html = if is_wrapped {
            html.to_owned()
        } else {
            format!("<p class=\"no-margin\">{html}</p>")
        };
        Self {
            html,
            ..Self::default()
        }
    }

    /// A message in plain text, one paragraph for each line.
    pub fn text(text: &str) -> Self {
        let paragraph = |line: &str| format!("<p class=\"no-margin\">{}</p>", html::escaped(line));
        Self {
            html: text.split('\n').map(paragraph).collect(),
            ..Self::default()
        }
    }

    /// The same with a file.
    #[must_use]
    pub fn with_file(mut self, file: File) -> Self {
        self.attachments.push(file);
        self
    }

    /// The same with an image inside the text.
    #[must_use]
    pub fn with_image(mut self, image: File) -> Self {
        self.inline_images.push(image);
        self
    }
}

impl World {
    fn keep(&mut self, file: File) -> u64 {
        self.store(Upload {
            name: file.name,
            content_type: file.content_type,
            bytes: file.bytes,
            stated_size: file.stated_size,
        })
    }

    /// A reply as a part, its files kept.
    fn draft_of(&mut self, reply: Reply) -> Draft {
        let mut body = reply.html;
        for (at, image) in reply.inline_images.into_iter().enumerate() {
            let (named, kept) = (format!("\"cid:{at}\""), format!("\"upload:{}\"", self.keep(image)));
            if body.contains(&named) {
                body = body.replace(&named, &kept);
            } else {
                body.extend(["<p><img src=", &kept, "></p>"]);
            }
        }
        let files = reply.attachments.into_iter().map(|file| self.keep(file)).collect();
        let quick_replies = reply.quick_replies.iter().map(|label| {
            let uuid = uuid::Uuid::new_v4().to_string();
            serde_json::json!({"text": label, "uuid": uuid})
        });
        let quick_replies: Vec<_> = quick_replies.collect();
        let kind = if quick_replies.is_empty() {
            "comment"
        } else {
            "quick_reply"
        };
        Draft {
            body: (!body.is_empty()).then_some(body),
            files,
            quick_replies,
            ..Draft::bare(kind)
        }
    }

    #[track_caller]
    fn demand_staff(&self, id: &str) {
        assert!(self.staff_by_id(id).is_some(), "there is no admin {id}");
    }

    #[track_caller]
    fn demand_contact(&self, id: &str) {
        assert!(self.contacts.contains_key(id), "there is no contact {id}");
    }

    #[track_caller]
    fn number(&self, conversation: &str) -> u64 {
        let id = conversation.parse().unwrap_or_default();
        assert!(
            self.conversations.contains_key(&id),
            "there is no conversation {conversation}"
        );
        id
    }
}

#[track_caller]
fn demand(is_there: bool, what: &str) {
    assert!(is_there, "this needs {what}");
}

/// # Panics
/// All of these panic where the conversation, the part, the admin or the contact does not exist: that is a mistake in the test.
impl IntercomSim {
    /// An agent answers, in HTML as the composer makes it or in a few words; returns the id of the part.
    #[track_caller]
    pub fn agent_replies(&self, conversation: &str, admin: &str, html: &str) -> String {
        self.agent_replies_with(conversation, admin, Reply::html(html))
    }

    /// An agent answers with files, images, buttons, or closes or assigns with the same click; returns the id of the part.
    #[track_caller]
    pub fn agent_replies_with(&self, conversation: &str, admin: &str, reply: Reply) -> String {
        let mut world = self.world();
        world.demand_staff(admin);
        let id = world.number(conversation);
        let (close, assign, snooze) = (reply.close, reply.assign.clone(), reply.snooze);
        let draft = world.draft_of(reply);
        let part = match assign {
            _ if close => world.change_state(id, admin, State::Closed, draft),
            Some(to) => world.assign(id, admin, Assignee::Admin(to), draft),
            None => world.write_message(id, Author::Staff(admin.to_owned()), draft),
        };
        if let Some(until) = snooze {
            world.change_state(id, admin, State::Snoozed { until }, Draft::default());
        }
        part.to_string()
    }

    /// An agent writes a note, which contacts do not see; returns the id of the part.
    #[track_caller]
    pub fn agent_notes(&self, conversation: &str, admin: &str, html: &str) -> String {
        let mut world = self.world();
        let id = world.number(conversation);
        let draft = Draft {
            kind: "note".to_owned(),
            ..world.draft_of(Reply::html(html))
        };
        world
            .write_message(id, Author::Staff(admin.to_owned()), draft)
            .to_string()
    }

    /// An agent closes a conversation; returns the id of the part.
    #[track_caller]
    pub fn agent_closes(&self, conversation: &str, admin: &str) -> String {
        self.change(conversation, admin, State::Closed)
    }

    /// An agent opens a conversation again; returns the id of the part.
    #[track_caller]
    pub fn agent_opens(&self, conversation: &str, admin: &str) -> String {
        self.change(conversation, admin, State::Open)
    }

    /// An agent puts a conversation off until a time in Unix seconds; returns the id of the part.
    #[track_caller]
    pub fn agent_snoozes(&self, conversation: &str, admin: &str, until: i64) -> String {
        self.change(conversation, admin, State::Snoozed { until })
    }

    #[track_caller]
    fn change(&self, conversation: &str, admin: &str, state: State) -> String {
        let mut world = self.world();
        let id = world.number(conversation);
        world.change_state(id, admin, state, Draft::default()).to_string()
    }

    /// An agent assigns a conversation to an admin; returns the id of the part.
    #[track_caller]
    pub fn agent_assigns(&self, conversation: &str, admin: &str, to: &str) -> String {
        let mut world = self.world();
        let id = world.number(conversation);
        world
            .assign(id, admin, Assignee::Admin(to.to_owned()), Draft::default())
            .to_string()
    }

    /// An agent deletes what a part says.
    #[track_caller]
    pub fn agent_redacts(&self, part: &str) {
        let mut world = self.world();
        let part = part.parse().unwrap_or_default();
        let conversation = world
            .conversations
            .values()
            .find(|one| one.part(part).is_some())
            .map(|one| one.id);
        let is_redacted = conversation.is_some_and(|id| world.redact(id, part).is_ok());
        demand(is_redacted, "a part that can be redacted");
    }

    /// A bot answers: the one set up last, or `Fin`. Returns the id of the part.
    #[track_caller]
    pub fn bot_replies(&self, conversation: &str, html: &str) -> String {
        let last = self
            .world()
            .staff
            .iter()
            .rfind(|staff| staff.is_bot)
            .map(|staff| staff.id.clone());
        let bot = last.unwrap_or_else(|| self.bot("Fin"));
        self.agent_replies(conversation, &bot, html)
    }

    /// A contact answers in the Messenger; returns the id of the part.
    #[track_caller]
    pub fn contact_replies(&self, conversation: &str, contact: &str, html: &str) -> String {
        let mut world = self.world();
        world.demand_contact(contact);
        let id = world.number(conversation);
        let draft = world.draft_of(Reply::html(html));
        world
            .write_message(id, Author::Contact(contact.to_owned()), draft)
            .to_string()
    }

    /// An agent writes to a contact first; returns the id of the conversation.
    #[track_caller]
    pub fn starts_conversation(&self, admin: &str, contact: &str, html: &str) -> String {
        let mut world = self.world();
        world.demand_contact(contact);
        let draft = world.draft_of(Reply::html(html));
        let body = draft.body.unwrap_or_default();
        world
            .open_conversation(Author::Staff(admin.to_owned()), contact, body, draft.files, None)
            .to_string()
    }

    /// An agent merges one contact into another, whatever their roles.
    #[track_caller]
    pub fn merge_contacts(&self, from: &str, into: &str) {
        let mut world = self.world();
        world.demand_contact(from);
        world.demand_contact(into);
        world.merge(from, into);
    }

    /// An agent takes a contact out of a conversation.
    #[track_caller]
    pub fn detach_contact(&self, conversation: &str, contact: &str) {
        let mut world = self.world();
        world.demand_contact(contact);
        let id = world.number(conversation);
        if let Some(conversation) = world.conversations.get_mut(&id) {
            conversation.contacts.retain(|one| one != contact);
        }
    }

    /// An agent archives a contact.
    #[track_caller]
    pub fn archive_contact(&self, contact: &str) {
        demand(
            self.world().archive_contact(contact).is_ok(),
            "a contact that can be archived",
        );
    }

    /// An agent deletes a contact for good.
    #[track_caller]
    pub fn delete_contact(&self, contact: &str) {
        demand(
            self.world().delete_contact(contact).is_ok(),
            "a contact that can be deleted",
        );
    }

    /// An agent deletes a conversation for good.
    #[track_caller]
    pub fn delete_conversation(&self, conversation: &str) {
        let mut world = self.world();
        let id = world.number(conversation);
        world.remove_conversation(id);
    }

    /// An agent merges a conversation into another: it is closed, linked, and takes no more replies.
    #[track_caller]
    pub fn merge_conversations(&self, from: &str, into: &str) {
        let mut world = self.world();
        let (from, into) = (world.number(from), world.number(into));
        if let Some(conversation) = world.conversations.get_mut(&from) {
            conversation.merged_into = Some(into);
        }
        let admin = world.workspace.own_admin.clone();
        world.change_state(from, &admin, State::Closed, Draft::default());
    }
}
