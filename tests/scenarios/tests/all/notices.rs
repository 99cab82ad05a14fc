//! What people are told when something takes long or does not arrive.

use scenarios::{Left, Scene, World};
use simulators::Fault;
use std::time::Duration;

const NOT_YET: &str =
    "Bridge: Not delivered to Telegram yet: Telegram could not be reached. It is tried again and again.";
const NOW: &str = "Bridge: The delayed reply has now been delivered to Telegram.";
const REFUSED: &str = "Bridge: Not delivered to Telegram: Telegram did not accept it.";

/// The commonest outage: nobody knows what became of any call.
#[tokio::test]
async fn the_agent_is_told_of_a_reply_of_which_telegram_says_nothing_for_minutes() {
    for fault in [Fault::Refuse(502), Fault::CutBefore] {
        let world = World::new().await;
        let topic = world.order().await;
        world.telegram().faults().arm("sendMessage", fault, 1_000);
        world.agent_replies("Order 1042", "<p>First</p>");
        world.passes(Duration::from_mins(9)).await;
        assert!(world.agent_notes("Order 1042").is_empty());
        world.passes(Duration::from_mins(31)).await;
        assert_eq!(world.agent_notes("Order 1042"), [NOT_YET]);
        world.telegram().faults().clear();
        world.settle().await;
        assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
        assert_eq!(world.agent_notes("Order 1042"), [NOT_YET, NOW]);
        world.finish().await;
    }
}

/// Not one note for each reply, but none is passed over in silence.
#[tokio::test]
async fn replies_that_fail_within_an_hour_are_told_of_at_once_and_once_more_with_their_number() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().faults().arm("sendMessage", Fault::Refuse(413), 4);
    for text in ["One", "Two", "Three", "Four"] {
        world.agent_replies("Order 1042", &format!("<p>{text}</p>"));
        world.passes(Duration::from_mins(1)).await;
    }
    assert_eq!(world.agent_notes("Order 1042"), [REFUSED]);
    world.passes(Duration::from_mins(55)).await;
    assert_eq!(world.agent_notes("Order 1042"), [REFUSED]);
    world.settle().await;
    let of_all = format!("{REFUSED} (3 messages within an hour)");
    assert_eq!(world.agent_notes("Order 1042"), [REFUSED, &of_all]);
    world.agent_replies("Order 1042", "<p>Five</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFive"]);
    let left = Left {
        dead_letters: 4,
        undeliverable: 4,
        ..Left::default()
    };
    world.finish_but(left).await;
}

/// Customers read no English, perhaps.
#[tokio::test]
async fn customers_are_told_in_the_words_that_the_settings_give() {
    const PERDON: &str = "Perdón, no pudimos recibir su mensaje. ¿Puede repetirlo?";
    let world = Scene::new().await.set("CUSTOMER_NOTICE", PERDON).open().await;
    let topic = world.order().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, Fault::Refuse(422), 3);
    for text in ["One", "Two", "Three"] {
        world.writes(world.maria, topic, text);
        world.passes(Duration::from_mins(1)).await;
    }
    assert_eq!(world.customer_is_told(topic), [PERDON]);
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), [PERDON, &format!("{PERDON} (2)")]);
    let left = Left {
        dead_letters: 3,
        undeliverable: 3,
        ..Left::default()
    };
    world.finish_but(left).await;
}

/// Telegram does not say whether it makes topics, for a day.
#[tokio::test]
async fn a_topic_of_which_nobody_knows_whether_it_was_made_is_neither_hammered_nor_kept_from_the_agent() {
    let world = World::new().await;
    world.order_without_topic().await;
    let sent = world.telegram().calls_of("sendMessage");
    world
        .telegram()
        .faults()
        .arm("createForumTopic", Fault::Refuse(502), 100_000);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.passes(Duration::from_mins(40)).await;
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET]);
    world.settle().await;
    let sent = world.telegram().calls_of("sendMessage") - sent;
    assert!(sent < 5, "{sent} messages into a topic that is gone");
    let notes = world.agent_notes("Order 1042");
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[1].starts_with("Bridge: Not delivered to Telegram: "), "{notes:?}");
    let left = Left {
        dead_letters: 1,
        undeliverable: 1,
        ..Left::default()
    };
    world.telegram().faults().clear();
    world.agent_replies("Order 1042", "<p>At last</p>");
    world.settle().await;
    let topic = world.topic_called("Order 1042");
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nAt last"]);
    world.finish_but(left).await;
}

/// There is no record of what could not be begun: the queue message alone knows how old it is.
#[tokio::test]
async fn what_cannot_even_be_begun_is_given_up_before_the_queue_drops_it() {
    let world = World::new().await;
    world.order().await;
    let read = "GET /conversations/{id}";
    world.intercom().lose_notifications(true);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.intercom().lose_notifications(false);
    world.passes(Duration::from_mins(10)).await;
    world.stage.machine.sweep().await.unwrap();
    world.intercom().faults().arm(read, Fault::Refuse(503), 100_000);
    world.passes(Duration::from_hours(11 * 24)).await;
    assert!(world.agent_notes("Order 1042").is_empty());
    world.passes(Duration::from_hours(2 * 24)).await;
    world.intercom().faults().clear();
    world.settle().await;
    assert_eq!(world.agent_notes("Order 1042"), [REFUSED]);
    let left = Left {
        dead_letters: 1,
        lost_notifications: true,
        ..Left::default()
    };
    world.finish_but(left).await;
}
