//! Where a message may go, and text messages.

use serde_json::{Map, Value, json};

use super::{
    super::{
        entities::{Rich, utf16_len},
        markup,
        people::Status,
        post::{Draft, fields},
        refusal::Refusal,
        world::ChatKind,
    },
    Answer, Context,
};

/// Code points; <https://core.telegram.org/bots/api#sendmessage>.
const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;
const LONGEST_QUOTE: usize = 1024;
/// How long the real server believes that a topic which it has seen is still there.
const TOPIC_CACHE_MS: i64 = 60_000;
const GROUP_MINUTE: i64 = 20;

/// A place that was checked, and what is answered there.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) chat: i64,
    topic: Option<i64>,
    reply_to: Option<i64>,
    extra: Map<String, Value>,
}

impl Target {
    pub(super) fn draft(&self, bot: i64, mut content: Map<String, Value>) -> Draft {
        content.extend(self.extra.clone());
        Draft {
            from: bot,
            topic: self.topic,
            reply_to: self.reply_to,
            fields: content,
            ..Draft::default()
        }
    }
}

impl Context<'_> {
    /// Checks chat, rights, answered message, topic and pace for `messages` new messages; `what` names their kind.
    pub(super) fn target(&mut self, what: &str, messages: i64) -> Result<Target, Refusal> {
        let chat = self.chat()?;
        let status = self.world.chat(chat).members.get(&self.bot).map(|member| member.status);
        if status == Some(Status::Restricted) {
            return Err(Refusal::bad(format!("not enough rights to send {what} to the chat")));
        }
        let mut target = Target {
            chat,
            topic: None,
            reply_to: None,
            extra: Map::new(),
        };
        let named = self
            .args
            .int("message_thread_id")
            .filter(|_| self.world.chat(chat).forum);
        target.topic = self.topic_of(chat, named)?;
        self.reply(&mut target)?;
        if !self.world.may_write_in(chat, self.bot, target.topic) || self.is_kept_out(chat, target.topic) {
            return Err(Refusal::bad("TOPIC_CLOSED"));
        }
        self.keep_pace(chat, messages)?;
        if let Some(markup) = self
            .args
            .get("reply_markup")
            .filter(|markup| markup.get("inline_keyboard").is_some())
        {
            target.extra.insert("reply_markup".into(), markup.clone());
        }
        Ok(target)
    }

    /// The topic that a parameter names, if it is there.
    fn topic_of(&mut self, chat: i64, named: Option<i64>) -> Result<Option<i64>, Refusal> {
        let Some(id) = named else { return Ok(None) };
        let now_ms = self.now_ms;
        if self.world.unsettled.archived_topics.contains(&id) {
            return Err(Refusal::bad("message thread not found"));
        }
        let Some(topic) = self.world.chat_mut(chat).topics.get_mut(&id) else {
            return Err(Refusal::wrong("message thread not found"));
        };
        let Some(_) = topic.deleted_ms else {
            topic.checked_ms = Some(now_ms);
            return Ok(Some(id));
        };
        let remembered = topic
            .checked_ms
            .is_some_and(|checked| now_ms - checked <= TOPIC_CACHE_MS);
        Err(Refusal::bad(if remembered {
            "TOPIC_DELETED"
        } else {
            "message thread not found"
        }))
    }

    fn reply(&mut self, target: &mut Target) -> Result<(), Refusal> {
        let Some(reply) = self.args.get("reply_parameters").cloned() else {
            return Ok(());
        };
        let elsewhere = reply
            .get("chat_id")
            .and_then(Value::as_i64)
            .filter(|id| *id != target.chat);
        let (chat, id) = (
            elsewhere.unwrap_or(target.chat),
            reply["message_id"].as_i64().unwrap_or_default(),
        );
        let found = self.world.chats.get(&chat).and_then(|chat| chat.visible(id)).cloned();
        let Some(message) = found else {
            let lenient = elsewhere.is_none() && reply["allow_sending_without_reply"] == true;
            return if lenient {
                Ok(())
            } else {
                Err(Refusal::wrong("message to be replied not found"))
            };
        };
        let same_place = elsewhere.is_none() && (message.topic == target.topic || !self.names_a_topic());
        if same_place {
            target.topic = message.topic;
            target.reply_to = Some(id);
        } else {
            self.world.violation(format!(
                "reply from one topic or chat into another shows message {id} of chat {chat}"
            ));
            let origin = json!({
                "type": "user", "sender_user": self.world.person(message.from).json(), "date": message.date_ms / 1000,
            });
            let external = json!({ "origin": origin, "chat": self.world.chat_json(chat), "message_id": id });
            target.extra.insert("external_reply".into(), external);
        }
        if let Some(quote) = reply.get("quote").and_then(Value::as_str) {
            target.extra.insert("quote".into(), quoted(quote, &message.fields)?);
        }
        Ok(())
    }

    fn names_a_topic(&self) -> bool {
        self.args.get("message_thread_id").is_some()
    }

    /// Whether nobody but the creator writes in a closed topic, whatever they manage.
    fn is_kept_out(&self, chat: i64, topic: Option<i64>) -> bool {
        let chat = self.world.chat(chat);
        let of_another = match topic.and_then(|topic| chat.topics.get(&topic)) {
            Some(topic) => topic.closed && topic.creator != self.bot,
            None => chat.general_closed,
        };
        of_another && !self.world.unsettled.managers_write_in_closed
    }

    /// At most one message a second in a chat, and 20 a minute in a group; an album counts as its items.
    pub(super) fn keep_pace(&mut self, chat: i64, messages: i64) -> Result<(), Refusal> {
        let (on, now_ms) = (self.world.pace, self.now_ms);
        let is_by_item = self.world.unsettled.albums_count_by_item;
        let messages = if is_by_item { messages } else { 1 };
        let chat = self.world.chat_mut(chat);
        chat.sent_ms.retain(|sent| now_ms - sent < 60_000);
        if on && chat.sent_ms.back().is_some_and(|last| now_ms - last < 1_000) {
            return Err(Refusal::too_many(1));
        }
        let count = i64::try_from(chat.sent_ms.len()).unwrap_or(i64::MAX);
        let over = count + messages - GROUP_MINUTE;
        if on && chat.kind != ChatKind::Private && over > 0 {
            let at = usize::try_from(over - 1).unwrap_or_default();
            let free_ms = chat.sent_ms.get(at).map_or(60_000, |sent| sent + 60_000 - now_ms);
            return Err(Refusal::too_many((free_ms + 999) / 1_000));
        }
        chat.sent_ms.extend((0..messages).map(|_| now_ms));
        Ok(())
    }

    /// Text and entities from an object of parameters, checked and without blank ends.
    pub(super) fn rich(&mut self, source: &Map<String, Value>, text: &str, entities: &str) -> Result<Rich, Refusal> {
        let raw = source.get(text).and_then(Value::as_str).unwrap_or_default();
        let given = source
            .get(entities)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let (most, mut passed_over) = (self.world.unsettled.most_entities, Vec::new());
        let mode = source
            .get("parse_mode")
            .and_then(Value::as_str)
            .filter(|mode| !mode.is_empty());
        let rich = match mode {
            None => Rich::checked(raw, given, most, &mut passed_over)?,
            Some(mode) if mode.eq_ignore_ascii_case("html") => {
                let (text, parsed) = markup::parse(raw)?;
                Rich::checked(&text, &parsed, most, &mut passed_over)?
            }
            Some(_) => return Err(Refusal::wrong("unsupported parse_mode")),
        };
        if mode.is_some() && !given.is_empty() {
            passed_over.push(format!("{entities} beside parse_mode"));
        }
        for problem in passed_over {
            self.world.violation(problem);
        }
        Ok(rich)
    }

    /// The `text` of a message.
    pub(super) fn text(&mut self) -> Result<Map<String, Value>, Refusal> {
        let args = self.args;
        let rich = self.rich(&args.values, "text", "entities")?;
        if rich.text.is_empty() {
            return Err(Refusal::wrong("message text is empty"));
        }
        if rich.text.chars().count() > LONGEST_TEXT {
            return Err(Refusal::wrong("message is too long"));
        }
        Ok(content("text", "entities", rich))
    }

    /// The caption of a file; nothing if there is none.
    pub(super) fn caption(&mut self, source: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
        let rich = self.rich(source, "caption", "caption_entities")?;
        if rich.text.chars().count() > LONGEST_CAPTION {
            return Err(Refusal::wrong("message caption is too long"));
        }
        Ok(if rich.text.is_empty() {
            Map::new()
        } else {
            content("caption", "caption_entities", rich)
        })
    }
}

