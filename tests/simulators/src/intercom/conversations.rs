//! Operations on conversations: create, read, update, delete, and who takes part.

use serde_json::{Map, Value, json};

use super::{
    answer::{Outcome, Refusal},
    call::{Request, id_text},
    html,
    model::{Author, Contact, Conversation, World},
    options::MergedWrite,
    parts::NotRedacted,
    render::{Parts, Shown},
};

impl World {
    pub(super) fn create_conversation(&mut self, request: &Request) -> Outcome {
        let from = request.body.get("from").cloned().unwrap_or_default();
        let contact = from["id"].as_str().unwrap_or_default().to_owned();
        if !self.is_reachable(&contact) {
            return Err(Refusal::no_such_contact());
        }
        let role = self.contacts.get(&contact).map_or("", Contact::role);
        if from["type"] != "contact" && from["type"] != role {
            return Err(Refusal::no_such_contact());
        }
        let text = request.text("body").unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Refusal::invalid("body must not be blank"));
        }
        let created_at = self.created_at(request)?;
        let files = self.files_of(request)?;
        let body = html::from_text(text);
        let id = self.open_conversation(Author::Contact(contact.clone()), &contact, body, files, created_at);
        if self.options.unsettled.workflows_see_api {
            self.run_workflow(id);
        }
        let opened = self.conversations.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(json!({
            "type": "user_message", "id": opened.source.id.to_string(), "created_at": opened.created_at, "body": text,
            "message_type": "inapp", "conversation_id": id.to_string(),
        }))
    }

    /// The conversation that an id in a path means.
    pub(super) fn conversation_id(&self, id: &str) -> Result<u64, Refusal> {
        let id = id.parse().map_err(|_| Refusal::not_found())?;
        let is_here = |one: &Conversation| one.workspace == self.workspace_of_token();
        if self.conversations.get(&id).is_some_and(is_here) {
            Ok(id)
        } else {
            Err(Refusal::not_found())
        }
    }

    /// The same, for an operation that writes: what was merged away takes nothing any more.
    pub(super) fn writable_conversation(&self, id: &str) -> Result<u64, Refusal> {
        let id = self.conversation_id(id)?;
        let found = self.conversations.get(&id);
        if let Some(most) = self.options.unsettled.most_parts
            && found.is_some_and(|one| one.parts.len() >= most)
        {
            return Err(Refusal::invalid("The conversation has too many parts"));
        }
        if found.is_none_or(|one| one.merged_into.is_none()) {
            return Ok(id);
        }
        Err(match self.options.merged_write {
            MergedWrite::Invalid => Refusal::new(422, "parameter_invalid", "Conversation has been merged"),
            MergedWrite::NotFound => Refusal::not_found(),
        })
    }

    /// The admin or bot that a request acts for.
    pub(super) fn acting_admin(&self, request: &Request) -> Result<String, Refusal> {
        let not_given = || Refusal::new(400, "parameter_not_found", "admin_id not specified").violation();
        let id = request.id_field("admin_id").ok_or_else(not_given)?;
        match self.staff_by_id(&id) {
            Some(_) => Ok(id),
            None => Err(Refusal::new(404, "admin_not_found", "Admin not found")),
        }
    }

    /// A conversation as the REST API shows it.
    pub(super) fn shown(&self, id: u64, request: &Request) -> Outcome {
        let shown = Shown {
            parts: Parts::Newest,
            is_plaintext: request.query("display_as") == Some("plaintext") || !self.options.unsettled.reads_are_html,
            is_216: request.is_216(),
            has_text_times: false,
        };
        let conversation = self.conversations.get(&id).ok_or_else(Refusal::not_found)?;
        let mut json = self.conversation_json(conversation, shown);
        if request.version == "2.17" && self.options.unsettled.newest_is_another {
            rename(&mut json, "conversation_parts", "messages");
        }
        Ok(json)
    }

    pub(super) fn get_conversation(&self, request: &Request) -> Outcome {
        if request.query("display_as").is_some_and(|form| form != "plaintext") {
            return Err(Refusal::invalid("display_as must be plaintext"));
        }
        self.shown(self.conversation_id(request.id(0))?, request)
    }

    pub(super) fn update_conversation(&mut self, request: &Request) -> Outcome {
        let id = self.conversation_id(request.id(0))?;
        let custom = request
            .body
            .get("custom_attributes")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        self.check_conversation_attributes(&custom)?;
        if let Some(conversation) = self.conversations.get_mut(&id) {
            if let Some(title) = request.text("title") {
                conversation.title = Some(title.to_owned());
            }
            if let Some(read) = request.body.get("read").and_then(Value::as_bool) {
                conversation.read = read;
            }
            conversation.custom_attributes.extend(custom);
        }
        self.touch(id);
        self.shown(id, request)
    }

    fn check_conversation_attributes(&self, given: &Map<String, Value>) -> Result<(), Refusal> {
        let unknown = |name: &&String| {
            !self
                .conversation_attributes
                .iter()
                .any(|one| one["name"] == name.as_str())
        };
        match given.keys().find(unknown) {
            Some(name) => {
                let message = format!("Custom attribute '{name}' does not exist");
                Err(Refusal::new(400, "parameter_invalid", message))
            }
            None => Ok(()),
        }
    }

    pub(super) fn delete_conversation(&mut self, request: &Request) -> Outcome {
        let id = self.conversation_id(request.id(0))?;
        self.remove_conversation(id);
        Ok(json!({"id": id.to_string(), "object": "conversation", "deleted": true}))
    }

    /// The contact that a request names by one of three fields.
    pub(super) fn named_contact(&self, fields: &Value) -> Result<String, Refusal> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let found = if let Some(id) = text("intercom_user_id") {
            self.contacts.get(id)
        } else {
            let (name, value) = match text("user_id") {
                Some(external_id) => ("external_id", Some(external_id)),
                None => ("email", text("email")),
            };
            let same = |one: &&Contact| one.text(name) == value && self.is_reachable(&one.id);
            self.contacts.values().filter(|_| value.is_some()).find(same)
        };
        match found {
            Some(contact) if self.is_reachable(&contact.id) => Ok(contact.id.clone()),
            _ => Err(Refusal::no_such_contact()),
        }
    }

    pub(super) fn attach(&mut self, request: &Request) -> Outcome {
        let id = self.writable_conversation(request.id(0))?;
        let customer = request.body.get("customer").cloned().unwrap_or_default();
        if !customer.is_object() {
            return Err(Refusal::new(400, "parameter_not_found", "customer not specified").violation());
        }
        if request.body.get("admin_id").is_some() {
            self.acting_admin(request)?;
        } else if customer.get("customer").is_none_or(Value::is_null) {
            return Err(Refusal::new(400, "parameter_not_found", "admin_id not specified").violation());
        }
        let contact = self.named_contact(&customer)?;
        if let Some(conversation) = self.conversations.get_mut(&id)
            && !conversation.contacts.contains(&contact)
        {
            conversation.contacts.push(contact);
            self.touch(id);
        }
        Ok(self.customers(id))
    }

    pub(super) fn detach(&mut self, request: &Request) -> Outcome {
        let id = self.writable_conversation(request.id(0))?;
        self.acting_admin(request)?;
        let contact = request.id(1);
        let conversation = self.conversations.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if !conversation.contacts.iter().any(|one| one == contact) {
            return Err(Refusal::no_such_contact());
        }
        if conversation.contacts.len() == 1 {
            return Err(Refusal::new(
                422,
                "parameter_invalid",
                "Removing the last customer is not allowed",
            ));
        }
        conversation.contacts.retain(|one| one != contact);
        self.touch(id);
        Ok(self.customers(id))
    }

    fn customers(&self, id: u64) -> Value {
        let contacts = self
            .conversations
            .get(&id)
            .map(|one| one.contacts.as_slice())
            .unwrap_or_default();
        let shown = |id: &String| json!({"type": self.contacts.get(id).map_or("user", Contact::role), "id": id});
        json!({"customers": contacts.iter().map(shown).collect::<Vec<_>>()})
    }

    pub(super) fn redact_by_api(&mut self, request: &Request) -> Outcome {
        let missing = || {
            let message = "Conversation part or message not found";
            Refusal::new(404, "conversation_part_or_message_not_found", message)
        };
        let number = |name: &str| {
            request
                .body
                .get(name)
                .and_then(id_text)
                .and_then(|id| id.parse::<u64>().ok())
        };
        let conversation = number("conversation_id").ok_or_else(missing)?;
        let part = number("conversation_part_id")
            .or_else(|| number("source_id"))
            .ok_or_else(missing)?;
        let is_source = |one: &Conversation| one.source.id == part;
        let found = self.conversations.get(&conversation).ok_or_else(missing)?;
        if is_source(found) != (request.text("type") == Some("source")) {
            return Err(missing());
        }
        self.redact(conversation, part).map_err(|why| match why {
            NotRedacted::NotFound => missing(),
            NotRedacted::NotRedactable => {
                let message = "Conversation part cannot be redacted";
                Refusal::new(422, "conversation_part_not_redactable", message)
            }
        })?;
        self.shown(conversation, request)
    }

    /// The newest conversation of a contact, for `last` in the path of a reply.
    pub(super) fn last_conversation(&self, contact: &str) -> Option<u64> {
        let takes_part = |one: &&Conversation| one.contacts.iter().any(|id| id == contact);
        self.conversations
            .values()
            .filter(takes_part)
            .map(|one| one.id)
            .next_back()
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    if let Some(fields) = object.as_object_mut()
        && let Some(value) = fields.remove(from)
    {
        fields.insert(to.to_owned(), value);
    }
}
