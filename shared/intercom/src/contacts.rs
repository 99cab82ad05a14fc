//! Contacts: <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/contacts>.

use crate::{
    api::{Answer, Call, read, unreadable},
    classify::{Effect, Rejection},
    client::IntercomClient,
    wire::Identified,
};
use bridge::{
    failure::HelpdeskError,
    ports::{EnsuredContact, NewContact},
};
use mapping::ContactId;
use reqwest::StatusCode;
use serde_json::json;

/// How many merges are followed: Intercom names the contact that is left, so a chain is a rare race.
const HOPS: usize = 3;

impl IntercomClient {
    pub(crate) async fn make_or_find_contact(&self, contact: &NewContact) -> Result<EnsuredContact, HelpdeskError> {
        // Without an e-mail address: one would open a second channel to the person. Not a lead: those cannot be found by our id.
        let body = json!({"role": "user", "external_id": contact.external_id, "name": contact.name});
        let call = Call::post(&["contacts"], body);
        match self.api.send(&call).await? {
            Answer::Done(body) => identified(&body, &call).map(EnsuredContact::There),
            Answer::Rejected(rejection) => self.contact_in_the_way(&contact.external_id, &rejection).await,
        }
    }

    async fn contact_in_the_way(
        &self,
        external_id: &str,
        rejection: &Rejection,
    ) -> Result<EnsuredContact, HelpdeskError> {
        match (rejection.status, rejection.id_behind(ID_MARK)) {
            (StatusCode::CONFLICT, Some(id)) if is_archived(rejection) => self.unarchive(id).await,
            (StatusCode::CONFLICT, Some(id)) => Ok(EnsuredContact::There(ContactId::new(id))),
            (StatusCode::CONFLICT | StatusCode::GONE, None) => self.find_taken(external_id).await,
            _ if is_external_id_locked(rejection) => Ok(EnsuredContact::ExternalIdLocked),
            _ => Err(rejection.error(Effect::Repeatable)),
        }
    }

    /// An archived contact takes no messages.
    async fn unarchive(&self, id: &str) -> Result<EnsuredContact, HelpdeskError> {
        let path = ["contacts", id, "unarchive"];
        match self.api.send(&Call::post(&path, json!({}))).await? {
            Answer::Done(_) => Ok(EnsuredContact::There(ContactId::new(id))),
            Answer::Rejected(rejection) if is_external_id_locked(&rejection) => Ok(EnsuredContact::ExternalIdLocked),
            Answer::Rejected(rejection) => match rejection.error(Effect::Repeatable) {
                HelpdeskError::NotFound { .. } => Ok(EnsuredContact::ExternalIdLocked),
                error => Err(error),
            },
        }
    }

    /// The contact that has the external id; where nobody has it and it is still refused, it is locked.
    async fn find_taken(&self, external_id: &str) -> Result<EnsuredContact, HelpdeskError> {
        let found = self.follow(&["contacts", "find_by_external_id", external_id]).await?;
        Ok(found.map_or(EnsuredContact::ExternalIdLocked, EnsuredContact::There))
    }

    pub(crate) async fn read_contact(&self, id: &str) -> Result<Option<ContactId>, HelpdeskError> {
        self.follow(&["contacts", id]).await
    }

    /// Reads a contact, or the one that it was merged into.
    pub(crate) async fn follow(&self, path: &[&str]) -> Result<Option<ContactId>, HelpdeskError> {
        let mut next = match self.read_or_merged(path).await? {
            Reading::There(id) => return Ok(Some(id)),
            Reading::Gone => return Ok(None),
            Reading::MergedInto(id) => id,
        };
        for _ in 0..HOPS {
            match self.read_or_merged(&["contacts", &next]).await? {
                Reading::There(id) => return Ok(Some(id)),
                Reading::Gone => return Ok(None),
                Reading::MergedInto(id) => next = id,
            }
        }
        Ok(None)
    }

    async fn read_or_merged(&self, path: &[&str]) -> Result<Reading, HelpdeskError> {
        let call = Call::get(path);
        match self.api.send(&call).await? {
            Answer::Done(body) => identified(&body, &call).map(Reading::There),
            Answer::Rejected(rejection) => match (merged_into(&rejection), rejection.error(Effect::Repeatable)) {
                (Some(id), _) => Ok(Reading::MergedInto(id)),
                (None, HelpdeskError::NotFound { .. }) => Ok(Reading::Gone),
                (None, error) => Err(error),
            },
        }
    }

    pub(crate) async fn set_name(&self, contact: &ContactId, name: &str) -> Result<(), HelpdeskError> {
        let path = ["contacts", contact.as_str()];
        self.api.tell(&Call::put(&path, json!({"name": name}))).await
    }
}

enum Reading {
    There(ContactId),
    MergedInto(String),
    Gone,
}

fn identified(body: &[u8], call: &Call<'_>) -> Result<ContactId, HelpdeskError> {
    let Identified { id } = read(body, call)?;
    id.map(ContactId::new).ok_or_else(|| unreadable(call))
}

/// Only the words of a conflict name the contact: "… already exists with id=5da6f18e3d7cf967e4582d05".
const ID_MARK: &str = "id=";

/// Only its words tell that the contact is archived: "An archived contact matching those details already exists with id=…".
fn is_archived(conflict: &Rejection) -> bool {
    conflict.says("archived contact")
}

/// Intercom is said to keep the external id of a deleted contact for about a week, and to answer an attempt to bring the contact
/// back with "not restorable". What a new contact with that id is answered is not known.
fn is_external_id_locked(rejection: &Rejection) -> bool {
    let about_it = rejection.says("external_id") || rejection.says("external id");
    rejection.status.is_client_error()
        && (rejection.says("not restorable") || about_it && (rejection.says("deleted") || rejection.says("locked")))
}

/// `Link: </contacts/6762f0df1bb69f9f2193bb84>; rel="canonical"` names the contact that is left after a merge. Only the id is taken
/// from it: the token goes nowhere else.
fn merged_into(rejection: &Rejection) -> Option<String> {
    if rejection.status != StatusCode::GONE {
        return None;
    }
    let link = rejection.link.as_deref()?;
    let canonical = link.split(',').find(|one| one.contains("canonical"))?;
    let (_, behind) = canonical.split_once("/contacts/")?;
    let (id, _) = behind.split_once('>')?;
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_id.then(|| id.to_owned())
}
