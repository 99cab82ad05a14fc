//! What whoever looks after the map does to it: links that are found elsewhere, people who are to be forgotten, sweeps that begin anew.

use crate::{
    ids::{ContactId, ConversationId, CustomerId, WorkspaceId},
    keys::{self, LinkKey},
    ledger::{Ledger, Transaction},
    link::{CustomerLink, Link, LinkState, Open, Reverse},
    record::Stored,
    records::Watermark,
    store::WriteError,
    time::Timestamp,
};

impl Ledger {
    /// Takes a contact out of a link: nothing of the person is to be left in it.
    pub async fn forget_participant(
        &self,
        link: LinkKey,
        read: &Stored<Link>,
        contact: &ContactId,
    ) -> Result<(), WriteError> {
        let mut value = read.value.clone();
        if let LinkState::Open(open) = &mut value.state {
            open.participants.remove(contact);
        }
        let transaction = self.transaction().replace(link.key(), &read.version, &value, None);
        self.commit(transaction).await.map(drop)
    }

    /// Links a topic without a link to a conversation without a topic, as a rebuild of the map finds them. What is linked already
    /// stays as it is; tells whether this was not.
    pub async fn link_anew(&self, link: LinkKey, open: &Open, generation: u32) -> Result<bool, WriteError> {
        let record = Link {
            state: LinkState::Open(open.clone()),
            generation,
        };
        let transaction = self.transaction().create(link.key(), &record, None);
        self.reverse_anew(transaction, link, open, generation).await
    }

    /// Lets late answers in an earlier conversation of a topic reach it; tells whether it had no topic.
    pub async fn link_earlier(&self, link: LinkKey, open: &Open, generation: u32) -> Result<bool, WriteError> {
        self.reverse_anew(self.transaction(), link, open, generation).await
    }

    async fn reverse_anew(
        &self,
        transaction: Transaction,
        link: LinkKey,
        open: &Open,
        generation: u32,
    ) -> Result<bool, WriteError> {
        let reverse = Reverse {
            link,
            since: open.since,
            generation,
            last_message: None,
        };
        let key = keys::reverse(&open.workspace, &open.conversation);
        match self.commit(transaction.create(key, &reverse, None)).await {
            Ok(_) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Notes that a customer is in a conversation, where it is not known.
    pub async fn note_customer(
        &self,
        customer: CustomerId,
        workspace: &WorkspaceId,
        conversation: &ConversationId,
    ) -> Result<(), WriteError> {
        let record = CustomerLink {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
        };
        let key = keys::customer_link(customer, workspace, conversation);
        match self.commit(self.transaction().create(key, &record, None)).await {
            Ok(_) | Err(WriteError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sets the sweep's watermark to now. After a restore or an import the records of what was carried may be gone, so nothing that
    /// was said before may be found missing.
    pub async fn restart_sweep(&self, workspace: &WorkspaceId) -> Result<Timestamp, WriteError> {
        let key = keys::watermark(workspace);
        loop {
            let at = self.now();
            let read = self.find::<Watermark>(&key).await?;
            let version = read.as_ref().map(|mark| &mark.version);
            let mark = Watermark { at, unfinished: None };
            match self
                .commit(self.transaction().put_after(key.clone(), version, &mark, None))
                .await
            {
                Err(WriteError::Conflict) => {}
                done => return done.map(|_| at),
            }
        }
    }
}
