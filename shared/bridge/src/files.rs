//! Files on their way to Intercom: what they are called there, what they are said to be, and how large they may be.

use crate::telegram_message::{FileKind, SentFile};
use mapping::{MessageId, Timestamp};

/// The largest file that the Bot API gives out, and the most that is carried in one reply:
/// <https://core.telegram.org/bots/api#getfile>.
pub const MOST_BYTES: u64 = 20 << 20;

/// As many files Intercom takes in one reply.
pub const MOST_FILES: usize = 10;

/// The longest that a file's own name gets, in characters.
const LONGEST_NAME: usize = 100;

/// The longest ending of a name that is one.
const LONGEST_ENDING: usize = 10;

/// Of what nothing better is known.
pub(crate) const ANY_TYPE: &str = "application/octet-stream";

/// What a file is called in Intercom. The message's id stands in it, so that it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    stem: String,
    ending: String,
}

impl FileName {
    /// The name of a file that is the `at`th of what is carried with a message: its own, else one that is made of its kind, its time
    /// and its type.
    pub(crate) fn of(file: &SentFile, at: usize, message: MessageId, date: Timestamp) -> Self {
        let message = file.message.unwrap_or(message);
        let clean = file.name.as_deref().map(clean).unwrap_or_default();
        let (own, ending) = split(&clean);
        let stem = if own.is_empty() {
            let time = jiff::Timestamp::from_millisecond(date.as_millis()).unwrap_or_default();
            format!("{}-{}", word(file.kind), time.strftime("%Y%m%d-%H%M%S"))
        } else {
            own.to_owned()
        };
        let number = match at {
            0 => String::new(),
            _ => format!("_{}", at + 1),
        };
        Self {
            stem: format!("{stem}{number}-{message}"),
            ending: if ending.is_empty() {
                ending_of(&declared(file)).unwrap_or("bin").to_owned()
            } else {
                ending.to_owned()
            },
        }
    }

    /// The whole name.
    pub(crate) fn whole(&self) -> String {
        format!("{}.{}", self.stem, self.ending)
    }

    /// The name of a picture that turned out to be of this type.
    pub(crate) fn with_type(&self, content_type: &str) -> String {
        match ending_of(content_type) {
            Some(ending) => format!("{}.{ending}", self.stem),
            None => self.whole(),
        }
    }

    /// Whether a file in Intercom bears this name, whatever became of its spaces and its ending.
    pub(crate) fn is_borne_by(&self, name: &str) -> bool {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        !stem.is_empty() && bare(stem) == bare(&self.stem)
    }
}

fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A file's own name without what could mean something elsewhere, with the ending that its type has where it has none itself.
pub(crate) fn safe_name(name: &str, content_type: &str) -> String {
    let clean = clean(name);
    let (own, ending) = split(&clean);
    let stem = if own.is_empty() { "file" } else { own };
    match (ending, ending_of(content_type)) {
        ("", None) => stem.to_owned(),
        ("", Some(ending)) | (ending, _) => format!("{stem}.{ending}"),
    }
}

/// A name without whatever could mean something to a file system, a shell or a header, or hide what it is.
fn clean(name: &str) -> String {
    let kept = name.chars().map(|c| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '`' | '$' | '%' | ';' => '_',
        c if c.is_control() || is_invisible(c) => '_',
        c => c,
    });
    let kept: String = kept.collect();
    kept.trim_matches(|c: char| c == '.' || c.is_whitespace()).to_owned()
}

/// Characters that turn the direction of writing or have no width.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What stands before the ending, not too long, and the ending if it is one.
fn split(name: &str) -> (&str, &str) {
    let is_ending = |ending: &str| {
        (1..=LONGEST_ENDING).contains(&ending.len()) && ending.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if is_ending(ending) => (stem, ending),
        _ => (name, ""),
    };
    let end = stem.char_indices().nth(LONGEST_NAME).map_or(stem.len(), |(end, _)| end);
    (stem.get(..end).unwrap_or(stem).trim_end(), ending)
}

fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Photo => "photo",
        FileKind::Video => "video",
        FileKind::Animation => "animation",
        FileKind::Document => "file",
        FileKind::Audio => "audio",
        FileKind::Voice => "voice-message",
        FileKind::VideoMessage => "video-message",
        FileKind::Sticker | FileKind::VideoSticker => "sticker",
    }
}

/// The type that the sender's app named, if it is one; else the type that files of this kind have.
fn declared(file: &SentFile) -> String {
    let named = file
        .content_type
        .as_deref()
        .map(str::trim)
        .filter(|named| is_type(named));
    match (named, file.kind) {
        // Telegram's own word.
        (_, FileKind::Photo) => "image/jpeg".into(),
        (Some(named), _) => named.to_ascii_lowercase(),
        (None, FileKind::Sticker) => "image/webp".into(),
        (None, FileKind::VideoSticker) => "video/webm".into(),
        (None, FileKind::Video | FileKind::Animation | FileKind::VideoMessage) => "video/mp4".into(),
        (None, FileKind::Voice) => "audio/ogg".into(),
        (None, FileKind::Audio) => "audio/mpeg".into(),
        (None, FileKind::Document) => ANY_TYPE.into(),
    }
}

/// `type/subtype`, of the characters that RFC 6838 allows.
pub(crate) fn is_type(named: &str) -> bool {
    let is_word = |word: &str| {
        (1..=127).contains(&word.len())
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    named
        .split_once('/')
        .is_some_and(|(kind, of)| is_word(kind) && is_word(of))
}

/// What Intercom is told that a file is. Pictures are shown to agents as they come, so what is called one has to be one; and nothing
/// is passed on as a page that a browser would run.
pub(crate) fn content_type(file: &SentFile, bytes: &[u8]) -> String {
    let declared = declared(file);
    let picture = picture(bytes);
    match (picture, declared.split_once('/')) {
        (Some(picture), Some(("image", _))) => picture.to_owned(),
        (None, Some(("image", _))) if file.kind != FileKind::Photo => ANY_TYPE.to_owned(),
        (_, Some(("text", "html") | ("application", "xhtml+xml"))) => ANY_TYPE.to_owned(),
        _ => declared,
    }
}

/// The kind of picture that these bytes are, if they are one that a browser shows.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    let found = infer::get(bytes)?.mime_type();
    matches!(found, "image/jpeg" | "image/png" | "image/gif" | "image/webp").then_some(found)
}

