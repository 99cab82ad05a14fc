//! One call of the API: what was asked, which operation answers it.

use serde_json::{Value, json};

use super::{
    answer::{Outcome, Refusal},
    model::{Upload, World},
};

/// A call that the server saw.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method and path template, such as `POST /conversations/{id}/reply`.
    pub name: String,
    /// What stood in the place of each placeholder.
    pub ids: Vec<String>,
    /// The HTTP status that was answered; none if the connection was cut or nothing was ever answered.
    pub status: Option<u16>,
    /// Names and values of its headers.
    pub headers: Vec<(String, String)>,
    /// The JSON body; the data of files is replaced by its length.
    pub body: Value,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// A request that passed authorisation.
pub(super) struct Request {
    pub(super) name: &'static str,
    pub(super) ids: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) version: String,
    /// What was behind `attachment_urls`; nothing in the place of a URL that gives no image.
    pub(super) fetched: Vec<Option<Upload>>,
}

impl Request {
    /// The value of a placeholder of the path.
    pub(super) fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// An id that may come as text or as a number.
    pub(super) fn id_field(&self, name: &str) -> Option<String> {
        id_text(self.body.get(name)?)
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn is_216(&self) -> bool {
        matches!(self.version.as_str(), "2.16" | "2.17")
    }
}

/// An id as text.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A body as it is recorded: without the data of files.
pub(super) fn without_data(body: &Value) -> Value {
    let mut body = body.clone();
    let files = body.get_mut("attachment_files").and_then(Value::as_array_mut);
    for file in files.into_iter().flatten() {
        if let Some(data) = file.get_mut("data") {
            *data = json!(format!("<{} bytes of base64>", data.as_str().map_or(0, str::len)));
        }
    }
    body
}

impl World {
    /// Does what a request asks for.
    pub(super) fn perform(&mut self, request: &Request) -> Outcome {
        match request.name {
            "GET /me" => Ok(self.me()),
            "GET /admins" => Ok(self.admins()),
            "GET /admins/{id}" => self.admin_by_id(request),
            "GET /teams" => Ok(self.teams()),
            "GET /tags" => Ok(self.all_tags()),
            "POST /tags" => self.save_tag(request),
            "GET /data_attributes" => Ok(self.attributes(request)),
            "POST /data_attributes" => self.create_attribute(request),
            "GET /conversations/attributes" => self.conversation_attributes(request),
            "POST /conversations/attributes" => self.create_conversation_attribute(request),
            "POST /contacts" => self.create_contact(request),
            "GET /contacts/{id}" => self.get_contact(request),
            "PUT /contacts/{id}" => self.update_contact(request),
            "DELETE /contacts/{id}" => self.delete_contact(request.id(0)),
            "POST /contacts/{id}/archive" => self.archive_contact(request.id(0)),
            "POST /contacts/{id}/unarchive" => self.unarchive_contact(request.id(0)),
            "GET /contacts/find_by_external_id/{id}" => self.find_contact(request),
            "POST /contacts/merge" => self.merge_contacts_by_api(request),
            "POST /contacts/search" => self.search_contacts(request),
            "POST /conversations/search" => self.search_conversations(request),
            "POST /conversations" => self.create_conversation(request),
            "GET /conversations/{id}" => self.get_conversation(request),
            "PUT /conversations/{id}" => self.update_conversation(request),
            "DELETE /conversations/{id}" => self.delete_conversation(request),
            "POST /conversations/{id}/reply" => self.reply(request),
            "POST /conversations/{id}/parts" => self.manage(request),
            "POST /conversations/{id}/customers" => self.attach(request),
            "DELETE /conversations/{id}/customers/{id}" => self.detach(request),
            "POST /conversations/redact" => self.redact_by_api(request),
            "POST /conversations/{id}/tags" => self.tag(request),
            "DELETE /conversations/{id}/tags/{id}" => self.untag(request),
            _ => Err(Refusal::not_found().violation()),
        }
    }
}
