//! Files that cannot be carried: it is said, once, with a link to the message.

use super::files::{JPEG, bold_caption, newest, parts, photo, seen};
use scenarios::World;
use simulators::{
    Fault,
    telegram::{Compose, Media, MediaKind, Place},
};

#[tokio::test]
async fn what_cannot_be_fetched_is_said_and_linked() {
    let world = World::new().await;
    let topic = world.order().await;
    let large = Media::new(MediaKind::Video, "trip.mp4", "video/mp4", JPEG).sized(21 << 20);
    let id = world.sends(world.maria, topic, bold_caption(Compose::media(large)));
    world.settle().await;
    let part = newest(&world);
    assert!(part.attachments.is_empty());
    let link = link_to(&world, topic, id);
    assert_eq!(
        part.text.trim(),
        format!(
            "Look here\n[video] trip.mp4 (0:04, 22.0 MB) – not carried over, for it is larger than 20 MB; see {link}"
        )
    );
    assert!(
        part.html.contains("<b>Look</b>") && part.html.contains(&format!("href=\"{link}\"")),
        "{}",
        part.html
    );
    assert_eq!(world.telegram().calls_of("getFile"), 0);

    let fields = world.telegram().keep_file(photo());
    world
        .telegram()
        .lose_file(fields["photo"][1]["file_id"].as_str().unwrap());
    let gone = Compose::content("photo", fields["photo"].clone());
    let id = world.sends(world.maria, topic, gone);
    world.writes(world.maria, topic, "Did you see it?");
    world.settle().await;
    let link = link_to(&world, topic, id);
    let before_last = parts(&world).into_iter().rev().nth(1).unwrap();
    assert_eq!(
        before_last.text.trim(),
        format!("[photo] – not carried over, for Telegram does not give it out; see {link}")
    );
    assert!(newest(&world).text.ends_with("Did you see it?"));
    world.finish().await;
}

/// An answer that was lost is found again though the file stayed in Telegram.
#[tokio::test]
async fn what_cannot_be_fetched_is_said_once() {
    let world = World::new().await;
    let topic = world.order().await;
    let fields = world.telegram().keep_file(photo());
    world
        .telegram()
        .lose_file(fields["photo"][1]["file_id"].as_str().unwrap());
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", Fault::LoseAnswer, 1);
    world.sends(world.maria, topic, Compose::content("photo", fields["photo"].clone()));
    world.settle().await;
    assert_eq!(parts(&world).len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_conversation_that_opens_with_what_cannot_be_fetched_says_so() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    let large = Media::document("scan.tiff", "image/tiff", JPEG).sized(500 << 20);
    let id = world.sends(world.maria, topic, Compose::media(large));
    world.settle().await;
    let link = link_to(&world, topic, id);
    let words = "not carried over, for it is larger than 20 MB; see";
    assert_eq!(
        seen(&world),
        [(
            "Maria Lopez".to_owned(),
            format!("[file] scan.tiff (524.3 MB) – {words} {link}"),
            vec![]
        )]
    );
    world.finish().await;
}

fn link_to(world: &World, topic: Place, message: i64) -> String {
    let group = -world.forum - 1_000_000_000_000;
    format!("https://t.me/c/{group}/{}/{message}", topic.topic.unwrap())
}
