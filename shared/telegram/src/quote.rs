//! What a message answers, and from whom it was forwarded.

use crate::{
    content, entities,
    fields::{Shape, shape},
    message::{self, Message},
    wire::Json,
};
use bridge::{
    content_words as words,
    rich_text::{Block, RichText, Run},
    telegram_message::Quote,
};

/// How much of an answered message is repeated, in UTF-16 units.
const REPEATED: usize = 300;

/// What a message answers: the picked words, else the beginning of the message.
pub(crate) fn read(message: Message<'_>) -> Option<Quote> {
    let picked = message.0.get("quote").map(|quote| shortened(quote, "text", "entities"));
    let picked = picked.filter(|text| !text.is_blank());
    if let Some(answered) = message.answered() {
        let author = Some(answered.author().name).filter(|name| !name.is_empty());
        let text = picked.unwrap_or_else(|| beginning(answered.0));
        return Some(Quote { author, text });
    }
    if let Some(elsewhere) = message.0.get("external_reply") {
        let author = elsewhere
            .get("origin")
            .and_then(origin_name)
            .or_else(|| chat_of(elsewhere));
        let text = picked.unwrap_or_else(|| named(elsewhere));
        return Some(Quote { author, text });
    }
    if let Some(story) = message.0.get("reply_to_story") {
        let text = RichText(vec![Block::paragraph(vec![content::line("reply_to_story", message.0)])]);
        return Some(Quote {
            author: chat_of(story),
            text,
        });
    }
    picked.map(|text| Quote { author: None, text })
}

fn chat_of(holder: Json<'_>) -> Option<String> {
    holder
        .get("chat")
        .map(message::chat_name)
        .filter(|name| !name.is_empty())
}

/// What an answered message says, not all of it.
fn beginning(answered: Json<'_>) -> RichText {
    match shape(answered) {
        Shape::Content("text") => shortened(answered, "text", "entities"),
        Shape::Content("rich_message") => {
            let whole = content::read(answered).to_plain();
            let begins = entities::beginning(&whole, REPEATED);
            RichText::plain(if begins.len() < whole.len() {
                format!("{begins}…")
            } else {
                whole
            })
        }
        Shape::Content(field) | Shape::Unknown(field) => {
            let caption = shortened(answered, "caption", "caption_entities");
            content::above(content::line(field, answered), caption)
        }
        Shape::Migration(_) | Shape::Topic(_) | Shape::Service(_) | Shape::Nothing => RichText::default(),
    }
}

/// The line that says what a message is; of one that stands in another chat Telegram tells no more.
fn named(answered: Json<'_>) -> RichText {
    match shape(answered) {
        Shape::Content(field) => RichText(vec![Block::paragraph(vec![content::line(field, answered)])]),
        _ => RichText::default(),
    }
}

fn shortened(holder: Json<'_>, text: &str, entities: &str) -> RichText {
    let Some(whole) = holder.text(text) else {
        return RichText::default();
    };
    let begins = entities::beginning(whole, REPEATED);
    let mut shortened = entities::format(begins, holder.list(entities));
    if begins.len() < whole.len() {
        shortened.extend([Block::line(vec![Run::plain("…")])]);
    }
    shortened
}

/// From whom a message was forwarded.
pub(crate) fn forwarded_from(message: Json<'_>) -> Option<String> {
    if let Some(origin) = message.get("forward_origin") {
        return Some(origin_name(origin).unwrap_or_else(words::somebody));
    }
    let person = message.get("forward_from").map(message::user_name);
    let chat = || message.get("forward_from_chat").map(message::chat_name);
    let hidden = || message.text("forward_sender_name").map(str::to_owned);
    let name = person.or_else(chat).or_else(hidden)?;
    Some(if name.is_empty() { words::somebody() } else { name })
}

/// The name in a `MessageOrigin`, whichever of its kinds it is.
fn origin_name(origin: Json<'_>) -> Option<String> {
    let chat = || origin.get("sender_chat").or_else(|| origin.get("chat"));
    let name = origin
        .get("sender_user")
        .map(message::user_name)
        .or_else(|| origin.text("sender_user_name").map(str::to_owned))
        .or_else(|| chat().map(message::chat_name))
        .filter(|name| !name.is_empty())?;
    Some(match origin.text("author_signature") {
        Some(signature) => words::signed(&name, signature),
        None => name,
    })
}
