//! Albums: one reply with all files, in its place among what else is said.

use scenarios::{Scene, World};
use serde_json::{Map, Value, json};
use simulators::{
    Fault,
    intercom::{ConversationView, PartView},
    telegram::{Compose, Media, MediaKind, Place, Rights},
};
use std::time::Duration;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";

fn photos(count: usize) -> Compose {
    Compose::album(vec![Media::photo(JPEG); count])
}

/// What was said in the one conversation there is: who, the text, and how the names of the files end, which tells their messages.
fn seen(world: &World) -> Vec<String> {
    let conversations = world.intercom().conversations();
    let [conversation] = conversations.as_slice() else {
        panic!("{} conversations", conversations.len())
    };
    lines(conversation)
}

fn lines(conversation: &ConversationView) -> Vec<String> {
    let said = conversation.messages().filter(|part| !part.kind.starts_with("note"));
    said.map(line).collect()
}

fn line(part: &PartView) -> String {
    let ends = part
        .attachments
        .iter()
        .map(|file| file.name.rsplit('-').next().unwrap());
    let words = part.text.split_whitespace();
    let words = words.filter(|word| part.kind != "source" || !word.starts_with("https://t.me/c/"));
    let line: Vec<&str> = words.chain(ends).collect();
    format!("{}: {}", part.author_name, line.join(" "))
}

/// The ends of the names of an album's files.
fn files(first: i64, count: i64) -> String {
    let names: Vec<String> = (first..first + count).map(|id| format!("{id}.jpg")).collect();
    names.join(" ")
}

