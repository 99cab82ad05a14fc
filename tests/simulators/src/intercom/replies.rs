//! `POST /conversations/{id}/reply` and `POST /conversations/{id}/parts`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    answer::{Outcome, Refusal},
    call::Request,
    html,
    model::{Author, State, Upload, World},
    options::{OutsiderReply, Unsettled},
    parts::{Assignee, Draft},
};

/// A message may be dated this far ahead, for clocks differ.
const MOST_SKEW_S: i64 = 300;

impl World {
    pub(super) fn reply(&mut self, request: &Request) -> Outcome {
        match request.text("type") {
            Some("admin") => self.reply_as_admin(request),
            _ => self.reply_as_contact(request),
        }
    }

    fn reply_as_contact(&mut self, request: &Request) -> Outcome {
        let contact = self.named_contact(&request.body);
        let id = match (request.id(0), &contact) {
            ("last", Ok(contact)) => self.last_conversation(contact).ok_or_else(Refusal::not_found)?,
            ("last", Err(_)) => return Err(Refusal::no_such_contact()),
            (id, _) => self.writable_conversation(id)?,
        };
        let contact = contact?;
        self.admit(id, &contact)?;
        let draft = self.draft(request, "comment")?;
        self.write_message(id, Author::Contact(contact), draft);
        self.shown(id, request)
    }

    /// Lets a contact write who takes no part yet, or refuses.
    fn admit(&mut self, id: u64, contact: &str) -> Result<(), Refusal> {
        let outsider_reply = self.options.outsider_reply;
        let conversation = self.conversations.get_mut(&id).ok_or_else(Refusal::not_found)?;
        if conversation.contacts.iter().any(|one| one == contact) {
            return Ok(());
        }
        match outsider_reply {
            OutsiderReply::NotFound => Err(Refusal::no_such_contact()),
            OutsiderReply::Invalid => Err(Refusal::new(
                422,
                "parameter_invalid",
                "Contact is not a participant of the conversation",
            )),
            OutsiderReply::Accepted => {
                conversation.contacts.push(contact.to_owned());
                Ok(())
            }
        }
    }

    fn reply_as_admin(&mut self, request: &Request) -> Outcome {
        let id = self.writable_conversation(request.id(0))?;
        let admin = self.acting_admin(request)?;
        let kind = request.text("message_type").unwrap_or_default();
        let options = request.body.get("reply_options").and_then(Value::as_array);
        if kind == "quick_reply" && options.is_none_or(Vec::is_empty) {
            return Err(Refusal::new(400, "parameter_not_found", "reply_options not specified").violation());
        }
        let draft = self.draft(request, kind)?;
        self.write_message(id, Author::Staff(admin), draft);
        self.shown(id, request)
    }

    /// What a request writes: its text as it is kept, its files, its options.
    fn draft(&mut self, request: &Request, kind: &str) -> Result<Draft, Refusal> {
        let body = match request.text("body") {
            Some(given) if html::is_blank(given) && kind != "quick_reply" => {
                return Err(Refusal::invalid("body must not be blank"));
            }
            None if kind != "quick_reply" => {
                return Err(Refusal::new(400, "parameter_not_found", "body not specified").violation());
            }
            given if self.options.unsettled.replies_are_html => given.map(html::sanitized),
            given => given.map(html::from_text),
        };
        Ok(Draft {
            kind: kind.to_owned(),
            body,
            files: self.files_of(request)?,
            created_at: self.created_at(request)?,
            assigned_to: None,
            quick_replies: request
                .body
                .get("reply_options")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            through_api: true,
        })
    }

    /// The time that a message is dated back to.
    pub(super) fn created_at(&self, request: &Request) -> Result<Option<i64>, Refusal> {
        let given = request.body.get("created_at").and_then(Value::as_i64);
        match given {
            Some(at) if at > self.clock.now_s() + MOST_SKEW_S => {
                Err(Refusal::invalid("created_at must not be in the future"))
            }
            _ => Ok(given),
        }
    }

