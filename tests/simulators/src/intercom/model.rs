//! The workspace: who and what is in it.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::{call::Call, options::Options, outbox::Outbox};
use crate::SimClock;

/// Everything that the server knows, behind one lock.
pub(super) struct World {
    pub(super) clock: SimClock,
    pub(super) base_url: String,
    pub(super) options: Options,
    pub(super) workspace: Workspace,
    pub(super) contacts: BTreeMap<String, Contact>,
    pub(super) conversations: BTreeMap<u64, Conversation>,
    pub(super) staff: Vec<Staff>,
    pub(super) teams: Vec<Team>,
    pub(super) tags: Vec<Tag>,
    pub(super) data_attributes: Vec<Value>,
    pub(super) conversation_attributes: Vec<Value>,
    pub(super) uploads: BTreeMap<u64, Upload>,
    pub(super) outbox: Outbox,
    pub(super) calls: Vec<Call>,
    pub(super) violations: Vec<String>,
    /// The window that counts calls, and its count.
    pub(super) window: (i64, u32),
    serial: u64,
}

/// The workspace's own data and secrets.
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) access_token: String,
    pub(super) client_secret: String,
    pub(super) own_admin: String,
    pub(super) region: String,
}

/// A teammate or a bot.
#[derive(Clone)]
pub(super) struct Staff {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) is_bot: bool,
}

#[derive(Clone)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Clone)]
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) name: String,
}

/// A tag on a conversation.
#[derive(Clone)]
pub(super) struct AppliedTag {
    pub(super) id: String,
    pub(super) applied_at: i64,
    pub(super) admin: String,
}

pub(super) struct Contact {
    pub(super) id: String,
    pub(super) workspace: String,
    /// Everything that a request can set, by its name.
    pub(super) fields: Map<String, Value>,
    pub(super) custom_attributes: Map<String, Value>,
    pub(super) fate: Fate,
    pub(super) created_ms: i64,
    pub(super) updated_at: i64,
    pub(super) index: Index,
}

/// What became of a contact.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Fate {
    Live,
    Archived,
    Merged(String),
    Deleted { at_ms: i64 },
}

pub(super) struct Conversation {
    pub(super) id: u64,
    pub(super) workspace: String,
    pub(super) title: Option<String>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) contacts: Vec<String>,
    /// The message that opened it; its id is not from the series of the parts.
    pub(super) source: Part,
    pub(super) parts: Vec<Part>,
    pub(super) state: State,
    pub(super) read: bool,
    pub(super) admin_assignee: Option<String>,
    pub(super) team_assignee: Option<String>,
    pub(super) tags: Vec<AppliedTag>,
    pub(super) custom_attributes: Map<String, Value>,
    pub(super) merged_into: Option<u64>,
    pub(super) index: Index,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Closed,
    Snoozed { until: i64 },
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Snoozed { .. } => "snoozed",
        }
    }
}

#[derive(Clone)]
pub(super) struct Part {
    pub(super) id: u64,
    pub(super) kind: String,
    /// HTML; files inside it are named `upload:<id>`.
    pub(super) body: Option<String>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) author: Author,
    pub(super) files: Vec<u64>,
    pub(super) assigned_to: Option<Value>,
    pub(super) quick_replies: Vec<Value>,
    pub(super) redacted: bool,
    pub(super) through_api: bool,
    pub(super) state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Author {
    Staff(String),
    Contact(String),
}

/// A file that somebody sent.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
    /// The size that is stated, if it is not the true one.
    pub(super) stated_size: Option<usize>,
}

/// What a search knows of a thing, and what it is going to know.
#[derive(Default)]
pub(super) struct Index {
    pub(super) known: Option<Value>,
    pub(super) coming: VecDeque<(i64, Value)>,
}

impl World {
    pub(super) fn new(clock: SimClock, base_url: String) -> Self {
        let own_admin = Staff {
            id: "991267459".to_owned(),
            name: "Bridge".to_owned(),
            email: "bridge@example.com".to_owned(),
            is_bot: false,
        };
        Self {
            workspace: Workspace {
                id: "abc123de".to_owned(),
                access_token: "dG9rOnNpbXVsYXRlZA==".to_owned(),
                client_secret: "c0ffee00-0000-4000-8000-000000000000".to_owned(),
                own_admin: own_admin.id.clone(),
                region: "US".to_owned(),
            },
            clock,
            base_url,
            options: Options::default(),
            contacts: BTreeMap::new(),
            conversations: BTreeMap::new(),
            staff: vec![own_admin],
            teams: Vec::new(),
            tags: Vec::new(),
            data_attributes: Vec::new(),
            conversation_attributes: Vec::new(),
            uploads: BTreeMap::new(),
            outbox: Outbox::default(),
            calls: Vec::new(),
            violations: Vec::new(),
            window: (0, 0),
            serial: 0,
        }
    }

    /// The workspace that the access token belongs to: what is in another one is not to be seen.
    pub(super) fn workspace_of_token(&self) -> String {
        let elsewhere = self.options.token_of.as_ref();
        elsewhere.unwrap_or(&self.workspace.id).clone()
    }

    /// The next number of one rising series, with gaps as in a workspace that others use too.
    pub(super) fn next_id(&mut self, base: u64) -> u64 {
        self.serial += 1;
        base + self.serial * 7 + self.serial % 3
    }

    /// An id such as contacts have: 24 hexadecimal digits.
    pub(super) fn next_hex_id(&mut self) -> String {
        let low = self.next_id(0x1bb6_9f9f_2193_0000);
        format!("{:08x}{low:016x}", self.clock.now_s() & 0xffff_ffff)
    }

    pub(super) fn staff_by_id(&self, id: &str) -> Option<&Staff> {
        self.staff.iter().find(|staff| staff.id == id)
    }

    /// Keeps a file.
    pub(super) fn store(&mut self, upload: Upload) -> u64 {
        let id = self.next_id(1_234_500_000);
        self.uploads.insert(id, upload);
        id
    }
}

impl Contact {
    /// A field that holds text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub(super) fn role(&self) -> &str {
        self.text("role").unwrap_or("user")
    }
}

impl Conversation {
    pub(super) fn part(&self, id: u64) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.id == id)
            .or_else(|| (self.source.id == id).then_some(&self.source))
    }
}
