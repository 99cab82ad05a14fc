//! What a person can write.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::post::fields;

/// Kinds of files in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// A picture, always shown as JPEG without a name.
    Photo,
    /// Any file.
    Document,
    /// A film.
    Video,
    /// Music.
    Audio,
    /// A voice note.
    Voice,
    /// A GIF or a film without sound.
    Animation,
    /// A sticker.
    Sticker,
    /// A round film.
    VideoNote,
}

impl MediaKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Animation,
        Self::Photo,
        Self::Document,
        Self::Video,
        Self::Audio,
        Self::Voice,
        Self::Sticker,
        Self::VideoNote,
    ];

    /// The field of `Message`, and the parameter of the method that sends it.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::Animation => "animation",
            Self::Sticker => "sticker",
            Self::VideoNote => "video_note",
        }
    }

    pub(crate) fn of_field(field: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.field() == field)
    }

    /// The word for the kind in "not enough rights to send … to the chat".
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Document => "documents",
            Self::Video => "videos",
            Self::Audio => "music",
            Self::Voice => "voice notes",
            Self::Animation => "animations",
            Self::Sticker => "stickers",
            Self::VideoNote => "video notes",
        }
    }

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Photo => "AgA",
            Self::Document => "BQA",
            Self::Video => "BAA",
            Self::Audio => "CQA",
            Self::Voice => "AwA",
            Self::Animation => "CgA",
            Self::Sticker => "CAA",
            Self::VideoNote => "DQA",
        }
    }

    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Document => "documents",
            Self::Video => "videos",
            Self::Audio => "music",
            Self::Voice => "voice",
            Self::Animation => "animations",
            Self::Sticker => "stickers",
            Self::VideoNote => "video_notes",
        }
    }

    pub(crate) fn extension(self) -> Option<&'static str> {
        match self {
            Self::Photo => Some("jpg"),
            Self::Voice => Some("oga"),
            Self::Sticker => Some("webp"),
            Self::VideoNote => Some("mp4"),
            Self::Document | Self::Video | Self::Audio | Self::Animation => None,
        }
    }

    pub(crate) fn has_name(self) -> bool {
        matches!(self, Self::Document | Self::Video | Self::Audio | Self::Animation)
    }

    pub(crate) fn has_mime(self) -> bool {
        self.has_name() || self == Self::Voice
    }

    /// Fields that the kind always has.
    pub(crate) fn details(self) -> Map<String, Value> {
        match self {
            Self::Photo | Self::Document => Map::new(),
            Self::Video | Self::Animation => {
                fields([("width", 640.into()), ("height", 360.into()), ("duration", 4.into())])
            }
            Self::Audio | Self::Voice => fields([("duration", 4.into())]),
            Self::VideoNote => fields([("length", 240.into()), ("duration", 4.into())]),
            Self::Sticker => fields([
                ("type", "regular".into()),
                ("width", 512.into()),
                ("height", 512.into()),
                ("is_animated", false.into()),
                ("is_video", false.into()),
                ("emoji", "👍".into()),
                ("set_name", "Samples".into()),
            ]),
        }
    }
}

/// A file that a person sends.
#[derive(Clone, Debug)]
pub struct Media {
    /// How it is sent.
    pub kind: MediaKind,
    /// File name, where the kind has one.
    pub name: Option<String>,
    /// MIME type as the sender's app states it, which may be wrong.
    pub mime: Option<String>,
    /// The content.
    pub bytes: Bytes,
    /// The size that updates state, if it is not that of `bytes`: a large file without its bytes.
    pub size: Option<i64>,
    /// Fields to add to the file's object, or to replace: `is_animated`, `title`…
    pub fields: Map<String, Value>,
}

impl Media {
    /// A file with its content.
    pub fn new(kind: MediaKind, name: &str, mime: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            kind,
            name: Some(name.to_owned()),
            mime: Some(mime.to_owned()),
            bytes: bytes.into(),
            size: None,
            fields: Map::new(),
        }
    }

    /// A picture.
    pub fn photo(bytes: impl Into<Bytes>) -> Self {
        Self {
            name: None,
            ..Self::new(MediaKind::Photo, "", "image/jpeg", bytes)
        }
    }

    /// A file.
    pub fn document(name: &str, mime: &str, bytes: impl Into<Bytes>) -> Self {
        Self::new(MediaKind::Document, name, mime, bytes)
    }

    /// A voice note.
    pub fn voice(bytes: impl Into<Bytes>) -> Self {
        Self {
            name: None,
            ..Self::new(MediaKind::Voice, "", "audio/ogg", bytes)
        }
    }

    /// States another size than that of the content.
    #[must_use]
    pub fn sized(mut self, size: i64) -> Self {
        self.size = Some(size);
        self
    }
}