#[tokio::test]
async fn an_album_is_one_reply_between_what_was_said_before_and_after() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "Look:");
    let album = world.sends(world.maria, topic, photos(3).with_text("Broken on arrival"));
    world.writes(world.maria, topic, "Can I have another?");
    world.settle().await;
    assert_eq!(
        seen(&world)[1..],
        [
            "Maria Lopez: Look:".to_owned(),
            format!("Maria Lopez: Broken on arrival {}", files(album, 3)),
            "Maria Lopez: Can I have another?".to_owned(),
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn an_album_that_nothing_follows_arrives_within_seconds() {
    let world = World::new().await;
    let topic = world.order().await;
    let album = world.sends(world.maria, topic, photos(4));
    world.passes(Duration::from_secs(1)).await;
    assert_eq!(seen(&world).len(), 1, "more of it may come");
    world.passes(Duration::from_secs(3)).await;
    assert_eq!(seen(&world)[1..], [format!("Maria Lopez: [photo] {}", files(album, 4))]);
    world.finish().await;
}

/// Its items come one by one, seconds apart, as over a slow connection.
#[tokio::test]
async fn an_album_waits_for_items_that_are_on_their_way() {
    let world = World::new().await;
    let topic = world.order().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let item = Compose::media(Media::photo(JPEG)).field("media_group_id", "77".into());
        ids.push(world.sends(world.maria, topic, item));
        world.passes(Duration::from_millis(1_500)).await;
    }
    world.settle().await;
    let names: Vec<String> = ids.iter().map(|id| format!("{id}.jpg")).collect();
    assert_eq!(seen(&world)[1..], [format!("Maria Lopez: [photo] {}", names.join(" "))]);
    world.finish().await;
}

#[tokio::test]
async fn an_item_that_comes_after_the_rest_is_a_reply_of_its_own() {
    let world = World::new().await;
    let topic = world.order().await;
    let item = || Compose::media(Media::photo(JPEG)).field("media_group_id", "77".into());
    let first = world.sends(world.maria, topic, item());
    world.passes(Duration::from_secs(10)).await;
    let late = world.sends(world.maria, topic, item());
    world.settle().await;
    let one = |id: i64| format!("Maria Lopez: [photo] {id}.jpg");
    assert_eq!(seen(&world)[1..], [one(first), one(late)]);
    world.finish().await;
}

#[tokio::test]
async fn an_album_opens_the_conversation_with_its_caption_and_its_files_follow() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    let album = world.sends(world.maria, topic, photos(2).with_text("Broken on arrival"));
    world.writes(world.maria, topic, "And the box");
    world.settle().await;
    assert_eq!(
        seen(&world),
        [
            "Maria Lopez: Broken on arrival".to_owned(),
            format!("Maria Lopez: [photo] {}", files(album, 2)),
            "Maria Lopez: And the box".to_owned(),
        ]
    );
    assert_eq!(world.conversation("Order 1042").tags.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn two_albums_right_after_each_other_stay_two() {
    let world = World::new().await;
    let topic = world.order().await;
    let first = world.sends(world.maria, topic, photos(2).with_text("One"));
    let second = world.sends(world.maria, topic, photos(3).with_text("Two"));
    let third = world.sends(world.ken, topic, photos(2).with_text("Three"));
    world.settle().await;
    assert_eq!(
        seen(&world)[1..],
        [
            format!("Maria Lopez: One {}", files(first, 2)),
            format!("Maria Lopez: Two {}", files(second, 3)),
            format!("Ken: Three {}", files(third, 2)),
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn an_item_that_telegram_does_not_give_out_is_said_and_the_others_arrive() {
    let world = World::new().await;
    let topic = world.order().await;
    let kept = world.telegram().keep_file(Media::photo(JPEG));
    world
        .telegram()
        .lose_file(kept["photo"][1]["file_id"].as_str().unwrap());
    let of_album = |message: Compose| message.field("media_group_id", "77".into());
    let photo = || of_album(Compose::media(Media::photo(JPEG)));
    let first = world.sends(world.maria, topic, photo());
    world.sends(
        world.maria,
        topic,
        of_album(Compose::content("photo", kept["photo"].clone())),
    );
    let large = Media::new(MediaKind::Video, "trip.mp4", "video/mp4", JPEG).sized(21 << 20);
    world.sends(world.maria, topic, of_album(Compose::media(large)));
    let last = world.sends(world.maria, topic, photo());
    world.writes(world.maria, topic, "That is all");
    world.settle().await;
    let seen = seen(&world);
    let [_, album, after] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    let place = |id: i64| {
        format!(
            "see https://t.me/c/{}/{}/{id}",
            -world.forum - 1_000_000_000_000,
            topic.topic.unwrap()
        )
    };
    let (gone, too_large) = (
        place(first),
        "[video] trip.mp4 (0:04, 22.0 MB) – not carried over, for it is larger",
    );
    assert!(album.contains("[photo] – not carried over, for Telegram does not give it out") && album.contains(&gone));
    assert!(album.contains(too_large), "{album}");
    assert!(album.ends_with(&format!("{first}.jpg {last}.jpg")), "{album}");
    assert_eq!(after, "Maria Lopez: That is all");
    world.finish().await;
}

#[tokio::test]
async fn what_one_reply_cannot_hold_of_an_album_follows() {
    let world = World::new().await;
    let topic = world.order().await;
    let video = |name: &str| Media::new(MediaKind::Video, name, "video/mp4", JPEG).sized(9 << 20);
    let names = ["a.mp4", "b.mp4", "c.mp4"];
    let album = Compose::album(names.iter().map(|name| video(name)).collect());
    let first = world.sends(world.maria, topic, album.with_text("The trip"));
    world.writes(world.maria, topic, "Nice?");
    world.settle().await;
    let seen = seen(&world);
    let (second, third) = (first + 1, first + 2);
    assert_eq!(
        seen[1..],
        [
            format!("Maria Lopez: The trip {first}.mp4 {second}.mp4"),
            format!("Maria Lopez: Files, 2 of 2: [video] c.mp4 (0:04, 9.4 MB) {third}.mp4"),
            "Maria Lopez: Nice?".to_owned(),
        ]
    );
    world.finish().await;
}

/// A correction comes after the album, and only if something changed.
#[tokio::test]
async fn an_item_is_corrected_after_its_album() {
    for at_once in [true, false] {
        let world = World::new().await;
        let topic = world.order().await;
        let album = world.sends(world.maria, topic, photos(2).with_text("The front"));
        if !at_once {
            world.settle().await;
        }
        world.telegram().edit(world.forum, album, "The back");
        world.settle().await;
        // Another one gets its first caption, and a third change is none.
        world.telegram().edit(world.forum, album + 1, "The top");
        let same: Map<String, Value> = [("caption".to_owned(), json!("The back"))].into_iter().collect();
        world.telegram().edit_fields(world.forum, album, same);
        world.settle().await;
        assert_eq!(
            seen(&world)[1..],
            [
                format!("Maria Lopez: The front {}", files(album, 2)),
                "Maria Lopez: Correction: The back".to_owned(),
                "Maria Lopez: Correction: The top".to_owned(),
            ]
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn an_album_whose_updates_come_again_arrives_once() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().duplicate_updates(2);
    let album = world.sends(world.maria, topic, photos(3));
    world.settle().await;
    // When no queue remembers them any more.
    world.passes(Duration::from_mins(10)).await;
    for update in world.telegram().updates() {
        world.telegram().redeliver(update["update_id"].as_i64().unwrap());
    }
    world.settle().await;
    assert_eq!(seen(&world)[1..], [format!("Maria Lopez: [photo] {}", files(album, 3))]);
    world.finish().await;
}

#[tokio::test]
async fn each_customer_of_a_topic_has_albums_of_their_own() {
    let world = Scene::new().await.set("CONVERSATION_PER", "user").open().await;
    let topic = world.topic("Order 1042");
    let marias = world.sends(world.maria, topic, photos(2).with_text("Mine"));
    let kens = world.sends(world.ken, topic, photos(2).with_text("No, mine"));
    world.writes(world.maria, topic, "See?");
    world.settle().await;
    let mut inbox: Vec<Vec<String>> = world.intercom().conversations().iter().map(lines).collect();
    inbox.sort();
    assert_eq!(
        inbox,
        [
            vec!["Ken: No, mine".to_owned(), format!("Ken: [photo] {}", files(kens, 2))],
            vec![
                "Maria Lopez: Mine".to_owned(),
                format!("Maria Lopez: [photo] {}", files(marias, 2)),
                "Maria Lopez: See?".to_owned()
            ],
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn an_album_of_staff_is_one_note_or_one_reply() {
    let world = Scene::new().await.with_sam_as_staff().open().await;
    let topic = world.order().await;
    world.sends(world.sam, topic, photos(3).with_text("Like this"));
    world.settle().await;
    assert_eq!(
        world.agent_notes("Order 1042"),
        ["Bridge: Sam Hill in Telegram:\nLike this"]
    );
    let conversation = world.conversation("Order 1042");
    assert_eq!(conversation.parts.last().unwrap().attachments.len(), 3);
    world.finish().await;

    let world = Scene::new().await.with_sam_as_admin().open().await;
    let topic = world.order().await;
    let album = world.sends(world.sam, topic, photos(3).with_text("Like this"));
    world.settle().await;
    assert_eq!(seen(&world)[1..], [format!("Sam Hill: Like this {}", files(album, 3))]);
    world.finish().await;
}

/// Where there is no conversation, staff open none; the album goes as other messages of theirs do.
#[tokio::test]
async fn an_album_of_staff_opens_no_conversation() {
    let world = Scene::new().await.with_sam_as_staff().open().await;
    let topic = world.topic("Order 1042");
    world.sends(world.sam, topic, photos(2).with_text("Ours"));
    world.settle().await;
    assert_eq!(world.conversations(), 0);
    assert!(!is_in_the_table(&world, "Ours").await);
    world.finish().await;
}

async fn is_in_the_table(world: &World, text: &str) -> bool {
    let items = world.store.items().await;
    items.iter().any(|item| item.body.to_string().contains(text))
}

/// The one time for which the table holds what people wrote.
#[tokio::test]
async fn a_caption_stands_in_the_table_until_its_album_is_there() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sends(world.maria, topic, photos(2).with_text("Broken on arrival"));
    world.passes(Duration::from_millis(500)).await;
    assert!(is_in_the_table(&world, "Broken on arrival").await);
    world.settle().await;
    assert!(!is_in_the_table(&world, "Broken on arrival").await);
    world.finish().await;
}

#[tokio::test]
async fn an_album_that_was_given_up_can_be_put_back() {
    let world = Scene::new().await.set("GIVE_UP_AFTER", "20m").open().await;
    let topic = world.order().await;
    let faults = world.intercom().faults();
    faults.decide(|call| (call == "POST /conversations/{id}/reply").then_some(Fault::Refuse(503)));
    let album = world.sends(world.maria, topic, photos(2).with_text("Broken on arrival"));
    world.passes(Duration::from_hours(2)).await;
    assert_eq!(seen(&world).len(), 1);
    assert_eq!(world.customer_is_told(topic).len(), 1, "one word for the whole album");
    world.intercom().faults().clear();
    // It stands in nobody's way.
    let next = world.sends(world.maria, topic, photos(2).with_text("Hello?"));
    world.settle().await;
    assert_eq!(world.redrives().await, 1);
    let seen = seen(&world);
    assert_eq!(seen[1], format!("Maria Lopez: Hello? {}", files(next, 2)));
    let (written, put_back) = (&seen[2], format!("Broken on arrival {}", files(album, 2)));
    assert!(
        written.contains("Written 2026-01-15") && written.ends_with(&put_back),
        "{written}"
    );
    assert_eq!(seen.len(), 3);
    assert!(!is_in_the_table(&world, "Broken on arrival").await);
    world.finish().await;
}

/// The group gets another id while its album is gathered.
#[tokio::test]
async fn an_album_moves_with_its_group() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    world.writes(world.maria, Place::chat(group), "Before the move");
    world.settle().await;
    let album = world.sends(world.maria, Place::chat(group), photos(2).with_text("During the move"));
    world.passes(Duration::from_millis(500)).await;
    let supergroup = world.telegram().migrate(group);
    world.settle().await;
    let after = world.sends(
        world.maria,
        Place::chat(supergroup),
        photos(2).with_text("After the move"),
    );
    world.settle().await;
    assert_eq!(
        seen(&world)[1..],
        [
            format!("Maria Lopez: During the move {}", files(album, 2)),
            format!("Maria Lopez: After the move {}", files(after, 2)),
        ]
    );
    world.finish().await;
}

/// What the table could not hold comes by itself, and in order.
#[tokio::test]
async fn an_item_that_is_too_large_for_its_album_comes_after_it() {
    let world = World::new().await;
    let topic = world.order().await;
    let item = |large: bool| {
        let item = Compose::media(Media::photo(JPEG)).field("media_group_id", "77".into());
        let bulk = if large { "x".repeat(200 << 10) } else { String::new() };
        item.field("has_media_spoiler", bulk.into())
    };
    let ids: Vec<i64> = [true, false, true, false]
        .into_iter()
        .map(|large| world.sends(world.maria, topic, item(large)))
        .collect();
    world.writes(world.maria, topic, "That is all");
    world.settle().await;
    let of = |ids: &[i64]| {
        let names: Vec<String> = ids.iter().map(|id| format!("{id}.jpg")).collect();
        format!("Maria Lopez: [photo] {}", names.join(" "))
    };
    assert_eq!(
        seen(&world)[1..],
        [
            of(&ids[..2]),
            of(&ids[2..3]),
            of(&ids[3..]),
            "Maria Lopez: That is all".to_owned()
        ]
    );
    world.finish().await;
}

/// Whatever goes wrong on the way of an album: it arrives once and in its place.
#[tokio::test]
async fn an_album_whose_answer_was_lost_is_found_again() {
    let faults = [
        Fault::Refuse(500),
        Fault::TooManyRequests(Duration::from_secs(7)),
        Fault::FailAfter(502),
        Fault::LoseAnswer,
        Fault::CutBefore,
        Fault::Garble,
    ];
    for fault in faults {
        for opens in [true, false] {
            let world = World::new().await;
            let topic = if opens {
                world.topic("Order 1042")
            } else {
                world.order().await
            };
            let call = "POST /conversations/{id}/reply";
            world.intercom().faults().arm(call, fault.clone(), 2);
            let album = world.sends(world.maria, topic, photos(3));
            world.writes(world.maria, topic, "That is all");
            world.settle().await;
            let seen = seen(&world);
            let [.., reply, after] = seen.as_slice() else {
                panic!("{seen:?}")
            };
            assert_eq!(*reply, format!("Maria Lopez: [photo] {}", files(album, 3)), "{fault:?}");
            assert_eq!(
                (after.as_str(), seen.len()),
                ("Maria Lopez: That is all", 3),
                "{fault:?}"
            );
            world.intercom().faults().clear();
            world.finish().await;
        }
    }
}

/// Somebody who is gone in Intercom is made anew for an album as for any message.
#[tokio::test]
async fn an_album_finds_out_that_its_conversation_is_gone() {
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(Duration::from_mins(5)).await;
    world
        .intercom()
        .delete_conversation(&world.conversation("Order 1042").id);
    let album = world.sends(world.ken, topic, photos(2).with_text("Anybody?"));
    world.settle().await;
    assert_eq!(
        seen(&world),
        ["Ken: Anybody?".to_owned(), format!("Ken: [photo] {}", files(album, 2))]
    );
    world.finish().await;
}
