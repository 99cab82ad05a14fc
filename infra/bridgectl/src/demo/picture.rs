//! Pictures: those that can be sent from the page, and those of both sides as the page shows them.

use super::world::World;
use serde::{Deserialize, Serialize};
use simulators::{
    intercom::FileView,
    telegram::{MediaKind, SeenMedia},
};

/// What customers send: a parcel with a dent.
pub(super) const OF_CUSTOMERS: &[u8] = include_bytes!("assets/parcel.jpg");
/// What agents send: the shelf that the parcel stands on.
pub(super) const OF_AGENTS: &[u8] = include_bytes!("assets/shelf.jpg");

/// A file in a message, as the page shows it.
#[derive(Serialize)]
pub(super) struct Shown {
    /// What it is called, or what kind it is where it has no name.
    pub(super) name: String,
    kind: &'static str,
    /// Where the page gets it, if it is a picture.
    picture: Option<String>,
}

/// Which side a picture is on.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Telegram,
    Intercom,
}

impl Shown {
    /// The file of a message in Telegram.
    pub(super) fn in_telegram(message: i64, media: &SeenMedia) -> Self {
        let kind = match media.kind {
            MediaKind::Photo => "photo",
            MediaKind::Document => "file",
            MediaKind::Video => "video",
            MediaKind::Audio => "audio",
            MediaKind::Voice => "voice message",
            MediaKind::Animation => "animation",
            MediaKind::Sticker => "sticker",
            MediaKind::VideoNote => "video message",
        };
        Self {
            name: media.file_name.clone().unwrap_or_default(),
            kind,
            picture: kind_of(&media.bytes).map(|_| format!("/picture/telegram/{message}/0")),
        }
    }

    /// A file of a part in Intercom, by its place among those of the part.
    pub(super) fn in_intercom(part: &str, at: usize, file: &FileView) -> Self {
        let picture = kind_of(&file.bytes);
        let kind = match file.content_type.split('/').next() {
            _ if picture.is_some() => "picture",
            Some("video") => "video",
            Some("audio") => "audio",
            _ => "file",
        };
        Self {
            name: file.name.clone(),
            kind,
            picture: picture.map(|_| format!("/picture/intercom/{part}/{at}")),
        }
    }
}

/// The picture at a place among the files of a message, and its media type.
pub(super) fn find(world: &World, side: Side, message: &str, at: usize) -> Option<(&'static str, Vec<u8>)> {
    let bytes = match side {
        Side::Telegram => {
            let seen = world
                .vendors
                .telegram
                .message(world.cast.forum, message.parse().ok()?)?;
            seen.media.filter(|_| at == 0 && !seen.deleted)?.bytes.to_vec()
        }
        Side::Intercom => {
            let conversations = world.vendors.intercom.conversations();
            let mut parts = conversations.into_iter().flat_map(|one| one.parts);
            let part = parts.find(|part| part.id == message)?;
            part.attachments.into_iter().nth(at)?.bytes
        }
    };
    kind_of(&bytes).map(|kind| (kind, bytes))
}

/// The media type of a picture that a browser shows, by how it begins: what it is said to be counts for nothing.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let beginnings: [(&[u8], &str); 3] = [
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF8", "image/gif"),
    ];
    let found = beginnings
        .into_iter()
        .find(|(beginning, _)| bytes.starts_with(beginning));
    found.map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulators::{
        intercom::{File, Reply},
        telegram::{Compose, Media, Place},
    };

    /// What people send is served to a browser: nothing but pictures, whatever they are said to be.
    #[tokio::test]
    async fn only_pictures_are_given_out() {
        let world = World::start().await.unwrap();
        world.shown().wait_for(|page| !page.is_empty()).await.unwrap();
        let telegram = &world.vendors.telegram;
        let maria = world.cast.person(world.cast.people[0].id).unwrap();
        let topic = Place::topic(world.cast.forum, telegram.topics(world.cast.forum)[0].id);
        let say = |media| telegram.say_with(maria, topic, Compose::media(media)).to_string();
        let page = b"<script>alert(1)</script>".as_slice();
        let photo = say(Media::photo(OF_CUSTOMERS));
        let script = say(Media::document("a.jpg", "image/jpeg", page));
        let given = |side, message: &str, at| find(&world, side, message, at).map(|(kind, bytes)| (kind, bytes.len()));
        let whole = Some(("image/jpeg", OF_CUSTOMERS.len()));
        assert_eq!(given(Side::Telegram, &photo, 0), whole);
        assert_eq!(given(Side::Telegram, &photo, 1), None);
        assert_eq!(given(Side::Telegram, &script, 0), None);
        assert_eq!(given(Side::Telegram, "no number", 0), None);
        let intercom = &world.vendors.intercom;
        let conversation = intercom.conversations().remove(0).id;
        let reply = Reply::html("<p>See</p>").with_file(File::new("a.png", "image/png", page));
        let reply = reply.with_file(File::new("b.txt", "text/plain", OF_AGENTS));
        let part = intercom.agent_replies_with(&conversation, &world.cast.agents[0].id, reply);
        assert_eq!(given(Side::Intercom, &part, 0), None);
        assert_eq!(given(Side::Intercom, &part, 1), Some(("image/jpeg", OF_AGENTS.len())));
        assert_eq!(given(Side::Intercom, "nothing", 0), None);
    }
}
