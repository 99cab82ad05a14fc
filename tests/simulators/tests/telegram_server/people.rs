//! What people do, as a bot learns of it.

use serde_json::{Value, json};
use simulators::telegram::{Compose, Place, Voice};

use crate::support::World;

async fn last(world: &World, kind: &str) -> Value {
    let updates = world.updates().await;
    updates
        .iter()
        .rev()
        .find_map(|update| update.get(kind).cloned())
        .expect("an update of that kind")
}

#[tokio::test]
async fn anonymous_administrators_write_as_the_group() {
    let world = World::new().await;
    world.sim.promote(world.ada, world.forum, true);
    world.sim.set_admin_title(world.ada, world.forum, "Desk");
    world.sim.say(world.ada, Place::chat(world.forum), "we are on it");
    let message = last(&world, "message").await;
    assert_eq!(message["from"]["id"], 1_087_968_824);
    assert_eq!(message["from"]["is_bot"], true);
    assert_eq!(message["sender_chat"]["id"], world.forum);
    assert_eq!(message["author_signature"], "Desk");
}

#[tokio::test]
async fn channels_write_too() {
    let world = World::new().await;
    let place = Place::chat(world.forum);
    let title = || "News".to_owned();
    world.sim.say_with(
        world.ada,
        place,
        Compose::text("x").voice(Voice::Channel {
            id: -1_003,
            title: title(),
        }),
    );
    let message = last(&world, "message").await;
    assert_eq!(
        (&message["from"]["id"], &message["sender_chat"]["id"]),
        (&json!(136_817_688), &json!(-1_003))
    );
    world.sim.say_with(
        world.ada,
        place,
        Compose::text("x").voice(Voice::LinkedChannel {
            id: -1_003,
            title: title(),
        }),
    );
    let message = last(&world, "message").await;
    assert_eq!(
        (&message["from"]["id"], &message["is_automatic_forward"]),
        (&json!(777_000), &json!(true))
    );
}

#[tokio::test]
async fn edits_come_as_updates_if_they_change_something() {
    let world = World::new().await;
    let place = Place::chat(world.forum);
    let id = world.sim.say(world.ada, place, "helo");
    world.clock.advance(std::time::Duration::from_secs(5));
    world.sim.edit(world.forum, id, "hello");
    let before = world.updates().await.len();
    world.sim.edit(world.forum, id, "hello");
    assert_eq!(world.updates().await.len(), before);
    let edited = last(&world, "edited_message").await;
    assert_eq!((&edited["message_id"], &edited["text"]), (&json!(id), &json!("hello")));
    assert_eq!(
        edited["edit_date"].as_i64(),
        edited["date"].as_i64().map(|date| date + 5)
    );
}

#[tokio::test]
async fn reactions_come_only_when_they_are_named() {
    let world = World::new().await;
    let id = world.sim.say(world.ada, Place::chat(world.forum), "hi");
    world.sim.react(world.ada, world.forum, id, "👍");
    assert!(
        world
            .updates()
            .await
            .iter()
            .all(|update| update.get("message_reaction").is_none())
    );
    world
        .call("getUpdates", json!({ "allowed_updates": ["message_reaction"] }))
        .await;
    world.sim.react(world.ada, world.forum, id, "");
    let reaction = last(&world, "message_reaction").await;
    assert_eq!(reaction["old_reaction"], json!([{ "type": "emoji", "emoji": "👍" }]));
    assert_eq!(reaction["new_reaction"], json!([]));
    assert_eq!(
        (&reaction["user"]["id"], reaction.get("message_thread_id")),
        (&json!(world.ada.0), None)
    );
}

#[tokio::test]
async fn other_content_and_foreign_replies_come_as_they_are() {
    let world = World::new().await;
    let (one, other) = (world.topic(), world.topic());
    let asked = world.sim.say(world.ada, one, "first question");
    let reply = Compose::text("about that").reply_to(asked).quote("question");
    world.sim.say_with(world.ada, other, reply);
    let message = last(&world, "message").await;
    assert_eq!(message["external_reply"]["message_id"], asked);
    assert_eq!(
        message["quote"],
        json!({ "text": "question", "position": 6, "is_manual": true })
    );
    assert_eq!(message["reply_to_message"]["message_id"], other.topic.expect("a topic"));
    for (compose, field) in [
        (Compose::contact("+15550100", "Bob"), "contact"),
        (Compose::venue(1.5, 2.5, "Shop", "Main St 1"), "location"),
        (Compose::poll("Lunch?", &["Pizza", "Soup"]), "poll"),
        (Compose::dice("🎲", 6), "dice"),
        (
            Compose::text("x").forwarded_from("Carol", 1_700_000_000),
            "forward_origin",
        ),
    ] {
        world.sim.say_with(world.ada, one, compose);
        let message = last(&world, "message").await;
        assert!(message[field].is_object(), "{field}: {message}");
    }
}
