//! Topics of forums.

use serde_json::{Map, Value, json};

use super::{
    super::{
        people::Right,
        post::NewTopic,
        refusal::Refusal,
        world::{ChatKind, Topic},
    },
    Answer, Context,
};

const ICON_COLORS: [i64; 6] = [7_322_096, 16_766_590, 13_338_331, 9_367_192, 16_749_490, 16_478_047];
const LONGEST_NAME: usize = 128;

pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let chat = forum(context)?;
    if !context.may(chat, Right::ManageTopics) {
        return Err(context.lacks(chat, Right::ManageTopics, "not enough rights to create a topic"));
    }
    let name = name(context)?;
    let icon_color = context.args.int("icon_color").unwrap_or(ICON_COLORS[0]);
    if !ICON_COLORS.contains(&icon_color) {
        return Err(Refusal::wrong("invalid icon color specified"));
    }
    let icon = context
        .args
        .text("icon_custom_emoji_id")
        .filter(|icon| !icon.is_empty())
        .map(str::to_owned);
    let topic = NewTopic {
        name: name.clone(),
        icon_color,
        icon: icon.clone(),
    };
    let id = context.world.open_topic(chat, context.bot, topic, context.now_ms);
    let mut created = json!({ "message_thread_id": id, "name": name, "icon_color": icon_color });
    if let Some(icon) = icon {
        created["icon_custom_emoji_id"] = icon.into();
    }
    Ok(created)
}

pub(super) fn edit(context: &mut Context<'_>) -> Answer {
    let chat = forum(context)?;
    let name = context.args.get("name").map(|_| name(context)).transpose()?;
    let icon = context.args.text("icon_custom_emoji_id").map(str::to_owned);
    let (id, topic) = managed(context, chat, "edit the topic")?;
    let mut edited = Map::new();
    if let Some(name) = name.filter(|name| *name != topic.name) {
        topic.name.clone_from(&name);
        edited.insert("name".into(), name.into());
    }
    if let Some(icon) = icon.filter(|icon| icon != topic.icon.as_deref().unwrap_or_default()) {
        topic.icon = Some(icon.clone()).filter(|icon| !icon.is_empty());
        edited.insert("icon_custom_emoji_id".into(), icon.into());
    }
    if edited.is_empty() {
        return Err(Refusal::bad("TOPIC_NOT_MODIFIED"));
    }
    let event = ("forum_topic_edited", Value::Object(edited));
    context
        .world
        .topic_event(chat, context.bot, Some(id), event, context.now_ms);
    Ok(true.into())
}

pub(super) fn set_closed(context: &mut Context<'_>, closed: bool) -> Answer {
    let chat = forum(context)?;
    let (id, topic) = managed(context, chat, "close or open the topic")?;
    if topic.closed == closed {
        return Err(Refusal::bad("TOPIC_NOT_MODIFIED"));
    }
    topic.closed = closed;
    context
        .world
        .topic_event(chat, context.bot, Some(id), (event(closed), json!({})), context.now_ms);
    Ok(true.into())
}

pub(super) fn set_general_closed(context: &mut Context<'_>, closed: bool) -> Answer {
    let chat = forum(context)?;
    if !context.may(chat, Right::ManageTopics) {
        let words = "not enough rights to close or open the topic";
        return Err(context.lacks(chat, Right::ManageTopics, words));
    }
    let state = context.world.chat_mut(chat);
    if state.general_closed == closed {
        return Err(Refusal::bad("TOPIC_NOT_MODIFIED"));
    }
    state.general_closed = closed;
    context
        .world
        .topic_event(chat, context.bot, None, (event(closed), json!({})), context.now_ms);
    Ok(true.into())
}

pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let chat = forum(context)?;
    if !context.may(chat, Right::DeleteMessages) {
        return Err(context.lacks(chat, Right::DeleteMessages, "not enough rights to delete the topic"));
    }
    let (id, now_ms) = (context.int("message_thread_id"), context.now_ms);
    topic(context, chat, id)?;
    context.world.remove_topic(chat, id, now_ms);
    Ok(true.into())
}

fn event(closed: bool) -> &'static str {
    if closed {
        "forum_topic_closed"
    } else {
        "forum_topic_reopened"
    }
}

fn forum(context: &Context<'_>) -> Result<i64, Refusal> {
    let id = context.chat()?;
    let chat = context.world.chat(id);
    match chat.kind {
        ChatKind::Private => Err(Refusal::bad("the chat is not a supergroup forum")),
        ChatKind::Group | ChatKind::Supergroup if !chat.forum => Err(Refusal::bad("the chat is not a forum")),
        ChatKind::Group | ChatKind::Supergroup => Ok(id),
    }
}

fn name(context: &Context<'_>) -> Result<String, Refusal> {
    let name = context.args.text("name").unwrap_or_default().trim();
    if name.is_empty() {
        return Err(Refusal::wrong("name must be non-empty"));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(Refusal::wrong("TOPIC_TITLE_TOO_LONG"));
    }
    Ok(name.to_owned())
}

/// A topic that the bot may change: its own, or any with the right.
fn managed<'a>(context: &'a mut Context<'_>, chat: i64, what: &str) -> Result<(i64, &'a mut Topic), Refusal> {
    let (id, bot) = (context.int("message_thread_id"), context.bot);
    let manages = context.may(chat, Right::ManageTopics);
    let refusal = context.lacks(chat, Right::ManageTopics, &format!("not enough rights to {what}"));
    let topic = topic(context, chat, id)?;
    if manages || topic.creator == bot {
        return Ok((id, topic));
    }
    Err(refusal)
}

fn topic<'a>(context: &'a mut Context<'_>, chat: i64, id: i64) -> Result<&'a mut Topic, Refusal> {
    match context.world.chat_mut(chat).topics.get_mut(&id) {
        Some(topic) if topic.deleted_ms.is_none() => Ok(topic),
        Some(_) => Err(Refusal::bad("TOPIC_ID_INVALID")),
        None => Err(Refusal::wrong("TOPIC_ID_INVALID")),
    }
}
