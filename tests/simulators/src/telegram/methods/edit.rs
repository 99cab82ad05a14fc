//! Changing what was written: edits, deletions, reactions.

use serde_json::Value;

use super::{
    super::{people::Right, refusal::Refusal, world::ChatKind},
    Answer, Context,
};

/// How long messages can be deleted.
const DELETABLE_MS: i64 = 48 * 3_600_000;
const SAME: &str = "message is not modified: specified new message content and reply markup are exactly the same as a \
                    current content and reply markup of the message";

pub(super) fn text(context: &mut Context<'_>) -> Answer {
    if context.args.get("chat_id").is_none() || context.args.get("message_id").is_none() {
        return Err(Refusal::wrong("message identifier is not specified"));
    }
    let new = context.text()?;
    let (chat, id, now_s) = (context.chat()?, context.int("message_id"), context.now_ms / 1000);
    let bot = context.bot;
    let message = context
        .world
        .chat_mut(chat)
        .messages
        .get_mut(&id)
        .filter(|message| !message.deleted);
    let message = message.ok_or_else(|| Refusal::bad("message to edit not found"))?;
    if message.from != bot || message.service {
        return Err(Refusal::bad("message can't be edited"));
    }
    if !message.fields.contains_key("text") {
        return Err(Refusal::wrong("there is no text in the message to edit"));
    }
    if message.fields.get("text") == new.get("text") && message.fields.get("entities") == new.get("entities") {
        return Err(Refusal::bad(SAME));
    }
    message.fields.remove("entities");
    message.fields.extend(new);
    message.edited_s = Some(now_s);
    Ok(context.world.message_json(chat, id))
}

pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let (chat, id) = (context.chat()?, context.int("message_id"));
    remove(context, chat, id)?;
    Ok(true.into())
}

pub(super) fn delete_all(context: &mut Context<'_>) -> Answer {
    let chat = context.chat()?;
    let ids: Vec<i64> = context
        .args
        .list("message_ids")
        .iter()
        .filter_map(Value::as_i64)
        .collect();
    if !(1..=100).contains(&ids.len()) {
        return Err(Refusal::wrong("there must be 1-100 message identifiers"));
    }
    for id in ids {
        match remove(context, chat, id) {
            Err(refusal) if !refusal.description.ends_with("not found") => return Err(refusal),
            _ => {}
        }
    }
    Ok(true.into())
}

fn remove(context: &mut Context<'_>, chat: i64, id: i64) -> Result<(), Refusal> {
    let private = context.world.chat(chat).kind == ChatKind::Private;
    let may_delete_others = private || context.may(chat, Right::DeleteMessages);
    let (bot, now_ms) = (context.bot, context.now_ms);
    let message = context
        .world
        .chat_mut(chat)
        .messages
        .get_mut(&id)
        .filter(|message| !message.deleted);
    let message = message.ok_or_else(|| Refusal::bad("message to delete not found"))?;
    let opens_topic = message.topic == Some(id);
    let in_time = now_ms - message.date_ms < DELETABLE_MS;
    if opens_topic || !in_time {
        return Err(Refusal::bad("message can't be deleted"));
    }
    if message.from != bot && !may_delete_others {
        return Err(context.lacks(chat, Right::DeleteMessages, "message can't be deleted"));
    }
    message.deleted = true;
    Ok(())
}

pub(super) fn react(context: &mut Context<'_>) -> Answer {
    let (chat, bot) = (context.chat()?, context.bot);
    let reaction = context.args.list("reaction").to_vec();
    if reaction.len() > 1 {
        return Err(Refusal::wrong("REACTIONS_TOO_MANY"));
    }
    if reaction.iter().any(|reaction| reaction["type"] == "paid") {
        return Err(Refusal::wrong("REACTION_INVALID"));
    }
    let id = context.int("message_id");
    let message = context.world.chat(chat).visible(id).filter(|message| !message.service);
    let message = message.ok_or_else(|| Refusal::bad("message to react not found"))?;
    // In an album the reaction lands on the first message.
    let group = message.fields.get("media_group_id").cloned();
    let chat = context.world.chat_mut(chat);
    let target = chat.messages.values_mut().find(|message| {
        message.id == id || (group.is_some() && message.fields.get("media_group_id") == group.as_ref())
    });
    if let Some(target) = target {
        target.reactions.insert(bot, reaction);
    }
    Ok(true.into())
}
