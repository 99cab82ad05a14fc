//! What was given up, and comes back from the dead letters.

use super::rights::NOT_YET;
use bridge::ports::QueueMessage;
use local::QueueName;
use scenarios::{Left, World};
use simulators::telegram::Rights;
use std::time::Duration;

#[tokio::test]
async fn a_reply_is_given_up_after_a_day_and_delivered_by_a_redrive() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.settle().await;
    let notes = world.agent_notes("Order 1042");
    assert_eq!(
        notes,
        [
            NOT_YET,
            "Bridge: Not delivered to Telegram: the bot was removed from the group or may not write there."
        ]
    );
    world
        .telegram()
        .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
    world.passes(Duration::from_hours(3)).await;
    assert_eq!(world.sweeps().await, 0, "what was given up has a record");
    assert!(world.customer_is_told(topic).is_empty());
    assert_eq!(world.redrives().await, 1);
    let told = world.customer_is_told(topic);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Written 2026-01-15 09:"), "{told:?}");
    assert!(told[0].ends_with("First"), "{told:?}");
    assert_eq!(
        world.agent_notes("Order 1042")[2..],
        ["Bridge: The delayed reply has now been delivered to Telegram."]
    );
    assert_eq!(world.redrives().await, 0);
    world.finish().await;
}

/// It takes several messages, and is cut elsewhere than it would have been at once: the time stands above it.
#[tokio::test]
async fn of_a_long_reply_that_a_redrive_delivers_nothing_is_lost() {
    for words in [1_040, 2_500] {
        let world = World::new().await;
        let topic = world.order().await;
        world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
        let words: Vec<String> = (0..words).map(|word| word.to_string()).collect();
        world.agent_replies("Order 1042", &format!("<p>{}</p>", words.join(" ")));
        world.settle().await;
        world
            .telegram()
            .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
        assert_eq!(world.redrives().await, 1);
        let told = world.customer_is_told(topic).join(" ");
        let told: Vec<&str> = told
            .split_whitespace()
            .filter(|word| word.parse::<u32>().is_ok())
            .collect();
        assert_eq!(told, words);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_customer_is_told_that_a_message_was_given_up_and_a_redrive_delivers_it() {
    let world = World::new().await;
    let topic = world.order().await;
    let refused = simulators::Fault::Refuse(422);
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", refused, 1);
    let message = world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    let told = world.telegram().messages(topic);
    let line = told.iter().find(|message| message.from_bot).unwrap();
    assert_eq!(
        line.text,
        "Sorry, a message could not be passed on to our support team. Please send it again."
    );
    assert_eq!(line.reply_to, Some(message));
    world.passes(Duration::from_hours(1)).await;
    assert_eq!(world.redrives().await, 1);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].starts_with("Maria Lopez: Written 2026-01-15 09:"), "{seen:?}");
    assert!(seen[1].ends_with("Anybody?"), "{seen:?}");
    world.finish().await;
}

/// It had arrived, and nobody could know: a redrive looks first.
#[tokio::test]
async fn a_redrive_of_what_had_arrived_after_all_doubles_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, simulators::Fault::LoseAnswer, 1);
    let read = "GET /conversations/{id}";
    world
        .intercom()
        .faults()
        .arm(read, simulators::Fault::Refuse(503), 10_000);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world.intercom().faults().clear();
    assert_eq!(world.customer_is_told(topic).len(), 1, "the customer was told");
    assert_eq!(world.redrives().await, 1);
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: Anybody?"]
    );
    world.finish().await;
}

/// The same, and the customer said the same once more and again before it was put back.
#[tokio::test]
async fn a_redrive_looks_behind_what_was_said_since() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .give_up_in_doubt(topic, "Anybody?", simulators::Fault::LoseAnswer)
        .await;
    for text in ["Anybody?", "It is urgent", "Anybody?"] {
        world.writes(world.maria, topic, text);
    }
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert_eq!(world.redrives().await, 1);
    assert_eq!(world.agent_sees("Order 1042"), seen, "it was there");
    world.finish().await;
}

/// It had not arrived, and what looks like it belongs to the message before, which hundreds have followed since.
#[tokio::test]
async fn a_redrive_takes_nothing_that_an_old_neighbour_holds() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world
        .give_up_in_doubt(topic, "Anybody?", simulators::Fault::Refuse(503))
        .await;
    let other = world.topic("Small talk");
    for at in 0..210 {
        world.writes(world.ken, other, &format!("And {at}"));
    }
    world.settle().await;
    assert_eq!(world.redrives().await, 1);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[2].ends_with("Anybody?"), "{seen:?}");
    world.finish().await;
}

/// Put back twice within the time in which the queue takes the same only once.
#[tokio::test]
async fn what_cannot_be_read_stays_among_the_dead_letters_however_often_it_is_put_back() {
    let world = World::new().await;
    for queue in [QueueName::Inbound, QueueName::Outbound] {
        let message = QueueMessage {
            lane: "a lane".into(),
            dedupe: "unreadable".into(),
            body: "{}".into(),
            gave_up: None,
        };
        world.stage.machine.lanes().queue(queue).send(message).await.unwrap();
    }
    world.settle().await;
    for _ in 0..3 {
        world.passes(Duration::from_secs(1)).await;
        assert_eq!(world.redrives().await, 2);
    }
    let left = Left {
        dead_letters: 2,
        ..Left::default()
    };
    world.finish_but(left).await;
}