/// How names of files of a type end.
fn ending_of(content_type: &str) -> Option<&'static str> {
    Some(match content_type {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/heic" => "heic",
        "image/svg+xml" => "svg",
        "video/mp4" => "mp4",
        "video/quicktime" => "mov",
        "video/webm" => "webm",
        "video/x-matroska" => "mkv",
        "audio/ogg" => "ogg",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/wav" | "audio/x-wav" => "wav",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "application/json" => "json",
        "text/plain" => "txt",
        "text/csv" => "csv",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::FileId;

    fn sent(kind: FileKind, name: Option<&str>, content_type: Option<&str>) -> SentFile {
        SentFile {
            id: FileId::new("id"),
            unique_id: None,
            kind,
            line: "[file]".into(),
            name: name.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            size: None,
            message: None,
        }
    }

    fn name(kind: FileKind, given: Option<&str>, content_type: Option<&str>) -> String {
        let file = sent(kind, given, content_type);
        // 2026-01-15 09:00 UTC.
        FileName::of(&file, 0, MessageId(42), Timestamp::from_seconds(1_768_467_600)).whole()
    }

    #[test]
    fn every_file_has_a_name_that_carries_its_message() {
        use FileKind::{Animation, Audio, Document, Photo, Sticker, Video, VideoMessage, VideoSticker, Voice};
        let named = [
            (Photo, None, None, "photo-20260115-090000-42.jpg"),
            (Video, None, None, "video-20260115-090000-42.mp4"),
            (Video, None, Some("video/quicktime"), "video-20260115-090000-42.mov"),
            (Video, Some("Trip.MOV"), Some("video/mp4"), "Trip-42.MOV"),
            (Animation, Some("cat.gif.mp4"), Some("video/mp4"), "cat.gif-42.mp4"),
            (
                Document,
                Some("report 2025.pdf"),
                Some("application/pdf"),
                "report 2025-42.pdf",
            ),
            (Document, Some("README"), Some("text/plain"), "README-42.txt"),
            (Document, Some("отчёт.docx"), None, "отчёт-42.docx"),
            (Document, None, None, "file-20260115-090000-42.bin"),
            (Document, None, Some("no type"), "file-20260115-090000-42.bin"),
            (Audio, Some("song.mp3"), None, "song-42.mp3"),
            (Voice, None, Some("audio/ogg"), "voice-message-20260115-090000-42.ogg"),
            (VideoMessage, None, None, "video-message-20260115-090000-42.mp4"),
            (Sticker, None, None, "sticker-20260115-090000-42.webp"),
            (VideoSticker, None, None, "sticker-20260115-090000-42.webm"),
        ];
        for (kind, given, content_type, expected) in named {
            assert_eq!(name(kind, given, content_type), expected, "{kind:?} {given:?}");
        }
    }

    #[test]
    fn no_name_leads_anywhere() {
        let names = [
            ("../../etc/passwd", "_.._etc_passwd-42.bin"),
            ("C:\\run.exe", "C__run-42.exe"),
            ("a\r\nb\0.txt", "a__b_-42.txt"),
            ("invoice\u{202e}fdp.exe", "invoice_fdp-42.exe"),
            ("...", "file-20260115-090000-42.bin"),
            ("  ", "file-20260115-090000-42.bin"),
            (".htaccess", "htaccess-42.bin"),
            ("$(reboot).sh", "_(reboot)-42.sh"),
        ];
        for (given, expected) in names {
            assert_eq!(name(FileKind::Document, Some(given), None), expected, "{given:?}");
        }
        let long = name(FileKind::Document, Some(&format!("{}.pdf", "ä".repeat(500))), None);
        assert_eq!(long.chars().count(), LONGEST_NAME + "-42.pdf".len());
    }

    #[test]
    fn a_name_is_known_again_and_no_other_is_taken_for_it() {
        let file = sent(FileKind::Document, Some("my report (1).pdf"), None);
        let of = |at, message| FileName::of(&file, at, MessageId(message), Timestamp::EPOCH);
        assert!(of(0, 42).is_borne_by("my report (1)-42.pdf"));
        assert!(of(0, 42).is_borne_by("my_report_1-42.PDF"));
        for other in ["my report (1)-43.pdf", "my report (1).pdf", "-42.pdf", "", ".pdf"] {
            assert!(!of(0, 42).is_borne_by(other), "{other}");
        }
        assert_ne!(of(0, 42), of(1, 42));
        assert!(!of(1, 42).is_borne_by(&of(0, 42).whole()));
    }

    #[test]
    fn what_is_called_a_picture_is_one() {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n...";
        const WEBP: &[u8] = b"RIFF\x10\x00\x00\x00WEBPVP8 ";
        let document = |named: &'static str| sent(FileKind::Document, None, Some(named));
        let cases = [
            (document("image/jpeg"), PNG, "image/png"),
            (document("IMAGE/PNG"), PNG, "image/png"),
            (document("image/png"), b"<html>".as_slice(), ANY_TYPE),
            (document("image/svg+xml"), b"<svg>", ANY_TYPE),
            (document("text/html"), b"<html>", ANY_TYPE),
            (document("text/html; charset=utf-8"), b"<html>", ANY_TYPE),
            (document("application/pdf"), b"%PDF", "application/pdf"),
            (document("application/pdf"), PNG, "application/pdf"),
            (document("nonsense"), b"x", ANY_TYPE),
            (sent(FileKind::Document, None, None), b"x", ANY_TYPE),
            (sent(FileKind::Photo, None, None), b"x", "image/jpeg"),
            (sent(FileKind::Sticker, None, None), WEBP, "image/webp"),
            (sent(FileKind::Sticker, None, None), b"\xff\xd8\xff\xe0", "image/jpeg"),
            (sent(FileKind::Voice, None, None), b"OggS", "audio/ogg"),
        ];
        for (file, bytes, expected) in cases {
            assert_eq!(content_type(&file, bytes), expected, "{file:?}");
        }
    }
}
