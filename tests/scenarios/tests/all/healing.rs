//! What was linked is gone in Intercom.

use scenarios::World;
use std::time::Duration;

/// So long after the opening, what is not found is gone.
const LATER: Duration = Duration::from_mins(5);

#[tokio::test]
async fn a_conversation_that_was_deleted_is_opened_anew_by_the_next_message() {
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(LATER).await;
    let gone = world.conversation("Order 1042").id;
    world.intercom().delete_conversation(&gone);
    world.writes(world.maria, topic, "Anybody?");
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Anybody?", "Ken: Me too"]);
    world.agent_replies("Order 1042", "<p>Yes</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nYes"]);
    world.finish().await;
}

#[tokio::test]
async fn a_contact_that_was_deleted_is_made_anew() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    world.passes(LATER).await;
    let ken = world.conversation("Order 1042").contacts[1].id.clone();
    world.intercom().delete_contact(&ken);
    world.writes(world.ken, topic, "Anybody?");
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.last().unwrap(), "Ken: Anybody?", "{seen:?}");
    let contacts = world.intercom().contacts();
    let anew = contacts
        .iter()
        .find(|contact| contact.name.as_deref() == Some("Ken"))
        .unwrap();
    assert_ne!(anew.id, ken);
    assert!(
        anew.external_id
            .as_ref()
            .unwrap()
            .starts_with(&format!("telegram:{}", world.ken.0)),
        "{anew:?}"
    );
    world.writes(world.ken, topic, "Hello?");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042").last().unwrap(), "Ken: Hello?");
    world.finish().await;
}

#[tokio::test]
async fn the_only_contact_of_a_conversation_that_was_deleted_is_made_anew() {
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(LATER).await;
    let maria = world.conversation("Order 1042").contacts[0].id.clone();
    world.intercom().delete_contact(&maria);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    let inbox = world.inbox();
    let seen = inbox.last().unwrap();
    assert_eq!(seen.last().unwrap(), "Maria Lopez: Anybody?", "{inbox:?}");
    world.finish().await;
}

#[tokio::test]
async fn a_contact_that_was_merged_is_followed() {
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(LATER).await;
    let maria = world.conversation("Order 1042").contacts[0].id.clone();
    let known = world.intercom().add_contact("user", "Maria of the CRM", Some("crm-17"));
    world.intercom().merge_contacts(&maria, &known);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    let seen = world.inbox().concat();
    assert!(seen.last().unwrap().ends_with("Anybody?"), "{seen:?}");
    assert_eq!(
        world.intercom().contacts().len(),
        1,
        "nobody is made anew: {:?}",
        world.intercom().contacts()
    );
    world.finish().await;
}

#[tokio::test]
async fn a_contact_that_was_archived_is_brought_back() {
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(LATER).await;
    let maria = world.conversation("Order 1042").contacts[0].id.clone();
    world.intercom().archive_contact(&maria);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: Anybody?"]
    );
    world.finish().await;
}

/// A person who wrote before, in another topic, and was deleted since: the external id stays locked for a week.
#[tokio::test]
async fn a_deleted_contact_can_open_another_topic() {
    let world = World::new().await;
    world.order().await;
    world.passes(LATER).await;
    let maria = world.conversation("Order 1042").contacts[0].id.clone();
    world.intercom().delete_contact(&maria);
    let other = world.topic("Invoice");
    world.writes(world.maria, other, "Another thing");
    world.settle().await;
    assert_eq!(world.agent_sees("Invoice"), ["Maria Lopez: Another thing"]);
    world.finish().await;
}
