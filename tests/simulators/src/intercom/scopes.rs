//! Scopes: what an app may do, <https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/oauth-scopes>.

use std::collections::BTreeSet;

use super::{answer::Refusal, model::World};

/// What an app may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read conversations.
    ReadConversations,
    /// Write conversations.
    WriteConversations,
    /// Delete conversations.
    DeleteConversations,
    /// Read and list users.
    ReadUsers,
    /// Write users.
    WriteUsers,
    /// Read admins and teams.
    ReadAdmins,
    /// Read tags.
    ReadTags,
    /// Write tags.
    WriteTags,
    /// Write data attributes.
    WriteDataAttributes,
}

impl Scope {
    /// Every scope that the simulated operations need.
    pub fn all() -> BTreeSet<Self> {
        [
            Self::ReadConversations,
            Self::WriteConversations,
            Self::DeleteConversations,
            Self::ReadUsers,
            Self::WriteUsers,
            Self::ReadAdmins,
            Self::ReadTags,
            Self::WriteTags,
            Self::WriteDataAttributes,
        ]
        .into()
    }

    /// The scope that an operation needs; none is needed to ask whose the token is.
    fn of(operation: &str) -> Option<Self> {
        let (method, path) = operation.split_once(' ').unwrap_or_default();
        let reads = method == "GET" || path.ends_with("/search");
        let scope = match path.split('/').nth(1).unwrap_or_default() {
            "admins" | "teams" => Self::ReadAdmins,
            "tags" if reads => Self::ReadTags,
            "tags" => Self::WriteTags,
            "contacts" | "data_attributes" if reads => Self::ReadUsers,
            "data_attributes" => Self::WriteDataAttributes,
            "contacts" => Self::WriteUsers,
            "conversations" if path.contains("/tags") => Self::WriteTags,
            "conversations" if reads => Self::ReadConversations,
            "conversations" if path.ends_with("/attributes") => Self::WriteDataAttributes,
            "conversations" if operation == "DELETE /conversations/{id}" => Self::DeleteConversations,
            "conversations" => Self::WriteConversations,
            _ => return None,
        };
        Some(scope)
    }

    /// Intercom's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadConversations => "read_conversations",
            Self::WriteConversations => "write_conversations",
            Self::DeleteConversations => "delete_conversations",
            Self::ReadUsers => "read_users",
            Self::WriteUsers => "write_users",
            Self::ReadAdmins => "read_admins",
            Self::ReadTags => "read_tags",
            Self::WriteTags => "write_tags",
            Self::WriteDataAttributes => "write_data_attributes",
        }
    }
}

impl World {
    /// Refuses an operation whose scope the app lacks. Who never asked for the scope should not have called.
    pub(super) fn check_scope(&self, operation: &str) -> Result<(), Refusal> {
        let Some(scope) = Scope::of(operation) else {
            return Ok(());
        };
        let options = &self.options;
        let (is_granted, is_withheld) = (options.scopes.contains(&scope), options.withheld.contains(&scope));
        if is_granted && !is_withheld {
            return Ok(());
        }
        let message = format!(
            "You do not have the required scope ({}) to access this resource",
            scope.name()
        );
        let refusal = Refusal::new(403, "forbidden", message);
        Err(if is_granted { refusal } else { refusal.violation() })
    }
}
