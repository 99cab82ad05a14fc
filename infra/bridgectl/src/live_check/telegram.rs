//! What is tried of the Bot API, in the test group.

use super::{
    bench::{Bench, failed},
    report::Outcome,
};
use bridge::{
    failure::MessengerError,
    media::{LARGEST_ALBUM, Media, MediaKind},
    ports::{FlatText, Messenger as _, Place, Upload},
};
use mapping::{BotId, ChatId, MessageId, TopicId};
use serde_json::{Value, json};
use telegram::TelegramClient;

/// More entities than a message is known to keep.
const ENTITIES: usize = 120;
/// So many are kept.
const KEPT: usize = 100;
/// How often the front end is given the chance to fail.
const ASKED: usize = 5;
/// So many albums are more than a group's pace allows by their items, and far fewer by their number.
const ALBUMS: usize = 6;
/// More calls than a group's pace allows messages in a minute.
const CALLS: u32 = 25;

/// The test group.
pub(super) struct Group {
    pub(super) client: TelegramClient,
    pub(super) chat: ChatId,
    pub(super) bot: BotId,
    pub(super) name: String,
}

impl Group {
    fn place(&self, topic: Option<TopicId>) -> Place {
        Place {
            chat: self.chat,
            topic,
            reply_to: None,
        }
    }

    async fn say(&self, topic: Option<TopicId>, text: &str) -> Result<MessageId, MessengerError> {
        let text = FlatText {
            text: text.to_owned(),
            spans: Vec::new(),
        };
        self.client.send(self.place(topic), &text).await
    }

    pub(super) async fn call(&self, method: &str, mut arguments: Value) -> Result<Value, MessengerError> {
        arguments["chat_id"] = json!(self.chat);
        self.client.call_method(method, &arguments).await
    }

    /// Removes topics with all that is in them, and messages elsewhere; what could not be removed.
    pub(super) async fn remove(&self, topics: &[TopicId], messages: &[MessageId]) -> Vec<String> {
        let mut left = Vec::new();
        for topic in topics {
            match self.call("deleteForumTopic", json!({"message_thread_id": topic})).await {
                Ok(_) | Err(MessengerError::TopicGone { .. }) => {}
                Err(error) => left.push(format!("topic {topic}: failed to {error}")),
            }
        }
        for message in messages.iter().copied() {
            match self.client.delete(self.chat, message).await {
                Ok(()) | Err(MessengerError::MessageGone { .. }) => {}
                Err(error) => left.push(format!("message {message}: failed to {error}")),
            }
        }
        left
    }

    /// What Telegram said in General of the bot's doings, as long as it waits to be fetched: it tells of that like of any message.
    async fn said_of_us(&self) -> Vec<MessageId> {
        let waiting = self.client.call_method("getUpdates", &json!({"timeout": 0})).await;
        let Ok(Value::Array(updates)) = waiting else {
            return Vec::new();
        };
        let of_us = |update: &Value| {
            let message = update.get("message")?;
            let is_ours = message.pointer("/chat/id")?.as_i64()? == self.chat.0
                && message.pointer("/from/id")?.as_i64()? == self.bot.0
                && message.get("message_thread_id").is_none();
            let id = message.get("message_id")?.as_i64()?;
            is_ours.then_some(MessageId(id))
        };
        updates.iter().filter_map(of_us).collect()
    }
}

fn is_throttled(error: &MessengerError) -> bool {
    matches!(error, MessengerError::Transient { throttled: true, .. })
}

/// Whether Telegram refused for good, in whatever words.
fn is_refusal(error: &MessengerError) -> bool {
    matches!(
        error,
        MessengerError::Refused { .. } | MessengerError::NoRights { .. } | MessengerError::TopicGone { .. }
    )
}

/// Does something once the group's pace allows it.
pub(super) async fn paced<T>(
    bench: &Bench<'_>,
    act: impl AsyncFn(&Group) -> Result<T, MessengerError>,
) -> anyhow::Result<Result<T, MessengerError>> {
    let group = bench.group()?;
    for _ in 0..CALLS {
        match act(group).await {
            Err(MessengerError::Transient {
                throttled: true, after, ..
            }) => {
                let seconds = after.map_or(1, |after| u32::try_from(after.as_secs()).unwrap_or(60).max(1));
                tokio::time::sleep(bench.rhythm.seconds(seconds)).await;
            }
            done => return Ok(done),
        }
    }
    anyhow::bail!("Telegram goes on asking to wait")
}

