//! The access token belongs to another workspace than what is linked: everything waits, nothing is made elsewhere, and an operator is
//! told.

use crate::logs::Log;
use scenarios::{Scene, World};
use simulators::telegram::{Place, Rights};
use std::time::Duration;

/// An order of Maria's, and then the token is that of another workspace.
async fn order_under_a_wrong_token() -> (World, Place) {
    let world = World::new().await;
    let topic = world.order().await;
    // What is known of the token is believed for ten minutes.
    world.passes(Duration::from_mins(15)).await;
    set_token(&world, Some("zz9other"));
    (world, topic)
}

fn set_token(world: &World, of: Option<&str>) {
    world
        .intercom()
        .configure(|options| options.token_of = of.map(str::to_owned));
}

/// Hours go by, then the token is right again.
async fn corrected(world: &World, told: &Log) {
    world.passes(Duration::from_hours(3)).await;
    assert_eq!(world.conversations(), 1, "{:?}", world.inbox());
    assert_eq!(
        world.intercom().calls_of("POST /contacts"),
        1,
        "nobody is made elsewhere"
    );
    assert!(told.counted("wrong_workspace") > 0, "an operator is told");
    set_token(world, None);
    world.settle().await;
}

fn ends_with(seen: &[String], ends: &[&str]) {
    let fits = |(line, end): (&String, &&str)| line.ends_with(end);
    assert!(seen.len() == ends.len() && seen.iter().zip(ends).all(fits), "{seen:?}");
}

#[tokio::test]
async fn in_an_open_topic_known_and_new_customers_wait_and_staff_and_agents_too() {
    let (told, _listening) = Log::listening();
    let (world, topic) = order_under_a_wrong_token().await;
    world.writes(world.maria, topic, "Anybody?");
    world.writes(world.ken, topic, "Me too");
    world.agent_replies("Order 1042", "<p>Good morning</p>");
    corrected(&world, &told).await;
    ends_with(
        &world.agent_sees("Order 1042"),
        &["Hello", "Good morning", "Anybody?", "Me too"],
    );
    ends_with(&world.customer_is_told(topic), &["Good morning"]);
    world.finish().await;
}

#[tokio::test]
async fn a_known_customer_opens_no_topic_elsewhere() {
    let (told, _listening) = Log::listening();
    let (world, _) = order_under_a_wrong_token().await;
    let invoice = world.topic("Invoice");
    world.writes(world.maria, invoice, "Another thing");
    corrected(&world, &told).await;
    ends_with(&world.agent_sees("Invoice"), &["Another thing"]);
    world.finish().await;
}

#[tokio::test]
async fn a_new_customer_opens_no_topic_elsewhere() {
    let (told, _listening) = Log::listening();
    let (world, _) = order_under_a_wrong_token().await;
    let invoice = world.topic("Invoice");
    world.writes(world.ken, invoice, "Hello");
    corrected(&world, &told).await;
    ends_with(&world.agent_sees("Invoice"), &["Hello"]);
    assert_eq!(world.intercom().contacts().len(), 2);
    world.finish().await;
}

/// In another chat, whose first message came under the wrong token, nobody could know. Where the chat is at home its author is made anew.
#[tokio::test]
async fn a_contact_that_was_made_elsewhere_is_made_anew() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let other = telegram.supergroup("Partners", true);
    telegram.promote_bot(&scene.vendors.bot, other, Rights::all());
    let world = scene.bridging(other).open().await;
    let topic = world.order().await;
    world.passes(Duration::from_mins(15)).await;
    set_token(&world, Some("zz9other"));
    world.writes(world.ken, Place::chat(other), "Hello");
    world.passes(Duration::from_mins(15)).await;
    assert_eq!(world.intercom().contacts().len(), 1, "of the other workspace");
    set_token(&world, None);
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello", "Ken: Me too"]);
    world.finish().await;
}
