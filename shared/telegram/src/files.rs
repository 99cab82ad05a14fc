//! The files in a message: which of them the bot can fetch, and what is said of them.
//!
//! <https://core.telegram.org/bots/api#available-types>

use crate::{
    content,
    fields::{Shape, shape},
    wire::Json,
};
use bridge::telegram_message::{FileKind, SentFile};
use mapping::{FileId, UniqueFileId};

/// The files of a message, in the order in which they are shown.
pub(crate) fn read(message: Json<'_>) -> Vec<SentFile> {
    let Shape::Content(field) = shape(message) else {
        return Vec::new();
    };
    of(field, message)
}

/// The files that stand in `holder` under the name `field`.
fn of(field: &str, holder: Json<'_>) -> Vec<SentFile> {
    let Some(content) = holder.get(field) else {
        return Vec::new();
    };
    let line = || content::line(field, holder).text;
    let one = |kind| file(kind, content, line()).into_iter().collect();
    match field {
        "photo" => largest(holder, line()).into_iter().collect(),
        "live_photo" => live_photo(content, &line()),
        "document" => one(FileKind::Document),
        "video" => one(FileKind::Video),
        "animation" => one(FileKind::Animation),
        "audio" => one(FileKind::Audio),
        "voice" => one(FileKind::Voice),
        "video_note" => one(FileKind::VideoMessage),
        "sticker" => sticker(content, line()).into_iter().collect(),
        "paid_media" => content.list("paid_media").flat_map(paid).collect(),
        _ => Vec::new(),
    }
}

fn file(kind: FileKind, content: Json<'_>, line: String) -> Option<SentFile> {
    Some(SentFile {
        id: FileId::new(content.text("file_id")?),
        unique_id: content.text("file_unique_id").map(UniqueFileId::new),
        kind,
        line,
        name: content.text("file_name").map(str::to_owned),
        content_type: content.text("mime_type").map(str::to_owned),
        size: content.unsigned("file_size"),
        message: None,
    })
}

/// Of a picture, Telegram shows several sizes, the largest last.
fn largest(holder: Json<'_>, line: String) -> Option<SentFile> {
    let sizes = holder.list("photo").filter(|size| size.text("file_id").is_some());
    file(FileKind::Photo, sizes.last()?, line)
}

/// The picture, and the moment in which it moves.
fn live_photo(content: Json<'_>, line: &str) -> Vec<SentFile> {
    let picture = largest(content, line.to_owned());
    let moment = file(FileKind::Video, content, line.to_owned());
    picture.into_iter().chain(moment).collect()
}

/// Intercom shows the pictures of still stickers. Of one that moves there is a picture mostly, and of some a film; what is drawn anew
/// each time it is shown is nothing that a browser knows.
fn sticker(content: Json<'_>, line: String) -> Option<SentFile> {
    let moves = content.is("is_animated") || content.is("is_video");
    if !moves {
        return file(FileKind::Sticker, content, line);
    }
    let picture = content
        .get("thumbnail")
        .and_then(|picture| file(FileKind::Sticker, picture, line.clone()));
    picture.or_else(|| {
        let film = content.is("is_video").then_some(content)?;
        file(FileKind::VideoSticker, film, line)
    })
}

/// What has to be paid for is shown to the bot, if anything of it is.
fn paid(item: Json<'_>) -> Vec<SentFile> {
    match item.text("type") {
        Some(kind @ ("photo" | "video" | "live_photo")) => of(kind, item),
        _ => Vec::new(),
    }
}
