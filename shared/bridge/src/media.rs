//! Files on their way to Telegram: how each is shown there, which go together, and how large they may be.
//! <https://core.telegram.org/bots/api#sending-files>

use crate::{files, ports::Upload};
use bytes::Bytes;

/// The largest file that a bot can send, and the most that is sent in one call.
pub const MOST_BYTES: u64 = 50 << 20;

/// The largest picture that is shown as one.
pub const LARGEST_PHOTO: u64 = 10 << 20;

/// So many files an album holds at most.
pub const LARGEST_ALBUM: usize = 10;

/// The longest text below a file, in UTF-16 units: never fewer than the characters that Telegram counts.
pub const LONGEST_CAPTION: usize = 1_024;

/// How a file is shown in Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Photo,
    /// A film.
    Video,
    /// A film without sound that repeats.
    Animation,
    /// Music or the like.
    Audio,
    /// Something said.
    Voice,
    /// A file with a name, to be opened.
    Document,
}

/// What kinds have in common.
#[derive(PartialEq, Eq)]
enum Sense {
    Sight,
    Hearing,
    Neither,
}

impl MediaKind {
    /// How a file of this type is shown: <https://core.telegram.org/bots/api#available-methods>.
    pub(crate) fn of_type(content_type: &str) -> Self {
        match content_type {
            "image/jpeg" | "image/png" | "image/webp" => Self::Photo,
            "image/gif" => Self::Animation,
            "video/mp4" => Self::Video,
            "audio/mpeg" | "audio/mp3" | "audio/mp4" | "audio/m4a" | "audio/x-m4a" => Self::Audio,
            "audio/ogg" | "audio/opus" => Self::Voice,
            _ => Self::Document,
        }
    }

    /// Whether files of these two kinds may be in one album: <https://core.telegram.org/bots/api#sendmediagroup>.
    pub fn goes_with(self, other: Self) -> bool {
        match self {
            Self::Photo | Self::Video => matches!(other, Self::Photo | Self::Video),
            Self::Document | Self::Audio => self == other,
            Self::Animation | Self::Voice => false,
        }
    }

    fn sense(self) -> Sense {
        match self {
            Self::Photo | Self::Video | Self::Animation => Sense::Sight,
            Self::Audio | Self::Voice => Sense::Hearing,
            Self::Document => Sense::Neither,
        }
    }
}

/// A file on its way to Telegram, and how it is shown there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// How it is shown.
    pub kind: MediaKind,
    /// The file.
    pub file: Upload,
}

impl Media {
    /// A file that is said to be shown like this, now that its bytes tell what it is: they decide what it is shown as, and what is
    /// said to be a file to be opened stays one.
    pub(crate) fn new(name: &str, said: MediaKind, content_type: Option<&str>, bytes: Bytes) -> Self {
        let found = sniffed(&bytes);
        // What was to be shown and is not what it was said to be, is anything.
        let declared = content_type.filter(|_| said == MediaKind::Document);
        let content_type = found.or(declared).unwrap_or(files::ANY_TYPE);
        Self {
            kind: shown(said, found, bytes.len()),
            file: Upload {
                name: files::safe_name(name, content_type),
                content_type: content_type.to_owned(),
                bytes,
            },
        }
    }
}

/// What kind of file these bytes are, as far as their beginning tells.
fn sniffed(bytes: &[u8]) -> Option<&'static str> {
    Some(match infer::get(bytes)?.mime_type() {
        // Telegram shows as voice only what is encoded with Opus.
        "audio/opus" => "audio/ogg",
        "audio/ogg" => "application/ogg",
        found => found,
    })
}

fn shown(said: MediaKind, found: Option<&str>, size: usize) -> MediaKind {
    let kind = found.map_or(MediaKind::Document, MediaKind::of_type);
    match kind {
        MediaKind::Photo if size as u64 > LARGEST_PHOTO => MediaKind::Document,
        kind if kind.sense() == said.sense() => kind,
        _ => MediaKind::Document,
    }
}

