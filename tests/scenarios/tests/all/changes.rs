//! What was said is changed or taken back.

use scenarios::{Scene, World};
use simulators::telegram::Compose;
use std::time::Duration;

#[tokio::test]
async fn a_changed_message_is_said_again_as_a_correction() {
    let world = World::new().await;
    let topic = world.order().await;
    let message = world.writes(world.maria, topic, "It is order 1024.");
    world.settle().await;
    world.telegram().edit(world.forum, message, "It is order 1042.");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042")[1..],
        [
            "Maria Lopez: It is order 1024.",
            "Maria Lopez: Correction:\nIt is order 1042."
        ]
    );
    world.finish().await;
}

/// A preview appears below a link, a reaction is counted: the text did not change.
#[tokio::test]
async fn a_change_of_something_else_is_no_correction() {
    let world = World::new().await;
    let topic = world.order().await;
    let message = world.writes(world.maria, topic, "example.com");
    world.settle().await;
    let preview = serde_json::json!({"url": "https://example.com"});
    let changed = [("link_preview_options".to_owned(), preview)].into_iter().collect();
    world.telegram().edit_fields(world.forum, message, changed);
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042").len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_correction_comes_after_its_original_however_late_that_is() {
    let world = World::new().await;
    let topic = world.order().await;
    let fault = simulators::Fault::TooManyRequests(Duration::from_secs(40));
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", fault, 1);
    let message = world.writes(world.maria, topic, "It is order 1024.");
    world.telegram().edit(world.forum, message, "It is order 1042.");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042")[1..],
        [
            "Maria Lopez: It is order 1024.",
            "Maria Lopez: Correction:\nIt is order 1042."
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn the_first_message_can_be_corrected_and_more_than_once() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    let message = world.writes(world.maria, topic, "one");
    world.settle().await;
    world.telegram().edit(world.forum, message, "two");
    world.settle().await;
    world.telegram().edit(world.forum, message, "three");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        [
            "Maria Lopez: one",
            "Maria Lopez: Correction:\ntwo",
            "Maria Lopez: Correction:\nthree"
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn a_colleagues_correction_stays_a_colleagues() {
    let world = Scene::new().await.with_sam_as_admin().open().await;
    let topic = world.order().await;
    let message = world.writes(world.sam, topic, "Tuesday");
    world.settle().await;
    world.telegram().edit(world.forum, message, "Wednesday");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042")[1..],
        ["Sam Hill: Tuesday", "Sam Hill: Correction:\nWednesday"]
    );
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

/// Their app tells every few seconds where somebody is; agents read where that began and where it ended.
#[tokio::test]
async fn a_walk_is_told_by_its_beginning_and_its_end() {
    let world = World::new().await;
    let topic = world.order().await;
    let place = |latitude: f64, live: bool| {
        let mut location = serde_json::json!({"latitude": latitude, "longitude": 13.0});
        if live {
            location["live_period"] = 900.into();
        }
        location
    };
    let walk = world.sends(world.maria, topic, Compose::content("location", place(52.0, true)));
    world.settle().await;
    for step in 1..=20 {
        let latitude = 52.0 + f64::from(step) / 1_000.0;
        let location = place(latitude, step < 20);
        let moved = [("location".to_owned(), location)].into_iter().collect();
        world.telegram().edit_fields(world.forum, walk, moved);
        world.passes(Duration::from_secs(5)).await;
    }
    world.writes(world.maria, topic, "I am there");
    world.settle().await;
    let map = |place| {
        format!(
            "{place} (https://maps.google.com/maps?q={})",
            str::replace(place, ", ", ",")
        )
    };
    assert_eq!(
        world.agent_sees("Order 1042")[1..],
        [
            format!("Maria Lopez: [live location] {}", map("52.00000, 13.00000")),
            format!("Maria Lopez: [live location ended] {}", map("52.02000, 13.00000")),
            "Maria Lopez: I am there".to_owned(),
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn what_an_agent_takes_back_is_deleted_in_telegram() {
    for payload in [
        simulators::intercom::RedactionPayload::Full,
        simulators::intercom::RedactionPayload::Minimal,
    ] {
        let world = World::new().await;
        let topic = world.order().await;
        world
            .intercom()
            .configure(|options| options.redaction_payload = payload);
        world.agent_replies("Order 1042", "<p>Stays</p>");
        let part = world.agent_replies("Order 1042", "<p>The password is hunter2</p>");
        world.settle().await;
        assert_eq!(world.customer_is_told(topic).len(), 2);
        world.intercom().agent_redacts(&part);
        world.settle().await;
        assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nStays"], "{payload:?}");
        world.finish().await;
    }
}

/// The reply waits for its slot while it is taken back.
#[tokio::test]
async fn what_an_agent_takes_back_in_time_is_never_sent() {
    let world = World::new().await;
    let topic = world.order().await;
    let fault = simulators::Fault::TooManyRequests(Duration::from_secs(40));
    world.telegram().faults().arm("sendMessage", fault, 1);
    let part = world.agent_replies("Order 1042", "<p>The password is hunter2</p>");
    world.passes(Duration::from_secs(10)).await;
    world.intercom().agent_redacts(&part);
    world.settle().await;
    // Not even for a moment: what is deleted again was read on a locked screen.
    assert!(world.telegram().messages(topic).iter().all(|message| !message.from_bot));
    assert_eq!(world.telegram().calls_of("sendMessage"), 1, "the one that had to wait");
    world.finish().await;
}

/// What waits for Telegram does not wait for Intercom, too.
#[tokio::test]
async fn an_answer_that_had_to_wait_is_sent_though_intercom_is_down() {
    let world = World::new().await;
    let topic = world.order().await;
    let fault = simulators::Fault::TooManyRequests(Duration::from_secs(40));
    world.telegram().faults().arm("sendMessage", fault, 1);
    let down = simulators::Fault::Refuse(503);
    world.intercom().faults().arm("GET /conversations/{id}", down, 1_000);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    world.intercom().faults().clear();
    world.finish().await;
}

/// What is taken back half said is not said to its end: what stands there goes.
#[tokio::test]
async fn what_an_agent_takes_back_half_sent_is_not_sent_to_its_end() {
    let world = World::new().await;
    let topic = world.order().await;
    let part = world.agent_replies("Order 1042", &format!("<p>{}</p>", "very long ".repeat(1_000)));
    world.stage.settle_now().await.unwrap();
    let begun = world.telegram().calls_of("sendMessage");
    assert!(begun > 0, "it has begun");
    let fault = simulators::Fault::TooManyRequests(Duration::from_secs(40));
    world.telegram().faults().arm("sendMessage", fault, 1);
    world.passes(Duration::from_secs(10)).await;
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert!(world.customer_is_told(topic).is_empty());
    assert_eq!(
        world.telegram().calls_of("sendMessage"),
        begun + 1,
        "the one that had to wait"
    );
    world.finish().await;
}

/// Otherwise a redrive would bring what its author has corrected, and nothing would say so.
#[tokio::test]
async fn a_change_of_what_was_given_up_comes_back_behind_it() {
    let world = World::new().await;
    let topic = world.order().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, simulators::Fault::Refuse(422), 1);
    let message = world.writes(world.maria, topic, "At five");
    world.settle().await;
    world.telegram().edit(world.forum, message, "At nine");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello"]);
    assert!(!world.customer_is_told(topic).is_empty());
    assert_eq!(world.redrives().await, 2);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[1].ends_with("At five"), "{seen:?}");
    assert!(
        seen[2].ends_with("At nine") && seen[2].contains("Correction:"),
        "{seen:?}"
    );
    world.finish().await;
}
