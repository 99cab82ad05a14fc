//! What stands in a message: its text, or one line that says what it is and then its caption.

use crate::{
    entities,
    fields::{Shape, shape},
    message, rich_message,
    wire::Json,
};
use bridge::{
    content_words::{self as words, FileWords},
    rich_text::{Block, RichText, Run},
};
use std::time::Duration;

/// What a message says besides what its files show: nothing, perhaps.
pub(crate) fn besides_files(message: Json<'_>) -> RichText {
    if shape(message) == Shape::Content("paid_media") {
        return read(message);
    }
    entities::read(message, "caption", "caption_entities")
}

/// Everything that a message says; something at least.
pub(crate) fn read(message: Json<'_>) -> RichText {
    let text = match shape(message) {
        Shape::Content("text") => entities::read(message, "text", "entities"),
        Shape::Content("rich_message") => rich_message::read(message),
        Shape::Content(field) => with_caption(line(field, message), message),
        Shape::Unknown(field) => with_caption(Run::plain(words::unknown(field)), message),
        Shape::Nothing => entities::read(message, "caption", "caption_entities"),
        Shape::Migration(_) | Shape::Topic(_) | Shape::Service(_) => RichText::default(),
    };
    if text.is_blank() {
        RichText::plain(words::nothing())
    } else {
        text
    }
}

fn with_caption(line: Run, message: Json<'_>) -> RichText {
    above(line, entities::read(message, "caption", "caption_entities"))
}

/// A line right above a text.
pub(crate) fn above(line: Run, mut text: RichText) -> RichText {
    if let Some(Block::Paragraph { tight, .. }) = text.0.first_mut() {
        *tight = true;
    }
    text.0.insert(0, Block::paragraph(vec![line]));
    text
}

/// The line for one kind of content, which stands in `holder` under the name `field`.
pub(crate) fn line(field: &str, holder: Json<'_>) -> Run {
    let Some(content) = holder.get(field) else {
        return Run::plain(words::unknown(field));
    };
    match field {
        "location" | "venue" => place(field, content),
        _ => Run::plain(plain_line(field, content)),
    }
}

fn plain_line(field: &str, content: Json<'_>) -> String {
    match field {
        "photo" => words::photo(),
        "live_photo" => words::live_photo(),
        "document" => words::file(file(content)),
        "video" => words::video(file(content)),
        "animation" => words::animation(file(content)),
        "audio" => words::audio(file(content), content.text("performer"), content.text("title")),
        "voice" | "voice_note" => words::voice(file(content)),
        "video_note" => words::video_note(file(content)),
        "sticker" => words::sticker(content.text("emoji")),
        "paid_media" => words::paid_media(content.list("paid_media").count(), content.integer("star_count")),
        "contact" => words::contact(&message::user_name(content), content.text("phone_number")),
        "poll" => poll(content),
        "dice" => words::dice(content.text("emoji").unwrap_or_default(), content.integer("value")),
        "story" | "reply_to_story" => words::story(owner(content).as_deref()),
        "checklist" => checklist(content),
        "game" => words::game(content.text("title")),
        "invoice" => words::invoice(content.text("title"), content.text("description")),
        "giveaway" => words::giveaway(content.text("prize_description")),
        "giveaway_winners" => {
            words::giveaway_winners(content.integer("winner_count"), content.text("prize_description"))
        }
        "gift" => words::gift(content.text("text")),
        "unique_gift" => words::gift(content.get("gift").and_then(|gift| gift.text("base_name"))),
        "gift_upgrade_sent" => words::gift_upgrade(),
        unknown => words::unknown(unknown),
    }
}

fn file(content: Json<'_>) -> FileWords<'_> {
    FileWords {
        name: content.text("file_name"),
        size: content.unsigned("file_size"),
        duration: content.unsigned("duration").map(Duration::from_secs),
    }
}

fn poll(content: Json<'_>) -> String {
    let options = content
        .list("options")
        .filter_map(|option| option.text("text"))
        .collect::<Vec<_>>();
    let quiz = content.text("type") == Some("quiz");
    words::poll(content.text("question").unwrap_or_default(), &options, quiz)
}

fn checklist(content: Json<'_>) -> String {
    let done = |task: Json<'_>| task.integer("completion_date").is_some_and(|date| date > 0);
    let tasks = content
        .list("tasks")
        .map(|task| (task.text("text").unwrap_or_default(), done(task)));
    words::checklist(content.text("title").unwrap_or_default(), &tasks.collect::<Vec<_>>())
}

/// Whose story it is.
fn owner(story: Json<'_>) -> Option<String> {
    story
        .get("chat")
        .map(message::chat_name)
        .filter(|name| !name.is_empty())
}

/// A place, as a link to the map.
pub(crate) fn place(field: &str, content: Json<'_>) -> Run {
    let location = content.get("location").unwrap_or(content);
    let point = location.float("latitude").zip(location.float("longitude"));
    let words = match (field, point) {
        ("venue", _) => words::venue(content.text("title"), content.text("address")),
        (_, None) => words::unknown(field),
        (_, Some((latitude, longitude))) if location.integer("live_period").is_some() => {
            words::live_location(latitude, longitude)
        }
        (_, Some((latitude, longitude))) => words::location(latitude, longitude),
    };
    match point {
        Some(point) => on_the_map(words, point),
        None => Run::plain(words),
    }
}

/// The place where a live location ended.
pub(crate) fn last_place(location: Json<'_>) -> Run {
    match location.float("latitude").zip(location.float("longitude")) {
        Some(point) => on_the_map(words::live_location_ended(point.0, point.1), point),
        None => Run::plain(words::unknown("location")),
    }
}

fn on_the_map(words: String, (latitude, longitude): (f64, f64)) -> Run {
    let map = format!("https://maps.google.com/maps?q={latitude:.5},{longitude:.5}");
    Run::link(words, map)
}
