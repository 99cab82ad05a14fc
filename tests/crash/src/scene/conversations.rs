//! Conversations end, and others take their place.

use super::{Expected, World, read, said};
use std::time::Duration;

/// So long after its opening, what is not found in Intercom is gone.
const LATER: Duration = Duration::from_mins(10);

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
        inbox: vec![
            said(&[("Maria Lopez", "old matter"), ("Anna Weber", "late answer")]),
            said(&[
                ("Maria Lopez", "new matter"),
                ("Maria Lopez", "more of it"),
                ("Anna Weber", "new answer"),
            ]),
        ],
        customers: vec![(topic, read(&["Anna\nlate answer", "Anna\nnew answer"]))],
        texts: read(&["old matter", "new matter"]),
        ..Expected::default()
    })
}

pub(super) async fn deleted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "before");
    world.settle().await?;
    world.stage.vendors.clock.advance(LATER);
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

impl World {
    /// The agent writes to Maria first, in a conversation of its own.
    fn write_first(&self) -> anyhow::Result<String> {
        let intercom = &self.stage.vendors.intercom;
        let contacts = intercom.contacts();
        let maria = contacts.first().ok_or_else(|| anyhow::anyhow!("Maria is no contact"))?;
        Ok(intercom.starts_conversation(&self.anna, &maria.id, "<p>by the way</p>"))
    }
}

pub(super) async fn merged(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "before");
    world.settle().await?;
    world.stage.vendors.clock.advance(LATER);
    let other = world.write_first()?;
    let intercom = &world.stage.vendors.intercom;
    if let Some(old) = world.conversation("before") {
        intercom.merge_conversations(&old, &other);
    }
    world.settle().await?;
    world.say(world.maria, topic, "found out");
    world.say(world.maria, topic, "after");
    world.settle().await?;
    intercom.agent_replies(&other, &world.anna, "<p>in one place</p>");
    world.settle().await?;
    Ok(Expected {
        inbox: vec![
            said(&[("Maria Lopez", "before")]),
            said(&[
                ("Anna Weber", "by the way"),
                ("Maria Lopez", "found out"),
                ("Maria Lopez", "after"),
                ("Anna Weber", "in one place"),
            ]),
        ],
        customers: vec![(topic, read(&["Anna\nin one place"]))],
        texts: read(&["found out", "in one place"]),
        ..Expected::default()
    })
}

pub(super) async fn after_days(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "old matter");
    world.settle().await?;
    world.stage.vendors.clock.advance(Duration::from_hours(3 * 24));
    world.say(world.maria, topic, "new matter");
    world.say(world.maria, topic, "more of it");
    world.settle().await?;
    world.answer("new matter", "<p>an answer</p>")?;
    world.settle().await?;
    Ok(Expected {
        inbox: vec![
            said(&[("Maria Lopez", "old matter")]),
            said(&[
                ("Maria Lopez", "new matter"),
                ("Maria Lopez", "more of it"),
                ("Anna Weber", "an answer"),
            ]),
        ],
        customers: vec![(topic, read(&["Anna\nan answer"]))],
        texts: read(&["new matter", "more of it"]),
        ..Expected::default()
    })
}

/// Nobody in Telegram reads it, and the agent is told so once.
pub(super) async fn unlinked(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let other = world.write_first()?;
    let intercom = &world.stage.vendors.intercom;
    intercom.agent_replies(&other, &world.anna, "<p>are you there</p>");
    world.settle().await?;
    let conversation = intercom.conversation(&other);
    let parts = conversation.iter().flat_map(|one| &one.parts);
    let told = parts
        .filter(|part| part.kind == "note" && part.text.contains("no topic belongs"))
        .count();
    anyhow::ensure!(told == 1, "the agent was told {told} times");
    Ok(Expected {
        inbox: vec![
            said(&[("Maria Lopez", "a question")]),
            said(&[("Anna Weber", "by the way"), ("Anna Weber", "are you there")]),
        ],
        customers: vec![(topic, Vec::new())],
        texts: read(&["are you there"]),
        ..Expected::default()
    })
}
