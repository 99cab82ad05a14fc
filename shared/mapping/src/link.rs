//! Links: which topic is which conversation, and the claim under which a conversation is opened.

use crate::{
    claim::LEASE,
    ids::{ContactId, ConversationId, CustomerId, MessageId, WorkspaceId},
    keys::{self, LinkKey},
    ledger::{Ledger, Transaction},
    record::{Record, Stored},
    store::{Key, StoreError, Version, WriteError},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a topic is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Being opened, or open.
    #[serde(flatten)]
    pub state: LinkState,
    /// Counted up with every conversation that takes the place of an earlier one.
    pub generation: u32,
}

/// Where a link is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LinkState {
    /// A worker has the right to open the conversation. The item's version is its claim.
    Opening(Opening),
    /// The conversation is there.
    Open(Open),
}

/// A link that is being opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The link: whoever finds the item among others can tell whose it is.
    pub link: LinkKey,
    /// Until when nobody else may take over.
    pub lease_until: Timestamp,
    /// The delivery whose message opens it.
    pub delivery: Key,
    /// Who wrote that.
    pub customer: CustomerId,
    /// In whose name.
    pub contact: ContactId,
    /// Since when: a conversation opened by a lost call is younger.
    pub since: Timestamp,
    /// How the opening message ends, so that a conversation opened by a lost call is recognised.
    pub marker: String,
}

/// A link whose conversation is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Since when they are linked: nothing older is carried.
    pub since: Timestamp,
    /// Who has been made a participant.
    pub participants: BTreeSet<ContactId>,
}

impl Record for Link {
    const KIND: &'static str = "link";
}

impl Link {
    /// Whether its conversation is there.
    pub fn is_open(&self) -> bool {
        matches!(self.state, LinkState::Open(_))
    }

    /// The workspace of its conversation, if that is there.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        match &self.state {
            LinkState::Open(open) => Some(&open.workspace),
            LinkState::Opening(_) => None,
        }
    }
}

/// From conversation to topic: all that an answer on its way to Telegram needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverse {
    /// The topic's end of the link.
    pub link: LinkKey,
    /// Since when they are linked: nothing older is carried.
    pub since: Timestamp,
    /// Which of the topic's conversations this is; late answers in an earlier one still reach the topic.
    pub generation: u32,
    /// The customer's last message, where each customer has a conversation: what answers reply to.
    pub last_message: Option<MessageId>,
}

impl Record for Reverse {
    const KIND: &'static str = "reverse";
}

/// That a customer is in a conversation, so that all that is kept of a person is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLink {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The conversation; its reverse item knows the topic.
    pub conversation: ConversationId,
}

impl Record for CustomerLink {
    const KIND: &'static str = "customer_link";
}

/// The right to open the conversation of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct OpeningClaim {
    /// The link.
    pub link: LinkKey,
    version: Version,
    /// What was claimed.
    pub opening: Opening,
    generation: u32,
}

/// What came of the wish to open a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Claimed {
    /// It is ours, and nothing was sent under an earlier claim that is not accounted for.
    Ours(OpeningClaim),
    /// It is ours now; whoever held `former` may have opened a conversation without telling.
    TakenOver {
        /// Our claim. Its `opening` is still the former one until [`Ledger::reopen`] makes it ours.
        claim: OpeningClaim,
    },
    /// Somebody else is at it; not before this time can it be taken over.
    Later(Timestamp),
}

impl OpeningClaim {
    /// The claim that stands in a link as it was read: for whoever learned what its holder did not.
    pub fn of(link: LinkKey, read: &Stored<Link>) -> Option<Self> {
        let LinkState::Opening(opening) = &read.value.state else {
            return None;
        };
        Some(Self {
            link,
            version: read.version.clone(),
            opening: opening.clone(),
            generation: read.value.generation,
        })
    }
}

