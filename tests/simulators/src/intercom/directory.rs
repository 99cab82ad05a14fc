//! Operations on what a workspace is set up with: admins, teams, tags, attributes.

use serde_json::{Value, json};

use super::{
    answer::{Outcome, Refusal},
    call::Request,
    model::{AppliedTag, Tag, World},
};

impl World {
    pub(super) fn me(&self) -> Value {
        let own = self.staff_by_id(&self.workspace.own_admin);
        let workspace = self.workspace_of_token();
        json!({
            "type": "admin", "id": self.workspace.own_admin, "name": own.map(|own| &own.name),
            "email": own.map(|own| &own.email), "email_verified": true, "has_inbox_seat": true,
            "app": {
                "type": "app", "id_code": workspace, "name": "Simulated workspace", "created_at": 1_700_000_000,
                "secure": false, "identity_verification": false, "timezone": "Etc/UTC", "region": self.workspace.region,
            },
        })
    }

    pub(super) fn admins(&self) -> Value {
        let admins = self.staff.iter().filter(|staff| !staff.is_bot);
        let shown: Vec<_> = admins.map(|staff| Self::staff_json(staff, &json!([]))).collect();
        json!({"type": "admin.list", "admins": shown})
    }

    pub(super) fn admin_by_id(&self, request: &Request) -> Outcome {
        let staff = self.staff_by_id(request.id(0));
        let missing = || Refusal::new(404, "admin_not_found", "Admin not found");
        Ok(Self::staff_json(staff.ok_or_else(missing)?, &json!([])))
    }

    pub(super) fn teams(&self) -> Value {
        let shown = self
            .teams
            .iter()
            .map(|team| json!({"type": "team", "id": team.id, "name": team.name, "admin_ids": []}));
        json!({"type": "team.list", "teams": shown.collect::<Vec<_>>()})
    }

    pub(super) fn all_tags(&self) -> Value {
        let shown = self
            .tags
            .iter()
            .map(|tag| json!({"type": "tag", "id": tag.id, "name": tag.name}));
        json!({"type": "list", "data": shown.collect::<Vec<_>>()})
    }

    pub(super) fn save_tag(&mut self, request: &Request) -> Outcome {
        let name = request.text("name").unwrap_or_default();
        if name.trim().is_empty() {
            return Err(Refusal::invalid("invalid tag parameters"));
        }
        let wanted = request.id_field("id");
        let same = |tag: &&mut Tag| match &wanted {
            Some(id) => tag.id == *id,
            None => tag.name.eq_ignore_ascii_case(name),
        };
        let saved = match self.tags.iter_mut().find(same) {
            Some(tag) => {
                if wanted.is_some() {
                    name.clone_into(&mut tag.name);
                }
                tag.clone()
            }
            None if wanted.is_some() => return Err(Refusal::new(404, "tag_not_found", "Tag not found")),
            None => {
                let tag = Tag {
                    id: self.next_id(7_500_000).to_string(),
                    name: name.to_owned(),
                };
                self.tags.push(tag.clone());
                tag
            }
        };
        Ok(json!({"type": "tag", "id": saved.id, "name": saved.name}))
    }

    pub(super) fn tag(&mut self, request: &Request) -> Outcome {
        let id = self
            .conversation_id(request.id(0))
            .map_err(|_| no_such_conversation())?;
        let admin = self.acting_admin(request)?;
        let wanted = request.id_field("id").unwrap_or_default();
        let tag = self
            .tags
            .iter()
            .find(|tag| tag.id == wanted)
            .cloned()
            .ok_or_else(no_such_tag)?;
        let applied_at = self.clock.now_s();
        if let Some(conversation) = self.conversations.get_mut(&id)
            && !conversation.tags.iter().any(|applied| applied.id == tag.id)
        {
            conversation.tags.push(AppliedTag {
                id: tag.id.clone(),
                applied_at,
                admin: admin.clone(),
            });
        }
        self.touch(id);
        Ok(applied_json(&tag, applied_at, &admin))
    }

