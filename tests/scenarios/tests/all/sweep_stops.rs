//! A sweep that has a lot to look at, stops in the middle, comes late, or meets what it looks for on its way.

use scenarios::{Left, World};
use simulators::{Fault, telegram::Place};
use std::{sync::Arc, time::Duration};

const LOST: Left = Left {
    dead_letters: 0,
    undeliverable: 0,
    lost_notifications: true,
    violations: 0,
};

/// What Intercom's retry and the search need until a sweep can find a reply.
const A_WHILE: Duration = Duration::from_mins(4);

const READ: &str = "GET /conversations/{id}";

/// Topics with a conversation each, in which an agent's answer was lost, one answer a minute.
async fn lost_answers(world: &World, count: usize) -> Vec<Place> {
    let titles: Vec<String> = (0..count).map(|number| format!("Topic {number}")).collect();
    let topics: Vec<Place> = titles.iter().map(|title| world.topic(title)).collect();
    for topic in &topics {
        world.writes(world.maria, *topic, "Hello");
    }
    world.settle().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    for title in &titles {
        world.agent_replies(title, "<p>Welcome</p>");
        world.passes(Duration::from_mins(1)).await;
    }
    world.passes(A_WHILE).await;
    topics
}

fn told(world: &World, topics: &[Place]) -> usize {
    let told = topics.iter().map(|topic| world.customer_is_told(*topic));
    let told: Vec<Vec<String>> = told.collect();
    for lines in &told {
        assert!(lines.is_empty() || *lines == ["<b>Anna</b>\nWelcome"], "{lines:?}");
    }
    told.iter().filter(|lines| !lines.is_empty()).count()
}

#[tokio::test]
async fn a_sweep_goes_through_all_pages_of_the_search() {
    let world = World::new().await;
    let topics = lost_answers(&world, 12).await;
    world.intercom().configure(|options| options.longest_page = 5);
    let before = world.intercom().calls_of("POST /conversations/search");
    assert_eq!(world.sweeps().await, 12);
    assert_eq!(world.intercom().calls_of("POST /conversations/search") - before, 3);
    assert_eq!(told(&world, &topics), 12);
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 0);
    world.finish_but(LOST).await;
}

/// Every call takes so long that the time of one sweep is not enough: it stops before it is stopped.
#[tokio::test]
async fn a_sweep_without_time_stops_and_the_next_goes_on() {
    let world = World::new().await;
    let topics = lost_answers(&world, 12).await;
    let clock = world.stage.vendors.clock.clone();
    world.intercom().faults().decide(move |_| {
        clock.advance(Duration::from_secs(40));
        None
    });
    let mut missed = Vec::new();
    let mut reads = world.intercom().calls_of(READ);
    loop {
        let swept = world.stage.machine.sweep().await.unwrap();
        missed.push(swept.missed);
        let more = world.intercom().calls_of(READ) - reads;
        assert!(more <= 6, "{more} conversations took longer than a sweep may");
        reads += more;
        if swept.complete {
            break;
        }
    }
    world.intercom().faults().clear();
    assert!(missed.len() > 1, "{missed:?}");
    world.settle().await;
    assert_eq!(told(&world, &topics), 12, "{missed:?}");
    world.finish_but(LOST).await;
}

/// A sweep that stopped has moved the watermark. What it did not come to may have been lost before that, and changed since.
#[tokio::test]
async fn an_old_reply_below_a_new_message_is_found_though_a_sweep_stopped_before_it() {
    let world = World::new().await;
    let topics = lost_answers(&world, 40).await;
    world.writes(world.maria, topics[0], "Anybody?");
    world.passes(A_WHILE).await;
    // The oldest reply is in the conversation that changed last, and the sweep stops before that.
    let faults = world.intercom().faults();
    faults.arm(READ, Fault::Slow(Duration::ZERO), 38);
    faults.arm(READ, Fault::Refuse(503), 1);
    assert!(world.stage.machine.sweep().await.is_err());
    world.settle().await;
    assert_eq!(told(&world, &topics), 38);
    world.sweeps().await;
    assert_eq!(told(&world, &topics), 40);
    world.finish_but(LOST).await;
}

#[tokio::test]
async fn a_killed_sweep_is_followed_by_one_that_goes_on() {
    let world = World::new().await;
    let topics = lost_answers(&world, 30).await;
    let faults = world.intercom().faults();
    faults.arm(READ, Fault::Slow(Duration::ZERO), 20);
    faults.arm(READ, Fault::Hang, 1);
    let machine = Arc::clone(&world.stage.machine);
    let sweep = tokio::spawn(async move { machine.sweep().await.is_ok() });
    while world.intercom().faults().armed() > 0 {
        tokio::task::yield_now().await;
    }
    sweep.abort();
    assert!(sweep.await.unwrap_err().is_cancelled());
    let swept = world.stage.machine.sweep().await.unwrap();
    assert!(
        swept.complete && swept.looked_at < 20,
        "it goes on where it was: {swept:?}"
    );
    world.settle().await;
    assert_eq!(told(&world, &topics), 30);
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 0);
    world.finish_but(LOST).await;
}

/// Intercom shows the newest 500 parts of a conversation.
#[tokio::test]
async fn of_a_conversation_with_more_than_500_parts_the_newest_are_swept() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    let conversation = world.conversation("Order 1042").id;
    let maria = world.intercom().contacts()[0].id.clone();
    world.agent_replies("Order 1042", "<p>Beyond what can be read</p>");
    for _ in 0..250 {
        world.intercom().contact_replies(&conversation, &maria, "more");
    }
    world.agent_replies("Order 1042", "<p>First</p>");
    for _ in 0..270 {
        world.intercom().contact_replies(&conversation, &maria, "more");
    }
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 2);
    let told = ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"];
    assert_eq!(world.customer_is_told(topic), told);
    world.finish_but(LOST).await;
}

/// Records live 90 days. A reply of which nothing is known any more was delivered long ago.
#[tokio::test]
async fn what_is_older_than_its_record_is_never_sent_again() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_hours(24 * 100)).await;
    world.forget_what_expired().await;
    // The conversation changes, so that both the notification and the sweep look at all that is in it.
    let conversation = world.conversation("Order 1042").id;
    world.intercom().agent_closes(&conversation, &world.anna);
    world.settle().await;
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 0);
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
    world.finish().await;
}

/// The notification comes when the sweep has put the same reply into the queue, before anybody has carried it.
#[tokio::test]
async fn a_notification_that_races_with_the_sweep_doubles_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world
        .intercom()
        .configure(|options| options.notification_delay = A_WHILE);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.passes(A_WHILE.saturating_sub(Duration::from_secs(1))).await;
    let swept = world.stage.machine.sweep().await.unwrap();
    assert_eq!(swept.missed, 2);
    world.stage.vendors.clock.advance(Duration::from_secs(1));
    assert!(world.intercom().pump().await > 0);
    world.settle().await;
    let told = ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"];
    assert_eq!(world.customer_is_told(topic), told);
    world.finish().await;
}
