//! Files from Telegram: each kind arrives with its caption, in order.

use scenarios::{Left, Scene, World};
use serde_json::{Map, Value, json};
use simulators::{
    Fault,
    intercom::PartView,
    telegram::{Compose, Media, MediaKind},
};

pub(super) const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";
const WEBP: &[u8] = b"RIFF\x10\x00\x00\x00WEBPVP8 a sticker";

pub(super) fn photo() -> Media {
    Media::photo(JPEG)
}

/// What was said in the one conversation there is: who, the text, and the names of the files, without the times in them.
pub(super) fn seen(world: &World) -> Vec<(String, String, Vec<String>)> {
    let parts = parts(world);
    let files = |part: &PartView| part.attachments.iter().map(|file| file.name.clone()).collect();
    let line = |part: &PartView| (part.author_name.clone(), text(part), files(part));
    parts.iter().map(line).collect()
}

pub(super) fn parts(world: &World) -> Vec<PartView> {
    let conversations = world.intercom().conversations();
    assert_eq!(conversations.len(), 1);
    let said = conversations[0]
        .messages()
        .filter(|part| !part.kind.starts_with("note"));
    said.cloned().collect()
}

/// The text of a part without the link that an opening ends with.
fn text(part: &PartView) -> String {
    let text = part.text.trim();
    match text.rsplit_once('\n') {
        Some((text, link)) if part.kind == "source" && link.starts_with("https://t.me/c/") => text.trim().to_owned(),
        _ => text.to_owned(),
    }
}

pub(super) fn newest(world: &World) -> PartView {
    parts(world).pop().unwrap()
}

pub(super) fn bold_caption(message: Compose) -> Compose {
    let bold = json!({"type": "bold", "offset": 0, "length": 4});
    message.with_text("Look here").with_entities(vec![bold])
}

/// A message, and of the file that it becomes: how its name begins and ends, its type, its content; and the line of the message.
type Case = (
    Compose,
    &'static str,
    &'static str,
    &'static str,
    &'static [u8],
    &'static str,
);

fn cases() -> Vec<Case> {
    let file = |kind, name: &str, mime: &str| Compose::media(Media::new(kind, name, mime, b"content".as_slice()));
    let sticker = Media::new(MediaKind::Sticker, "", "", WEBP);
    vec![
        (
            Compose::media(photo()),
            "photo-2026",
            ".jpg",
            "image/jpeg",
            JPEG,
            "[photo]",
        ),
        (
            file(MediaKind::Document, "Invoice 7.pdf", "application/pdf"),
            "Invoice 7-",
            ".pdf",
            "application/pdf",
            b"content",
            "[file] Invoice 7.pdf (7 B)",
        ),
        (
            file(MediaKind::Video, "trip.mov", "video/quicktime"),
            "trip-",
            ".mov",
            "video/quicktime",
            b"content",
            "[video] trip.mov (0:04, 7 B)",
        ),
        (
            file(MediaKind::Animation, "cat.mp4", "video/mp4"),
            "cat-",
            ".mp4",
            "video/mp4",
            b"content",
            "[animation] cat.mp4 (0:04, 7 B)",
        ),
        (
            file(MediaKind::Audio, "song.mp3", "audio/mpeg"),
            "song-",
            ".mp3",
            "audio/mpeg",
            b"content",
            "[audio] song.mp3 (0:04, 7 B)",
        ),
        (
            Compose::media(Media::voice(b"content".as_slice())),
            "voice-message-2026",
            ".ogg",
            "audio/ogg",
            b"content",
            "[voice message] (0:04, 7 B)",
        ),
        (
            file(MediaKind::VideoNote, "", ""),
            "video-message-2026",
            ".mp4",
            "video/mp4",
            b"content",
            "[video message] (0:04, 7 B)",
        ),
        (
            Compose::media(sticker),
            "sticker-2026",
            ".webp",
            "image/webp",
            WEBP,
            "[sticker] 👍",
        ),
        // A picture whose sender lies about what it is, and one that is none.
        (
            Compose::media(Media::document("scan.PNG", "image/png", JPEG)),
            "scan-",
            ".PNG",
            "image/jpeg",
            JPEG,
            "[file] scan.PNG (14 B)",
        ),
        (
            Compose::media(Media::document("a.svg", "image/svg+xml", b"<svg/>".as_slice())),
            "a-",
            ".svg",
            "application/octet-stream",
            b"<svg/>",
            "[file] a.svg (6 B)",
        ),
    ]
}

