//! What people think of messages, where the settings want to know.

use scenarios::{Scene, World};
use serde_json::json;
use simulators::telegram::{Compose, Media, Place};
use std::time::Duration;

async fn noting() -> World {
    Scene::new().await.set("REACTIONS", "note").open().await
}

fn place(world: &World, topic: Place, message: i64) -> String {
    let group = -world.forum - 1_000_000_000_000;
    format!("https://t.me/c/{group}/{}/{message}", topic.topic.unwrap())
}

#[tokio::test]
async fn reactions_are_not_carried_unless_they_are_asked_for() {
    let world = World::new().await;
    let topic = world.order().await;
    let message = world.writes(world.maria, topic, "Thanks");
    world.settle().await;
    world.telegram().react(world.ken, world.forum, message, "👍");
    world.settle().await;
    assert!(world.agent_notes("Order 1042").is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_reaction_is_a_note_that_says_who_and_what_and_where() {
    let world = noting().await;
    let topic = world.order().await;
    let question = world.writes(world.maria, topic, "Is it on its way?");
    world.settle().await;
    world.agent_replies("Order 1042", "<p>It is</p>");
    world.settle().await;
    let answer = world
        .telegram()
        .messages(topic)
        .into_iter()
        .find(|seen| seen.from_bot)
        .unwrap()
        .id;
    let react = |who, message, emoji| world.telegram().react(who, world.forum, message, emoji);
    for (who, message, emoji) in [
        (world.maria, answer, "👍"),
        (world.ken, question, "🔥"),
        (world.maria, answer, "❤"),
        (world.maria, answer, ""),
        (world.maria, answer, "👍"),
    ] {
        react(who, message, emoji);
        world.settle().await;
    }
    let (answer, question) = (place(&world, topic, answer), place(&world, topic, question));
    assert_eq!(
        world.agent_notes("Order 1042"),
        [
            format!("Bridge: Maria Lopez reacted with 👍 to an answer: {answer}"),
            format!("Bridge: Ken reacted with 🔥 to a message: {question}"),
            format!("Bridge: Maria Lopez reacted with ❤ instead of 👍 to an answer: {answer}"),
            format!("Bridge: Maria Lopez took back the reaction ❤ to an answer: {answer}"),
            format!("Bridge: Maria Lopez reacted with 👍 to an answer: {answer}"),
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn a_reaction_finds_the_conversation_of_an_album() {
    let world = noting().await;
    let topic = world.order().await;
    let album = Compose::album(vec![Media::photo(b"\xff\xd8\xff".as_slice()); 2]);
    let second = world.sends(world.maria, topic, album) + 1;
    // Sooner than the album is whole.
    world.telegram().react(world.ken, world.forum, second, "👍");
    world.settle().await;
    assert_eq!(
        world.agent_notes("Order 1042"),
        [format!(
            "Bridge: Ken reacted with 👍 to a message: {}",
            place(&world, topic, second)
        )]
    );
    world.finish().await;
}

/// What was not carried, what was said before the bot came, and what is counted without names.
#[tokio::test]
async fn a_reaction_to_what_is_not_in_intercom_is_not_carried() {
    let scene = Scene::new().await.set("REACTIONS", "note").with_sam_as_staff();
    let world = scene.open().await;
    let topic = world.topic("Order 1042");
    let ours = world.writes(world.sam, topic, "Among ourselves");
    world.settle().await;
    let message = world.writes(world.maria, topic, "Hello");
    world.settle().await;
    world.telegram().react(world.ken, world.forum, ours, "👍");
    let unknown = json!({"chat": {"id": world.forum, "type": "supergroup", "is_forum": true}, "message_id": 900_000, "date": 1,
        "user": {"id": 5, "first_name": "Ann"}, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]});
    world.telegram().inject(json!({"message_reaction": unknown}));
    let count = json!({"chat": {"id": world.forum, "type": "supergroup", "is_forum": true}, "message_id": message, "date": 1,
        "reactions": [{"type": {"type": "emoji", "emoji": "👍"}, "total_count": 2}]});
    world.telegram().inject(json!({"message_reaction_count": count}));
    world.settle().await;
    assert!(world.agent_notes("Order 1042").is_empty());
    world.finish().await;
}

/// A reaction holds nobody up for long: no order is promised between a topic and what is thought of its messages.
#[tokio::test]
async fn a_reaction_does_not_wait_for_ever_for_its_message() {
    let world = noting().await;
    let topic = world.order().await;
    let faults = world.intercom().faults();
    faults.decide(|call| (call == "POST /conversations/{id}/reply").then_some(simulators::Fault::Refuse(503)));
    let message = world.writes(world.maria, topic, "Thanks");
    world.telegram().react(world.ken, world.forum, message, "👍");
    world.passes(Duration::from_mins(5)).await;
    world.intercom().faults().clear();
    world.settle().await;
    assert!(world.agent_notes("Order 1042").is_empty());
    assert!(world.agent_sees("Order 1042").last().unwrap().ends_with("Thanks"));
    world.finish().await;
}

#[tokio::test]
async fn a_reaction_whose_note_may_be_there_is_noted_once() {
    for fault in [simulators::Fault::LoseAnswer, simulators::Fault::FailAfter(502)] {
        let world = noting().await;
        let topic = world.order().await;
        let message = world.writes(world.maria, topic, "Thanks");
        world.settle().await;
        world.telegram().react(world.ken, world.forum, message, "👍");
        world.settle().await;
        world.telegram().react(world.ken, world.forum, message, "");
        world
            .intercom()
            .faults()
            .arm("POST /conversations/{id}/reply", fault, 1);
        world.telegram().react(world.ken, world.forum, message, "👍");
        world.settle().await;
        assert_eq!(world.agent_notes("Order 1042").len(), 3);
        world.finish().await;
    }
}
