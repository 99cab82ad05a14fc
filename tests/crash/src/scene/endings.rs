//! What is given up, for whatever reason, and comes back.

use super::{Expected, MORNING_MS, World, read, said};
use local::QueueName::{Inbound, InboundDead, Outbound, OutboundDead};
use simulators::{Fault, telegram::Place};
use std::time::Duration;

/// What workers die of, here.
pub(super) const POISON: &str = "arsenic";

const TO_CUSTOMERS: &str = "Sorry, a message could not be passed on to our support team.";

/// How agents are told that it was given up.
const TO_AGENTS: &str = "Not delivered to Telegram: ";

/// Older than this nothing waits any more, whatever the reason.
const TWELVE_DAYS: Duration = Duration::from_hours(12 * 24 + 1);

/// What is headed by its time must not depend on how long the rest took.
const LATER_MS: i64 = MORNING_MS + 60 * 60 * 1000;

impl World {
    /// Twelve days in which nothing works go by.
    async fn twelve_days_pass(&self) -> anyhow::Result<()> {
        self.stage.settle_within(Duration::from_mins(5)).await?;
        self.stage.vendors.clock.advance(TWELVE_DAYS);
        self.stage.settle_within(Duration::from_mins(20)).await
    }

    async fn is_given_up_once(&self) -> anyhow::Result<()> {
        let lanes = self.stage.machine.lanes();
        let dead = lanes.len(InboundDead).await? + lanes.len(OutboundDead).await?;
        anyhow::ensure!(dead == 1, "{dead} dead letters");
        Ok(())
    }

    /// Why depends on what went wrong last.
    fn agents_are_told_why_once(&self, opening: &str) -> anyhow::Result<()> {
        let notes = self.notes(opening);
        let told = notes.iter().filter(|note| note.starts_with(TO_AGENTS)).count();
        anyhow::ensure!(told == 1, "agents are told {notes:?}");
        Ok(())
    }
}

/// What is seen of an answer that was given up and put back: it says when it was written.
fn put_back_at_last(topic: Place) -> Expected {
    Expected {
        inbox: vec![said(&[("Maria Lopez", "a question"), ("Anna Weber", "at last")])],
        customers: vec![(topic, read(&["Written 2026-01-15 10:00 UTC:\nAnna\nat last"]))],
        texts: read(&["at last"]),
        ..Expected::default()
    }
}

/// A notification without formatting has the conversation read before anything is begun, and Intercom does not give it out.
pub(super) async fn unbegun(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let intercom = &world.stage.vendors.intercom;
    intercom.set_api_version("2.15");
    world.stage.vendors.clock.advance_to(LATER_MS);
    intercom
        .faults()
        .arm("GET /conversations/{id}", Fault::Refuse(503), 10_000);
    world.answer("a question", "<p>at last</p>")?;
    world.twelve_days_pass().await?;
    intercom.faults().clear();
    world.settle().await?;
    world.is_given_up_once().await?;
    world.agents_are_told_why_once("a question")?;
    world.put_back(OutboundDead, Outbound).await?;
    Ok(put_back_at_last(topic))
}

/// Intercom refuses our token.
pub(super) async fn inbound(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let vendors = &world.stage.vendors;
    vendors.clock.advance_to(LATER_MS);
    vendors.intercom.faults().arm("*", Fault::Refuse(401), 10_000);
    world.say(world.maria, topic, "anybody");
    world.twelve_days_pass().await?;
    vendors.intercom.faults().clear();
    world.settle().await?;
    world.is_given_up_once().await?;
    world.put_back(InboundDead, Inbound).await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Maria Lopez", "Written 2026-01-15 10:00 UTC: anybody"),
            ]),
        )],
        customers: vec![(topic, read(&[TO_CUSTOMERS]))],
        texts: read(&["anybody"]),
        ..Expected::default()
    })
}

/// Telegram refuses our token.
pub(super) async fn outbound(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let vendors = &world.stage.vendors;
    vendors.clock.advance_to(LATER_MS);
    vendors.telegram.faults().arm("sendMessage", Fault::Refuse(401), 10_000);
    world.answer("a question", "<p>at last</p>")?;
    world.twelve_days_pass().await?;
    vendors.telegram.faults().clear();
    world.settle().await?;
    world.is_given_up_once().await?;
    world.agents_are_told_why_once("a question")?;
    world.put_back(OutboundDead, Outbound).await?;
    Ok(put_back_at_last(topic))
}

/// Each of its workers dies, and what stands behind it goes on.
pub(super) async fn poison(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    world.stage.vendors.clock.advance_to(LATER_MS);
    world.say(world.maria, topic, POISON);
    world.say(world.maria, topic, "after it");
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Maria Lopez", "Written 2026-01-15 10:00 UTC: after it"),
            ]),
        )],
        customers: vec![(topic, read(&[TO_CUSTOMERS]))],
        texts: read(&["after it", POISON]),
        dead_letters: 1,
        ..Expected::default()
    })
}

/// An agent's answer is read before anything is begun.
pub(super) async fn poisonous_answer(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    world.answer("a question", &format!("<p>{POISON}</p>"))?;
    // What a dying webhook missed comes again a minute later, behind what was said meanwhile.
    world.stage.settle_now().await?;
    world.stage.vendors.clock.advance(Duration::from_mins(2));
    world.answer("a question", "<p>after it</p>")?;
    world.settle().await?;
    world.agents_are_told_why_once("a question")?;
    Ok(Expected {
        inbox: vec![said(&[
            ("Maria Lopez", "a question"),
            ("Anna Weber", POISON),
            ("Anna Weber", "after it"),
        ])],
        customers: vec![(topic, read(&["Anna\nafter it"]))],
        texts: read(&["after it", POISON]),
        dead_letters: 1,
        ..Expected::default()
    })
}
