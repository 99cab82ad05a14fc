//! What agents see around a conversation: participants, title, tags, who it is assigned to.

use crate::{
    api::{Answer, Call, unreadable},
    classify::{Effect, Rejection},
    client::IntercomClient,
    wire::Identified,
};
use bridge::{failure::HelpdeskError, ports::Assignee};
use mapping::{AdminId, ContactId, ConversationId};
use serde_json::json;
use std::sync::PoisonError;

impl IntercomClient {
    pub(crate) async fn add_participant(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        contact: &ContactId,
    ) -> Result<(), HelpdeskError> {
        let customer = json!({"intercom_user_id": contact.as_str()});
        let path = ["conversations", conversation.as_str(), "customers"];
        let body = json!({"admin_id": admin.as_str(), "customer": customer});
        self.make_so(&Call::post(&path, body)).await
    }

    pub(crate) async fn update_title(&self, conversation: &ConversationId, title: &str) -> Result<(), HelpdeskError> {
        let path = ["conversations", conversation.as_str()];
        self.api.tell(&Call::put(&path, json!({"title": title}))).await
    }

    pub(crate) async fn set_assignee(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        assignee: &Assignee,
    ) -> Result<(), HelpdeskError> {
        let (kind, id) = match assignee {
            Assignee::Team(id) => ("team", id.as_str()),
            Assignee::Admin(id) => ("admin", id.as_str()),
        };
        let path = ["conversations", conversation.as_str(), "parts"];
        let body = json!({
            "message_type": "assignment",
            "type": kind,
            "admin_id": admin.as_str(),
            "assignee_id": id,
        });
        self.make_so(&Call::post(&path, body)).await
    }

    /// <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/manageconversation>.
    pub(crate) async fn close_or_open(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        closed: bool,
    ) -> Result<(), HelpdeskError> {
        let path = ["conversations", conversation.as_str(), "parts"];
        let body = if closed {
            json!({"message_type": "close", "type": "admin", "admin_id": admin.as_str()})
        } else {
            json!({"message_type": "open", "admin_id": admin.as_str()})
        };
        self.make_so(&Call::post(&path, body)).await
    }

    pub(crate) async fn add_tag(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        name: &str,
    ) -> Result<(), HelpdeskError> {
        if let Some(known) = self.known_tag(name) {
            match self.put_tag(conversation, admin, &known).await {
                // The tag may have been deleted since.
                Err(HelpdeskError::NotFound { .. }) => {}
                done => return done,
            }
        }
        let tag = self.find_or_make_tag(name).await?;
        self.put_tag(conversation, admin, &tag).await
    }

    /// Gives the tag of this name, whether it was there or not:
    /// <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/tags/createtag>.
    async fn find_or_make_tag(&self, name: &str) -> Result<String, HelpdeskError> {
        let call = Call::post(&["tags"], json!({"name": name}));
        let tag: Identified = self.api.ask(&call).await?;
        let id = tag.id.ok_or_else(|| unreadable(&call))?;
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.insert(name.to_owned(), id.clone());
        Ok(id)
    }

    fn known_tag(&self, name: &str) -> Option<String> {
        let tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.get(name).cloned()
    }

    async fn put_tag(&self, conversation: &ConversationId, admin: &AdminId, tag: &str) -> Result<(), HelpdeskError> {
        let path = ["conversations", conversation.as_str(), "tags"];
        let body = json!({"id": tag, "admin_id": admin.as_str()});
        self.make_so(&Call::post(&path, body)).await
    }

    async fn make_so(&self, call: &Call<'_>) -> Result<(), HelpdeskError> {
        match self.api.send(call).await? {
            Answer::Done(_) => Ok(()),
            Answer::Rejected(rejection) if is_so_already(&rejection) => Ok(()),
            Answer::Rejected(rejection) => Err(rejection.error(Effect::Repeatable)),
        }
    }
}

/// Who assigns a conversation to whom it is assigned is refused with 422 and "already assigned"; of participants who are already there
/// nothing is published.
fn is_so_already(rejection: &Rejection) -> bool {
    matches!(rejection.status.as_u16(), 400 | 409 | 422) && rejection.says("already")
}
