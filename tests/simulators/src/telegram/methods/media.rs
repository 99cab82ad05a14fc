//! Files, single and in albums.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    super::{compose::MediaKind, files::NewFile, image, refusal::Refusal},
    Answer, Context,
};

/// <https://core.telegram.org/bots/api#sending-files>
const LARGEST_PHOTO: usize = 10 << 20;
const LARGEST_FILE: usize = 50 << 20;

/// The fields that show a file in a message.
type Content = Result<Map<String, Value>, Refusal>;

/// Any method that sends one file: `send` and the kind.
pub(super) fn send(context: &mut Context<'_>, method: &str) -> Answer {
    let field = method.strip_prefix("send").unwrap_or_default().to_ascii_lowercase();
    let Some(kind) = MediaKind::of_field(&field) else {
        return Err(Refusal::new(404, "Not Found: method not found"));
    };
    let args = context.args;
    let mut shown = context.caption(&args.values)?;
    shown.extend(context.file(kind, kind.field(), &args.values)?);
    let target = context.target(kind.word(), 1)?;
    let id = context
        .world
        .post(target.chat, target.draft(context.bot, shown), context.now_ms);
    Ok(context.world.message_json(target.chat, id))
}

pub(super) fn album(context: &mut Context<'_>) -> Answer {
    let items: Vec<Map<String, Value>> = context
        .args
        .list("media")
        .iter()
        .filter_map(Value::as_object)
        .cloned()
        .collect();
    let kinds = album_kinds(&items)?;
    let mut items_shown = Vec::new();
    for (at, (item, kind)) in items.iter().zip(&kinds).enumerate() {
        let mut shown = context.caption(item).map_err(|refusal| name_item(at + 1, refusal))?;
        shown.extend(
            context
                .file(*kind, "media", item)
                .map_err(|refusal| name_item(at + 1, refusal))?,
        );
        items_shown.push(shown);
    }
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let target = context.target(kinds.first().map_or("messages", |kind| kind.word()), count)?;
    let group = format!("1{:016}", context.world.next());
    let mut sent = Vec::new();
    for mut shown in items_shown {
        shown.insert("media_group_id".into(), group.as_str().into());
        let id = context
            .world
            .post(target.chat, target.draft(context.bot, shown), context.now_ms);
        sent.push(context.world.message_json(target.chat, id));
    }
    Ok(sent.into())
}

/// Two to ten items; documents and music keep to themselves.
fn album_kinds(items: &[Map<String, Value>]) -> Result<Vec<MediaKind>, Refusal> {
    match items.len() {
        0 => return Err(Refusal::wrong("there are no messages to send")),
        1 => return Err(Refusal::wrong("there are too few messages to send as an album")),
        2..=10 => {}
        _ => return Err(Refusal::wrong("there are too many messages to send as an album")),
    }
    let kinds = items
        .iter()
        .map(|item| item.get("type").and_then(Value::as_str).and_then(MediaKind::of_field))
        .map(|kind| kind.filter(|kind| may_be_in_album(*kind)));
    let kinds: Option<Vec<MediaKind>> = kinds.collect();
    let unfit = || Refusal::wrong("can't use the media of the specified type in the album");
    let kinds = kinds.ok_or_else(unfit)?;
    let alone = [MediaKind::Document, MediaKind::Audio];
    let mixed = alone
        .iter()
        .any(|kind| kinds.contains(kind) && kinds.iter().any(|other| other != kind));
    if mixed { Err(unfit()) } else { Ok(kinds) }
}

fn may_be_in_album(kind: MediaKind) -> bool {
    matches!(
        kind,
        MediaKind::Photo | MediaKind::Video | MediaKind::Document | MediaKind::Audio
    )
}

fn name_item(number: usize, refusal: Refusal) -> Refusal {
    let inner = refusal.description.trim_start_matches("Bad Request: ");
    let description = format!("Bad Request: failed to send message #{number} with the error message \"{inner}\"");
    Refusal { description, ..refusal }
}

impl Context<'_> {
    /// The content fields of a file that a parameter names: an upload or a `file_id`.
    fn file(&mut self, kind: MediaKind, parameter: &str, source: &Map<String, Value>) -> Content {
        let named = source.get(parameter).and_then(Value::as_str).unwrap_or_default();
        if let Some(part) = named.strip_prefix("attach://") {
            return self.upload(kind, part);
        }
        if named.starts_with("http://") || named.starts_with("https://") {
            // The real one would fetch it, within narrow limits; what is carried across here goes by bytes.
            return Err(Refusal::wrong("wrong file identifier/HTTP URL specified"));
        }
        let Some(file) = self.world.files.get(named) else {
            return Err(Refusal::wrong("wrong file identifier/HTTP URL specified"));
        };
        if file.kind != kind {
            let (found, wanted) = (file.kind.field(), kind.field());
            return Err(Refusal::wrong(format!("can't use file of type {found} as {wanted}")));
        }
        Ok(self.world.media_fields(named))
    }

    fn upload(&mut self, kind: MediaKind, part: &str) -> Content {
        let missing = || Refusal::wrong(format!("there is no {} in the request", kind.field()));
        let upload = self.args.files.get(part).cloned().ok_or_else(missing)?;
        if upload.bytes.is_empty() {
            return Err(Refusal::bad("file must be non-empty"));
        }
        if upload.bytes.len() > LARGEST_FILE {
            return Err(Refusal::too_large());
        }
        if kind == MediaKind::Photo {
            check_photo(&upload.bytes)?;
        }
        let title =
            ["performer", "title", "duration", "width", "height"].map(|name| (name, self.args.get(name).cloned()));
        let file = NewFile {
            kind,
            name: upload.name,
            mime: upload.mime,
            bytes: upload.bytes,
            size: None,
        };
        let id = self.world.store(file);
        let mut content = self.world.media_fields(&id);
        if let Some(Value::Object(shown)) = content.get_mut(kind.field()) {
            let given = title
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            shown.extend(given);
        }
        Ok(content)
    }
}

fn check_photo(bytes: &Bytes) -> Result<(), Refusal> {
    if bytes.len() > LARGEST_PHOTO {
        let size = bytes.len();
        return Err(Refusal::wrong(format!(
            "file of size {size} bytes is too big for a photo; the maximum size is {LARGEST_PHOTO} bytes"
        )));
    }
    let (width, height) = image::dimensions(bytes).ok_or_else(|| Refusal::bad("IMAGE_PROCESS_FAILED"))?;
    if image::is_acceptable(width, height) {
        Ok(())
    } else {
        Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"))
    }
}

pub(super) fn link(context: &mut Context<'_>) -> Answer {
    let id = context.args.text("file_id").unwrap_or_default().to_owned();
    if id.is_empty() {
        return Err(Refusal::wrong("file_id not specified"));
    }
    context.world.link(&id, context.now_ms)
}
