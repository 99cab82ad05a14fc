//! Operations on contacts.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    answer::{Outcome, Refusal},
    call::Request,
    model::{Contact, Fate, Index, World},
    render::without_nulls,
};

/// A chain of merges is followed this far.
const MOST_HOPS: usize = 3;

impl World {
    pub(super) fn create_contact(&mut self, request: &Request) -> Outcome {
        let mut fields = settable(&request.body);
        let custom = self.checked_attributes(&request.body)?;
        let role = fields.get("role").and_then(Value::as_str).unwrap_or("user").to_owned();
        check_role(&role)?;
        check_texts(&fields)?;
        if role == "user" {
            self.check_conflicts(&fields, None)?;
        } else {
            // Leads get an id of Intercom's making and cannot be found by it.
            fields.insert("external_id".to_owned(), json!(Uuid::new_v4().to_string()));
        }
        fields.insert("role".to_owned(), json!(role));
        let id = self.add_contact(fields, custom);
        self.tell_of_contact(
            if role == "user" {
                "contact.user.created"
            } else {
                "contact.lead.created"
            },
            &id,
            None,
        );
        Ok(self
            .contacts
            .get(&id)
            .map_or(Value::Null, |contact| self.contact_json(contact)))
    }

    /// Adds a contact as it is.
    pub(super) fn add_contact(&mut self, fields: Map<String, Value>, custom: Map<String, Value>) -> String {
        let id = self.next_hex_id();
        let contact = Contact {
            id: id.clone(),
            workspace: self.workspace_of_token(),
            fields: without_nulls(fields),
            custom_attributes: custom,
            fate: Fate::Live,
            created_ms: self.clock.now_ms(),
            updated_at: self.clock.now_s(),
            index: Index::default(),
        };
        self.contacts.insert(id.clone(), contact);
        self.touch_contact(&id);
        id
    }

