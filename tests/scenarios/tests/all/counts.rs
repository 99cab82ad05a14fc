//! What a message costs when nothing is new: the store operations and vendor calls that the README publishes.

use scenarios::{Recording, Scene, World};
use std::time::Duration;

struct Cost {
    store: Recording,
    telegram: Vec<String>,
    intercom: Vec<String>,
}

/// What this cost, from the webhook to the end.
async fn cost_of(world: &World, act: impl FnOnce()) -> Cost {
    world.settle().await;
    world.store.take();
    let (telegram, intercom) = (world.telegram().calls().len(), world.intercom().calls().len());
    act();
    world.settle().await;
    let telegram = world.telegram().calls().into_iter().skip(telegram);
    let intercom = world.intercom().calls().into_iter().skip(intercom);
    Cost {
        store: world.store.take(),
        telegram: telegram.map(|call| call.method).collect(),
        intercom: intercom.map(|call| call.name).collect(),
    }
}

impl Cost {
    fn assert(&self, reads: usize, writes: usize) {
        assert_eq!(self.store.reads.len(), reads, "batch reads: {:?}", self.store.reads);
        assert_eq!(self.store.writes.len(), writes, "writes: {:?}", self.store.writes);
        assert!(self.store.lists.is_empty(), "lists: {:?}", self.store.lists);
        println!(
            "{reads} batch reads, {writes} writes, {} vendor calls",
            self.telegram.len() + self.intercom.len()
        );
    }
}

#[tokio::test]
async fn a_message_to_intercom_costs_one_batch_read_two_writes_and_one_call() {
    let world = World::new().await;
    let topic = world.order().await;
    let cost = cost_of(&world, || {
        world.writes(world.maria, topic, "And another thing");
    })
    .await;
    assert_eq!(cost.intercom, ["POST /conversations/{id}/reply"]);
    assert!(cost.telegram.is_empty(), "{:?}", cost.telegram);
    cost.assert(1, 2);
    world.finish().await;
}

/// What a second reply in a conversation costs, right behind which none has to wait for its slot.
async fn cost_of_a_reply(world: &World) -> Cost {
    world.order().await;
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_mins(1)).await;
    let cost = cost_of(world, || {
        world.agent_replies("Order 1042", "<p>Second</p>");
    })
    .await;
    assert_eq!(cost.telegram, ["sendMessage"]);
    assert!(cost.intercom.is_empty(), "{:?}", cost.intercom);
    cost
}

/// The second read is that of the chat's pace: its slots are handed out on the condition that nobody else took them.
#[tokio::test]
async fn a_reply_to_telegram_costs_two_reads_three_writes_and_one_call() {
    let world = World::new().await;
    let cost = cost_of_a_reply(&world).await;
    assert!(
        cost.store.writes.iter().all(|write| write.len() == 1),
        "no transaction: {:?}",
        cost.store.writes
    );
    cost.assert(2, 3);
    world.finish().await;
}

#[tokio::test]
async fn where_reactions_are_carried_the_end_and_the_index_are_one_transaction() {
    let world = Scene::new().await.set("REACTIONS", "note").open().await;
    let cost = cost_of_a_reply(&world).await;
    let last = cost.store.writes.last().unwrap();
    assert_eq!(last.len(), 2, "{last:?}");
    cost.assert(2, 3);
    world.finish().await;
}

#[tokio::test]
async fn where_topics_follow_a_reply_costs_two_reads_more() {
    let world = Scene::new().await.set("TOPIC_STATES", "follow").open().await;
    let cost = cost_of_a_reply(&world).await;
    cost.assert(4, 3);
    world.finish().await;
}

#[tokio::test]
async fn what_is_known_already_costs_one_read() {
    let world = World::new().await;
    let topic = world.order().await;
    let message = world.writes(world.maria, topic, "And another thing");
    world.settle().await;
    let again = world
        .telegram()
        .updates()
        .into_iter()
        .find(|update| update["message"]["message_id"] == message)
        .unwrap();
    // Later than any queue remembers.
    world.passes(Duration::from_mins(8)).await;
    let cost = cost_of(&world, || {
        world.telegram().redeliver(again["update_id"].as_i64().unwrap());
    })
    .await;
    assert!(cost.intercom.is_empty() && cost.telegram.is_empty());
    cost.assert(1, 0);
    world.finish().await;
}
