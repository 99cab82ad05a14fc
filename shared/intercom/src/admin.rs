//! What an operator's tool asks of Intercom: whose the token is, who is there, what the app may do; and what proves a notification.

use crate::{
    api::{Answer, Call, read, unreadable},
    client::IntercomClient,
    webhook, wire,
};
use bridge::{failure::HelpdeskError, secrets::Secret};
use mapping::{AdminId, WorkspaceId};
use reqwest::StatusCode;
use serde_json::json;

/// The workspace of the access token, and the admin it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id: `app_id` of its notifications.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Its region, as Intercom spells it.
    pub region: Option<String>,
    /// The admin that the token belongs to.
    pub admin: Named,
}

/// Somebody or something in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A permission of the app that can be seen without changing anything. The names are those of the Developer Hub:
/// <https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/oauth-scopes>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To read conversations.
    ReadConversations,
    /// To read users.
    ReadUsers,
    /// To read admins.
    ReadAdmins,
    /// To read tags.
    ReadTags,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::ReadConversations,
        Self::ReadUsers,
        Self::ReadAdmins,
        Self::ReadTags,
    ];

    /// What the Developer Hub calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadConversations => "Read conversations",
            Self::ReadUsers => "Read and list users and companies",
            Self::ReadAdmins => "Read admins",
            Self::ReadTags => "Read tags",
        }
    }
}

impl IntercomClient {
    /// The workspace of the access token.
    pub async fn workspace(&self) -> Result<Workspace, HelpdeskError> {
        let call = Call::get(&["me"]);
        let me: wire::Me = self.api.ask(&call).await?;
        let app = me.app.unwrap_or_default();
        let (Some(id), Some(admin)) = (app.id_code, me.id) else {
            return Err(unreadable(&call));
        };
        Ok(Workspace {
            id: WorkspaceId::new(id),
            name: app.name.unwrap_or_default(),
            region: app.region,
            admin: Named {
                id: admin,
                name: me.name.unwrap_or_default(),
            },
        })
    }

    /// What time it is at Intercom, as HTTP writes it; a token that is refused learns it too.
    pub async fn date(&self) -> Result<Option<String>, HelpdeskError> {
        self.api.date(&Call::get(&["me"])).await
    }

    /// The admin of this id, who may be a bot.
    pub async fn admin(&self, admin: &AdminId) -> Result<Option<Named>, HelpdeskError> {
        let path = ["admins", admin.as_str()];
        let call = Call::get(&path);
        match self.api.send(&call).await? {
            Answer::Done(body) => Ok(named(read(&body, &call)?)),
            Answer::Rejected(rejection) if rejection.status == StatusCode::NOT_FOUND => Ok(None),
            Answer::Rejected(rejection) => Err(rejection.error(call.effect())),
        }
    }

    /// The teams of the workspace.
    pub async fn teams(&self) -> Result<Vec<Named>, HelpdeskError> {
        let list: wire::Teams = self.api.ask(&Call::get(&["teams"])).await?;
        Ok(list.teams.into_iter().filter_map(named).collect())
    }

    /// Whether the app has this permission. What it is asked for is nobody's: no contact and no conversation is that old.
    pub async fn has(&self, scope: Scope) -> Result<bool, HelpdeskError> {
        let nobody = ["contacts", "find_by_external_id", "telegram:0"];
        let call = match scope {
            Scope::ReadConversations => {
                let query = json!({"field": "updated_at", "operator": "<", "value": 1});
                Call::post(
                    &["conversations", "search"],
                    json!({"query": query, "pagination": {"per_page": 1}}),
                )
            }
            Scope::ReadUsers => Call::get(&nobody),
            Scope::ReadAdmins => Call::get(&["admins"]),
            Scope::ReadTags => Call::get(&["tags"]),
        };
        match self.api.send(&call).await? {
            Answer::Done(_) => Ok(true),
            Answer::Rejected(rejection) => match rejection.status {
                StatusCode::NOT_FOUND => Ok(true),
                StatusCode::FORBIDDEN => Ok(false),
                _ => Err(rejection.error(call.effect())),
            },
        }
    }
}

fn named(wire: wire::Named) -> Option<Named> {
    Some(Named {
        id: wire.id?,
        name: wire.name.unwrap_or_default(),
    })
}

/// The `X-Hub-Signature` of a body under an app's client secret.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    let digest = webhook::digest(secret, body).unwrap_or_default();
    format!("sha1={}", hex::encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HMAC-SHA1 test case 2 of RFC 2202.
    #[test]
    fn a_signature_is_that_of_the_rfc() {
        let signature = sign(&Secret::new("Jefe"), b"what do ya want for nothing?");
        assert_eq!(signature, "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }
}
