//! Intercom's REST API, as far as the bridge calls it.

use crate::{api::Api, download::Downloads, http::Timeouts};
use async_trait::async_trait;
use bridge::{
    failure::HelpdeskError,
    intercom_message::Conversation,
    ports::{Assignee, ChangedPage, Download, EnsuredContact, Helpdesk, HelpdeskIdentity, NewContact, Reply},
    secrets::SecretSource,
};
use mapping::{AdminId, Clock, ContactId, ConversationId, PartId, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// A client of Intercom's REST API.
pub struct IntercomClient {
    pub(crate) api: Api,
    downloads: Downloads,
    /// Ids of tags by name.
    pub(crate) tags: Mutex<HashMap<String, String>>,
}

impl IntercomClient {
    /// `base_url` is that of the workspace's region (`https://api.intercom.io`, `https://api.eu.intercom.io`,
    /// `https://api.au.intercom.io`), or of a simulator, which then keeps files, too. `clock` measures the windows of the rate limit.
    pub fn new(
        http: reqwest::Client,
        base_url: &str,
        secrets: Arc<dyn SecretSource>,
        timeouts: Timeouts,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            api: Api::new(http, base_url, secrets, timeouts, clock),
            downloads: Downloads::new(base_url, timeouts),
            tags: Mutex::default(),
        }
    }
}

#[async_trait]
impl Helpdesk for IntercomClient {
    async fn identity(&self) -> Result<HelpdeskIdentity, HelpdeskError> {
        self.me().await
    }

    async fn ensure_contact(&self, contact: &NewContact) -> Result<EnsuredContact, HelpdeskError> {
        self.make_or_find_contact(contact).await
    }

    async fn contact(&self, contact: &ContactId) -> Result<Option<ContactId>, HelpdeskError> {
        self.read_contact(contact.as_str()).await
    }

    async fn rename_contact(&self, contact: &ContactId, name: &str) -> Result<(), HelpdeskError> {
        self.set_name(contact, name).await
    }

    async fn open_conversation(&self, contact: &ContactId, message: &Reply) -> Result<ConversationId, HelpdeskError> {
        self.create_conversation(contact, message).await
    }

    async fn find_opened(
        &self,
        contact: &ContactId,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<ConversationId>, HelpdeskError> {
        self.search_opened(contact, marker, since).await
    }

    async fn reply_as_contact(
        &self,
        conversation: &ConversationId,
        contact: &ContactId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        self.contact_reply(conversation, contact, reply).await
    }

    async fn reply_as_admin(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        self.admin_reply(conversation, admin, reply).await
    }

    async fn add_note(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        note: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        self.note(conversation, admin, note).await
    }

    async fn attach(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        contact: &ContactId,
    ) -> Result<(), HelpdeskError> {
        self.add_participant(conversation, admin, contact).await
    }

    async fn set_title(&self, conversation: &ConversationId, title: &str) -> Result<(), HelpdeskError> {
        self.update_title(conversation, title).await
    }

    async fn tag(&self, conversation: &ConversationId, admin: &AdminId, tag: &str) -> Result<(), HelpdeskError> {
        self.add_tag(conversation, admin, tag).await
    }

    async fn set_closed(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        closed: bool,
    ) -> Result<(), HelpdeskError> {
        self.close_or_open(conversation, admin, closed).await
    }

    async fn assign(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        assignee: &Assignee,
    ) -> Result<(), HelpdeskError> {
        self.set_assignee(conversation, admin, assignee).await
    }

    async fn conversation(&self, conversation: &ConversationId) -> Result<Conversation, HelpdeskError> {
        self.read_conversation(conversation).await
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<ChangedPage, HelpdeskError> {
        self.search_changed(since, cursor).await
    }

    fn keeps(&self, url: &str) -> bool {
        self.downloads.keeps(url)
    }

    async fn download(&self, url: &str, most: u64, now: Timestamp) -> Result<Download, HelpdeskError> {
        self.downloads.fetch(url, most, now).await
    }
}

#[cfg(test)]
mod tests;
