//! Messages that kill whoever carries them, each time: they are given up after a while, whoever waits is told, and the lane goes on.

use bridgectl::stage::Poison;
use local::QueueName;
use scenarios::{Left, Scene, World};
use std::time::Duration;

const TO_CUSTOMERS: &str = "Sorry, a message could not be passed on to our support team. Please send it again.";
const TO_AGENTS: &str = "Bridge: Not delivered to Telegram: Telegram did not accept it.";
const DELIVERED: &str = "Bridge: The delayed reply has now been delivered to Telegram.";

/// So long a lane is held up at most: six workers die in a row, or eleven where they have begun nothing.
const BEGUN: Duration = Duration::from_mins(12);
const UNBEGUN: Duration = Duration::from_mins(25);

async fn poisoned_by(poison: Poison) -> World {
    Scene::new().await.with_file().poisoned_by(poison).open().await
}

fn one_dead_letter(undeliverable: usize) -> Left {
    Left {
        dead_letters: 1,
        undeliverable,
        ..Left::default()
    }
}

/// A customer's message is poison. It is given up, twice, and carried by a bridge that does not die of it.
async fn a_customer_writes_poison(poison: Poison, held_up: Duration, undeliverable: usize) {
    let mut world = poisoned_by(poison).await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "arsenic");
    world.writes(world.maria, topic, "after it");
    world.passes(held_up).await;
    let seen = world.agent_sees("Order 1042");
    assert!(seen.len() == 2 && seen[1].ends_with("after it"), "{seen:?}");
    assert_eq!(world.customer_is_told(topic), [TO_CUSTOMERS]);
    world.passes(Duration::from_hours(2)).await;
    assert_eq!(world.redrives().await, 1);
    assert_eq!(world.customer_is_told(topic), [TO_CUSTOMERS, TO_CUSTOMERS]);
    let dead = world.stage.machine.lanes().len(QueueName::InboundDead).await.unwrap();
    assert_eq!(dead, 1, "it is not lost");
    assert_eq!(undelivered(&world).await, undeliverable);
    world.restart_mended().await;
    assert_eq!(world.redrives().await, 1);
    let seen = world.agent_sees("Order 1042");
    assert!(seen.len() == 3 && seen[2].ends_with("arsenic"), "{seen:?}");
    world.finish().await;
}

async fn undelivered(world: &World) -> usize {
    let items = world.store.items().await;
    items
        .iter()
        .filter(|item| item.body["state"] == "undeliverable")
        .count()
}

#[tokio::test]
async fn a_customers_message_that_kills_whoever_reads_it_is_given_up() {
    a_customer_writes_poison(Poison::Read("arsenic"), BEGUN, 1).await;
}

/// No delivery counts its beginnings.
#[tokio::test]
async fn a_customers_message_that_kills_whoever_looks_at_it_is_given_up() {
    a_customer_writes_poison(Poison::Glimpsed("arsenic"), UNBEGUN, 0).await;
}

/// An agent's reply is read before anything is begun.
#[tokio::test]
async fn an_agents_reply_that_kills_whoever_reads_it_is_given_up() {
    let mut world = poisoned_by(Poison::Read("arsenic")).await;
    let topic = world.order().await;
    world.agent_replies("Order 1042", "<p>arsenic</p>");
    world.agent_replies("Order 1042", "<p>after it</p>");
    world.passes(UNBEGUN).await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nafter it"]);
    assert_eq!(world.agent_notes("Order 1042"), [TO_AGENTS]);
    world.passes(Duration::from_hours(2)).await;
    assert_eq!(world.redrives().await, 1);
    assert_eq!(world.agent_notes("Order 1042"), [TO_AGENTS, TO_AGENTS]);
    world.restart_mended().await;
    assert_eq!(world.redrives().await, 1);
    assert_eq!(
        world.customer_is_told(topic),
        [
            "<b>Anna</b>\nafter it",
            "Written 2026-01-15 09:00 UTC:\n<b>Anna</b>\narsenic"
        ]
    );
    assert_eq!(world.agent_notes("Order 1042"), [TO_AGENTS, TO_AGENTS, DELIVERED]);
    world.finish().await;
}

/// A record that no worker can use, which a bridge that was set back to an older version finds.
#[tokio::test]
async fn what_cannot_be_carried_for_a_record_that_nobody_can_read_is_given_up_both_ways() {
    let world = Scene::new().await.with_sam_as_admin().open().await;
    let topic = world.order().await;
    world.writes(world.ken, topic, "Me too");
    world.writes(world.sam, topic, "Will do");
    world.settle().await;
    assert_eq!(world.spoil("echo").await, 1);
    world.agent_replies("Order 1042", "<p>Will do</p>");
    world.agent_replies("Order 1042", "<p>after it</p>");
    world.passes(BEGUN).await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nafter it"]);
    assert_eq!(world.agent_notes("Order 1042"), [TO_AGENTS]);
    assert_eq!(world.spoil("contact").await, 2);
    world.writes(world.ken, topic, "And now?");
    world.writes(world.sam, topic, "Wait");
    world.passes(BEGUN).await;
    let seen = world.agent_sees("Order 1042");
    assert!(seen.last().is_some_and(|line| line.ends_with("Wait")), "{seen:?}");
    assert!(!seen.iter().any(|line| line.contains("And now?")), "{seen:?}");
    assert_eq!(
        world.customer_is_told(topic).last().map(String::as_str),
        Some(TO_CUSTOMERS)
    );
    let left = Left {
        dead_letters: 2,
        ..one_dead_letter(2)
    };
    world.finish_but(left).await;
}
