//! What agents see: the thing that tests assert on.

use super::{
    html, links,
    model::{Author, Contact, Conversation, Part, World},
    options::PlaintextImages,
    sim::IntercomSim,
};

/// A conversation as the inbox shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationView {
    /// Its id.
    pub id: String,
    /// Its title, if it was given one.
    pub title: Option<String>,
    /// `open`, `closed` or `snoozed`.
    pub state: String,
    /// Who takes part.
    pub contacts: Vec<ContactView>,
    /// The names of its tags.
    pub tags: Vec<String>,
    /// The name of the admin it is assigned to.
    pub assignee: Option<String>,
    /// The name of the team it is assigned to.
    pub team: Option<String>,
    /// Its custom attributes.
    pub custom_attributes: serde_json::Map<String, serde_json::Value>,
    /// Everything in it, the opening message first.
    pub parts: Vec<PartView>,
}

/// A contact as the inbox shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The id that it was given from outside.
    pub external_id: Option<String>,
    /// `user` or `lead`.
    pub role: String,
}

/// One entry of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartView {
    /// Its id.
    pub id: String,
    /// `source` for the opening message, then `comment`, `note`, `open`, `close`, `assignment` and so on.
    pub kind: String,
    /// `admin`, `bot`, `user` or `lead`.
    pub author_kind: String,
    /// The author's id.
    pub author_id: String,
    /// The author's name.
    pub author_name: String,
    /// What it says, as HTML; empty if it says nothing.
    pub html: String,
    /// The same as a reader sees it; images show as `[Image]`.
    pub text: String,
    /// The files below the text, then the images inside it.
    pub attachments: Vec<FileView>,
    /// Labels of the buttons that the contact can answer with.
    pub quick_replies: Vec<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Whether what it said was deleted.
    pub redacted: bool,
}

/// A file in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    /// Its name.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// Its size in bytes.
    pub size: usize,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it is an image inside the text.
    pub is_inline: bool,
}

impl ConversationView {
    /// The entries that somebody wrote, notes among them: what is left without assignments and changes of state.
    pub fn messages(&self) -> impl Iterator<Item = &PartView> {
        self.parts
            .iter()
            .filter(|part| !part.html.is_empty() || !part.attachments.is_empty())
    }
}

impl IntercomSim {
    /// Every conversation, the oldest first.
    pub fn conversations(&self) -> Vec<ConversationView> {
        let world = self.world();
        world
            .conversations
            .values()
            .map(|conversation| world.conversation_view(conversation))
            .collect()
    }

    /// One conversation, if it exists.
    pub fn conversation(&self, id: &str) -> Option<ConversationView> {
        let world = self.world();
        let conversation = world.conversations.get(&id.parse().ok()?)?;
        Some(world.conversation_view(conversation))
    }

    /// The id of every conversation and the text that it opens with, the oldest first.
    pub fn openings(&self) -> Vec<(String, String)> {
        let world = self.world();
        let opening = |conversation: &Conversation| {
            let body = conversation.source.body.as_deref().unwrap_or_default();
            let text = html::plaintext(body, PlaintextImages::Marker);
            (conversation.id.to_string(), text)
        };
        world.conversations.values().map(opening).collect()
    }

    /// Every contact that is neither archived, merged nor deleted.
    pub fn contacts(&self) -> Vec<ContactView> {
        let world = self.world();
        let live = world
            .contacts
            .values()
            .filter(|contact| world.is_reachable(&contact.id));
        let mut live: Vec<_> = live.collect();
        live.sort_by_key(|contact| contact.created_ms);
        live.into_iter().map(contact_view).collect()
    }
}

fn contact_view(contact: &Contact) -> ContactView {
    ContactView {
        id: contact.id.clone(),
        name: contact.text("name").map(str::to_owned),
        external_id: contact.text("external_id").map(str::to_owned),
        role: contact.role().to_owned(),
    }
}

impl World {
    fn conversation_view(&self, conversation: &Conversation) -> ConversationView {
        let tag_name = |id: &String| self.tags.iter().find(|tag| tag.id == *id).map(|tag| tag.name.clone());
        let team_name = |id: &String| {
            self.teams
                .iter()
                .find(|team| team.id == *id)
                .map(|team| team.name.clone())
        };
        let admin_name = |id: &String| self.staff_by_id(id).map(|staff| staff.name.clone());
        let parts = std::iter::once(&conversation.source).chain(&conversation.parts);
        ConversationView {
            id: conversation.id.to_string(),
            title: conversation.title.clone(),
            state: conversation.state.name().to_owned(),
            contacts: conversation
                .contacts
                .iter()
                .filter_map(|id| self.contacts.get(id))
                .map(contact_view)
                .collect(),
            tags: conversation
                .tags
                .iter()
                .filter_map(|applied| tag_name(&applied.id))
                .collect(),
            assignee: conversation.admin_assignee.as_ref().and_then(admin_name),
            team: conversation.team_assignee.as_ref().and_then(team_name),
            custom_attributes: conversation.custom_attributes.clone(),
            parts: parts.map(|part| self.part_view(part)).collect(),
        }
    }

    fn part_view(&self, part: &Part) -> PartView {
        let (author_kind, author_id, author_name) = match &part.author {
            Author::Staff(id) => {
                let staff = self.staff_by_id(id);
                let kind = if staff.is_some_and(|staff| staff.is_bot) {
                    "bot"
                } else {
                    "admin"
                };
                (kind, id, staff.map(|staff| staff.name.as_str()))
            }
            Author::Contact(id) => {
                let contact = self.contacts.get(id);
                (
                    contact.map_or("user", Contact::role),
                    id,
                    contact.and_then(|contact| contact.text("name")),
                )
            }
        };
        let body = part.body.as_deref().unwrap_or_default();
        let inline = links::files_inside(body);
        let files = part
            .files
            .iter()
            .map(|id| (*id, false))
            .chain(inline.into_iter().map(|id| (id, true)));
        PartView {
            id: part.id.to_string(),
            kind: part.kind.clone(),
            author_kind: author_kind.to_owned(),
            author_id: author_id.clone(),
            author_name: author_name.unwrap_or_default().to_owned(),
            html: links::with_signed_urls(self, body),
            text: html::plaintext(body, PlaintextImages::Marker),
            attachments: files
                .filter_map(|(id, is_inline)| self.file_view(id, is_inline))
                .collect(),
            quick_replies: part
                .quick_replies
                .iter()
                .filter_map(|one| Some(one["text"].as_str()?.to_owned()))
                .collect(),
            created_at: part.created_at,
            redacted: part.redacted,
        }
    }

    fn file_view(&self, id: u64, is_inline: bool) -> Option<FileView> {
        let upload = self.uploads.get(&id)?;
        Some(FileView {
            name: upload.name.clone(),
            content_type: upload.content_type.clone(),
            size: upload.bytes.len(),
            bytes: upload.bytes.clone(),
            is_inline,
        })
    }
}
