//! What is wrong in the end: every message arrived, once, in the order of its lane, and nothing is left behind.

use super::{
    arrivals::Arrivals,
    world::{AGENTS_WORD, Answered, CUSTOMERS_WORD, Topic, World},
};
use crate::{
    judge::{Left, Verdict, left_behind},
    table::Table,
};
use simulators::{
    intercom::PartView,
    telegram::{Outcome, Place},
};
use std::collections::{HashMap, HashSet};

/// What was found.
pub(super) struct Found {
    /// What is wrong.
    pub(super) wrong: Verdict,
    /// Messages that stand in Telegram once too often.
    pub(super) doubled: usize,
}

/// Judges a world that has come to rest. So many workers ended in the one window in which Telegram may show a message twice.
pub(super) async fn judge(world: &World, arrivals: &Arrivals, windows: usize) -> anyhow::Result<Found> {
    let mut wrong = Vec::new();
    let mut extra = HashMap::new();
    for (at, topic) in world.topics.iter().enumerate() {
        agents_see(world, at, &mut wrong);
        customers_see(world, at, topic, arrivals, &mut extra, &mut wrong);
    }
    one_contact_each(world, &mut wrong);
    let doubled = extra.values().sum();
    unexcused(world, extra, windows, &mut wrong);
    let texts = [CUSTOMERS_WORD, AGENTS_WORD].map(str::to_owned);
    let left = Left {
        texts: &texts,
        dead_letters: 0,
    };
    wrong.extend(left_behind(&world.stage, &Table::OfTheStage, &left).await?);
    Ok(Found { wrong, doubled })
}

/// What was said in a topic stands in its conversations, once, each place's lines in their order.
fn agents_see(world: &World, topic: usize, wrong: &mut Verdict) {
    let agents: HashSet<&str> = world.agents().collect();
    let conversations = world.conversations(topic);
    let views = conversations
        .iter()
        .filter_map(|id| world.stage.vendors.intercom.conversation(id));
    let mut seen = Vec::new();
    for view in views {
        for part in view.messages() {
            if part.kind.starts_with("note") {
                note(topic, part, wrong);
            } else if !agents.contains(part.author_name.as_str()) {
                seen.push((part.author_name.clone(), plain(&part.text)));
            }
        }
    }
    let said: Vec<_> = world.said.iter().filter(|said| said.topic == topic).collect();
    if seen.len() != said.len() {
        wrong.push(format!(
            "topic {topic}: agents see {} lines of {}",
            seen.len(),
            said.len()
        ));
    }
    for place in &world.topics[topic].places {
        let lines: Vec<(String, String)> = said
            .iter()
            .filter(|said| said.place == *place)
            .map(|said| (said.name.clone(), said.text.clone()))
            .collect();
        let of_place: HashSet<&(String, String)> = lines.iter().collect();
        let seen: Vec<_> = seen.iter().filter(|line| of_place.contains(line)).cloned().collect();
        if seen != lines {
            wrong.push(differs(topic, &seen, &lines));
        }
    }
}

/// The first line in which two lists differ.
fn differs(topic: usize, seen: &[(String, String)], said: &[(String, String)]) -> String {
    let at = seen.iter().zip(said).take_while(|(a, b)| a == b).count();
    let around = |lines: &[(String, String)]| lines.iter().skip(at).take(4).cloned().collect::<Vec<_>>();
    format!(
        "topic {topic}, line {at}: agents see {:?} where {:?} was said",
        around(seen),
        around(said)
    )
}

/// Nothing was given up, so no agent may be told so.
fn note(topic: usize, part: &PartView, wrong: &mut Verdict) {
    let untrue = ["Not delivered to Telegram:", "Not sent to Telegram:"];
    if untrue.iter().any(|begin| part.text.starts_with(begin)) {
        wrong.push(format!("topic {topic}: agents are told {:?}", part.text));
    }
}

