//! What is in the workspace, as the vendor's JSON.

use serde_json::{Map, Value, json};

use super::{
    html, links,
    model::{Author, Contact, Conversation, Fate, Part, Staff, State, World},
};

/// How a conversation is shown.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) parts: Parts,
    pub(super) is_plaintext: bool,
    /// From 2.16 on, what is not assigned is 0 and the priority has five steps.
    pub(super) is_216: bool,
    /// Times in `statistics` were text in notifications up to 2.14.
    pub(super) has_text_times: bool,
}

/// Which parts are shown.
#[derive(Clone, Copy)]
pub(super) enum Parts {
    /// No list at all, as in search results.
    Absent,
    /// The 500 newest.
    Newest,
    /// The one that a notification is about.
    One(u64),
}

/// More parts than these are never returned.
const MOST_PARTS: usize = 500;

impl World {
    pub(super) fn staff_json(staff: &Staff, teams: &Value) -> Value {
        json!({
            "type": "admin", "id": staff.id, "name": staff.name, "email": staff.email, "away_mode_enabled": false,
            "away_mode_reassign": false, "has_inbox_seat": true, "away_status_reason_id": null, "team_ids": teams,
        })
    }

    pub(super) fn author_json(&self, author: &Author) -> Value {
        match author {
            Author::Staff(id) => {
                let staff = self.staff_by_id(id);
                json!({
                    "type": if staff.is_some_and(|staff| staff.is_bot) { "bot" } else { "admin" }, "id": id,
                    "name": staff.map(|staff| &staff.name), "email": staff.map(|staff| &staff.email),
                    "from_ai_agent": false, "is_ai_answer": false,
                })
            }
            Author::Contact(id) => {
                let contact = self.contacts.get(id);
                json!({
                    "type": contact.map_or("user", Contact::role), "id": id,
                    "name": contact.and_then(|contact| contact.text("name")),
                    "email": contact.and_then(|contact| contact.text("email")).unwrap_or_default(),
                })
            }
        }
    }

    pub(super) fn contact_json(&self, contact: &Contact) -> Value {
        let list = |name: &str| {
            json!({"type": "list", "data": [], "url": format!("/contacts/{}/{name}", contact.id), "total_count": 0,
                "has_more": false})
        };
        let mut shown = json!({
            "type": "contact", "id": contact.id, "workspace_id": self.workspace.id, "external_id": null, "role": "user",
            "email": null, "phone": null, "name": null, "avatar": null, "owner_id": null,
            "unsubscribed_from_emails": false, "signed_up_at": null, "last_seen_at": null,
            "has_hard_bounced": false, "marked_email_as_spam": false,
            "created_at": contact.created_ms / 1000, "updated_at": contact.updated_at,
            "last_replied_at": null, "last_contacted_at": null, "language_override": null, "browser": null, "os": null,
            "social_profiles": {"type": "list", "data": []},
            "location": {"type": "location", "country": null, "region": null, "city": null},
            "custom_attributes": contact.custom_attributes,
            "tags": list("tags"), "notes": list("notes"), "companies": list("companies"),
        });
        if let Some(shown) = shown.as_object_mut() {
            shown.extend(contact.fields.clone());
        }
        shown
    }

    /// A contact inside a conversation.
    fn participant_json(&self, id: &str) -> Value {
        let contact = self
            .contacts
            .get(id)
            .filter(|contact| !matches!(contact.fate, Fate::Deleted { .. }));
        json!({"type": "contact", "id": id, "external_id": contact.and_then(|contact| contact.text("external_id"))})
    }

    fn shown_body(&self, body: &str, is_plaintext: bool) -> String {
        if is_plaintext {
            let text = html::plaintext(body, self.options.plaintext_images);
            if self.options.unsettled.plaintext_has_lines {
                text
            } else {
                text.replace('\n', " ")
            }
        } else {
            links::with_signed_urls(self, body)
        }
    }

    pub(super) fn attachments_json(&self, files: &[u64]) -> Value {
        files
            .iter()
            .filter_map(|id| self.uploads.get(id).map(|upload| (*id, upload)))
            .map(|(id, upload)| {
                json!({
                    "type": "upload", "name": upload.name, "url": links::signed_url(self, id),
                    "content_type": upload.content_type, "filesize": upload.stated_size.unwrap_or(upload.bytes.len()),
                })
            })
            .collect()
    }

