//! An update becomes what the bridge carries.

use crate::{
    content,
    fields::{Shape, shape},
    files,
    live_location::{self, LiveLocation},
    message::{self, Message},
    quote, reaction, webhook,
    wire::Json,
};
use bridge::{
    ports::Unreadable,
    telegram_message::{CustomerMessage, Update},
};
use mapping::Timestamp;

/// Reads an update.
pub(crate) fn update(update: Json<'_>, bot_username: Option<&str>) -> Result<Update, Unreadable> {
    let (kind, body) = webhook::kind(update).ok_or_else(|| Unreadable("an update without anything in it".into()))?;
    let message = Message(body);
    Ok(match kind {
        "message" => written(message, bot_username),
        "edited_message" => edited(message, bot_username),
        "my_chat_member" => membership(body),
        "message_reaction" => Update::Reaction(reaction::read(body)),
        other => Update::Other(other.to_owned()),
    })
}

fn edited(message: Message<'_>, bot_username: Option<&str>) -> Update {
    let edited = || CustomerMessage {
        date: date(message.0, "edit_date").unwrap_or_else(|| date_of(message.0)),
        ..customer_message(message, bot_username)
    };
    match live_location::of(message) {
        LiveLocation::None => Update::Edited(Box::new(edited())),
        LiveLocation::Step => Update::Other(live_location::STEP.into()),
        LiveLocation::End(text) => Update::LocationEnded(Box::new(CustomerMessage { text, ..edited() })),
    }
}

fn written(message: Message<'_>, bot_username: Option<&str>) -> Update {
    match shape(message.0) {
        Shape::Topic(field) => topic(message, field),
        Shape::Migration(field) | Shape::Service(field) => Update::Other(field.to_owned()),
        Shape::Content(_) | Shape::Unknown(_) | Shape::Nothing => {
            Update::Message(Box::new(customer_message(message, bot_username)))
        }
    }
}

/// A change of a topic; without a topic of its own it is about General.
fn topic(message: Message<'_>, field: &str) -> Update {
    let topic = message.topic();
    let title = message.0.get(field).and_then(|change| change.text("name"));
    match (field, title) {
        ("forum_topic_created" | "forum_topic_edited", Some(title)) => Update::TopicTitle {
            topic,
            title: title.to_owned(),
        },
        ("forum_topic_closed", _) => Update::TopicClosed { topic, closed: true },
        ("forum_topic_reopened", _) => Update::TopicClosed { topic, closed: false },
        // Another icon, or General hidden in the list of topics.
        _ => Update::Other(field.to_owned()),
    }
}

fn membership(body: Json<'_>) -> Update {
    let Some(now) = body.get("new_chat_member") else {
        return Update::Other("my_chat_member".into());
    };
    let status = now.text("status").unwrap_or_default();
    let administrator = matches!(status, "administrator" | "creator");
    Update::Membership {
        present: match status {
            "restricted" => now.is("is_member") && now.is("can_send_messages"),
            "left" | "kicked" => false,
            _ => true,
        },
        administrator,
        manages_topics: status == "creator" || administrator && now.is("can_manage_topics"),
    }
}

fn customer_message(message: Message<'_>, bot_username: Option<&str>) -> CustomerMessage {
    let json = message.0;
    let chat = json.get("chat");
    let topic_root = message.topic_root();
    let topic_title = topic_root.and_then(|root| root.0.get("forum_topic_created"));
    let text = |holder: Option<Json<'_>>, key| holder.and_then(|json| json.text(key)).map(str::to_owned);
    let files = files::read(json);
    let text_of_message = if files.is_empty() {
        content::read(json)
    } else {
        content::besides_files(json)
    };
    CustomerMessage {
        chat_title: chat.map(message::chat_name).unwrap_or_default(),
        chat_username: text(chat, "username"),
        topic_title: text(topic_title, "name"),
        topic_creator: topic_root.and_then(Message::sender).map(|creator| creator.id),
        author: message.author(),
        date: date_of(json),
        text: text_of_message,
        files,
        quote: quote::read(message),
        forwarded_from: quote::forwarded_from(json),
        via_bot: text(json.get("via_bot"), "username"),
        for_another_bot: is_for_another_bot(json, bot_username),
    }
}

fn date_of(message: Json<'_>) -> Timestamp {
    date(message, "date").unwrap_or(Timestamp::EPOCH)
}

fn date(message: Json<'_>, key: &str) -> Option<Timestamp> {
    message.integer(key).map(Timestamp::from_seconds)
}

/// Whether the message begins with a command that names a bot which is not ours: `/help@other_bot`.
fn is_for_another_bot(message: Json<'_>, bot_username: Option<&str>) -> bool {
    let Some(ours) = bot_username else { return false };
    let begins_with_command = |key| {
        let mut entities = message.list(key);
        entities
            .any(|entity: Json<'_>| entity.integer("offset") == Some(0) && entity.text("type") == Some("bot_command"))
    };
    let texts = [("text", "entities"), ("caption", "caption_entities")];
    let text = texts
        .into_iter()
        .find_map(|(text, entities)| message.text(text).filter(|_| begins_with_command(entities)));
    let command = text.and_then(|text| text.split_whitespace().next());
    let named = command.and_then(|command| command.split_once('@')).map(|(_, bot)| bot);
    named.is_some_and(|bot| !bot.eq_ignore_ascii_case(ours))
}
