//! What must stay inside Intercom.

use scenarios::World;
use serde_json::json;

#[tokio::test]
async fn notes_stay_inside() {
    let world = World::new().await;
    let topic = world.order().await;
    let conversation = world.conversation("Order 1042").id;
    world
        .intercom()
        .agent_notes(&conversation, &world.anna, "<p>Do not promise anything.</p>");
    world.settle().await;
    assert!(world.customer_is_told(topic).is_empty());
    world.passes(std::time::Duration::from_mins(10)).await;
    assert_eq!(world.sweeps().await, 0);
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

/// A list of what is internal would leak the next kind of note; the kinds are named by Intercom's description.
#[tokio::test]
async fn no_kind_of_part_crosses_that_is_not_known_to_be_a_reply() {
    let world = World::new().await;
    let topic = world.order().await;
    let conversation = world.conversation("Order 1042");
    let contact = conversation.contacts[0].id.clone();
    let kinds = [
        ("note", "admin"),
        ("note_and_reopen", "admin"),
        ("note_and_close", "admin"),
        ("note_and_snooze", "admin"),
        ("participant_added", "admin"),
        ("a_kind_of_tomorrow", "admin"),
        ("comment", "user"),
        ("comment", "lead"),
        ("comment", "contact"),
        ("comment", "a_role_of_tomorrow"),
    ];
    for (at, (part_type, author)) in kinds.into_iter().enumerate() {
        let author_id = if author == "admin" { &world.anna } else { &contact };
        let part = json!({
            "type": "conversation_part", "id": format!("88000{at}"), "part_type": part_type,
            "body": "<p>Inside</p>", "created_at": world.stage.vendors.clock.now_s(), "redacted": false,
            "author": {"type": author, "id": author_id, "name": "Somebody"}, "attachments": [],
        });
        let item = json!({
            "type": "conversation", "id": conversation.id,
            "contacts": {"type": "contact.list", "contacts": []},
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1},
        });
        world.intercom().inject("conversation.admin.replied", item);
    }
    world.settle().await;
    assert!(
        world.customer_is_told(topic).is_empty(),
        "{:?}",
        world.customer_is_told(topic)
    );
    world.finish().await;
}

#[tokio::test]
async fn what_a_contact_writes_in_the_messenger_does_not_come_back() {
    let world = World::new().await;
    let topic = world.order().await;
    let conversation = world.conversation("Order 1042");
    let contact = conversation.contacts[0].id.clone();
    world
        .intercom()
        .contact_replies(&conversation.id, &contact, "<p>From the Messenger</p>");
    world.settle().await;
    world.passes(std::time::Duration::from_mins(10)).await;
    assert_eq!(world.sweeps().await, 0);
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn what_was_redacted_before_it_was_sent_is_never_sent() {
    let world = World::new().await;
    let topic = world.order().await;
    let part = world.agent_replies("Order 1042", "<p>The password is hunter2</p>");
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}