/// As whom a person writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// As themselves, or as the chat if they are an anonymous administrator of it.
    #[default]
    Own,
    /// As a channel of theirs.
    Channel {
        /// The channel's id.
        id: i64,
        /// The channel's title.
        title: String,
    },
    /// Not at all: the post of the channel that is linked to the group.
    LinkedChannel {
        /// The channel's id.
        id: i64,
        /// The channel's title.
        title: String,
    },
}

/// A message that a person writes.
#[derive(Clone, Debug, Default)]
pub struct Compose {
    /// Text, or caption where there is media.
    pub text: String,
    /// Formatting; without any, links, commands, mentions and the like are found as a client finds them.
    pub entities: Vec<Value>,
    /// The message that is answered, in the same chat; in another topic it becomes an external reply.
    pub reply_to: Option<i64>,
    /// The part of that message that is quoted.
    pub quote: Option<String>,
    /// Files; several are an album.
    pub media: Vec<Media>,
    /// As whom.
    pub voice: Voice,
    /// Any further fields of the message: `contact`, `poll`, `forward_origin`…
    pub fields: Map<String, Value>,
}

impl Compose {
    /// Plain text.
    pub fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// One file without a caption.
    pub fn media(media: Media) -> Self {
        Self {
            media: vec![media],
            ..Self::default()
        }
    }

    /// An album.
    pub fn album(media: Vec<Media>) -> Self {
        Self {
            media,
            ..Self::default()
        }
    }

    /// No text, one field of content.
    pub fn content(name: &str, value: Value) -> Self {
        Self::default().field(name, value)
    }

    /// A contact.
    pub fn contact(phone_number: &str, first_name: &str) -> Self {
        Self::content(
            "contact",
            json!({ "phone_number": phone_number, "first_name": first_name }),
        )
    }

    /// A place on the map.
    pub fn location(latitude: f64, longitude: f64) -> Self {
        Self::content("location", json!({ "latitude": latitude, "longitude": longitude }))
    }

    /// A place with a name. The location comes beside it as well.
    pub fn venue(latitude: f64, longitude: f64, title: &str, address: &str) -> Self {
        let location = json!({ "latitude": latitude, "longitude": longitude });
        let venue = json!({ "location": location, "title": title, "address": address });
        Self::content("venue", venue).field("location", location)
    }

    /// A poll.
    pub fn poll(question: &str, options: &[&str]) -> Self {
        let options: Vec<Value> = options
            .iter()
            .map(|text| json!({ "text": text, "voter_count": 0 }))
            .collect();
        let poll = json!({
            "id": "5600000000000000001", "question": question, "options": options, "total_voter_count": 0,
            "is_closed": false, "is_anonymous": true, "type": "regular", "allows_multiple_answers": false,
        });
        Self::content("poll", poll)
    }

    /// A die.
    pub fn dice(emoji: &str, value: i64) -> Self {
        Self::content("dice", json!({ "emoji": emoji, "value": value }))
    }

    /// With a caption or text.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    /// With formatting.
    #[must_use]
    pub fn with_entities(mut self, entities: Vec<Value>) -> Self {
        self.entities = entities;
        self
    }

    /// As an answer.
    #[must_use]
    pub fn reply_to(mut self, message: i64) -> Self {
        self.reply_to = Some(message);
        self
    }

    /// Quoting a part of the answered message.
    #[must_use]
    pub fn quote(mut self, quote: &str) -> Self {
        self.quote = Some(quote.to_owned());
        self
    }

    /// As somebody else.
    #[must_use]
    pub fn voice(mut self, voice: Voice) -> Self {
        self.voice = voice;
        self
    }

    /// Forwarded from a person whose account is hidden.
    #[must_use]
    pub fn forwarded_from(self, name: &str, date_s: i64) -> Self {
        self.field(
            "forward_origin",
            json!({ "type": "hidden_user", "sender_user_name": name, "date": date_s }),
        )
        .field("forward_sender_name", name.into())
        .field("forward_date", date_s.into())
    }

    /// With one more field of the message.
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }
}