    pub(super) fn part_json(&self, part: &Part, is_plaintext: bool) -> Value {
        let package = self.options.app_package_code.as_ref().filter(|_| part.through_api);
        let mut metadata = json!({});
        if !part.quick_replies.is_empty() {
            metadata = json!({"quick_reply_options": part.quick_replies});
        }
        json!({
            "type": "conversation_part", "id": part.id.to_string(), "part_type": part.kind,
            "body": part.body.as_ref().map(|body| self.shown_body(body, is_plaintext)),
            "created_at": part.created_at, "updated_at": part.updated_at, "notified_at": part.created_at,
            "assigned_to": part.assigned_to, "author": self.author_json(&part.author),
            "attachments": self.attachments_json(&part.files), "external_id": null, "redacted": part.redacted,
            "metadata": metadata, "email_message_metadata": null, "state": part.state.name(), "tags": [],
            "event_details": {}, "app_package_code": package,
        })
    }

    fn source_json(&self, conversation: &Conversation, is_plaintext: bool) -> Value {
        let source = &conversation.source;
        let initiator = match &source.author {
            Author::Staff(_) => "admin_initiated",
            Author::Contact(_) => "customer_initiated",
        };
        json!({
            "type": "conversation", "id": source.id.to_string(), "delivered_as": initiator, "subject": "",
            "body": source.body.as_ref().map(|body| self.shown_body(body, is_plaintext)),
            "author": self.author_json(&source.author), "attachments": self.attachments_json(&source.files),
            "url": null, "redacted": source.redacted,
        })
    }

    pub(super) fn conversation_json(&self, conversation: &Conversation, shown: Shown) -> Value {
        let unassigned = if shown.is_216 { json!(0) } else { Value::Null };
        let assignee = |id: &Option<String>| {
            id.as_ref()
                .and_then(|id| id.parse::<u64>().ok())
                .map_or_else(|| unassigned.clone(), Value::from)
        };
        let mut made = json!({
            "type": "conversation", "id": conversation.id.to_string(), "created_at": conversation.created_at,
            "updated_at": conversation.updated_at, "waiting_since": waiting_since(conversation),
            "snoozed_until": match conversation.state { State::Snoozed { until } => Some(until), _ => None },
            "source": self.source_json(conversation, shown.is_plaintext),
            "contacts": {"type": "contact.list",
                "contacts": conversation.contacts.iter().map(|id| self.participant_json(id)).collect::<Vec<_>>()},
            "first_contact_reply": first_contact_reply(conversation),
            "admin_assignee_id": assignee(&conversation.admin_assignee),
            "team_assignee_id": assignee(&conversation.team_assignee),
            "open": conversation.state != State::Closed, "state": conversation.state.name(), "read": conversation.read,
            "tags": {"type": "tag.list", "tags": self.applied_tags_json(conversation)},
            "priority": if shown.is_216 { "none" } else { "not_priority" }, "sla_applied": null,
            "statistics": statistics(conversation, shown.has_text_times), "conversation_rating": null,
            "teammates": {"type": "admin.list", "admins": teammates(conversation)
                .map(|id| json!({"type": "admin", "id": id})).collect::<Vec<_>>()},
            "title": conversation.title, "custom_attributes": conversation.custom_attributes, "topics": {},
            "ticket": null, "linked_objects": self.linked_objects(conversation), "ai_agent": null,
            "ai_agent_participated": false,
        });
        if let (Some(made), Some(parts)) = (made.as_object_mut(), self.parts_json(conversation, shown)) {
            made.insert("conversation_parts".to_owned(), parts);
        }
        made
    }

    /// What a conversation was merged into, and what was merged into it: that a link is seen from both sides is not documented, and the
    /// harder case.
    fn linked_objects(&self, conversation: &Conversation) -> Value {
        let secondary = |one: &&Conversation| one.merged_into == Some(conversation.id);
        let secondaries = self.conversations.values().filter(secondary).map(|one| one.id);
        let data: Vec<_> = secondaries
            .chain(conversation.merged_into)
            .map(|id| json!({"type": "conversation", "id": id.to_string(), "category": null}))
            .collect();
        json!({"type": "list", "total_count": data.len(), "data": data, "has_more": false})
    }

    fn parts_json(&self, conversation: &Conversation, shown: Shown) -> Option<Value> {
        let all = &conversation.parts;
        let (total, shown_parts): (usize, Vec<&Part>) = match shown.parts {
            Parts::Absent => return None,
            Parts::Newest => (
                all.len(),
                all.iter().skip(all.len().saturating_sub(MOST_PARTS)).collect(),
            ),
            Parts::One(id) => {
                let one: Vec<_> = all.iter().filter(|part| part.id == id).collect();
                (one.len(), one)
            }
        };
        let parts: Vec<_> = shown_parts
            .into_iter()
            .map(|part| self.part_json(part, shown.is_plaintext))
            .collect();
        Some(json!({"type": "conversation_part.list", "conversation_parts": parts, "total_count": total}))
    }

