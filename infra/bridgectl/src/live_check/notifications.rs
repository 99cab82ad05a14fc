//! What is tried of Intercom's notifications.

use super::{
    bench::{Bench, failed, said},
    ear::{Ear, Heard},
    intercom::{NO_TAG, lines, part_with, tricky},
    report::Outcome,
};
use crate::{doctor::INTERCOM_PATH, setup::EVENTS};
use ::intercom::IntercomNotifications;
use bridge::{
    intercom_message::{Event, Part, PartKind},
    ports::{Helpdesk as _, NotificationReader as _},
    rich_text::RichText,
};
use mapping::ConversationId;
use serde_json::Value;

/// For how many seconds of Intercom's a second attempt is waited for: it comes after a minute.
const SECOND_ATTEMPT: u32 = 90;

const NO_EAR: &str = "it needs what Intercom delivers: --listen and --listen-url";

/// Whether Intercom delivers here: somebody may have to enter the URL.
async fn is_heard(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let Some(ear) = &bench.ear else {
        anyhow::bail!(NO_EAR);
    };
    anyhow::ensure!(
        !bench.secrets.client_secrets.is_empty(),
        "it needs Intercom's client secret, for nothing else proves what is delivered"
    );
    let url = ear.url(INTERCOM_PATH);
    if bench.has_been_told_of_hub || !bench.somebody_is_there() {
        return Ok(());
    }
    bench.has_been_told_of_hub = true;
    let patience = bench.rhythm.patience;
    bench.tell("In Intercom's Developer Hub, your app, Webhooks:");
    bench.tell(&format!("  tick {}", EVENTS.join(", ")));
    bench.tell(&format!(
        "  the endpoint URL is {url}; save it now. Its ping is waited for, {} s at most.",
        patience.as_secs()
    ));
    if let Some(ear) = &bench.ear {
        let pings = ear.wait_for(1, patience, |heard| heard.path == INTERCOM_PATH).await;
        anyhow::ensure!(!pings.is_empty(), "no ping came to {url}");
    }
    Ok(())
}

fn ear<'b>(bench: &'b Bench<'_>) -> anyhow::Result<&'b Ear> {
    bench.ear.as_ref().ok_or_else(|| anyhow::anyhow!(NO_EAR))
}

/// Answers as an admin, and waits for so many notifications of it.
async fn answered(bench: &mut Bench<'_>, words: &str, count: usize) -> anyhow::Result<(RichText, Vec<Heard>)> {
    let conversation = bench.conversation().await?;
    let text = tricky(words, NO_TAG);
    let (client, admin) = bench.helpdesk()?;
    client
        .reply_as_admin(&conversation, &admin, &said(text.clone()))
        .await
        .map_err(failed)?;
    let limit = bench.rhythm.patience.max(bench.rhythm.seconds(SECOND_ATTEMPT));
    let heard = ear(bench)?.wait_for(count, limit, |heard| heard.has(words)).await;
    anyhow::ensure!(
        !heard.is_empty(),
        "no notification of a reply came; the endpoint URL in the Developer Hub has to be {}",
        ear(bench)?.url(INTERCOM_PATH)
    );
    for one in &heard {
        let genuine = IntercomNotifications.verify(&one.request, &bench.secrets.current());
        anyhow::ensure!(
            genuine.is_some(),
            "what came is not signed with the client secret that is known"
        );
    }
    Ok((text, heard))
}

/// What a notification brings, as the bridge reads it.
fn part_of(heard: &Heard, words: &str) -> Option<Part> {
    match IntercomNotifications.decode(&heard.body).ok()?.event {
        Event::Conversation(conversation) | Event::Opened(conversation) => part_with(*conversation, words),
        Event::Redacted { .. } | Event::Other(_) => None,
    }
}

pub(super) async fn text(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    is_heard(bench).await?;
    let words = bench.words("told");
    let (text, heard) = answered(bench, &words, 1).await?;
    let part = heard.iter().find_map(|heard| part_of(heard, &words));
    Ok(match part {
        None => Outcome::Differs("a notification came, and the reply cannot be read from it".into()),
        Some(part) if lines(&part.body) == lines(&text) => {
            let form = if part.body_is_plain { "plain text" } else { "HTML" };
            Outcome::Holds(format!("it comes as {form}, and says the same"))
        }
        Some(part) => Outcome::Differs(format!("it reads {:?}", part.body.to_plain())),
    })
}