/// A text without the link at the end of an opening message and without the line that says when it was written.
fn plain(text: &str) -> String {
    let is_ours = |line: &&str| line.starts_with("https://t.me/c/") || line.starts_with("Written ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter(|line| !is_ours(line)).collect::<Vec<_>>().join("\n")
}

/// Each answer stands in its topic, a repetition next to what it repeats, each conversation's answers in the order of arrival.
fn customers_see(
    world: &World,
    at: usize,
    topic: &Topic,
    arrivals: &Arrivals,
    extra: &mut HashMap<String, usize>,
    wrong: &mut Verdict,
) {
    let answers: Vec<&Answered> = world.answered.iter().filter(|answer| answer.topic == at).collect();
    let known: HashMap<&str, (usize, usize)> = answers
        .iter()
        .enumerate()
        .flat_map(|(answer, answered)| {
            let lines = answered.lines.iter().enumerate();
            lines.map(move |(line, text)| (text.as_str(), (answer, line)))
        })
        .collect();
    let mut shown = Vec::new();
    for text in topic.places.iter().flat_map(|place| written_by_the_bot(world, *place)) {
        match known.get(beginning(&text)) {
            Some(line) => shown.push(*line),
            None => wrong.push(format!("topic {at}: customers see {text:.60?}, which nobody answered")),
        }
    }
    let lanes: HashSet<&str> = answers.iter().map(|answer| answer.conversation.as_str()).collect();
    for lane in lanes {
        let mut of_lane = shown.clone();
        of_lane.retain(|(answer, _)| answers[*answer].conversation == lane);
        let before = of_lane.len();
        of_lane.dedup();
        if before > of_lane.len() {
            count_copies(&shown, lane, &answers, extra);
        }
        let wanted: Vec<(usize, usize)> = known
            .values()
            .copied()
            .filter(|(answer, _)| answers[*answer].conversation == lane)
            .collect();
        in_order(at, lane, &of_lane, &wanted, &answers, arrivals, wrong);
    }
}

fn written_by_the_bot(world: &World, place: Place) -> Vec<String> {
    let messages = world.stage.vendors.telegram.messages(place).into_iter();
    messages
        .filter(|message| message.from_bot)
        .map(|message| message.text)
        .collect()
}

/// A message up to the full stop behind its number.
fn beginning(text: &str) -> &str {
    text.split_inclusive('.').next().unwrap_or_default()
}

fn count_copies(shown: &[(usize, usize)], lane: &str, answers: &[&Answered], extra: &mut HashMap<String, usize>) {
    let mut seen = HashSet::new();
    for line in shown.iter().filter(|(answer, _)| answers[*answer].conversation == lane) {
        if !seen.insert(*line) {
            let text = answers[line.0].lines[line.1].clone();
            *extra.entry(text).or_default() += 1;
        }
    }
}

/// What was answered first stands first, unless what was answered later came to us first. What no message of the queue named was
/// found when the conversation was read, and may be late.
fn in_order(
    topic: usize,
    lane: &str,
    shown: &[(usize, usize)],
    wanted: &[(usize, usize)],
    answers: &[&Answered],
    arrivals: &Arrivals,
    wrong: &mut Verdict,
) {
    let mut position = HashMap::new();
    for (at, line) in shown.iter().enumerate() {
        if position.insert(*line, at).is_some() {
            let text = &answers[line.0].lines[line.1];
            wrong.push(format!("topic {topic}: {text:?} stands there again behind others"));
        }
    }
    let mut found = Vec::new();
    for line in wanted {
        match position.get(line) {
            Some(at) => found.push((*line, *at)),
            None => wrong.push(format!(
                "topic {topic}: customers do not see {:?} (part {} of conversation {lane})",
                answers[line.0].lines[line.1], answers[line.0].part
            )),
        }
    }
    found.sort_unstable();
    for (at, (earlier, stands)) in found.iter().enumerate() {
        for (later, stands_later) in &found[at + 1..] {
            let came = |line: &(usize, usize)| arrivals.first(&answers[line.0].part).unwrap_or(usize::MAX);
            let is_excused = later.0 != earlier.0 && came(later) < came(earlier);
            if stands_later < stands && !is_excused {
                let text = |line: &(usize, usize)| &answers[line.0].lines[line.1];
                wrong.push(format!("topic {topic}: {:?} overtook {:?}", text(later), text(earlier)));
            }
        }
    }
}

fn one_contact_each(world: &World, wrong: &mut Verdict) {
    let wrote: HashSet<i64> = world
        .said
        .iter()
        .filter(|said| said.who != world.sam)
        .map(|said| said.who.0)
        .collect();
    let contacts = world.stage.vendors.intercom.contacts().len();
    if contacts != wrote.len() {
        wrong.push(format!("{contacts} contacts for {} customers", wrote.len()));
    }
}

/// A message may stand there once more for each time that Telegram took it and its answer was lost, or a worker ended in the one
/// window.
fn unexcused(world: &World, mut extra: HashMap<String, usize>, windows: usize, wrong: &mut Verdict) {
    for call in world.stage.vendors.telegram.calls() {
        let is_excuse = call.fault.is_some() && matches!(call.outcome, Outcome::Done(_));
        let text = call.params["text"].as_str().map(beginning).unwrap_or_default();
        if let Some(left) = extra.get_mut(text).filter(|_| is_excuse) {
            *left = left.saturating_sub(1);
        }
    }
    let left: usize = extra.values().sum();
    if left > windows {
        extra.retain(|_, left| *left > 0);
        wrong.push(format!(
            "doubled in Telegram, with {windows} ends in the window: {extra:?}"
        ));
    }
}