    /// Keeps the files of a request; if it has both, those that it carries itself win over those behind URLs.
    pub(super) fn files_of(&mut self, request: &Request) -> Result<Vec<u64>, Refusal> {
        let given = request
            .body
            .get("attachment_files")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let files: Vec<Upload> = if given.is_empty() {
            let dead = || {
                Refusal::new(
                    422,
                    "parameter_invalid",
                    "Attachment URL is not an image that can be fetched",
                )
            };
            request
                .fetched
                .iter()
                .map(|one| one.clone().ok_or_else(dead))
                .collect::<Result<_, _>>()?
        } else {
            let files: Vec<Upload> = given.iter().map(decoded).collect::<Result<_, _>>()?;
            let bytes = files.iter().map(|file| file.bytes.len()).sum::<usize>();
            if bytes > self.options.unsettled.most_attached {
                let refusal = Refusal::new(413, "request_entity_too_large", "attachment_files are too large");
                let is_granted = bytes <= Unsettled::GRANTED;
                return Err(if is_granted { refusal } else { refusal.violation() });
            }
            files
        };
        Ok(files.into_iter().map(|upload| self.store(upload)).collect())
    }

    pub(super) fn manage(&mut self, request: &Request) -> Outcome {
        let id = self.writable_conversation(request.id(0))?;
        let admin = self.acting_admin(request)?;
        let body = request
            .text("body")
            .filter(|body| !html::is_blank(body))
            .map(html::sanitized);
        let draft = Draft {
            body,
            through_api: true,
            ..Draft::default()
        };
        match request.text("message_type") {
            Some("close") => self.change_state(id, &admin, State::Closed, draft),
            Some("open") => self.change_state(id, &admin, State::Open, draft),
            Some("snoozed") => {
                let until = request
                    .body
                    .get("snoozed_until")
                    .and_then(Value::as_i64)
                    .unwrap_or_default();
                if until <= self.clock.now_s() {
                    return Err(Refusal::invalid("snoozed_until must be in the future"));
                }
                self.change_state(id, &admin, State::Snoozed { until }, draft)
            }
            _ => {
                let to = self.assignee(id, request)?;
                self.assign(id, &admin, to, draft)
            }
        };
        self.shown(id, request)
    }

    fn assignee(&self, id: u64, request: &Request) -> Result<Assignee, Refusal> {
        let to = request.id_field("assignee_id").unwrap_or_default();
        let is_team = request.text("type") == Some("team");
        let conversation = self.conversations.get(&id).ok_or_else(Refusal::not_found)?;
        let now = if is_team {
            &conversation.team_assignee
        } else {
            &conversation.admin_assignee
        };
        if now.as_ref().is_some_and(|now| *now == to) {
            return Err(Refusal::new(
                422,
                "parameter_invalid",
                "Conversation is already assigned to this assignee",
            ));
        }
        let missing = || Refusal::new(404, "assignee_not_found", "Assignee not found");
        match to.as_str() {
            "0" => Ok(Assignee::Nobody),
            _ if is_team && self.teams.iter().any(|team| team.id == to) => Ok(Assignee::Team(to)),
            _ if !is_team && self.staff_by_id(&to).is_some() => Ok(Assignee::Admin(to)),
            _ => Err(missing()),
        }
    }
}

fn decoded(file: &Value) -> Result<Upload, Refusal> {
    let text = |name: &str| {
        let missing = || {
            let message = format!("attachment_files: {name} not specified");
            Refusal::new(400, "parameter_not_found", message).violation()
        };
        file.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(missing)
    };
    let (name, content_type) = (text("name")?.to_owned(), text("content_type")?.to_owned());
    if !is_file_name(&name) {
        return Err(Refusal::invalid("attachment_files: name is no file name").violation());
    }
    if !is_media_type(&content_type) {
        return Err(Refusal::invalid("attachment_files: content_type is no media type").violation());
    }
    let bytes = STANDARD.decode(text("data")?);
    let bytes = bytes.map_err(|_| Refusal::invalid("attachment_files: data is not base64").violation())?;
    Ok(Upload {
        name,
        content_type,
        bytes,
        stated_size: None,
    })
}

/// A name with an ending, and nothing in it that leads to another folder or breaks a header.
fn is_file_name(name: &str) -> bool {
    let has_ending = name
        .rsplit_once('.')
        .is_some_and(|(stem, ending)| !stem.trim().is_empty() && !ending.is_empty());
    has_ending && name.len() <= 255 && !name.contains(['/', '\\', '"']) && !name.chars().any(char::is_control)
}

/// `type/subtype` in lower case.
fn is_media_type(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/')
        .is_some_and(|(kind, subtype)| is_word(kind) && is_word(subtype))
}