impl Ledger {
    /// Claims the right to open the conversation of a link that has none. `existing` is what was read of it.
    ///
    /// `nothing_went_out`: the delivery is the one that holds the claim already, and it knows that its call was never sent.
    pub async fn claim_opening(
        &self,
        link: LinkKey,
        existing: Option<&Stored<Link>>,
        opening: Opening,
        nothing_went_out: bool,
    ) -> Result<Claimed, WriteError> {
        let now = self.now();
        let (read, generation, former) = match existing {
            None => (None, 1, None),
            Some(Stored {
                version,
                value:
                    Link {
                        state: LinkState::Opening(former),
                        generation,
                    },
            }) => {
                let own = former.delivery == opening.delivery;
                if !own && former.lease_until > now {
                    return Ok(Claimed::Later(former.lease_until));
                }
                (
                    Some(version),
                    *generation,
                    (!own || !nothing_went_out).then(|| former.clone()),
                )
            }
            Some(Stored {
                version,
                value:
                    Link {
                        state: LinkState::Open(_),
                        generation,
                    },
            }) => (Some(version), generation.saturating_add(1), None),
        };
        let taken_over = former.is_some();
        let opening = Opening {
            lease_until: now + LEASE,
            ..former.unwrap_or(opening)
        };
        let record = Link {
            state: LinkState::Opening(opening.clone()),
            generation,
        };
        let transaction = self.transaction().put_after(link.key(), read, &record, None);
        let version = match self.commit(transaction).await {
            Ok(version) => version,
            Err(WriteError::Conflict) => return Ok(Claimed::Later(now + crate::claim::RACE_LOST)),
            Err(error) => return Err(error),
        };
        let claim = OpeningClaim {
            link,
            version,
            opening,
            generation,
        };
        Ok(if taken_over {
            Claimed::TakenOver { claim }
        } else {
            Claimed::Ours(claim)
        })
    }

    /// Makes a claim that was taken over one's own: the lost call of the former holder was looked for and opened nothing.
    pub async fn reopen(&self, claim: OpeningClaim, opening: Opening) -> Result<OpeningClaim, WriteError> {
        let OpeningClaim {
            link,
            version,
            generation,
            ..
        } = claim;
        let record = Link {
            state: LinkState::Opening(opening.clone()),
            generation,
        };
        let version = self
            .commit(self.transaction().replace(link.key(), &version, &record, None))
            .await?;
        Ok(OpeningClaim {
            link,
            version,
            opening,
            generation,
        })
    }

    /// Gives a claim back: its call is known not to have opened anything. A link that never was open is no more.
    pub async fn release_opening(&self, claim: OpeningClaim) -> Result<(), WriteError> {
        if claim.generation > 1 {
            return Ok(());
        }
        self.commit(self.transaction().delete(claim.link.key(), &claim.version))
            .await
            .map(drop)
    }

    /// The link of a conversation that was opened under a claim, its reverse item and its customer's, as writes of one transaction: it
    /// fails whole if the claim is not ours any more or if the conversation is linked already.
    pub fn bind(
        &self,
        transaction: Transaction,
        claim: &OpeningClaim,
        conversation: &ConversationId,
        workspace: &WorkspaceId,
        last_message: Option<MessageId>,
    ) -> (Transaction, Link) {
        let since = claim.opening.since;
        let open = Open {
            conversation: conversation.clone(),
            workspace: workspace.clone(),
            since,
            participants: BTreeSet::from([claim.opening.contact.clone()]),
        };
        let link = Link {
            state: LinkState::Open(open),
            generation: claim.generation,
        };
        let reverse = Reverse {
            link: claim.link,
            since,
            generation: claim.generation,
            last_message,
        };
        let of_customer = CustomerLink {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
        };
        let customer_key = keys::customer_link(claim.opening.customer, workspace, conversation);
        let transaction = transaction
            .replace(claim.link.key(), &claim.version, &link, None)
            .create(keys::reverse(workspace, conversation), &reverse, None)
            .create(customer_key, &of_customer, None);
        (transaction, link)
    }