pub(super) async fn entities(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let topic = bench.new_topic().await?;
    let entity = |at: usize| json!({"type": "bold", "offset": 2 * at, "length": 1});
    let body = json!({
        "message_thread_id": topic,
        "text": "x ".repeat(ENTITIES),
        "entities": (0..ENTITIES).map(entity).collect::<Vec<_>>(),
    });
    let sent = paced(bench, async |group| group.call("sendMessage", body.clone()).await).await?;
    match sent {
        Ok(message) => {
            let kept = message.get("entities").and_then(Value::as_array).map_or(0, Vec::len);
            let found = format!("{kept} of {ENTITIES} are kept");
            Ok(if kept == KEPT {
                Outcome::Holds(found)
            } else {
                Outcome::Differs(found)
            })
        }
        Err(error) if is_refusal(&error) => Ok(Outcome::Differs(format!("{ENTITIES} are refused: failed to {error}"))),
        Err(error) => Err(failed(error)),
    }
}

/// General, for topics that the bot makes are its own: it may always write in them.
pub(super) async fn closed_topic(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let words = bench.words("closed");
    let group = bench.group()?;
    group.call("closeGeneralForumTopic", json!({})).await.map_err(failed)?;
    let sent = paced(bench, async |group| group.say(None, &words).await).await;
    group.call("reopenGeneralForumTopic", json!({})).await.map_err(failed)?;
    for message in group.said_of_us().await {
        bench.wrote(message);
    }
    match sent? {
        Ok(message) => {
            bench.wrote(message);
            Ok(Outcome::Holds(
                "the message is taken in General while that is closed".into(),
            ))
        }
        Err(MessengerError::TopicClosed) => Ok(Outcome::Differs("the message is refused: the topic is closed".into())),
        Err(error) if is_refusal(&error) => Ok(Outcome::Differs(format!("the message is refused: failed to {error}"))),
        Err(error) => Err(failed(error)),
    }
}

/// Refusals that a right client meets, and how each is read.
pub(super) async fn words(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let (topic, gone) = (bench.new_topic().await?, bench.new_topic().await?);
    let text = bench.words("words");
    let message = paced(bench, async |group| group.say(Some(topic), &text).await)
        .await?
        .map_err(failed)?;
    let group = bench.group()?;
    let in_topic = |topic: TopicId| json!({"message_thread_id": topic});
    group.call("deleteForumTopic", in_topic(gone)).await.map_err(failed)?;
    bench.deleted(gone);
    let group = bench.group()?;
    group.call("closeForumTopic", in_topic(topic)).await.map_err(failed)?;
    let closed_twice = group.call("closeForumTopic", in_topic(topic)).await;
    group.call("reopenForumTopic", in_topic(topic)).await.map_err(failed)?;
    let edit = json!({"message_id": message, "text": text});
    let edited_to_the_same = paced(bench, async |group| group.call("editMessageText", edit.clone()).await).await?;
    group.client.delete(group.chat, message).await.map_err(failed)?;
    let deleted_twice = group.client.delete(group.chat, message).await;
    let edited_when_gone = paced(bench, async |group| group.call("editMessageText", edit.clone()).await).await?;
    let written_to_gone = paced(bench, async |group| group.say(Some(gone), &text).await).await?;
    let is_message_gone = |error: &MessengerError| matches!(error, MessengerError::MessageGone { .. });
    let is_topic_gone = |error: &MessengerError| matches!(error, MessengerError::TopicGone { .. });
    let rows = [
        ("a topic closed twice", closed_twice.err(), None),
        ("an edit that changes nothing", edited_to_the_same.err(), None),
        (
            "a message deleted twice",
            deleted_twice.err(),
            Some(is_message_gone as fn(&MessengerError) -> bool),
        ),
        (
            "an edit of what is deleted",
            edited_when_gone.err(),
            Some(is_message_gone),
        ),
        (
            "a message into a deleted topic",
            written_to_gone.err(),
            Some(is_topic_gone),
        ),
    ];
    let odd: Vec<String> = rows
        .iter()
        .filter_map(|(what, error, wanted)| told_apart(what, error.as_ref(), *wanted))
        .collect();
    Ok(if odd.is_empty() {
        Outcome::Holds(format!("{} refusals are told apart", rows.len()))
    } else {
        Outcome::Differs(odd.join("; "))
    })
}

