//! Files, both ways, and albums.

use std::time::Duration;

use reqwest::multipart::Form;
use serde_json::{Value, json};
use simulators::{
    Fault,
    telegram::{Compose, Media, MediaKind, Place},
};

use crate::support::{PNG, World, file};

fn form(world: &World) -> Form {
    Form::new().text("chat_id", world.forum.to_string())
}

#[tokio::test]
async fn people_see_what_the_bot_uploads() {
    let world = World::new().await;
    let caption = form(&world)
        .text("caption", " the bill ")
        .part("document", file("bill.pdf", "application/pdf", "%PDF"));
    let sent = world.form("sendDocument", caption).await;
    assert_eq!(sent.result()["document"]["file_name"], "bill.pdf");
    let photo = world
        .form("sendPhoto", form(&world).part("photo", file("a.png", "image/png", PNG)))
        .await;
    let sizes = photo.result()["photo"].as_array().expect("sizes");
    assert_eq!((sizes.len(), &sizes[1]["width"]), (2, &json!(640)));
    let again = json!({ "chat_id": world.forum, "document": sent.result()["document"]["file_id"] });
    world.call("sendDocument", again).await.message_id();
    let seen = world.sim.messages(Place::chat(world.forum));
    assert_eq!(seen[0].text, "the bill");
    let media: Vec<_> = seen.iter().filter_map(|seen| seen.media.as_ref()).collect();
    assert_eq!(
        media.iter().map(|media| media.kind).collect::<Vec<_>>(),
        [MediaKind::Document, MediaKind::Photo, MediaKind::Document]
    );
    assert_eq!(
        (&media[2].bytes[..], media[2].file_name.as_deref()),
        (&b"%PDF"[..], Some("bill.pdf"))
    );
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn files_have_limits() {
    let world = World::new().await;
    let large = [PNG, &vec![0; 10 << 20]].concat();
    let words = format!(
        "Bad Request: file of size {} bytes is too big for a photo; the maximum size is 10485760 bytes",
        large.len()
    );
    let refused = world
        .form(
            "sendPhoto",
            form(&world).part("photo", file("a.png", "image/png", large)),
        )
        .await;
    assert_eq!(refused.description(), words);
    let larger = vec![0; (50 << 20) + 1];
    let refused = world
        .form("sendDocument", form(&world).part("document", file("a", "a/b", larger)))
        .await;
    assert_eq!(
        (refused.status, refused.description()),
        (413, "Request Entity Too Large")
    );
    assert_eq!(world.sim.violations().len(), 2);
    let text = world
        .form(
            "sendPhoto",
            form(&world).part("photo", file("a.jpg", "image/jpeg", "no picture")),
        )
        .await;
    assert_eq!(text.description(), "Bad Request: IMAGE_PROCESS_FAILED");
    let unused = form(&world).text("text", "x").part("letter", file("a", "a/b", "x"));
    world.form("sendMessage", unused).await.message_id();
    assert_eq!(world.sim.violations().len(), 3);
}

#[tokio::test]
async fn a_bot_downloads_what_people_send() {
    let world = World::new().await;
    let media = Media::document("scan.pdf", "application/pdf", "%PDF scan");
    world.sim.say_with(
        world.ada,
        Place::chat(world.forum),
        Compose::media(media).with_text("see /this"),
    );
    let update = world.updates().await.pop().expect("an update");
    let message = &update["message"];
    assert_eq!(
        (&message["caption"], &message["document"]["file_name"]),
        (&json!("see /this"), &json!("scan.pdf"))
    );
    assert_eq!(message["caption_entities"][0]["type"], "bot_command");
    let id = message["document"]["file_id"].clone();
    let link = world.call("getFile", json!({ "file_id": id })).await;
    let path = link.result()["file_path"].as_str().expect("a path");
    let url = format!("{}/file/bot{}/{path}", world.sim.base_url(), world.bot.token);
    assert_eq!(world.get(url.clone()).await.bytes().await.expect("bytes"), "%PDF scan");
    world.sim.faults().arm("file", Fault::Refuse(500), 1);
    assert_eq!(world.get(url.clone()).await.status(), 500);
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.get(url).await.status(), 404);
    world.sim.lose_file(id.as_str().expect("an id"));
    let lost = world.call("getFile", json!({ "file_id": id })).await;
    assert_eq!(
        lost.description(),
        "Bad Request: wrong file_id or the file is temporarily unavailable"
    );
}

