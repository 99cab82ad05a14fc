//! What only whoever looks after the bridge asks of Intercom: contacts and conversations that are to be no more, who opened which, and
//! what another version of the API says.

use crate::{
    api::{Call, unreadable},
    client::IntercomClient,
    decode, search, wire,
};
use bridge::{failure::HelpdeskError, intercom_message::Conversation};
use mapping::{ContactId, ConversationId};
use serde_json::json;

/// A contact as Intercom knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownContact {
    /// Its id elsewhere: `telegram:…` for ours.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
}

/// One page of conversations that contacts opened, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenedPage {
    /// The conversations, without their parts.
    pub conversations: Vec<Conversation>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl IntercomClient {
    /// The contact that has this external id. One that is archived cannot be found.
    pub async fn contact_of(&self, external_id: &str) -> Result<Option<ContactId>, HelpdeskError> {
        self.follow(&["contacts", "find_by_external_id", external_id]).await
    }

    /// What Intercom knows of a contact; nothing if it is gone, archived or merged into another.
    pub async fn known_contact(&self, contact: &ContactId) -> Result<Option<KnownContact>, HelpdeskError> {
        let path = ["contacts", contact.as_str()];
        match self.api.ask::<wire::Person>(&Call::get(&path)).await {
            Ok(person) => Ok(Some(KnownContact {
                external_id: person.external_id,
                name: person.name.unwrap_or_default(),
            })),
            Err(HelpdeskError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Archives a contact: its conversations stay, and its next message brings it back. One that is gone is fine.
    pub async fn archive_contact(&self, contact: &ContactId) -> Result<(), HelpdeskError> {
        let path = ["contacts", contact.as_str(), "archive"];
        fine_if_gone(self.api.tell(&Call::post(&path, json!({}))).await)
    }

    /// Deletes a contact for good. One that is gone is fine.
    pub async fn delete_contact(&self, contact: &ContactId) -> Result<(), HelpdeskError> {
        let path = ["contacts", contact.as_str()];
        fine_if_gone(self.api.tell(&Call::delete(&path)).await)
    }

    /// Deletes a conversation for good. One that is gone is fine.
    pub async fn delete_conversation(&self, conversation: &ConversationId) -> Result<(), HelpdeskError> {
        let path = ["conversations", conversation.as_str()];
        fine_if_gone(self.api.tell(&Call::delete(&path)).await)
    }

    /// A conversation as another version of the REST API shows it, read by the rules of the version that the bridge is written for.
    pub async fn conversation_as_of(
        &self,
        version: &str,
        conversation: &ConversationId,
    ) -> Result<Conversation, HelpdeskError> {
        let path = ["conversations", conversation.as_str()];
        let call = Call::get(&path).by_version(version);
        let wire: wire::Conversation = self.api.ask(&call).await?;
        decode::conversation(wire).ok_or_else(|| unreadable(&call))
    }

    /// Conversations in the order in which they were opened, from the page that `cursor` names.
    pub async fn opened(&self, cursor: Option<&str>) -> Result<OpenedPage, HelpdeskError> {
        let query = json!({"field": "created_at", "operator": ">", "value": 0});
        let sort = json!({"field": "created_at", "order": "ascending"});
        let page = self.search(&query, Some(sort), cursor).await?;
        Ok(OpenedPage {
            conversations: page
                .conversations
                .into_iter()
                .filter_map(decode::conversation)
                .collect(),
            next: search::next(page.pages),
        })
    }
}

fn fine_if_gone(done: Result<(), HelpdeskError>) -> Result<(), HelpdeskError> {
    match done {
        Err(HelpdeskError::NotFound { .. }) => Ok(()),
        done => done,
    }
}
