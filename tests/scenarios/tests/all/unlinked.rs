//! Replies in conversations that no topic belongs to.

use scenarios::{Left, World};
use std::time::Duration;

/// An agent opens another conversation with one of our contacts, in which nobody in Telegram will read anything.
#[tokio::test]
async fn a_reply_in_a_conversation_without_a_topic_ends_with_a_note() {
    let world = World::new().await;
    let topic = world.order().await;
    let contact = world.conversation("Order 1042").contacts[0].id.clone();
    let other = world
        .intercom()
        .starts_conversation(&world.anna, &contact, "<p>By the way</p>");
    world
        .intercom()
        .agent_replies(&other, &world.anna, "<p>Are you there?</p>");
    world.passes(Duration::from_mins(10)).await;
    let notes = |world: &World| -> Vec<String> {
        let parts = world.intercom().conversation(&other).unwrap().parts;
        let notes = parts.into_iter().filter(|part| part.kind == "note");
        notes.map(|part| part.text.trim().to_owned()).collect()
    };
    assert!(
        notes(&world).is_empty(),
        "the link may be on its way: {:?}",
        notes(&world)
    );
    world.settle().await;
    assert_eq!(
        notes(&world),
        [
            "Not sent to Telegram: no topic belongs to this conversation. Answer in the conversation that carries the topic's link."
        ]
    );
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_reply_in_a_conversation_of_somebody_else_is_none_of_our_business() {
    let world = World::new().await;
    let stranger = world.intercom().add_contact("user", "Visitor", Some("crm-17"));
    let other = world
        .intercom()
        .starts_conversation(&world.anna, &stranger, "<p>Welcome</p>");
    world
        .intercom()
        .agent_replies(&other, &world.anna, "<p>Are you there?</p>");
    world.settle().await;
    let parts = world.intercom().conversation(&other).unwrap().parts;
    assert!(parts.iter().all(|part| part.kind != "note"), "{parts:?}");
    world.finish().await;
}

/// The conversation is there, its link is not: the answer to the call that opened it was lost, and so was the notification of it.
#[tokio::test]
async fn a_reply_that_comes_before_the_link_waits_for_it() {
    let world = World::new().await;
    world
        .intercom()
        .faults()
        .arm("POST /conversations", simulators::Fault::LoseAnswer, 1);
    world.intercom().lose_notifications(true);
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "Hello");
    world.stage.settle_now().await.unwrap();
    world.intercom().lose_notifications(false);
    let id = world.intercom().conversations()[0].id.clone();
    world.intercom().agent_replies(&id, &world.anna, "<p>Good morning</p>");
    world.passes(Duration::from_secs(45)).await;
    assert!(world.customer_is_told(topic).is_empty());
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nGood morning"]);
    assert!(world.agent_notes("Order 1042").is_empty());
    world
        .finish_but(Left {
            lost_notifications: true,
            ..Left::default()
        })
        .await;
}