fn content(text: &str, entities: &str, rich: Rich) -> Map<String, Value> {
    let mut content = fields([(text, rich.text.into())]);
    if !rich.entities.is_empty() {
        content.insert(entities.into(), rich.entities.into());
    }
    content
}

/// A quote has to stand in the answered message, word for word.
fn quoted(quote: &str, answered: &Map<String, Value>) -> Result<Value, Refusal> {
    if quote.chars().count() > LONGEST_QUOTE {
        return Err(Refusal::wrong("message quote is too long"));
    }
    let text = ["text", "caption"]
        .iter()
        .find_map(|name| answered.get(*name)?.as_str())
        .unwrap_or_default();
    let Some((before, _)) = text.split_once(quote) else {
        return Err(Refusal::bad("QUOTE_TEXT_INVALID"));
    };
    Ok(json!({ "text": quote, "position": utf16_len(before), "is_manual": true }))
}

pub(super) fn message(context: &mut Context<'_>) -> Answer {
    let text = context.text()?;
    let target = context.target("text messages", 1)?;
    let id = context
        .world
        .post(target.chat, target.draft(context.bot, text), context.now_ms);
    Ok(context.world.message_json(target.chat, id))
}

pub(super) fn action(context: &mut Context<'_>) -> Answer {
    let chat = context.chat()?;
    let named = context
        .args
        .int("message_thread_id")
        .filter(|_| context.world.chat(chat).forum);
    context.topic_of(chat, named)?;
    Ok(true.into())
}

pub(super) fn copy(context: &mut Context<'_>) -> Answer {
    let source = context.chat_in("from_chat_id")?;
    let original = context.world.chat(source).visible(context.int("message_id"));
    let original = original.ok_or_else(|| Refusal::bad("message to copy not found"))?;
    if original.service {
        return Err(Refusal::bad("message can't be copied"));
    }
    let mut shown = original.fields.clone();
    for name in [
        "forward_origin",
        "sender_chat",
        "author_signature",
        "media_group_id",
        "via_bot",
        "reply_markup",
    ] {
        shown.remove(name);
    }
    if context.args.get("caption").is_some() && !shown.contains_key("text") {
        shown.remove("caption");
        shown.remove("caption_entities");
        let args = context.args;
        shown.extend(context.caption(&args.values)?);
    }
    let target = context.target("text messages", 1)?;
    let id = context
        .world
        .post(target.chat, target.draft(context.bot, shown), context.now_ms);
    Ok(json!({ "message_id": id }))
}
