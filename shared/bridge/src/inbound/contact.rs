//! Who a customer is in Intercom: found, made, renamed, replaced.

use super::{healing, worker::Passage};
use crate::{
    context::Context,
    failure::HelpdeskError,
    ports::{EnsuredContact, NewContact},
    stop::Stop,
    telegram_message::Author,
    words::Cause,
};
use mapping::{Contact, ContactId, CustomerId, Link, LinkKey, Stored, WorkspaceId, WriteError, keys};

/// The beginning of the external ids of our contacts.
const OURS: &str = "telegram:";

/// How many links of a chat are read to tell its workspace.
const LINKS: usize = 100;

/// How many external ids of one customer are tried before a deletion's lock is taken for something else.
const EXTERNAL_IDS: u32 = 5;

/// The customer behind an external id, if the contact is ours.
pub fn customer_of(external_id: &str) -> Option<CustomerId> {
    let id = external_id.strip_prefix(OURS)?;
    id.split(':').next()?.parse().ok().map(CustomerId)
}

/// The contact of whoever wrote; made if there is none, renamed if the name is another.
pub(super) async fn ensure(passage: &Passage<'_>, author: &Author) -> Result<ContactId, Stop> {
    let context = passage.context;
    let sender = passage.peek.sender.ok_or(Stop::Skip("nobody wrote it"))?;
    let name = context.fingerprint(&author.name).await?;
    let known = passage.contact()?;
    let ours = workspace_of(passage, known.as_ref()).await?;
    match known {
        // It was made under a token that belonged elsewhere.
        Some(known) if known.value.workspace != ours => make(context, sender.id, Some(known), name, author).await,
        Some(known) if known.value.name == name => Ok(known.value.contact),
        Some(known) => {
            rename(context, sender.id, known.clone(), name, author).await;
            Ok(known.value.contact)
        }
        None => make(context, sender.id, None, name, author).await,
    }
}

/// The workspace of our token, if the message may go there: with a wrong token nobody is made elsewhere, and everything waits.
async fn workspace_of(passage: &Passage<'_>, known: Option<&Stored<Contact>>) -> Result<WorkspaceId, Stop> {
    let ours = passage.context.identity().await?.workspace;
    let known = known.map(|known| known.value.workspace.clone());
    let linked = match passage.link()?.and_then(|link| link.value.workspace().cloned()) {
        Some(linked) => vec![linked],
        None if known.as_ref() == Some(&ours) => Vec::new(),
        None => of_chat(passage).await?,
    };
    match linked.first().or(known.as_ref()) {
        Some(elsewhere) if !linked.contains(&ours) && *elsewhere != ours => {
            Err(healing::wrong_workspace(elsewhere, &ours))
        }
        Some(_) | None => Ok(ours),
    }
}

/// The workspaces that topics of the chat are linked to.
async fn of_chat(passage: &Passage<'_>) -> Result<Vec<WorkspaceId>, Stop> {
    let links = LinkKey::all_of_chat(passage.bot, passage.link_key.chat, LINKS);
    let links = passage.context.ledger.list::<Link>(&links).await?;
    Ok(links
        .iter()
        .filter_map(|(_, link)| link.value.workspace().cloned())
        .collect())
}

/// A contact in the place of one that is gone. `gone` is the one that was found missing.
pub(super) async fn replace(passage: &Passage<'_>, author: &Author, gone: &ContactId) -> Result<ContactId, Stop> {
    let context = passage.context;
    let sender = passage.peek.sender.ok_or(Stop::Skip("nobody wrote it"))?;
    let name = context.fingerprint(&author.name).await?;
    let known = context.ledger.find::<Contact>(&keys::contact(sender.id)).await?;
    let workspace = context.identity().await?.workspace;
    match known {
        Some(known) if known.value.contact != *gone => Ok(known.value.contact),
        Some(known) if known.value.workspace != workspace => Err(HelpdeskError::Unauthorized {
            reason: "another workspace".into(),
        }
        .into()),
        known => match context.helpdesk.contact(gone).await? {
            Some(survivor) if survivor != *gone => put(context, sender.id, known, survivor, name).await,
            // One that can be read may be archived; asked for by its external id, it is brought back.
            Some(_) | None => make(context, sender.id, known, name, author).await,
        },
    }
}

async fn make(
    context: &Context,
    customer: CustomerId,
    known: Option<Stored<Contact>>,
    name: String,
    author: &Author,
) -> Result<ContactId, Stop> {
    for generation in 1..=EXTERNAL_IDS {
        let external_id = if generation == 1 {
            format!("{OURS}{customer}")
        } else {
            format!("{OURS}{customer}:{generation}")
        };
        let wish = NewContact {
            external_id,
            name: author.name.clone(),
        };
        match context.helpdesk.ensure_contact(&wish).await? {
            EnsuredContact::There(contact) => return put(context, customer, known, contact, name).await,
            EnsuredContact::ExternalIdLocked => {}
        }
    }
    Err(Stop::GiveUp {
        reason: "every external id of the contact is locked".into(),
        cause: Cause::Refused,
    })
}

/// Puts the contact down; whoever was quicker is right.
async fn put(
    context: &Context,
    customer: CustomerId,
    known: Option<Stored<Contact>>,
    contact: ContactId,
    name: String,
) -> Result<ContactId, Stop> {
    let workspace = context.identity().await?.workspace;
    let key = keys::contact(customer);
    let record = Contact {
        contact: contact.clone(),
        workspace,
        name,
    };
    let version = known.map(|known| known.version);
    let transaction = context
        .ledger
        .transaction()
        .put_after(key.clone(), version.as_ref(), &record, None);
    match context.ledger.commit(transaction).await {
        Ok(_) => Ok(contact),
        Err(WriteError::Conflict) => {
            let winner = context.ledger.find::<Contact>(&key).await?;
            winner.map(|winner| winner.value.contact).ok_or(Stop::Overtaken)
        }
        Err(error) => Err(error.into()),
    }
}

/// Tells Intercom the new name. A message must not wait for that.
async fn rename(context: &Context, customer: CustomerId, known: Stored<Contact>, name: String, author: &Author) {
    if let Err(error) = context
        .helpdesk
        .rename_contact(&known.value.contact, &author.name)
        .await
    {
        tracing::warn!(customer.id = customer.0, %error, "a contact could not be renamed");
        return;
    }
    let record = Contact { name, ..known.value };
    let transaction = context
        .ledger
        .transaction()
        .replace(keys::contact(customer), &known.version, &record, None);
    if let Err(error) = context.ledger.commit(transaction).await {
        tracing::warn!(customer.id = customer.0, %error, "a contact's new name could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_contacts_are_told_by_their_external_id() {
        assert_eq!(customer_of("telegram:42"), Some(CustomerId(42)));
        assert_eq!(customer_of("telegram:-1001:2"), Some(CustomerId(-1001)));
        assert_eq!(customer_of("5e68ece4-0ec8"), None);
        assert_eq!(customer_of("telegram:x"), None);
    }
}