#[tokio::test]
async fn large_files_cannot_be_downloaded() {
    let world = World::new().await;
    let film = Media::new(MediaKind::Video, "film.mp4", "video/mp4", "x").sized((20 << 20) + 1);
    world
        .sim
        .say_with(world.ada, Place::chat(world.forum), Compose::media(film));
    let update = world.updates().await.pop().expect("an update");
    let refused = world
        .call("getFile", json!({ "file_id": update["message"]["video"]["file_id"] }))
        .await;
    assert_eq!(refused.description(), "Bad Request: file is too big");
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn albums_keep_together() {
    let world = World::new().await;
    let media = json!([
        { "type": "photo", "media": "attach://a", "caption": "two pictures" },
        { "type": "photo", "media": "attach://b" },
    ]);
    let album = form(&world).text("media", media.to_string());
    let album = album
        .part("a", file("a.png", "image/png", PNG))
        .part("b", file("b.png", "image/png", PNG));
    let sent = world.form("sendMediaGroup", album).await;
    let groups: Vec<&Value> = sent
        .result()
        .as_array()
        .expect("messages")
        .iter()
        .map(|one| &one["media_group_id"])
        .collect();
    assert_eq!((groups.len(), groups[0]), (2, groups[1]));
    assert_eq!(world.sim.violations(), Vec::<String>::new());

    let pictures = vec![Media::photo(PNG), Media::photo(PNG), Media::photo(PNG)];
    world.sim.say_with(
        world.ada,
        Place::chat(world.forum),
        Compose::album(pictures).with_text("mine"),
    );
    let updates = world.updates().await;
    let items: Vec<&Value> = updates
        .iter()
        .filter(|update| update["message"]["photo"].is_array())
        .collect();
    assert_eq!(items.len(), 3);
    assert_eq!(
        items.iter().filter(|item| item["message"]["caption"] == "mine").count(),
        1
    );
    assert!(
        items
            .iter()
            .all(|item| item["message"]["media_group_id"] == items[0]["message"]["media_group_id"])
    );
}

#[tokio::test]
async fn albums_have_rules() {
    let world = World::new().await;
    let id = world
        .form("sendPhoto", form(&world).part("photo", file("a.png", "image/png", PNG)))
        .await;
    let photo = json!({ "type": "photo", "media": id.result()["photo"][1]["file_id"] });
    let document = json!({ "type": "document", "media": "attach://nothing" });
    for (media, words) in [
        (
            json!([photo]),
            "there are too few messages to send as an album".to_owned(),
        ),
        (
            json!(vec![&photo; 11]),
            "there are too many messages to send as an album".to_owned(),
        ),
        (
            json!([photo, document]),
            "can't use the media of the specified type in the album".to_owned(),
        ),
        (
            json!([photo, { "type": "photo", "media": "attach://nothing" }]),
            "failed to send message #2 with the error message \"there is no photo in the request\"".to_owned(),
        ),
    ] {
        let refused = world
            .call("sendMediaGroup", json!({ "chat_id": world.forum, "media": media }))
            .await;
        assert_eq!(refused.description(), format!("Bad Request: {words}"));
    }
    assert_eq!(world.sim.violations().len(), 4);
    assert_eq!(world.sim.messages(Place::chat(world.forum)).len(), 1);
}

#[tokio::test]
async fn copies_and_reactions_land() {
    let world = World::new().await;
    let topic = world.topic();
    let original = world
        .sim
        .say_with(world.ada, topic, Compose::media(Media::photo(PNG)).with_text("look"));
    let copy =
        json!({ "chat_id": world.forum, "from_chat_id": world.forum, "message_id": original, "caption": "seen" });
    let copied = world.call("copyMessage", copy).await.message_id();
    let seen = world.sim.message(world.forum, copied).expect("a message");
    assert_eq!((seen.text.as_str(), seen.media.is_some()), ("seen", true));
    let thumb =
        json!({ "chat_id": world.forum, "message_id": original, "reaction": [{ "type": "emoji", "emoji": "👍" }] });
    assert_eq!(world.call("setMessageReaction", thumb).await.result(), true);
    assert_eq!(
        world.sim.message(world.forum, original).expect("a message").reactions,
        ["👍"]
    );
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}