    fn applied_tags_json(&self, conversation: &Conversation) -> Value {
        conversation
            .tags
            .iter()
            .map(|applied| {
                let name = self.tags.iter().find(|tag| tag.id == applied.id).map(|tag| &tag.name);
                json!({
                    "type": "tag", "id": applied.id, "name": name, "applied_at": applied.applied_at,
                    "applied_by": {"type": "admin", "id": applied.admin},
                })
            })
            .collect()
    }

    /// What a conversation search can look at, under the names of its fields.
    pub(super) fn conversation_index(&self, conversation: &Conversation) -> Value {
        let source = &conversation.source;
        let author = self.author_json(&source.author);
        let body = source.body.as_deref().unwrap_or_default();
        json!({
            "id": conversation.id.to_string(), "created_at": conversation.created_at,
            "updated_at": conversation.updated_at, "source.type": "conversation", "source.id": source.id.to_string(),
            "source.body": html::words(body),
            "source.author.id": author["id"], "source.author.type": author["type"],
            "source.author.name": author["name"], "source.author.email": author["email"],
            "contact_ids": conversation.contacts, "teammate_ids": teammates(conversation).collect::<Vec<_>>(),
            "admin_assignee_id": conversation.admin_assignee.as_ref().and_then(|id| id.parse::<u64>().ok()),
            "team_assignee_id": conversation.team_assignee.as_ref().and_then(|id| id.parse::<u64>().ok()),
            "open": conversation.state != State::Closed, "read": conversation.read,
            "state": conversation.state.name(), "waiting_since": waiting_since(conversation),
            "tag_ids": conversation.tags.iter().map(|tag| &tag.id).collect::<Vec<_>>(),
        })
    }
}

fn is_contact(part: &Part) -> bool {
    matches!(part.author, Author::Contact(_))
}

/// The opening message and the parts that somebody wrote to be read by the other side.
fn messages(conversation: &Conversation) -> impl DoubleEndedIterator<Item = &Part> {
    let parts = conversation
        .parts
        .iter()
        .filter(|part| part.body.is_some() && !part.kind.starts_with("note"));
    std::iter::once(&conversation.source).chain(parts)
}

fn waiting_since(conversation: &Conversation) -> Option<i64> {
    let waiting = messages(conversation).rev().take_while(|part| is_contact(part));
    waiting.last().map(|part| part.created_at)
}

fn first_contact_reply(conversation: &Conversation) -> Value {
    let first = messages(conversation).find(|part| is_contact(part));
    first.map_or(
        Value::Null,
        |part| json!({"created_at": part.created_at, "type": "conversation", "url": null}),
    )
}

fn teammates(conversation: &Conversation) -> impl Iterator<Item = String> {
    let mut ids: Vec<String> = messages(conversation)
        .filter_map(|part| match &part.author {
            Author::Staff(id) => Some(id.clone()),
            Author::Contact(_) => None,
        })
        .collect();
    ids.sort();
    ids.dedup();
    ids.into_iter()
}

fn statistics(conversation: &Conversation, has_text_times: bool) -> Value {
    let shown = |part: Option<&Part>| match part {
        Some(part) if has_text_times => json!(iso(part.created_at)),
        Some(part) => json!(part.created_at),
        None => Value::Null,
    };
    let by_contact = || messages(conversation).filter(|part| is_contact(part));
    let by_admin = || messages(conversation).filter(|part| !is_contact(part));
    let parts = || conversation.parts.iter();
    json!({
        "type": "conversation_statistics",
        "first_contact_reply_at": shown(by_contact().next()), "last_contact_reply_at": shown(by_contact().next_back()),
        "first_admin_reply_at": shown(by_admin().next()), "last_admin_reply_at": shown(by_admin().next_back()),
        "last_close_at": shown(parts().rfind(|part| part.kind == "close")),
        "count_reopens": parts().filter(|part| part.kind.contains("open")).count(),
        "count_assignments": parts().filter(|part| part.kind.starts_with("assign")).count(),
        "count_conversation_parts": conversation.parts.len() + 1,
    })
}

/// Seconds since the Unix epoch as ISO 8601.
pub(super) fn iso(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant's civil_from_days: years that begin in March have their odd day at the end.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// The fields of a map that are set.
pub(super) fn without_nulls(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_written_as_iso_8601() {
        assert_eq!(super::iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::iso(1_768_031_789), "2026-01-10T07:56:29.000Z");
        assert_eq!(super::iso(951_782_400), "2000-02-29T00:00:00.000Z");
    }
}
