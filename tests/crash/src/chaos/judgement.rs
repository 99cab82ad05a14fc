//! What is wrong in the end: every message arrived, once, in the order of its lane, and nothing is left behind.

use super::{
    arrivals::Arrivals,
    world::{AGENTS_WORD, Answered, CUSTOMERS_WORD, Topic, World, with_files},
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
    let mut extra = Copies::new();
    for (at, topic) in world.topics.iter().enumerate() {
        agents_see(world, at, &mut wrong);
        customers_see(world, at, topic, arrivals, &mut extra, &mut wrong);
    }
    one_contact_each(world, &mut wrong);
    let doubled = calls_of(&extra);
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
                see(part, &mut seen);
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

/// A conversation cannot open with files: they come in a reply behind their text.
fn see(part: &PartView, seen: &mut Vec<(String, String)>) {
    let (text, files) = (plain(&part.text), part.attachments.len());
    match seen.last_mut() {
        Some((name, opening)) if text == ONLY_FILES && *name == part.author_name => {
            *opening = with_files(std::mem::take(opening), files);
        }
        _ => seen.push((part.author_name.clone(), with_files(text, files))),
    }
}

/// What a reply says that brings nothing but files.
const ONLY_FILES: &str = "[photo]";

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
    extra: &mut Copies,
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
    for (text, deleted) in topic.places.iter().flat_map(|place| written_by_the_bot(world, *place)) {
        match known.get(text.as_str()) {
            // What was taken back and still stands there is a copy that nobody knew of.
            Some((answer, line)) if answers[*answer].taken_back => {
                if !deleted {
                    count(extra, answers[*answer], *line);
                }
            }
            Some(line) => shown.push(*line),
            None => wrong.push(format!("topic {at}: customers see {text:.60?}, which nobody answered")),
        }
    }
    let lanes: HashSet<&str> = answers.iter().map(|answer| answer.conversation.as_str()).collect();
    for lane in lanes {
        let mut of_lane = shown.clone();
        of_lane.retain(|(answer, _)| answers[*answer].conversation == lane);
        let of_lane = without_copies(&of_lane, &answers, extra);
        let wanted: Vec<(usize, usize)> = known
            .values()
            .copied()
            .filter(|(answer, _)| answers[*answer].conversation == lane && !answers[*answer].taken_back)
            .collect();
        in_order(at, lane, &of_lane, &wanted, &answers, arrivals, wrong);
    }
}

/// Texts and names of files, and whether they are gone though their topic is there.
fn written_by_the_bot(world: &World, place: Place) -> Vec<(String, bool)> {
    let telegram = &world.stage.vendors.telegram;
    let messages = telegram.messages(place).into_iter();
    let written = messages.filter(|message| message.from_bot).flat_map(|message| {
        let text = Some(beginning(&message.text).to_owned()).filter(|text| !text.is_empty());
        let file = message.media.and_then(|media| media.file_name);
        let both = text.into_iter().chain(file);
        both.map(move |line| (line, message.deleted))
    });
    written.collect()
}

/// A message up to the full stop behind its number.
fn beginning(text: &str) -> &str {
    text.split_inclusive('.').next().unwrap_or_default()
}

/// How often each line of an answer, by its part, stands there once too often.
type Copies = HashMap<String, HashMap<String, usize>>;

fn count(extra: &mut Copies, answer: &Answered, line: usize) {
    let of_answer = extra.entry(answer.part.clone()).or_default();
    *of_answer.entry(answer.lines[line].clone()).or_default() += 1;
}

/// So many calls made these copies at least: an album is one.
fn calls_of(extra: &Copies) -> usize {
    let calls = extra.values().map(|lines| lines.values().max().copied().unwrap_or(0));
    calls.sum()
}

/// Leaves out what stands next to what it repeats: the same message, or another one of the same album.
fn without_copies(shown: &[(usize, usize)], answers: &[&Answered], extra: &mut Copies) -> Vec<(usize, usize)> {
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for line in shown {
        let answer = answers[line.0];
        let next_to_it = kept.iter().rev().take_while(|kept| kept.0 == line.0);
        let within = if answer.photos > 0 { usize::MAX } else { 1 };
        if next_to_it.take(within).any(|kept| kept == line) {
            count(extra, answer, line.1);
        } else {
            kept.push(*line);
        }
    }
    kept
}

/// What was answered first stands first, unless what was answered later came to us first. What no message of the queue named was
/// found when the conversation was read: it may be late, and when it came is not known.
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
            let came = |line: &(usize, usize)| arrivals.first(&answers[line.0].part);
            let came_later = came(later)
                .zip(came(earlier))
                .is_some_and(|(later, earlier)| later >= earlier);
            let is_excused = later.0 != earlier.0 && !came_later;
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
fn unexcused(world: &World, mut extra: Copies, windows: usize, wrong: &mut Verdict) {
    for call in world.stage.vendors.telegram.calls() {
        if call.fault.is_none() || !matches!(call.outcome, Outcome::Done(_)) {
            continue;
        }
        let sent = call.params.to_string();
        for (line, left) in extra.values_mut().flatten() {
            let number = line.lines().last().unwrap_or_default();
            if sent.contains(number) {
                *left = left.saturating_sub(1);
            }
        }
    }
    if calls_of(&extra) > windows {
        for lines in extra.values_mut() {
            lines.retain(|_, left| *left > 0);
        }
        extra.retain(|_, lines| !lines.is_empty());
        wrong.push(format!(
            "doubled in Telegram, with {windows} ends in the window: {extra:?}"
        ));
    }
}
