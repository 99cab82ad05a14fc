//! Payloads as the real services send them, through both doors of the program: each is acknowledged, and what should cross crosses.

use crate::{group::Group, program::Program};
use reqwest::StatusCode;
use serde_json::Value;
use simulators::SimClock;
use std::path::{Path, PathBuf};

/// What of a message in Telegram is content; any other message is a service message.
const CONTENT: &[&str] = &[
    "text",
    "caption",
    "photo",
    "sticker",
    "video",
    "voice",
    "document",
    "poll",
    "venue",
    "location",
    "contact",
    "hologram",
    "gravity_changed",
];
/// The kinds of parts that can reach a customer.
const REPLIES: &[&str] = &["comment", "quick_reply", "assignment", "close", "open"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The payloads of a folder by name, or nothing where there is no such folder.
fn payloads(folder: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
    Some(
        files
            .iter()
            .map(|file| (name(file), std::fs::read(file).unwrap()))
            .collect(),
    )
}

/// Drives the payloads of a folder by `drive`; gives how many there were and how many of them crossed.
async fn drive_all(folder: &Path, drive: impl AsyncFn(&str, Vec<u8>) -> bool) -> Option<(usize, usize)> {
    let payloads = payloads(folder)?;
    let mut crossed = 0;
    for (name, body) in &payloads {
        crossed += usize::from(drive(name, body.clone()).await);
    }
    println!(
        "{}: {} acknowledged, {crossed} crossed",
        folder.display(),
        payloads.len()
    );
    Some((payloads.len(), crossed))
}

/// Posts an update to a bridge that serves its chat; tells whether it became a conversation.
async fn update(name: &str, body: Vec<u8>) -> bool {
    let update: Value = serde_json::from_slice(&body).unwrap();
    let happened = update
        .as_object()
        .unwrap()
        .iter()
        .find(|(key, _)| *key != "update_id")
        .unwrap()
        .1;
    let chat = happened["chat"]["id"].as_i64();
    let group = Group::found().await;
    let mut program = Program::new(&group).serving(chat);
    program.start().await;
    assert_eq!(program.takes_update(body).await, StatusCode::OK, "{name}");
    program.rests().await;
    let inbox = group.inbox();
    match expected_of(&update) {
        Some((author, text)) => {
            assert_eq!(inbox.len(), 1, "{name}: {inbox:?}");
            let [line, files @ ..] = inbox[0].as_slice() else {
                panic!("{name}: {inbox:?}")
            };
            // Their files are nowhere.
            assert!(
                files.iter().all(|line| line.contains("not carried over")),
                "{name}: {files:?}"
            );
            assert!(files.len() < 2, "{name}: {files:?}");
            assert!(
                line.starts_with(&format!("{author}: ")),
                "{name}: {line:?} is not by {author}"
            );
            assert!(line.contains(&text), "{name}: {text:?} is not in {line:?}");
            assert!(line.len() > author.len() + 2, "{name}: it left no trace");
        }
        None => assert!(inbox.is_empty(), "{name}: {inbox:?}"),
    }
    assert_eq!(program.stop(), Some(0), "{name}");
    !inbox.is_empty()
}

/// Who wrote and what they wrote, if the update is what a customer wrote.
fn expected_of(update: &Value) -> Option<(String, String)> {
    let message = update.get("message")?;
    let is_content = CONTENT.iter().any(|field| message.get(*field).is_some());
    let chat = &message["chat"]["id"];
    let sender = message.get("sender_chat");
    let is_staff = sender.is_some_and(|sender| sender["id"] == *chat);
    if !is_content || is_staff || message["is_automatic_forward"] == true {
        return None;
    }
    let from = &message["from"];
    let part = |field: &str| from[field].as_str().map(str::to_owned);
    let person = [part("first_name"), part("last_name")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let author = sender
        .and_then(|sender| sender["title"].as_str())
        .map_or(person, str::to_owned);
    let text = ["text", "caption"].iter().find_map(|field| message[*field].as_str());
    Some((author, text.unwrap_or_default().to_owned()))
}

/// Posts a notification as it is, from a workspace that is not ours; then as if it were about a conversation of ours and of now.
/// Tells whether it reached the customer.
async fn notification(name: &str, body: Vec<u8>) -> bool {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let conversation = group.opens().await;
    assert_eq!(program.takes_notification(body.clone()).await, StatusCode::OK, "{name}");
    program.rests().await;
    assert!(group.told().is_empty(), "{name} is of another workspace");
    let ours = as_ours(&group, &conversation, serde_json::from_slice(&body).unwrap());
    assert_eq!(
        program.takes_notification(ours.to_string()).await,
        StatusCode::OK,
        "{name}"
    );
    program.rests().await;
    let told = group.told();
    match reply_in(&ours) {
        Some(words) => {
            assert_eq!(told.len(), 1 + files_in(&ours), "{name}: {told:?}");
            for word in words {
                assert!(told[0].contains(&word), "{name}: {word:?} is not in {told:?}");
            }
        }
        None => assert!(told.is_empty(), "{name}: {told:?}"),
    }
    assert_eq!(program.stop(), Some(0), "{name}");
    !told.is_empty()
}

fn as_ours(group: &Group, conversation: &str, mut notification: Value) -> Value {
    notification["app_id"] = group.intercom().workspace_id().into();
    notification["id"] = "notif_ours".into();
    let item = &mut notification["data"]["item"];
    if item["type"] == "conversation" {
        let field = if item.get("id").is_some() {
            "id"
        } else {
            "conversation_id"
        };
        item[field] = conversation.into();
    }
    for part in item["conversation_parts"]["conversation_parts"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        part["created_at"] = SimClock::real().now_s().into();
    }
    notification
}

/// How many files come with a notification. They are not there any more, so a line is left of each.
fn files_in(notification: &Value) -> usize {
    let parts = &notification["data"]["item"]["conversation_parts"]["conversation_parts"];
    let parts = parts.as_array().into_iter().flatten();
    parts
        .filter_map(|part| part["attachments"].as_array())
        .map(Vec::len)
        .sum()
}

/// The words of a reply that a customer should read.
fn reply_in(notification: &Value) -> Option<Vec<String>> {
    let parts = notification["data"]["item"]["conversation_parts"]["conversation_parts"].as_array()?;
    let is_reply = |part: &&Value| {
        let kind = part["part_type"].as_str().unwrap_or_default();
        let by_teammate = matches!(part["author"]["type"].as_str(), Some("admin" | "bot"));
        REPLIES.contains(&kind) && by_teammate && part["redacted"] != true && part["body"].is_string()
    };
    let body = parts.iter().find(is_reply)?["body"].as_str()?;
    let mut in_tag = false;
    let text: String = body
        .chars()
        .map(|c| {
            in_tag = (in_tag || c == '<') && c != '>';
            if in_tag || !c.is_alphabetic() { ' ' } else { c }
        })
        .collect();
    Some(
        text.split_whitespace()
            .filter(|word| word.len() > 3)
            .map(str::to_owned)
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_update_of_our_own_is_acknowledged_and_what_should_cross_crosses() {
    let driven = drive_all(&root().join("tests/fixtures/telegram"), update).await;
    assert_eq!(driven, Some((27, 15)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_notification_of_our_own_is_acknowledged_and_what_should_cross_crosses() {
    let driven = drive_all(&root().join("tests/fixtures/intercom"), notification).await;
    assert_eq!(driven, Some((14, 6)));
}

/// Captures of others lie beside the repository and are not part of it.
#[tokio::test(flavor = "multi_thread")]
async fn every_sample_is_acknowledged_and_what_should_cross_crosses() {
    let folder = root().join("../shared/samples");
    let updates = drive_all(&folder.join("telegram"), update).await;
    let notifications = drive_all(&folder.join("intercom"), notification).await;
    if updates.is_none() || notifications.is_none() {
        println!("samples not present: {}", folder.display());
    }
}
