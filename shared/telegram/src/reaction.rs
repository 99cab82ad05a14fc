//! What somebody thinks of a message: <https://core.telegram.org/bots/api#messagereactionupdated>.

use crate::{message, wire::Json};
use bridge::{content_words as words, telegram_message::Reaction};

/// Who reacted, and what is new and what is gone of it.
pub(crate) fn read(body: Json<'_>) -> Reaction {
    let by = match body.get("actor_chat") {
        Some(chat) => message::chat_name(chat),
        None => body.get("user").map(message::user_name).unwrap_or_default(),
    };
    let (old, new) = (emoji(body, "old_reaction"), emoji(body, "new_reaction"));
    let without =
        |some: &[String], others: &[String]| some.iter().filter(|one| !others.contains(one)).cloned().collect();
    Reaction {
        by: if by.is_empty() { words::somebody() } else { by },
        added: without(&new, &old),
        taken_back: without(&old, &new),
    }
}

fn emoji(body: Json<'_>, field: &str) -> Vec<String> {
    let reactions = body.list(field);
    reactions
        .map(|reaction| match (reaction.text("type"), reaction.text("emoji")) {
            (_, Some(emoji)) => emoji.to_owned(),
            (Some("paid"), None) => words::paid_reaction(),
            // Of a kind that was invented later there is nothing to show either.
            (_, None) => words::custom_emoji(),
        })
        .collect()
}
