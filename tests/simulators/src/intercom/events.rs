//! Which topics tell of what happens in a conversation.

use serde_json::{Value, json};

use super::{
    model::{Author, Conversation, Part, State, World},
    options::{BotTopics, OneClick, RedactionPayload},
    outbox::Subject,
};

/// The topics that `subscribe` asks for: what the bridge listens to.
pub const TOPICS: &[&str] = &[
    "conversation.user.created",
    "conversation.admin.replied",
    "conversation.operator.replied",
    "conversation.admin.assigned",
    "conversation.admin.open.assigned",
    "conversation.admin.closed",
    "conversation.admin.opened",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation_part.redacted",
];

impl World {
    /// Tells of a part, on the topics that its kind comes on.
    pub(super) fn tell_of(&mut self, conversation: u64, part: u64) {
        let Some(found) = self
            .conversations
            .get(&conversation)
            .and_then(|one| one.part(part))
            .cloned()
        else {
            return;
        };
        let topics = self.topics_of(&found);
        let shown = if self.options.bare_state_parts && topics.iter().any(|topic| topic.ends_with(".replied")) {
            self.add_bare_part(conversation, &found)
        } else {
            part
        };
        for topic in topics {
            let is_reply = topic.ends_with(".replied");
            let part = Some(if is_reply { shown } else { part });
            self.notify(topic, Subject::Conversation { id: conversation, part });
        }
    }

    fn topics_of(&self, part: &Part) -> Vec<&'static str> {
        let Author::Staff(id) = &part.author else {
            return vec!["conversation.user.replied"];
        };
        if part.kind.starts_with("note") {
            return vec!["conversation.admin.noted"];
        }
        let has_text =
            part.kind == "comment" || part.body.is_some() || !part.files.is_empty() || !part.quick_replies.is_empty();
        let is_bot = self.staff_by_id(id).is_some_and(|staff| staff.is_bot);
        let mut topics = match (is_bot, self.options.bot_topics) {
            _ if !has_text => Vec::new(),
            (false, _) | (true, BotTopics::AdminOnly) => vec!["conversation.admin.replied"],
            (true, BotTopics::OperatorOnly) => vec!["conversation.operator.replied"],
            (true, BotTopics::Both) => vec!["conversation.admin.replied", "conversation.operator.replied"],
        };
        let state = match part.kind.as_str() {
            "assign_and_reopen" => Some("conversation.admin.open.assigned"),
            kind if kind.starts_with("assign") => Some("conversation.admin.assigned"),
            "close" => Some("conversation.admin.closed"),
            "open" => Some("conversation.admin.opened"),
            "snoozed" => Some("conversation.admin.snoozed"),
            "unsnoozed" | "timer_unsnooze" => Some("conversation.admin.unsnoozed"),
            _ => None,
        };
        let is_state_only = match self.options.one_click {
            OneClick::Observed => part.kind == "close",
            OneClick::Both => false,
            OneClick::StateOnly | OneClick::Untold => true,
        };
        if state.is_some() && has_text && self.options.one_click == OneClick::Untold {
            return Vec::new();
        }
        if state.is_some() && is_state_only {
            topics.clear();
        }
        topics.extend(state);
        topics
    }

    /// The state part that some notifications carry in place of the reply.
    fn add_bare_part(&mut self, conversation: u64, reply: &Part) -> u64 {
        let id = self.next_id(super::parts::PART_IDS);
        let bare = Part {
            id,
            kind: "assignment".to_owned(),
            body: None,
            files: Vec::new(),
            quick_replies: Vec::new(),
            assigned_to: Some(match &reply.author {
                Author::Staff(admin) => json!({"type": "admin", "id": admin}),
                Author::Contact(_) => json!({"type": "nobody_admin", "id": null}),
            }),
            ..reply.clone()
        };
        if let Some(found) = self.conversations.get_mut(&conversation) {
            found.parts.push(bare);
        }
        id
    }

    pub(super) fn tell_of_redaction(&mut self, conversation: u64, part: u64) {
        let subject = match self.options.redaction_payload {
            RedactionPayload::Full => Subject::Conversation {
                id: conversation,
                part: Some(part),
            },
            RedactionPayload::Minimal => Subject::Item(json!({"type": "conversation", "id": conversation.to_string()})),
        };
        self.notify("conversation_part.redacted", subject);
    }

    pub(super) fn tell_of_deletion(&mut self, conversation: u64) {
        let item = json!({"type": "conversation", "conversation_id": conversation.to_string()});
        self.notify("conversation.deleted", Subject::Item(item));
    }

    pub(super) fn tell_of_contact(&mut self, topic: &str, id: &str, extra: Option<(&str, Value)>) {
        let Some(contact) = self.contacts.get(id) else { return };
        let mut item = match topic {
            "contact.deleted" => json!({"type": "contact", "id": id, "external_id": contact.text("external_id")}),
            _ => self.contact_json(contact),
        };
        if let (Some(item), Some((name, value))) = (item.as_object_mut(), extra) {
            item.insert(name.to_owned(), value);
        }
        self.notify(topic, Subject::Item(item));
    }

    /// Wakes the conversations whose snooze is over.
    pub(super) fn wake_up(&mut self) {
        let now_s = self.clock.now_s();
        let is_over = |one: &Conversation| matches!(one.state, State::Snoozed { until } if until <= now_s);
        let over: Vec<u64> = self
            .conversations
            .values()
            .filter(|one| is_over(one))
            .map(|one| one.id)
            .collect();
        for id in over {
            let author = Author::Staff(self.workspace.own_admin.clone());
            self.set_state(id, State::Open);
            let part = self.add_part(id, author, super::parts::Draft::bare("timer_unsnooze"));
            self.tell_of(id, part);
        }
    }

    /// When the next snooze ends, in milliseconds.
    pub(super) fn next_waking_ms(&self) -> Option<i64> {
        let snoozed = self.conversations.values().filter_map(|one| match one.state {
            State::Snoozed { until } => Some(until * 1000),
            _ => None,
        });
        snoozed.min()
    }
}
