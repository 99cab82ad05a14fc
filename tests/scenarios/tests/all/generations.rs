//! When a topic gets another conversation.

use scenarios::{Scene, World};
use std::time::Duration;

async fn closed_and_written_again(setting: &str) -> (World, simulators::telegram::Place) {
    let world = Scene::new().await.set("NEW_CONVERSATION", setting).open().await;
    let topic = world.order().await;
    let id = world.conversation("Order 1042").id;
    world.intercom().agent_closes(&id, &world.anna);
    world.settle().await;
    world.writes(world.maria, topic, "One more thing");
    world.writes(world.maria, topic, "And another");
    world.settle().await;
    (world, topic)
}

#[tokio::test]
async fn by_default_a_closed_conversation_opens_again() {
    let (world, _) = closed_and_written_again("never").await;
    assert_eq!(
        world.inbox(),
        [[
            "Maria Lopez: Hello",
            "Maria Lopez: One more thing",
            "Maria Lopez: And another"
        ]]
    );
    assert_eq!(world.conversation("Order 1042").state, "open");
    world.finish().await;
}

#[tokio::test]
async fn a_topic_can_get_another_conversation_after_each_closing() {
    let (world, topic) = closed_and_written_again("after_close").await;
    assert_eq!(
        world.inbox(),
        [
            vec!["Maria Lopez: Hello"],
            vec!["Maria Lopez: One more thing", "Maria Lopez: And another"]
        ]
    );
    let conversations = world.intercom().conversations();
    assert_eq!(conversations[0].state, "closed");
    assert_eq!(conversations[1].title.as_deref(), Some("Order 1042"));
    assert_eq!(conversations[1].tags, ["telegram", "Acme Support"]);
    for (conversation, text) in conversations.iter().zip(["A late answer", "A new answer"]) {
        world.intercom().agent_replies(&conversation.id, &world.anna, text);
        world.settle().await;
    }
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nA late answer", "<b>Anna</b>\nA new answer"],
        "both reach the topic"
    );
    world.finish().await;
}

#[tokio::test]
async fn a_topic_can_get_another_conversation_after_days_of_silence() {
    let world = Scene::new().await.set("NEW_CONVERSATION", "after_days:2").open().await;
    let topic = world.order().await;
    world.passes(Duration::from_hours(47)).await;
    world.writes(world.maria, topic, "Still waiting");
    world.settle().await;
    assert_eq!(world.conversations(), 1);
    world.passes(Duration::from_hours(49)).await;
    world.writes(world.maria, topic, "Something else");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [
            vec!["Maria Lopez: Hello", "Maria Lopez: Still waiting"],
            vec!["Maria Lopez: Something else"]
        ]
    );
    world.finish().await;
}

/// The answer to the call that opens the next conversation is lost, too.
#[tokio::test]
async fn another_conversation_is_opened_once() {
    let world = Scene::new().await.set("NEW_CONVERSATION", "after_close").open().await;
    let topic = world.order().await;
    let id = world.conversation("Order 1042").id;
    world.intercom().agent_closes(&id, &world.anna);
    world.settle().await;
    world
        .intercom()
        .faults()
        .arm("POST /conversations", simulators::Fault::LoseAnswer, 1);
    world.writes(world.maria, topic, "One more thing");
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [
            vec!["Maria Lopez: Hello"],
            vec!["Maria Lopez: One more thing", "Ken: Me too"]
        ]
    );
    world.finish().await;
}
