//! What was linked is gone in Intercom.

use scenarios::{Scene, World};
use simulators::intercom::MergedWrite;
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

async fn archived_and_brought_back(is_shown: bool) {
    let world = World::new().await;
    world
        .intercom()
        .configure(|options| options.archived_contacts_are_shown = is_shown);
    let topic = world.order().await;
    world.passes(LATER).await;
    let maria = world.conversation("Order 1042").contacts[0].id.clone();
    world.intercom().archive_contact(&maria);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world.intercom().archive_contact(&maria);
    let other = world.topic("Invoice");
    world.writes(world.maria, other, "Another thing");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [
            vec!["Maria Lopez: Hello", "Maria Lopez: Anybody?"],
            vec!["Maria Lopez: Another thing"]
        ]
    );
    world.finish().await;
}

/// Whether one can be read is not documented.
#[tokio::test]
async fn a_contact_that_was_archived_is_brought_back() {
    archived_and_brought_back(false).await;
    archived_and_brought_back(true).await;
}

#[tokio::test]
async fn a_customer_whom_an_agent_took_out_takes_part_again() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.ken, topic, "Me too");
    world.passes(LATER).await;
    let conversation = world.conversation("Order 1042");
    world
        .intercom()
        .detach_contact(&conversation.id, &conversation.contacts[1].id);
    world.writes(world.ken, topic, "Anybody?");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042").last().unwrap(), "Ken: Anybody?");
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

/// A conversation of Maria's in which Anna wrote first.
fn started_by_agent(world: &World) -> String {
    let maria = world.conversation("Order 1042").contacts[0].id.clone();
    let intercom = world.intercom();
    intercom.starts_conversation(&world.anna, &maria, "<p>By the way</p>")
}

async fn merged_into_another(world: &World) -> (simulators::telegram::Place, String) {
    let topic = world.order().await;
    world.passes(LATER).await;
    let other = started_by_agent(world);
    world
        .intercom()
        .merge_conversations(&world.conversation("Order 1042").id, &other);
    world.settle().await;
    (topic, other)
}

fn said_in(world: &World, conversation: &str) -> Vec<String> {
    let parts = world.intercom().conversation(conversation).unwrap().parts;
    let said = parts.iter().filter(|part| !part.text.is_empty());
    said.map(|part| format!("{}: {}", part.author_name, part.text.trim()))
        .collect()
}

async fn goes_on_where_it_was_merged_into(world: World) {
    let (topic, other) = merged_into_another(&world).await;
    world
        .intercom()
        .agent_replies(&other, &world.anna, "<p>In one place</p>");
    world.writes(world.maria, topic, "Anybody?");
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    assert_eq!(
        said_in(&world, &other),
        [
            "Anna Weber: By the way",
            "Anna Weber: In one place",
            "Maria Lopez: Anybody?",
            "Ken: Me too"
        ]
    );
    assert_eq!(world.conversations(), 2, "{:?}", world.inbox());
    world.intercom().agent_replies(&other, &world.anna, "<p>Yes</p>");
    world.settle().await;
    let answers = ["<b>Anna</b>\nIn one place", "<b>Anna</b>\nYes"];
    assert_eq!(world.customer_is_told(topic), answers);
    world.finish().await;
}

#[tokio::test]
async fn a_topic_goes_on_in_the_conversation_that_its_own_was_merged_into() {
    goes_on_where_it_was_merged_into(World::new().await).await;
}

#[tokio::test]
async fn a_merged_conversation_that_cannot_be_found_for_writing_is_followed_too() {
    let world = World::new().await;
    world
        .intercom()
        .configure(|options| options.merged_write = MergedWrite::NotFound);
    goes_on_where_it_was_merged_into(world).await;
}

/// Merged twice: what is left in the end counts.
#[tokio::test]
async fn merges_are_followed_to_the_last() {
    let world = World::new().await;
    let (topic, other) = merged_into_another(&world).await;
    let last = started_by_agent(&world);
    world.intercom().merge_conversations(&other, &last);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    assert_eq!(
        said_in(&world, &last),
        ["Anna Weber: By the way", "Maria Lopez: Anybody?"]
    );
    world.finish().await;
}

#[tokio::test]
async fn staff_go_on_in_the_merged_conversation_too() {
    let world = Scene::new().await.with_sam_as_admin().open().await;
    let (topic, other) = merged_into_another(&world).await;
    world.writes(world.sam, topic, "Will do");
    world.settle().await;
    assert_eq!(said_in(&world, &other), ["Anna Weber: By the way", "Sam Hill: Will do"]);
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

/// The other conversation has a topic of its own, and what is written here must not seem to be written there.
#[tokio::test]
async fn a_topic_merged_into_that_of_another_is_opened_anew() {
    let world = World::new().await;
    let topic = world.order().await;
    let invoice = world.topic("Invoice");
    world.writes(world.maria, invoice, "Another thing");
    world.passes(LATER).await;
    let (old, other) = (world.conversation("Order 1042").id, world.conversation("Invoice").id);
    world.intercom().merge_conversations(&old, &other);
    world.writes(world.maria, topic, "Anybody?");
    world.writes(world.maria, topic, "Hello?");
    world.settle().await;
    assert_eq!(
        world.agent_sees_in(topic),
        ["Maria Lopez: Anybody?", "Maria Lopez: Hello?"]
    );
    assert_eq!(world.agent_sees("Invoice"), ["Maria Lopez: Another thing"]);
    let anew = world.conversation_in(topic).unwrap().id;
    world.intercom().agent_replies(&anew, &world.anna, "<p>Yes</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nYes"]);
    assert!(world.customer_is_told(invoice).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_topic_merged_into_the_conversation_of_a_stranger_is_opened_anew() {
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(LATER).await;
    let stranger = world.intercom().add_contact("user", "Visitor", Some("crm-17"));
    let other = world
        .intercom()
        .starts_conversation(&world.anna, &stranger, "<p>Welcome</p>");
    let old = world.conversation("Order 1042").id;
    world.intercom().merge_conversations(&old, &other);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    assert_eq!(world.agent_sees_in(topic), ["Maria Lopez: Anybody?"]);
    assert_eq!(said_in(&world, &other), ["Anna Weber: Welcome"]);
    world.finish().await;
}
