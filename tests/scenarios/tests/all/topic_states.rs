//! A topic is closed as long as its conversation is, where the settings want it, whoever closes either of them.

use scenarios::{Left, Scene, World};
use simulators::{
    Fault,
    intercom::{OneClick, Reply},
    telegram::Place,
};
use std::time::Duration;

const LOST: Left = Left {
    dead_letters: 0,
    undeliverable: 0,
    lost_notifications: true,
    violations: 0,
};

/// What Intercom's retry and the search need until a sweep can find what was done.
pub(crate) const A_WHILE: Duration = Duration::from_mins(4);

pub(crate) async fn following() -> World {
    Scene::new().await.set("TOPIC_STATES", "follow").open().await
}

pub(crate) fn is_closed(world: &World, place: Place) -> bool {
    let topics = world.telegram().topics(world.forum);
    let own = topics.iter().find(|topic| Some(topic.id) == place.topic);
    own.unwrap().closed
}

pub(crate) fn agent_closes(world: &World) {
    let id = world.conversation("Order 1042").id;
    world.intercom().agent_closes(&id, &world.anna);
}

pub(crate) fn agent_opens(world: &World) {
    let id = world.conversation("Order 1042").id;
    world.intercom().agent_opens(&id, &world.anna);
}

pub(crate) fn agent_snoozes(world: &World) {
    let id = world.conversation("Order 1042").id;
    let later = world.stage.vendors.clock.now_s() + 3600;
    world.intercom().agent_snoozes(&id, &world.anna, later);
}

/// How often it was said in the conversation that it was closed, and that it was opened.
pub(crate) fn clicks(world: &World, title: &str) -> (usize, usize) {
    let parts = world.conversation(title).parts;
    let count = |kind: &str| parts.iter().filter(|part| part.kind == kind).count();
    (count("close"), count("open"))
}

pub(crate) fn calls(world: &World) -> (usize, usize) {
    let telegram = world.telegram();
    (
        telegram.calls_of("closeForumTopic"),
        telegram.calls_of("reopenForumTopic"),
    )
}

#[tokio::test]
async fn a_topic_is_closed_and_opened_with_its_conversation() {
    let world = following().await;
    let topic = world.order().await;
    agent_closes(&world);
    world.settle().await;
    assert!(is_closed(&world, topic));
    agent_opens(&world);
    world.settle().await;
    assert!(!is_closed(&world, topic));
    agent_snoozes(&world);
    world.settle().await;
    assert!(!is_closed(&world, topic), "whoever writes wakes it");
    assert_eq!(calls(&world), (1, 1));
    // What the bridge itself did in Telegram is not brought back.
    assert_eq!(clicks(&world, "Order 1042"), (1, 1));
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_conversation_is_closed_and_opened_with_its_topic() {
    let world = following().await;
    let topic = world.order().await;
    world.telegram().close_topic(world.sam, topic);
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").state, "closed");
    world.telegram().reopen_topic(world.sam, topic);
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").state, "open");
    assert_eq!(clicks(&world, "Order 1042"), (1, 1));
    assert_eq!(calls(&world), (0, 0), "the topic is so already");
    world.finish().await;
}

#[tokio::test]
async fn a_reply_that_closes_with_the_same_click_arrives_before_its_topic_is_closed() {
    for one_click in [OneClick::Observed, OneClick::Both, OneClick::StateOnly] {
        let world = following().await;
        let topic = world.order().await;
        world.intercom().configure(|options| options.one_click = one_click);
        world.agent_replies_with(
            "Order 1042",
            Reply {
                close: true,
                ..Reply::html("<p>Done</p>")
            },
        );
        world.settle().await;
        assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nDone"]);
        assert!(is_closed(&world, topic), "{one_click:?}");
        let methods: Vec<String> = world.telegram().calls().into_iter().map(|call| call.method).collect();
        let at = |method: &str| methods.iter().position(|one| one == method).unwrap();
        assert!(at("sendMessage") < at("closeForumTopic"), "{methods:?}");
        world.finish().await;
    }
}

#[tokio::test]
async fn by_default_neither_follows_the_other() {
    let world = World::new().await;
    let topic = world.order().await;
    agent_closes(&world);
    world.settle().await;
    assert!(!is_closed(&world, topic));
    agent_opens(&world);
    world.telegram().close_topic(world.sam, topic);
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").state, "open");
    world.finish().await;
}

#[tokio::test]
async fn what_no_notification_brought_the_sweep_finds_once() {
    let world = following().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    agent_closes(&world);
    world.passes(A_WHILE).await;
    assert!(!is_closed(&world, topic));
    world.sweeps().await;
    assert!(is_closed(&world, topic));
    for _ in 0..3 {
        world.passes(A_WHILE).await;
        world.sweeps().await;
    }
    assert_eq!(calls(&world), (1, 0));
    world.finish_but(LOST).await;
}

/// A message that was written before the topic was closed opens the conversation, and Intercom tells nobody.
#[tokio::test]
async fn a_message_that_opens_its_conversation_again_opens_its_topic() {
    let world = following().await;
    let topic = world.order().await;
    world.sweeps().await;
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", Fault::Refuse(503), 1);
    world.writes(world.maria, topic, "One more thing");
    agent_closes(&world);
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").state, "open");
    world.passes(A_WHILE).await;
    world.sweeps().await;
    assert!(!is_closed(&world, topic));
    world.finish().await;
}

#[tokio::test]
async fn a_topic_of_several_conversations_follows_none() {
    let scene = Scene::new().await.set("TOPIC_STATES", "follow");
    let world = scene.set("CONVERSATION_PER", "user").open().await;
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "From Maria");
    world.writes(world.ken, topic, "From Ken");
    world.settle().await;
    for conversation in world.intercom().conversations() {
        world.intercom().agent_closes(&conversation.id, &world.anna);
    }
    world.settle().await;
    assert!(!is_closed(&world, topic));
    for conversation in world.intercom().conversations() {
        world.intercom().agent_opens(&conversation.id, &world.anna);
    }
    world.telegram().close_topic(world.sam, topic);
    world.settle().await;
    assert!(world.intercom().conversations().iter().all(|one| one.state == "open"));
    world.finish().await;
}