/// What a file is said to be: the type that comes with it, else what its name tells.
pub(crate) fn declared(content_type: Option<&str>, name: &str) -> Option<String> {
    let bare = content_type.and_then(|named| named.split(';').next());
    let named = bare.map(|named| named.trim().to_ascii_lowercase());
    let named = named.filter(|named| files::is_type(named) && named != files::ANY_TYPE);
    named.or_else(|| mime_guess::from_path(name).first_raw().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";
    const GIF: &[u8] = b"GIF89a a picture";
    const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
    const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";
    const OPUS: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01";
    const VORBIS: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis\0";

    #[test]
    fn bytes_decide_how_a_file_is_shown() {
        use MediaKind::{Animation, Audio, Document, Photo, Video, Voice};
        let cases = [
            (Photo, JPEG, Photo, "image/jpeg"),
            (Photo, b"\x89PNG\r\n\x1a\n....", Photo, "image/png"),
            (Photo, GIF, Animation, "image/gif"),
            (Photo, b"<html><body>", Document, "text/html"),
            (Photo, b"nothing that is known", Document, files::ANY_TYPE),
            (Photo, MP3, Document, "audio/mpeg"),
            (Video, MP4, Video, "video/mp4"),
            (Video, b"not a film", Document, files::ANY_TYPE),
            (Animation, JPEG, Photo, "image/jpeg"),
            (Audio, MP3, Audio, "audio/mpeg"),
            (Voice, OPUS, Voice, "audio/ogg"),
            (Voice, VORBIS, Document, "application/ogg"),
            (Document, JPEG, Document, "image/jpeg"),
            (Document, b"%PDF-1.7", Document, "application/pdf"),
            (Document, b"a;b;c", Document, "image/jpeg"),
        ];
        for (said, bytes, kind, content_type) in cases {
            let media = Media::new("a.jpg", said, Some("image/jpeg"), Bytes::from_static(bytes));
            let shown = (media.kind, media.file.content_type.as_str());
            assert_eq!(shown, (kind, content_type), "{said:?} {bytes:?}");
        }
    }

    #[test]
    fn a_picture_that_is_too_large_for_one_is_a_document() {
        let mut bytes = JPEG.to_vec();
        bytes.resize(usize::try_from(LARGEST_PHOTO).unwrap(), 0);
        let kind = |bytes: &[u8]| Media::new("a.jpg", MediaKind::Photo, None, Bytes::copy_from_slice(bytes)).kind;
        assert_eq!(kind(&bytes), MediaKind::Photo);
        bytes.push(0);
        assert_eq!(kind(&bytes), MediaKind::Document);
    }

    #[test]
    fn what_a_file_is_said_to_be_stands_in_its_type_or_its_name() {
        let cases = [
            (Some("image/png"), "x", Some("image/png")),
            (Some("Image/PNG; charset=x"), "x", Some("image/png")),
            (Some("application/octet-stream"), "a.MP4", Some("video/mp4")),
            (None, "scan.pdf", Some("application/pdf")),
            (Some("nonsense"), "scan.jpeg", Some("image/jpeg")),
            (None, "README", None),
            (None, "../../etc/passwd", None),
        ];
        for (content_type, name, expected) in cases {
            assert_eq!(
                declared(content_type, name).as_deref(),
                expected,
                "{content_type:?} {name}"
            );
        }
    }

    #[test]
    fn only_what_telegram_takes_together_goes_together() {
        use MediaKind::{Animation, Audio, Document, Photo, Video, Voice};
        let all = [Photo, Video, Animation, Audio, Voice, Document];
        let together = [
            (Photo, Photo),
            (Photo, Video),
            (Video, Photo),
            (Video, Video),
            (Audio, Audio),
            (Document, Document),
        ];
        for (one, other) in all.iter().flat_map(|one| all.map(|other| (*one, other))) {
            assert_eq!(
                one.goes_with(other),
                together.contains(&(one, other)),
                "{one:?} {other:?}"
            );
        }
    }
}
