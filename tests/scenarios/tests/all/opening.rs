//! The first messages of a topic.

use scenarios::World;

#[tokio::test]
async fn the_first_message_opens_the_conversation_and_the_next_continue_it() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "My parcel has not come.");
    world.writes(world.maria, topic, "It was due on Monday.");
    world.settle().await;
    world.writes(world.maria, topic, "Hello?");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        [
            "Maria Lopez: My parcel has not come.",
            "Maria Lopez: It was due on Monday.",
            "Maria Lopez: Hello?"
        ]
    );
    world.agent_replies("Order 1042", "<p>It is <b>on its way</b>.</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nIt is <b>on its way</b>."]);
    world.finish().await;
}