#[tokio::test]
async fn a_topic_follows_the_conversation_that_it_has_now() {
    let scene = Scene::new().await.set("TOPIC_STATES", "follow");
    let world = scene.set("NEW_CONVERSATION", "after_days:1").open().await;
    let topic = world.order().await;
    let old = world.conversation("Order 1042").id;
    world.intercom().lose_notifications(true);
    world.intercom().agent_closes(&old, &world.anna);
    world.passes(Duration::from_hours(50)).await;
    world.intercom().lose_notifications(false);
    world.writes(world.maria, topic, "Another matter");
    world.settle().await;
    assert_eq!(world.conversations(), 2);
    world.intercom().agent_opens(&old, &world.anna);
    world.intercom().agent_closes(&old, &world.anna);
    world.settle().await;
    assert!(!is_closed(&world, topic));
    let conversations = world.intercom().conversations();
    let new = conversations.iter().find(|one| one.id != old).unwrap();
    world.intercom().agent_closes(&new.id, &world.anna);
    world.settle().await;
    assert!(is_closed(&world, topic));
    world.finish_but(LOST).await;
}

/// Whoever writes there is what brings the topic to the conversation that is left.
#[tokio::test]
async fn a_topic_whose_conversation_was_merged_is_not_closed() {
    let world = following().await;
    let topic = world.order().await;
    world.sweeps().await;
    let other = world.topic("Order 1043");
    world.writes(world.maria, other, "Hello again");
    world.settle().await;
    let id = |title: &str| world.conversation(title).id;
    world
        .intercom()
        .merge_conversations(&id("Order 1042"), &id("Order 1043"));
    world.settle().await;
    world.passes(A_WHILE).await;
    world.sweeps().await;
    assert!(!is_closed(&world, topic));
    // The one that is left is closed and opened as any other.
    let left = id("Order 1043");
    world.intercom().agent_closes(&left, &world.anna);
    world.settle().await;
    assert!(is_closed(&world, other));
    world.telegram().reopen_topic(world.sam, other);
    world.settle().await;
    assert_eq!(world.conversation("Order 1043").state, "open");
    assert!(!is_closed(&world, other));
    world.leave();
}

/// What a bot said while its words were not wanted has no record, and is not said now.
#[tokio::test]
async fn a_topic_that_is_behind_brings_nothing_but_its_state() {
    let mut world = Scene::new()
        .await
        .with_file()
        .set("TOPIC_STATES", "follow")
        .set("BOT_REPLIES", "off")
        .open()
        .await;
    let topic = world.order().await;
    let id = world.conversation("Order 1042").id;
    world.intercom().bot("Fin");
    world.intercom().bot_replies(&id, "<p>Have you tried the FAQ?</p>");
    world.settle().await;
    world.passes(Duration::from_hours(2)).await;
    world.restart_with("BOT_REPLIES", "on").await;
    world.sweeps().await;
    world.passes(Duration::from_hours(2)).await;
    world.intercom().lose_notifications(true);
    agent_closes(&world);
    world.passes(A_WHILE).await;
    world.sweeps().await;
    assert!(is_closed(&world, topic));
    assert!(world.customer_is_told(topic).is_empty());
    world.leave();
}
