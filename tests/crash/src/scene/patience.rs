//! What does not go at once: too much for the vendors, or no answer for long.

use super::{Expected, World, read, said};
use simulators::{Fault, telegram::Outcome};
use std::time::Duration;

/// So long the vendors want us to wait.
const TELEGRAM_WAITS: Duration = Duration::from_secs(20);
const INTERCOM_WAITS: Duration = Duration::from_secs(8);

/// Both answer 429 and say for how long; and a window of Intercom's takes fewer calls than there are to make.
pub(super) async fn throttled(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let vendors = &world.stage.vendors;
    vendors.clock.advance(Duration::from_mins(1));
    vendors.intercom.configure(|options| options.calls_per_window = 3);
    let faults = (vendors.telegram.faults(), vendors.intercom.faults());
    faults.0.arm("sendMessage", Fault::TooManyRequests(TELEGRAM_WAITS), 2);
    let reply = "POST /conversations/{id}/reply";
    faults.1.arm(reply, Fault::TooManyRequests(INTERCOM_WAITS), 2);
    world.answer("a question", "<p>an answer</p>")?;
    for word in ["one", "two", "three", "four", "five"] {
        world.say(world.maria, topic, word);
    }
    world.settle().await?;
    anyhow::ensure!(faults.0.armed() + faults.1.armed() == 0, "nobody was told to wait");
    let asked = vendors.telegram.calls();
    let sent = asked.iter().filter(|call| call.method == "sendMessage");
    let is_429 = |outcome: &Outcome| matches!(outcome, Outcome::Refused { code: 429, .. });
    in_their_time(sent.map(|call| (call.at_ms, is_429(&call.outcome))), TELEGRAM_WAITS, 2)?;
    let asked = vendors.intercom.calls();
    in_their_time(
        asked.iter().map(|call| (call.at_ms, call.status == Some(429))),
        INTERCOM_WAITS,
        2,
    )?;
    let agents = ["a question", "one", "two", "three", "four", "five"].map(|word| ("Maria Lopez", word));
    let mut agents = said(&agents);
    agents.insert(1, ("Anna Weber", "an answer".to_owned()));
    Ok(Expected {
        agents: vec![("Order", agents)],
        customers: vec![(topic, read(&["Anna\nan answer"]))],
        texts: read(&["an answer", "three"]),
        ..Expected::default()
    })
}

/// Calls, each with its time in milliseconds and whether it was refused as one too many: after so many of those nobody called for so
/// long, and there were no others.
fn in_their_time(calls: impl Iterator<Item = (i64, bool)>, wait: Duration, refused: usize) -> anyhow::Result<()> {
    let calls: Vec<_> = calls.collect();
    let too_many = calls.iter().filter(|(_, refused)| *refused).count();
    anyhow::ensure!(too_many == refused, "{too_many} calls were too many");
    for pair in calls.windows(2) {
        if let [(at, true), (next, _)] = pair {
            let waited = u128::try_from(next - at).unwrap_or_default();
            anyhow::ensure!(waited >= wait.as_millis(), "the next call came {waited} ms after a 429");
        }
    }
    Ok(())
}

/// Telegram says nothing for half an hour: the agent is told so once, and once that it went through.
pub(super) async fn delayed(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let vendors = &world.stage.vendors;
    vendors.telegram.faults().arm("sendMessage", Fault::Refuse(502), 1_000);
    world.answer("a question", "<p>at last</p>")?;
    world.stage.settle_within(Duration::from_secs(20)).await?;
    anyhow::ensure!(world.notes("a question").is_empty(), "agents are told too early");
    vendors.clock.advance(Duration::from_mins(10));
    world.stage.settle_within(Duration::from_mins(20)).await?;
    vendors.telegram.faults().clear();
    world.settle().await?;
    let notes = world.notes("a question");
    let wanted = [
        "Not delivered to Telegram yet: Telegram could not be reached. It is tried again and again.",
        "The delayed reply has now been delivered to Telegram.",
    ];
    anyhow::ensure!(notes == wanted, "agents are told {notes:?}");
    Ok(Expected {
        inbox: vec![said(&[("Maria Lopez", "a question"), ("Anna Weber", "at last")])],
        customers: vec![(topic, read(&["Anna\nat last"]))],
        texts: read(&["at last"]),
        ..Expected::default()
    })
}