#[tokio::test]
async fn every_kind_of_file_arrives_with_its_caption() {
    let world = World::new().await;
    let topic = world.order().await;
    for (message, begins, ends, content_type, bytes, line) in cases() {
        let takes_caption = !line.starts_with("[sticker]") && !line.starts_with("[video message]");
        for with_caption in [false, true] {
            if with_caption && !takes_caption {
                continue;
            }
            let message = if with_caption {
                bold_caption(message.clone())
            } else {
                message.clone()
            };
            let id = world.sends(world.maria, topic, message);
            world.settle().await;
            let part = newest(&world);
            if with_caption {
                assert!(part.html.contains("<b>Look</b> here"), "{line}: {}", part.html);
            } else {
                assert_eq!(part.text.trim(), line);
            }
            assert!(!part.html.contains("not carried over"), "{}", part.html);
            let [file] = part.attachments.as_slice() else {
                panic!("{line}: {} files", part.attachments.len())
            };
            let end = format!("-{id}{ends}");
            assert!(
                file.name.starts_with(begins) && file.name.ends_with(&end),
                "{}",
                file.name
            );
            assert_eq!(
                (file.content_type.as_str(), file.bytes.as_slice()),
                (content_type, bytes),
                "{line}"
            );
        }
    }
    world.finish().await;
}

#[tokio::test]
async fn a_conversation_opens_with_the_caption_and_the_file_follows() {
    for (message, opening) in [
        (
            Compose::media(photo()).with_text("Broken on arrival"),
            "Broken on arrival",
        ),
        (Compose::media(photo()), "[photo]"),
    ] {
        let world = World::new().await;
        let topic = world.topic("Order 1042");
        let first = world.sends(world.maria, topic, message);
        let second = world.sends(world.maria, topic, Compose::media(photo()));
        world.writes(world.maria, topic, "And the box, too");
        world.settle().await;
        let maria = || "Maria Lopez".to_owned();
        let name = |id: i64| vec![names_of(&world, id)];
        assert_eq!(
            seen(&world),
            [
                (maria(), opening.to_owned(), vec![]),
                (maria(), "[photo]".to_owned(), name(first)),
                (maria(), "[photo]".to_owned(), name(second)),
                (maria(), "And the box, too".to_owned(), vec![]),
            ]
        );
        assert_eq!(world.conversation("Order 1042").tags.len(), 2);
        world.finish().await;
    }
}

/// The name of the one file of a message.
fn names_of(world: &World, message: i64) -> String {
    let end = format!("-{message}.jpg");
    let parts = parts(world);
    let mut names = parts
        .iter()
        .flat_map(|part| &part.attachments)
        .map(|file| file.name.clone());
    names.find(|name| name.ends_with(&end)).unwrap_or_default()
}