    pub(super) fn update_contact(&mut self, request: &Request) -> Outcome {
        let id = self.live_contact(request.id(0), request.is_216())?.id.clone();
        let fields = settable(&request.body);
        let custom = self.checked_attributes(&request.body)?;
        if let Some(role) = fields.get("role").and_then(Value::as_str) {
            check_role(role)?;
        }
        check_texts(&fields)?;
        self.check_conflicts(&fields, Some(&id))?;
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.fields.extend(fields);
            contact.fields = without_nulls(std::mem::take(&mut contact.fields));
            contact.custom_attributes.extend(custom);
        }
        self.touch_contact(&id);
        Ok(self
            .contacts
            .get(&id)
            .map_or(Value::Null, |contact| self.contact_json(contact)))
    }

    pub(super) fn get_contact(&self, request: &Request) -> Outcome {
        Ok(self.contact_json(self.live_contact(request.id(0), request.is_216())?))
    }

    pub(super) fn find_contact(&self, request: &Request) -> Outcome {
        let external_id = request.id(0);
        let mut found: Vec<&Contact> = self
            .contacts
            .values()
            .filter(|contact| contact.role() == "user" && contact.text("external_id") == Some(external_id))
            .filter(|contact| contact.workspace == self.workspace_of_token())
            .collect();
        found.sort_by_key(|contact| contact.fate != Fate::Live);
        let id = found
            .first()
            .map(|contact| contact.id.clone())
            .ok_or_else(Refusal::no_such_contact)?;
        Ok(self.contact_json(self.live_contact(&id, request.is_216())?))
    }

    pub(super) fn archive_contact(&mut self, id: &str) -> Outcome {
        self.live_contact(id, false)?;
        self.set_fate(id, Fate::Archived);
        self.tell_of_contact("contact.archived", id, None);
        Ok(self.reference(id, "archived", true))
    }

    pub(super) fn unarchive_contact(&mut self, id: &str) -> Outcome {
        match self.contacts.get(id).map(|contact| contact.fate.clone()) {
            Some(Fate::Archived | Fate::Live) => {}
            Some(Fate::Deleted { at_ms }) if self.is_locked(at_ms) => {
                return Err(Refusal::new(422, "not_restorable", "Contact is not restorable"));
            }
            _ => return Err(Refusal::no_such_contact()),
        }
        self.set_fate(id, Fate::Live);
        self.tell_of_contact("contact.unarchive", id, None);
        Ok(self.reference(id, "archived", false))
    }

    pub(super) fn delete_contact(&mut self, id: &str) -> Outcome {
        if !self
            .contacts
            .get(id)
            .is_some_and(|contact| matches!(contact.fate, Fate::Live | Fate::Archived))
        {
            return Err(Refusal::no_such_contact());
        }
        let at_ms = self.clock.now_ms();
        self.tell_of_contact("contact.deleted", id, None);
        self.set_fate(id, Fate::Deleted { at_ms });
        Ok(self.reference(id, "deleted", true))
    }

    pub(super) fn merge_contacts_by_api(&mut self, request: &Request) -> Outcome {
        let (from, into) = (
            request.text("from").unwrap_or_default(),
            request.text("into").unwrap_or_default(),
        );
        let lead = self.live_contact(from, request.is_216())?;
        let user = self.live_contact(into, request.is_216())?;
        if lead.role() != "lead" || user.role() != "user" {
            return Err(Refusal::new(
                400,
                "invalid_merge",
                "Only a lead can be merged, and only into a user.",
            ));
        }
        let shared = |name: &str| lead.text(name).is_some() && lead.text(name) == user.text(name);
        let is_forced = request.body.get("skip_duplicate_validation") == Some(&Value::Bool(true));
        if !is_forced && !shared("email") && !shared("phone") {
            let message = "Contacts can only be merged when they are duplicates (matching email or phone). \
                           Pass skip_duplicate_validation=true to override this check.";
            return Err(Refusal::new(400, "invalid_merge", message));
        }
        self.merge(from, into);
        Ok(self
            .contacts
            .get(into)
            .map_or(Value::Null, |contact| self.contact_json(contact)))
    }

    /// Merges one contact into another: its conversations move, its id lives on as a pointer.
    pub(super) fn merge(&mut self, from: &str, into: &str) {
        self.set_fate(from, Fate::Merged(into.to_owned()));
        let moved: Vec<u64> = self
            .conversations
            .values_mut()
            .filter(|conversation| conversation.contacts.iter().any(|id| id == from))
            .map(|conversation| {
                conversation.contacts.retain(|id| id != from && id != into);
                conversation.contacts.push(into.to_owned());
                conversation.id
            })
            .collect();
        for id in moved {
            self.touch(id);
        }
        self.tell_of_contact(
            "contact.merged",
            into,
            Some(("merged_from", json!({"type": "contact", "id": from}))),
        );
    }

    fn reference(&self, id: &str, name: &str, value: bool) -> Value {
        let external_id = self.contacts.get(id).and_then(|contact| contact.text("external_id"));
        json!({"type": "contact", "id": id, "external_id": external_id, name: value})
    }

    fn set_fate(&mut self, id: &str, fate: Fate) {
        if let Some(contact) = self.contacts.get_mut(id) {
            contact.fate = fate;
        }
        self.touch_contact(id);
    }

    /// A contact that can be read; one that was merged is 410 from 2.16 on.
    pub(super) fn live_contact(&self, id: &str, is_216: bool) -> Result<&Contact, Refusal> {
        let contact = self.contacts.get(id).ok_or_else(Refusal::no_such_contact)?;
        match &contact.fate {
            Fate::Live if self.is_visible(contact) => Ok(contact),
            Fate::Archived if self.options.archived_contacts_are_shown => Ok(contact),
            Fate::Merged(into) if is_216 => Err(Refusal::merged(self.canonical(into))),
            _ => Err(Refusal::no_such_contact()),
        }
    }

    /// A contact that was created a moment ago may not be there yet, and one of another workspace is not.
    pub(super) fn is_visible(&self, contact: &Contact) -> bool {
        let lag = i64::try_from(self.options.contact_visibility_lag.as_millis()).unwrap_or(i64::MAX);
        let is_there = self.clock.now_ms() >= contact.created_ms.saturating_add(lag);
        is_there && contact.workspace == self.workspace_of_token()
    }

    fn canonical<'a>(&'a self, mut id: &'a str) -> &'a str {
        for _ in 1..MOST_HOPS {
            match self.contacts.get(id).map(|contact| &contact.fate) {
                Some(Fate::Merged(into)) => id = into,
                _ => break,
            }
        }
        id
    }

    fn is_locked(&self, deleted_ms: i64) -> bool {
        let lock = i64::try_from(self.options.external_id_lock.as_millis()).unwrap_or(i64::MAX);
        self.clock.now_ms() < deleted_ms.saturating_add(lock)
    }

    /// Refuses an external id or an e-mail address that another user has or, archived or lately deleted, had.
    fn check_conflicts(&self, fields: &Map<String, Value>, except: Option<&str>) -> Result<(), Refusal> {
        for name in ["external_id", "email"] {
            let Some(value) = fields.get(name).and_then(Value::as_str) else {
                continue;
            };
            let others = self
                .contacts
                .values()
                .filter(|one| one.role() == "user" && one.text(name) == Some(value) && Some(one.id.as_str()) != except)
                .filter(|one| one.workspace == self.workspace_of_token());
            for other in others {
                let (which, id) = match &other.fate {
                    Fate::Live => ("A", other.id.as_str()),
                    Fate::Merged(into) if Some(self.canonical(into)) != except => ("A", self.canonical(into)),
                    Fate::Archived => ("An archived", other.id.as_str()),
                    Fate::Deleted { at_ms } if self.is_locked(*at_ms) => ("An archived", other.id.as_str()),
                    Fate::Merged(_) | Fate::Deleted { .. } => continue,
                };
                let message = format!("{which} contact matching those details already exists with id={id}");
                return Err(Refusal::new(409, "conflict", message));
            }
        }
        Ok(())
    }

    /// The custom attributes of a request; one that was not defined before is refused.
    fn checked_attributes(&self, body: &Value) -> Result<Map<String, Value>, Refusal> {
        let given = body
            .get("custom_attributes")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        for name in given.keys() {
            let is_defined = |one: &Value| one["name"] == name.as_str() && one["model"] == "contact";
            if !self.data_attributes.iter().any(is_defined) {
                let message = format!("Custom attribute '{name}' does not exist");
                return Err(Refusal::new(400, "parameter_invalid", message));
            }
        }
        Ok(given)
    }

    fn touch_contact(&mut self, id: &str) {
        let (now_ms, now) = (self.clock.now_ms(), self.clock.now_s());
        let Some(contact) = self.contacts.get_mut(id) else {
            return;
        };
        contact.updated_at = now;
        let mut known = contact.fields.clone();
        known.extend(
            contact
                .custom_attributes
                .iter()
                .map(|(name, value)| (format!("custom_attributes.{name}"), value.clone())),
        );
        known.insert("id".to_owned(), json!(contact.id));
        known.insert("created_at".to_owned(), json!(contact.created_ms / 1000));
        known.insert("updated_at".to_owned(), json!(now));
        contact.index.coming.push_back((now_ms, Value::Object(known)));
    }
}

fn settable(body: &Value) -> Map<String, Value> {
    let mut fields = body.as_object().cloned().unwrap_or_default();
    fields.remove("custom_attributes");
    fields
}

fn check_role(role: &str) -> Result<(), Refusal> {
    match role {
        "user" | "lead" => Ok(()),
        _ => Err(Refusal::invalid("role must be user or lead")),
    }
}

fn check_texts(fields: &Map<String, Value>) -> Result<(), Refusal> {
    if fields.contains_key("email_verified") && !fields.contains_key("email") {
        return Err(Refusal::invalid(
            "email_verified must be supplied together with an email",
        ));
    }
    let is_blank = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|text| text.trim().is_empty())
    };
    match ["external_id", "email"].into_iter().find(|name| is_blank(name)) {
        Some(name) => Err(Refusal::invalid(format!("{name} must not be blank"))),
        None => Ok(()),
    }
}
