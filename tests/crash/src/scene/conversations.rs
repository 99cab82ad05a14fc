//! Conversations end, and others take their place.

use super::{Expected, World, read, said};

pub(super) async fn after_close(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "old matter");
    world.settle().await?;
    if let Some(old) = world.conversation("old matter") {
        world.stage.vendors.intercom.agent_closes(&old, &world.anna);
    }
    world.settle().await?;
    world.say(world.maria, topic, "new matter");
    world.say(world.maria, topic, "more of it");
    world.settle().await?;
    world.answer("old matter", "<p>late answer</p>")?;
    world.settle().await?;
    world.answer("new matter", "<p>new answer</p>")?;
    world.settle().await?;
    Ok(Expected {
        agents: Vec::new(),
        customers: vec![(topic, read(&["Anna\nlate answer", "Anna\nnew answer"]))],
        texts: read(&["old matter", "new matter"]),
        ..Expected::default()
    })
}

pub(super) async fn deleted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "before");
    world.settle().await?;
    world.stage.vendors.clock.advance(std::time::Duration::from_mins(10));
    if let Some(old) = world.conversation("before") {
        world.stage.vendors.intercom.delete_conversation(&old);
    }
    world.say(world.maria, topic, "found out");
    world.say(world.maria, topic, "after");
    world.settle().await?;
    Ok(Expected {
        agents: vec![("Order", said(&[("Maria Lopez", "found out"), ("Maria Lopez", "after")]))],
        customers: vec![(topic, Vec::new())],
        texts: read(&["found out"]),
        ..Expected::default()
    })
}