    /// Links a topic to a conversation that is there, in the place of its own, as its next generation. It fails whole if the link is not
    /// what was read any more, or if the conversation is linked already.
    pub async fn relink(&self, link: LinkKey, read: &Stored<Link>, open: Open) -> Result<(), WriteError> {
        let generation = read.value.generation.saturating_add(1);
        let reverse = Reverse {
            link,
            since: open.since,
            generation,
            last_message: None,
        };
        let reverse_key = keys::reverse(&open.workspace, &open.conversation);
        let state = LinkState::Open(open);
        let transaction = self
            .transaction()
            .replace(link.key(), &read.version, &Link { state, generation }, None)
            .create(reverse_key, &reverse, None);
        self.commit(transaction).await.map(drop)
    }

    /// Notes in the link that a customer's contact is a participant now, and that the customer is.
    pub async fn add_participant(
        &self,
        link: LinkKey,
        read: &Stored<Link>,
        customer: CustomerId,
        contact: &ContactId,
    ) -> Result<Stored<Link>, WriteError> {
        let mut value = read.value.clone();
        let mut transaction = self.transaction();
        if let LinkState::Open(open) = &mut value.state {
            open.participants.insert(contact.clone());
            let of_customer = CustomerLink {
                workspace: open.workspace.clone(),
                conversation: open.conversation.clone(),
            };
            let key = keys::customer_link(customer, &open.workspace, &open.conversation);
            // A customer whose contact was replaced is in it already.
            if self.find::<CustomerLink>(&key).await?.is_none() {
                transaction = transaction.create(key, &of_customer, None);
            }
        }
        let transaction = transaction.replace(link.key(), &read.version, &value, None);
        let version = self.commit(transaction).await?;
        Ok(Stored { version, value })
    }

    /// The conversations that a customer is in, at most so many.
    pub async fn links_of_customer(
        &self,
        customer: CustomerId,
        limit: usize,
    ) -> Result<Vec<Stored<CustomerLink>>, StoreError> {
        let found = self.list(&keys::customer_links(customer, limit)).await?;
        Ok(found.into_iter().map(|(_, link)| link).collect())
    }
}

impl Ledger {
    /// Moves a link to where its topic is now, together with its reverse item. A link that is being opened stays until it is open.
    pub async fn move_link(&self, from: LinkKey, to: LinkKey) -> Result<(), WriteError> {
        let Some(link) = self.find::<Link>(&from.key()).await? else {
            return Ok(());
        };
        let LinkState::Open(open) = &link.value.state else {
            return Ok(());
        };
        let reverse_key = keys::reverse(&open.workspace, &open.conversation);
        let reverse = self.find::<Reverse>(&reverse_key).await?;
        let mut transaction = self
            .transaction()
            .delete(from.key(), &link.version)
            .create(to.key(), &link.value, None);
        if let Some(reverse) = reverse {
            let moved = Reverse {
                link: to,
                last_message: None,
                ..reverse.value
            };
            transaction = transaction.replace(reverse_key, &reverse.version, &moved, None);
        }
        self.commit(transaction).await.map(drop)
    }

    /// Lets the reverse item of a conversation, be it of an earlier generation, follow its topic to where that is now.
    pub async fn move_reverse(
        &self,
        workspace: &WorkspaceId,
        conversation: &ConversationId,
        to: LinkKey,
    ) -> Result<(), WriteError> {
        let key = keys::reverse(workspace, conversation);
        let Some(reverse) = self.find::<Reverse>(&key).await? else {
            return Ok(());
        };
        if reverse.value.link == to {
            return Ok(());
        }
        let moved = Reverse {
            link: to,
            last_message: None,
            ..reverse.value
        };
        self.commit(self.transaction().replace(key, &reverse.version, &moved, None))
            .await
            .map(drop)
    }
}