/// What is wrong with how a refusal is read; nothing wanted means that it counts as done.
fn told_apart(
    what: &str,
    error: Option<&MessengerError>,
    wanted: Option<fn(&MessengerError) -> bool>,
) -> Option<String> {
    match (error, wanted) {
        (None, None) => None,
        (Some(error), Some(is_it)) if is_it(error) => None,
        (Some(error), _) => Some(format!("{what}: failed to {error}")),
        (None, Some(_)) => Some(format!("{what}: no refusal")),
    }
}

pub(super) async fn front_end(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let group = bench.group()?;
    for _ in 0..ASKED {
        let Err(MessengerError::Transient { reason, .. }) = group.client.account().await else {
            continue;
        };
        for code in ["502", "504"] {
            if reason.starts_with(&format!("HTTP {code}")) {
                return Ok(Outcome::Holds(format!("a {code} came, and it was a page")));
            }
            if reason.starts_with(code) {
                return Ok(Outcome::Differs(format!(
                    "a {code} came in the Bot API's JSON; it is read all the same"
                )));
            }
        }
    }
    Ok(Outcome::Untried(format!(
        "none came in {ASKED} calls, and nobody but Telegram can make its front end fail"
    )))
}

pub(super) async fn old_topic(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let Some(topic) = bench.old_topic else {
        let why = "it needs a topic in a group with more than a million messages: --old-topic, its id";
        return Ok(Outcome::Untried(why.into()));
    };
    let words = bench.words("old");
    match paced(bench, async |group| group.say(Some(topic), &words).await).await? {
        Ok(message) => {
            bench.wrote(message);
            Ok(Outcome::Holds("the message is taken".into()))
        }
        Err(error) if is_refusal(&error) => Ok(Outcome::Differs(format!("failed to {error}"))),
        Err(error) => Err(failed(error)),
    }
}

/// Lets the pace of the group forget what was written.
async fn quiet(bench: &mut Bench<'_>) {
    bench.tell("  (a minute of silence in the group, for its pace)");
    tokio::time::sleep(bench.rhythm.seconds(61)).await;
}

pub(super) async fn pace_albums(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let topic = bench.new_topic().await?;
    let file = |at: usize| Media {
        kind: MediaKind::Document,
        file: Upload {
            name: format!("{at}.txt"),
            content_type: "text/plain".into(),
            bytes: format!("{at}").into(),
        },
    };
    let album: Vec<Media> = (0..LARGEST_ALBUM).map(file).collect();
    quiet(bench).await;
    let group = bench.group()?;
    for sent in 0..ALBUMS {
        match group.client.send_media(group.place(Some(topic)), &album, None).await {
            Ok(_) => tokio::time::sleep(bench.rhythm.seconds(3)).await,
            Err(error) if is_throttled(&error) => {
                let items = sent * LARGEST_ALBUM;
                return Ok(Outcome::Holds(format!(
                    "asked to wait after {items} items in {sent} albums"
                )));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    let items = ALBUMS * LARGEST_ALBUM;
    Ok(Outcome::Differs(format!(
        "{items} items in {ALBUMS} albums were taken within a minute"
    )))
}

pub(super) async fn pace_edits(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let topic = bench.new_topic().await?;
    let words = bench.words("edit");
    let message = paced(bench, async |group| group.say(Some(topic), &words).await)
        .await?
        .map_err(failed)?;
    let edit = |at: u32| json!({"message_id": message, "text": format!("{words}: {at}")});
    unthrottled(bench, "editMessageText", "edits", edit).await
}

pub(super) async fn pace_topics(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let topic = bench.new_topic().await?;
    let words = bench.words("topic");
    let rename = |at: u32| json!({"message_thread_id": topic, "name": format!("{words}: {at}")});
    unthrottled(bench, "editForumTopic", "new names", rename).await
}

/// Makes more calls than a minute has room for messages.
async fn unthrottled(
    bench: &mut Bench<'_>,
    method: &str,
    what: &str,
    arguments: impl Fn(u32) -> Value,
) -> anyhow::Result<Outcome> {
    quiet(bench).await;
    let group = bench.group()?;
    for at in 1..=CALLS {
        match group.call(method, arguments(at)).await {
            Ok(_) => tokio::time::sleep(bench.rhythm.seconds(3) / 2).await,
            Err(error) if is_throttled(&error) => {
                return Ok(Outcome::Differs(format!("asked to wait at the {at}th of the {what}")));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(Outcome::Holds(format!("{CALLS} {what} were taken within a minute")))
}