pub(super) async fn package_code(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    is_heard(bench).await?;
    let words = bench.words("told");
    let (_, heard) = answered(bench, &words, 1).await?;
    let parts = heard.iter().filter_map(|heard| {
        heard
            .body
            .pointer("/data/item/conversation_parts/conversation_parts")?
            .as_array()
    });
    let codes = parts.flatten().filter_map(|part| part.get("app_package_code"));
    let code = codes.filter(|code| !code.is_null()).map(Value::to_string).next();
    Ok(match code {
        None => Outcome::Holds("it is empty".into()),
        Some(code) => Outcome::Differs(format!("it is {code}: it could tell an echo")),
    })
}

pub(super) async fn retry_id(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    is_heard(bench).await?;
    let words = bench.words("twice");
    ear(bench)?.refuse_once(&words, None);
    let (_, heard) = answered(bench, &words, 2).await?;
    let topic = |heard: &Heard| heard.body.get("topic").cloned();
    let id = |heard: &Heard| heard.body.get("id").cloned();
    let first = heard.first().cloned();
    let again = heard
        .iter()
        .skip(1)
        .find(|heard| first.as_ref().is_some_and(|first| topic(first) == topic(heard)));
    Ok(match (first.as_ref(), again) {
        (Some(first), Some(second)) if id(first) == id(second) => {
            Outcome::Holds("both attempts have the same id".into())
        }
        (_, Some(_)) => Outcome::Differs("the second attempt has an id of its own".into()),
        (_, None) => Outcome::Differs("what was answered 503 did not come again".into()),
    })
}

/// What somebody does with one click, and what they write.
const CLICKS: [(&str, &str); 3] = [
    ("closing", "Send and close"),
    ("snoozing", "Send and snooze"),
    ("assigning", "Send and assign, to yourself"),
];

pub(super) async fn one_click(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    is_heard(bench).await?;
    if !bench.somebody_is_there() {
        return Ok(Outcome::Untried(
            "somebody has to answer in the inbox: run it without --yes".into(),
        ));
    }
    let conversation = bench.new_conversation().await?;
    let mut seen = Vec::new();
    for (what, click) in CLICKS {
        let words = bench.words(what);
        let patience = bench.rhythm.patience;
        bench.tell(&format!(
            "In the inbox, conversation {conversation}: write \"{words}\", and send it with *{click}*. It is waited for {} s.",
            patience.as_secs()
        ));
        let heard = ear(bench)?.wait_for(1, patience, |heard| heard.has(&words)).await;
        if heard.is_empty() {
            return untold(bench, &conversation, &words, click).await;
        }
        tokio::time::sleep(bench.rhythm.seconds(5)).await;
        let heard = ear(bench)?.all(|heard| heard.has(&words));
        let topics: Vec<&str> = heard
            .iter()
            .filter_map(|heard| heard.body.get("topic")?.as_str())
            .collect();
        let topics = topics.join(", ");
        let carried = heard
            .iter()
            .filter_map(|heard| part_of(heard, &words))
            .any(|part| is_carried(&part.kind));
        if !carried {
            return Ok(Outcome::Differs(format!(
                "{click} comes on {topics}, in a part that is not carried"
            )));
        }
        seen.push(format!("{click}: {topics}"));
    }
    Ok(Outcome::Holds(seen.join("; ")))
}

fn is_carried(kind: &PartKind) -> bool {
    !matches!(kind, PartKind::Other(_))
}

/// Whether nobody did it, or Intercom told nothing of it.
async fn untold(bench: &Bench<'_>, conversation: &ConversationId, words: &str, click: &str) -> anyhow::Result<Outcome> {
    let read = bench.helpdesk()?.0.conversation(conversation).await.map_err(failed)?;
    Ok(match part_with(read, words) {
        Some(_) => Outcome::Differs(format!(
            "{click}: it was written, and no event that is ticked told of it"
        )),
        None => Outcome::Untried(format!("{click}: nobody wrote it in time")),
    })
}