    pub(super) fn untag(&mut self, request: &Request) -> Outcome {
        let id = self
            .conversation_id(request.id(0))
            .map_err(|_| no_such_conversation())?;
        let admin = self.acting_admin(request)?;
        let tag = self
            .tags
            .iter()
            .find(|tag| tag.id == request.id(1))
            .cloned()
            .ok_or_else(no_such_tag)?;
        let conversation = self.conversations.get_mut(&id).ok_or_else(no_such_conversation)?;
        let at = conversation
            .tags
            .iter()
            .position(|applied| applied.id == tag.id)
            .ok_or_else(no_such_tag)?;
        let removed = conversation.tags.remove(at);
        self.touch(id);
        Ok(applied_json(&tag, removed.applied_at, &admin))
    }

    pub(super) fn attributes(&self, request: &Request) -> Value {
        let fits = |one: &&Value| request.query("model").is_none_or(|model| one["model"] == model);
        json!({"type": "list", "data": self.data_attributes.iter().filter(fits).collect::<Vec<_>>()})
    }

    pub(super) fn create_attribute(&mut self, request: &Request) -> Outcome {
        let name = request.text("name").unwrap_or_default();
        let is_allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '$' | '€' | '£');
        if name.trim().is_empty() || !name.chars().all(is_allowed) {
            let message =
                "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens";
            return Err(Refusal::invalid(message));
        }
        let model = request.text("model").unwrap_or_default();
        let other = self
            .data_attributes
            .iter()
            .find(|one| one["name"] == name && one["model"] == model);
        if other.is_some() {
            let message = format!(
                "You already have '{name}' in your {model} data. To save this as new data, use a different name."
            );
            return Err(Refusal::new(400, "parameter_invalid", message));
        }
        let options = request.body.get("options").and_then(Value::as_array);
        if request.text("data_type") == Some("options") && options.is_none_or(|options| options.len() < 2) {
            return Err(Refusal::invalid("The list attribute needs at least two options"));
        }
        let now = self.clock.now_s();
        let made = json!({
            "type": "data_attribute", "id": self.next_id(30), "name": name, "model": model,
            "full_name": format!("custom_attributes.{name}"), "label": name, "data_type": request.text("data_type"),
            "description": request.text("description"), "options": options, "api_writable": true, "ui_writable": false,
            "messenger_writable": false, "custom": true, "archived": false, "admin_id": self.workspace.own_admin,
            "created_at": now, "updated_at": now,
        });
        self.data_attributes.push(made.clone());
        Ok(made)
    }

    pub(super) fn conversation_attributes(&self, request: &Request) -> Outcome {
        since_216(request)?;
        Ok(json!({"type": "list", "data": self.conversation_attributes}))
    }

    pub(super) fn create_conversation_attribute(&mut self, request: &Request) -> Outcome {
        since_216(request)?;
        let name = request.text("name").unwrap_or_default();
        if name.trim().is_empty() {
            return Err(Refusal::new(422, "parameter_invalid", "name must not be blank").violation());
        }
        if self.conversation_attributes.iter().any(|one| one["name"] == name) {
            return Err(Refusal::new(
                422,
                "parameter_invalid",
                format!("You already have an attribute '{name}'"),
            ));
        }
        let now = self.clock.now_s();
        let made = json!({
            "type": "conversation_attribute", "id": self.next_id(1), "name": name,
            "description": request.text("description").unwrap_or_default(), "data_type": request.text("data_type"),
            "required": false, "visible_to_team_ids": [], "archived": false, "created_at": now, "updated_at": now,
            "admin_id": self.workspace.own_admin,
        });
        self.conversation_attributes.push(made.clone());
        Ok(made)
    }
}

fn no_such_conversation() -> Refusal {
    Refusal::new(404, "not_found", "Conversation not found")
}

fn no_such_tag() -> Refusal {
    Refusal::new(404, "tag_not_found", "Tag not found")
}

fn applied_json(tag: &Tag, applied_at: i64, admin: &str) -> Value {
    json!({
        "type": "tag", "id": tag.id, "name": tag.name, "applied_at": applied_at,
        "applied_by": {"type": "admin", "id": admin},
    })
}

/// Attributes of conversations came with 2.16.
fn since_216(request: &Request) -> Result<(), Refusal> {
    if request.is_216() {
        Ok(())
    } else {
        Err(Refusal::not_found())
    }
}
