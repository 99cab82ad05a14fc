//! What notifications did not bring, the sweep finds.

use crate::logs::Log;
use scenarios::{Left, World};
use simulators::Fault;
use std::time::Duration;

const LOST: Left = Left {
    dead_letters: 0,
    undeliverable: 0,
    lost_notifications: true,
    violations: 0,
};

/// What Intercom's retry and the search need until a sweep can find a reply.
const A_WHILE: Duration = Duration::from_mins(4);

#[tokio::test]
async fn the_sweep_finds_what_no_notification_brought_once() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.passes(A_WHILE).await;
    assert!(world.customer_is_told(topic).is_empty());
    assert_eq!(world.sweeps().await, 2);
    let told = ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"];
    assert_eq!(world.customer_is_told(topic), told);
    for _ in 0..4 {
        world.passes(A_WHILE).await;
        assert_eq!(world.sweeps().await, 0);
    }
    assert_eq!(world.customer_is_told(topic), told);
    world.finish_but(LOST).await;
}

#[tokio::test]
async fn the_webhook_and_its_retry_have_their_chance_first() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world
        .intercom()
        .configure(|options| options.notification_delay = Duration::from_secs(90));
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_mins(1)).await;
    let swept = world.stage.machine.sweep().await.unwrap();
    assert_eq!(swept.missed, 0);
    world.settle().await;
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 0);
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
    world.finish().await;
}

/// A notification that comes after all, long after the sweep found its reply.
#[tokio::test]
async fn a_late_notification_of_what_the_sweep_found_doubles_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world
        .intercom()
        .configure(|options| options.notification_delay = Duration::from_mins(30));
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 1);
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
    world.finish().await;
}

/// The lane keeps the order in which it was told, and a click that waits in it says nothing of what came later.
#[tokio::test]
async fn what_the_sweep_found_is_not_overtaken_by_what_was_said_after_a_click_that_waits() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.intercom().lose_notifications(false);
    world.passes(Duration::from_mins(20)).await;
    world.telegram().faults().arm("sendMessage", Fault::Refuse(502), 1000);
    world.agent_replies("Order 1042", "<p>Second</p>");
    let id = world.conversation("Order 1042").id;
    world.intercom().agent_closes(&id, &world.anna);
    world.passes(A_WHILE).await;
    let swept = world.stage.machine.sweep().await.unwrap();
    assert_eq!(swept.missed, 1);
    world.agent_replies("Order 1042", "<p>Third</p>");
    world.passes(Duration::from_mins(1)).await;
    world.telegram().faults().clear();
    world.settle().await;
    let told = ["<b>Anna</b>\nSecond", "<b>Anna</b>\nFirst", "<b>Anna</b>\nThird"];
    assert_eq!(world.customer_is_told(topic), told);
    world.finish_but(LOST).await;
}

/// What was said in a conversation before the bridge linked it was not said to anybody in Telegram.
#[tokio::test]
async fn nothing_older_than_the_link_is_sent() {
    let world = World::new().await;
    world.intercom().lose_notifications(true);
    world
        .intercom()
        .faults()
        .arm("POST /conversations", simulators::Fault::LoseAnswer, 1);
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "Hello");
    world.settle().await;
    world.passes(Duration::from_mins(2)).await;
    world.sweeps().await;
    world.agent_replies("Order 1042", "<p>Now</p>");
    world.passes(A_WHILE).await;
    world.sweeps().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nNow"]);
    world.finish_but(LOST).await;
}

#[tokio::test]
async fn a_note_or_a_bare_click_is_nothing_to_the_sweep() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    let id = world.conversation("Order 1042").id;
    world.intercom().agent_notes(&id, &world.anna, "<p>Internal</p>");
    world.intercom().agent_closes(&id, &world.anna);
    world.settle().await;
    world.passes(A_WHILE).await;
    assert_eq!(world.sweeps().await, 0);
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

/// After a week without a sweep (the program did not run), the next one begins where the last one came to.
#[tokio::test]
async fn a_sweep_begins_where_the_last_one_came_to() {
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    for day in 1..=3 {
        world.agent_replies("Order 1042", &format!("<p>Day {day}</p>"));
        world.passes(Duration::from_hours(24)).await;
    }
    assert_eq!(world.sweeps().await, 3);
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nDay 1", "<b>Anna</b>\nDay 2", "<b>Anna</b>\nDay 3"]
    );
    world.finish_but(LOST).await;
}

/// Intercom gives out the newest 500 parts and no others: what lies below cannot be read, and an operator has to know.
#[tokio::test]
async fn what_may_lie_below_what_intercom_gives_out_is_told_of() {
    let (log, _listening) = Log::listening();
    let world = World::new().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    world.agent_replies("Order 1042", "<p>Lost</p>");
    let conversation = world.conversation("Order 1042").id;
    for _ in 0..500 {
        world.intercom().agent_notes(&conversation, &world.anna, "<p>Note</p>");
    }
    world.intercom().lose_notifications(false);
    world.passes(Duration::from_mins(5)).await;
    assert_eq!(world.sweeps().await, 0);
    assert!(world.customer_is_told(topic).is_empty());
    assert!(log.counted("unread_parts") > 0);
    world.finish_but(LOST).await;
}