/// A live photo is a picture and its film; paid media are what the bot may see of them, as much in one reply as one takes.
#[tokio::test]
async fn several_files_of_one_message_come_together_as_far_as_they_may() {
    let world = World::new().await;
    let topic = world.order().await;
    let picture = world.telegram().keep_file(photo());
    let film = |size| {
        world
            .telegram()
            .keep_file(Media::new(MediaKind::Video, "a.mp4", "video/mp4", JPEG).sized(size))
    };
    let mut live = film(14)["video"].clone();
    live["photo"] = picture["photo"].clone();
    let live = Compose::content("live_photo", live).field("photo", picture["photo"].clone());
    world.sends(world.maria, topic, live);
    world.settle().await;
    let part = newest(&world);
    assert_eq!((part.text.trim(), part.attachments.len()), ("[live photo]", 2));

    let paid = |video: Map<String, Value>| json!({"type": "video", "video": video["video"]});
    let items = json!([
        {"type": "photo", "photo": picture["photo"]}, {"type": "preview", "width": 1},
        paid(film(15 << 20)), paid(film(15 << 20)), paid(film(2 << 20)),
    ]);
    let paid = Compose::content("paid_media", json!({"star_count": 5, "paid_media": items}));
    world.sends(world.maria, topic, paid);
    world.settle().await;
    let seen = seen(&world);
    let [.., first, rest] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (first.1.as_str(), first.2.len()),
        ("[paid media] 5 items for 5 stars", 2)
    );
    assert!(rest.1.starts_with("Files, 2 of 2:\n[video]"), "{rest:?}");
    assert_eq!(rest.2.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn what_staff_send_becomes_a_note_or_a_reply_with_its_file() {
    for fault in [None, Some(Fault::LoseAnswer)] {
        let world = Scene::new().await.with_sam_as_staff().open().await;
        let topic = world.order().await;
        let arm = |world: &World| {
            if let Some(fault) = &fault {
                let faults = world.intercom().faults();
                faults.arm("POST /conversations/{id}/reply", fault.clone(), 1);
            }
        };
        arm(&world);
        world.sends(world.sam, topic, Compose::media(photo()));
        world.settle().await;
        assert_eq!(
            world.agent_notes("Order 1042"),
            ["Bridge: Sam Hill in Telegram:\n[photo]"]
        );
        let conversation = world.conversation("Order 1042");
        assert_eq!(conversation.parts.last().unwrap().attachments.len(), 1);
        world.finish().await;

        let world = Scene::new().await.with_sam_as_admin().open().await;
        let topic = world.order().await;
        arm(&world);
        world.sends(world.sam, topic, Compose::media(photo()).with_text("Like this?"));
        world.settle().await;
        let part = newest(&world);
        assert_eq!(
            (part.author_name.as_str(), part.text.trim()),
            ("Sam Hill", "Like this?")
        );
        assert_eq!((part.attachments.len(), parts(&world).len()), (1, 2));
        assert!(
            world.customer_is_told(topic).is_empty(),
            "{:?}",
            world.customer_is_told(topic)
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn a_changed_caption_is_a_correction_without_its_file_and_another_file_comes_along() {
    let world = World::new().await;
    let topic = world.order().await;
    let id = world.sends(world.maria, topic, Compose::media(photo()).with_text("The front"));
    world.settle().await;
    let change = |fields: Map<String, Value>| world.telegram().edit_fields(world.forum, id, fields);
    let mut caption = Map::new();
    caption.insert("caption".into(), "The back".into());
    change(caption.clone());
    world.settle().await;
    let part = newest(&world);
    assert_eq!((part.text.trim(), part.attachments.len()), ("Correction:\nThe back", 0));
    // Something else changed, the same as before to an agent.
    change(caption);
    world.settle().await;
    assert_eq!(parts(&world).len(), 3);
    change(world.telegram().keep_file(photo()));
    world.settle().await;
    let part = newest(&world);
    assert_eq!((part.text.trim(), part.attachments.len()), ("Correction:\nThe back", 1));
    world.finish().await;
}

/// Nobody could tell whether the conversation was opened, so its message was given up; then somebody else found it.
#[tokio::test]
async fn the_file_of_a_given_up_opening_is_delivered_by_a_redrive() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    let faults = world.intercom().faults();
    faults.arm("POST /conversations", Fault::LoseAnswer, 1);
    faults.arm("POST /conversations/search", Fault::Refuse(503), 10_000);
    world.intercom().lose_notifications(true);
    let photo = world.sends(world.maria, topic, Compose::media(photo()).with_text("Look here"));
    world.settle().await;
    assert_eq!(world.customer_is_told(topic).len(), 1, "the customer was told");
    world.intercom().faults().clear();
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    let said = |world: &World| -> Vec<String> {
        seen(world)
            .into_iter()
            .map(|(who, text, _)| format!("{who}: {text}"))
            .collect()
    };
    assert_eq!(said(&world), ["Maria Lopez: Look here", "Ken: Me too"]);
    assert_eq!(world.redrives().await, 1);
    let file = newest(&world);
    assert_eq!(file.author_name, "Maria Lopez");
    assert!(file.attachments[0].name.ends_with(&format!("-{photo}.jpg")), "{file:?}");
    assert_eq!(said(&world).len(), 3);
    let left = Left {
        lost_notifications: true,
        ..Left::default()
    };
    world.finish_but(left).await;
}
