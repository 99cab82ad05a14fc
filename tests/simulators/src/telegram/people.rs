//! Users, bots, and what members of a chat may do.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The account behind anonymous administrators.
pub(crate) const GROUP_ANONYMOUS_BOT: i64 = 1_087_968_824;
/// The account behind messages that are sent as a channel.
pub(crate) const CHANNEL_BOT: i64 = 136_817_688;
/// The account behind automatic forwards from a linked channel.
pub(crate) const TELEGRAM: i64 = 777_000;

/// A person's id, which is also the id of the private chat with that person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// A bot as its owner knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// The bot's user id.
    pub id: i64,
    /// What opens `/bot<token>/…`.
    pub token: String,
    /// Without the `@`.
    pub username: String,
}

/// A user or bot as messages show it.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) is_bot: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) language_code: Option<String>,
}

impl Person {
    pub(crate) fn service(id: i64, is_bot: bool, first_name: &str, username: Option<&str>) -> Self {
        Self {
            id,
            is_bot,
            first_name: first_name.to_owned(),
            last_name: None,
            username: username.map(str::to_owned),
            language_code: None,
        }
    }

    pub(crate) fn name(&self) -> String {
        match &self.last_name {
            Some(last) => format!("{} {last}", self.first_name),
            None => self.first_name.clone(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        let mut user = json!({ "id": self.id, "is_bot": self.is_bot, "first_name": self.first_name });
        let rest = [
            ("last_name", &self.last_name),
            ("username", &self.username),
            ("language_code", &self.language_code),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                user[name] = Value::from(value.as_str());
            }
        }
        user
    }
}

/// A right of an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// `can_change_info`
    ChangeInfo,
    /// `can_delete_messages`
    DeleteMessages,
    /// `can_invite_users`
    InviteUsers,
    /// `can_manage_topics`
    ManageTopics,
    /// `can_pin_messages`
    PinMessages,
    /// `can_promote_members`
    PromoteMembers,
    /// `can_restrict_members`
    RestrictMembers,
}

impl Right {
    const ALL: [Self; 7] = [
        Self::ChangeInfo,
        Self::DeleteMessages,
        Self::InviteUsers,
        Self::ManageTopics,
        Self::PinMessages,
        Self::PromoteMembers,
        Self::RestrictMembers,
    ];

    fn field(self) -> &'static str {
        match self {
            Self::ChangeInfo => "can_change_info",
            Self::DeleteMessages => "can_delete_messages",
            Self::InviteUsers => "can_invite_users",
            Self::ManageTopics => "can_manage_topics",
            Self::PinMessages => "can_pin_messages",
            Self::PromoteMembers => "can_promote_members",
            Self::RestrictMembers => "can_restrict_members",
        }
    }
}

/// The rights of one administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    /// Every right there is.
    pub fn all() -> Self {
        Self(Right::ALL.into())
    }

    /// Administrator in name only.
    pub fn none() -> Self {
        Self::default()
    }

    /// These, and this one.
    #[must_use]
    pub fn with(mut self, right: Right) -> Self {
        self.0.insert(right);
        self
    }

    /// These, but not this one.
    #[must_use]
    pub fn without(mut self, right: Right) -> Self {
        self.0.remove(&right);
        self
    }

    /// These, and those.
    #[must_use]
    pub(crate) fn and(mut self, others: &Self) -> Self {
        self.0.extend(&others.0);
        self
    }

    /// Whether this one is among them.
    pub fn has(&self, right: Right) -> bool {
        self.0.contains(&right)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Creator,
    Administrator,
    Member,
    /// A member that may not write.
    Restricted,
    Left,
    Kicked,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Administrator => "administrator",
            Self::Member => "member",
            Self::Restricted => "restricted",
            Self::Left => "left",
            Self::Kicked => "kicked",
        }
    }

    pub(crate) fn is_present(self) -> bool {
        !matches!(self, Self::Left | Self::Kicked)
    }

    pub(crate) fn is_admin(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator)
    }
}

/// What somebody is in a chat.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) status: Status,
    pub(crate) rights: Rights,
    /// What it has ever been allowed here: what it lacks of that, somebody took away.
    pub(crate) had: Rights,
    pub(crate) anonymous: bool,
    pub(crate) title: Option<String>,
}

impl Member {
    pub(crate) fn of(status: Status) -> Self {
        let rights = if status == Status::Creator {
            Rights::all()
        } else {
            Rights::none()
        };
        Self {
            status,
            rights,
            had: Rights::none(),
            anonymous: false,
            title: None,
        }
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        self.status.is_admin() && self.rights.has(right)
    }

    /// The `ChatMember` that the API shows.
    pub(crate) fn json(&self, person: &Person, supergroup: bool) -> Value {
        let mut member = Map::new();
        member.insert("user".into(), person.json());
        member.insert("status".into(), self.status.word().into());
        match self.status {
            Status::Creator => {
                member.insert("is_anonymous".into(), self.anonymous.into());
            }
            Status::Administrator => self.admin_fields(&mut member, supergroup),
            Status::Restricted => restricted_fields(&mut member),
            Status::Kicked => {
                member.insert("until_date".into(), 0.into());
            }
            Status::Member | Status::Left => {}
        }
        if let (true, Some(title)) = (self.status.is_admin(), &self.title) {
            member.insert("custom_title".into(), title.as_str().into());
        }
        Value::Object(member)
    }

    fn admin_fields(&self, member: &mut Map<String, Value>, supergroup: bool) {
        for right in Right::ALL {
            if supergroup || right != Right::ManageTopics {
                member.insert(right.field().into(), self.rights.has(right).into());
            }
        }
        for (name, value) in [
            ("can_be_edited", false),
            ("can_manage_chat", true),
            ("can_manage_video_chats", false),
            ("can_manage_voice_chats", false),
            ("can_post_stories", false),
            ("can_edit_stories", false),
            ("can_delete_stories", false),
            ("is_anonymous", self.anonymous),
        ] {
            member.insert(name.into(), value.into());
        }
    }
}

fn restricted_fields(member: &mut Map<String, Value>) {
    member.insert("is_member".into(), true.into());
    member.insert("until_date".into(), 0.into());
    for name in [
        "can_send_messages",
        "can_send_audios",
        "can_send_documents",
        "can_send_photos",
        "can_send_videos",
        "can_send_video_notes",
        "can_send_voice_notes",
        "can_send_polls",
        "can_send_other_messages",
        "can_add_web_page_previews",
        "can_change_info",
        "can_invite_users",
        "can_pin_messages",
        "can_manage_topics",
    ] {
        member.insert(name.into(), false.into());
    }
}
