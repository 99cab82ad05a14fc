//! What is wrong in the end: by what people see, and by what is left in the table.

use crate::{
    scene::{Expected, World},
    table::Table,
};
use bridgectl::stage::Stage;
use local::QueueName;
use serde_json::Value;
use simulators::{
    intercom::{ConversationView, PartView},
    telegram::Seen,
};

/// What is wrong; nothing, if it is empty.
pub type Verdict = Vec<String>;

/// Judges how a scene ended. `may_repeat`: a worker ended in the one window in which Telegram may show a message twice.
pub(crate) async fn judge(
    world: &World,
    table: &Table,
    expected: &Expected,
    may_repeat: bool,
) -> anyhow::Result<Verdict> {
    let mut wrong = Vec::new();
    for (title, lines) in &expected.agents {
        agents(world, title, lines, &mut wrong);
    }
    if !expected.inbox.is_empty() {
        inbox(world, &expected.inbox, &mut wrong);
    }
    for (place, lines) in &expected.customers {
        let is_stray = |seen: &String| expected.strays.iter().any(|stray| seen.starts_with(stray.as_str()));
        let mut seen = shown(world.stage.vendors.telegram.messages(*place));
        seen.retain(|seen| !may_repeat || !is_stray(seen));
        if !matches_lines(&seen, lines, may_repeat) {
            wrong.push(format!("customers see {seen:.60?} where {lines:.60?} should be"));
        }
    }
    let left = Left {
        texts: &expected.texts,
        dead_letters: expected.dead_letters,
    };
    wrong.extend(left_behind(&world.stage, table, &left).await?);
    Ok(wrong)
}

fn agents(world: &World, title: &str, lines: &[(&str, String)], wrong: &mut Verdict) {
    let conversations = world.stage.vendors.intercom.conversations();
    let titled: Vec<&ConversationView> = conversations
        .iter()
        .filter(|one| one.title.as_deref() == Some(title) || one.title.is_none())
        .collect();
    let [conversation] = titled.as_slice() else {
        wrong.push(format!("{} conversations where one should be", titled.len()));
        return;
    };
    let (seen, wanted) = (lines_of(conversation), wanted(lines));
    if seen != wanted {
        wrong.push(format!("agents see {seen:?} where {wanted:?} should be"));
    }
    let notes = conversation
        .messages()
        .filter(|part| part.kind.starts_with("note"))
        .count();
    if notes > 1 {
        wrong.push(format!("{notes} notes where one should be"));
    }
}

/// What is in all conversations, whatever their titles.
fn inbox(world: &World, lines: &[Vec<(&str, String)>], wrong: &mut Verdict) {
    let conversations = world.stage.vendors.intercom.conversations();
    let mut seen: Vec<_> = conversations.iter().map(lines_of).collect();
    let mut wanted: Vec<_> = lines.iter().map(|lines| wanted(lines)).collect();
    seen.sort();
    wanted.sort();
    if seen != wanted {
        wrong.push(format!("agents see {seen:?} where {wanted:?} should be"));
    }
}

/// Who said what, notes left out.
fn lines_of(conversation: &ConversationView) -> Vec<(String, String)> {
    let is_said = |part: &&PartView| !part.kind.starts_with("note");
    let said_by = |part: &PartView| (part.author_name.clone(), said(part));
    conversation.messages().filter(is_said).map(said_by).collect()
}

fn wanted(lines: &[(&str, String)]) -> Vec<(String, String)> {
    let line = |(who, what): &(&str, String)| ((*who).to_owned(), without_link(what));
    lines.iter().map(line).collect()
}

/// What the bot wrote, with the names of its files; an album as one.
fn shown(messages: Vec<Seen>) -> Vec<String> {
    let mut shown: Vec<(Option<String>, String)> = Vec::new();
    for seen in messages.into_iter().filter(|seen| seen.from_bot && !seen.deleted) {
        let mut line = seen.text;
        if let Some(name) = seen.media.and_then(|media| media.file_name) {
            line.push_str(" + ");
            line.push_str(&name);
        }
        match shown.last_mut() {
            Some((album, last)) if album.is_some() && *album == seen.album => last.push_str(&line),
            _ => shown.push((seen.album, line)),
        }
    }
    shown.into_iter().map(|(_, line)| line).collect()
}

/// What a part says, and of each of its files the end of its name, which tells its message.
fn said(part: &PartView) -> String {
    let mut said = without_link(&part.text);
    for file in &part.attachments {
        let end = file.name.rsplit('-').next().unwrap_or_default();
        said.push_str(" + ");
        said.push_str(end);
    }
    said
}

/// A text without the link at the end of an opening message, and without the shape that white space has.
fn without_link(text: &str) -> String {
    text.split_whitespace()
        .filter(|word| !word.starts_with("https://t.me/c/"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether each line begins as it should, in order, none missing; each as often as it likes, if it may be repeated.
fn matches_lines(seen: &[String], wanted: &[String], may_repeat: bool) -> bool {
    let mut seen = seen.iter().peekable();
    for line in wanted {
        if !seen.next().is_some_and(|first| first.starts_with(line.as_str())) {
            return false;
        }
        while may_repeat && seen.next_if(|again| again.starts_with(line.as_str())).is_some() {}
    }
    seen.next().is_none()
}

/// What may be left behind, and what must not.
pub(crate) struct Left<'l> {
    /// Pieces of text that must not stand in the table.
    pub(crate) texts: &'l [String],
    /// So many dead letters have to be there, and no more.
    pub(crate) dead_letters: u64,
}

/// What is left in the queues and in the table, and what the vendors would have refused.
pub(crate) async fn left_behind(stage: &Stage, table: &Table, left: &Left<'_>) -> anyhow::Result<Verdict> {
    let mut wrong = Vec::new();
    leftovers(stage, left.dead_letters, &mut wrong).await?;
    records(table.records(stage).await?, left.texts, &mut wrong);
    wrong.extend(stage.vendors.telegram.violations());
    wrong.extend(stage.vendors.intercom.violations());
    Ok(wrong)
}

async fn leftovers(stage: &Stage, dead_letters: u64, wrong: &mut Verdict) -> anyhow::Result<()> {
    use QueueName::{Inbound, InboundDead, Outbound, OutboundDead};
    let lanes = stage.machine.lanes();
    for queue in [Inbound, Outbound] {
        let left = lanes.len(queue).await?;
        if left > 0 {
            wrong.push(format!("{left} messages are left in {queue:?}"));
        }
    }
    let dead = lanes.len(InboundDead).await? + lanes.len(OutboundDead).await?;
    if dead != dead_letters {
        wrong.push(format!("{dead} dead letters where {dead_letters} should be"));
    }
    Ok(())
}

fn records(records: Vec<(String, Value)>, texts: &[String], wrong: &mut Verdict) {
    for (key, record) in records {
        let written = record.to_string();
        if texts.iter().any(|text| written.contains(text.as_str())) {
            wrong.push(format!("a text stands in the table at {key}"));
        }
        let text = |field| record.get(field).and_then(Value::as_str).unwrap_or_default();
        match (text("kind"), text("state")) {
            (_, open @ ("claimed" | "waiting" | "opening")) | ("album", open @ ("open" | "closed")) => {
                wrong.push(format!("{key} is left {open}"));
            }
            ("open_album", _) => wrong.push(format!("an album is left open at {key}")),
            (_, _) => {}
        }
    }
}
