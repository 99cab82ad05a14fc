//! A topic that is gone from Telegram is made anew, once for all its conversations: claim, create, record, move the links.
//!
//! A create whose answer was lost is confirmed by the message in which Telegram says that we made a topic. Until the claim's lease
//! is over nobody repeats it, which is longer than any call is under way.

use crate::{
    context::Context,
    failure::{Failure, MessengerError},
    notices::{self, Audience, Notice},
    sending,
    stop::{Stop, elsewhere},
    words::Sentence,
};
use mapping::{ClaimedTopic, Made, Making, SuccessionState, Timestamp, TopicClaim, TopicId, TopicKey, WriteError};
use std::time::Duration;

/// How often whoever waits for a topic looks whether it is there.
const LOOKED_FOR_EVERY: Duration = Duration::from_secs(5);

/// So long Telegram keeps what it could not deliver.
const UPDATES_COME_WITHIN: Duration = Duration::from_hours(24);

/// From this length on a title may have been cut, in UTF-16 code units: Telegram takes 128.
const MAY_BE_CUT: usize = 100;

/// The topic in the place of one that is gone; made, if there is none. `gone` is what Telegram said of the old one.
pub(crate) async fn make_anew(context: &Context, wish: Making, gone: MessengerError) -> Result<TopicId, Stop> {
    match context.ledger.claim_topic(wish).await? {
        ClaimedTopic::There(to) => Ok(to),
        ClaimedTopic::Later(until) => Err(wait_for_it(context, until)),
        ClaimedTopic::Ours(claim) => {
            let Making { topic, title, .. } = &claim.making;
            match context.messenger.create_topic(topic.chat, title).await {
                Ok(to) => record(context, &claim, to).await.map(|()| to),
                Err(error) => Err(not_made(context, claim, error, gone).await),
            }
        }
    }
}

/// Something that we made is in Telegram: perhaps by a call whose answer was lost. Tells whether it has its place now.
pub(crate) async fn confirm(context: &Context, made: TopicKey, title: &str) -> Result<bool, Stop> {
    let known = context.ledger.successions(made.bot, made.chat).await?;
    let waits = known
        .iter()
        .filter_map(TopicClaim::of)
        .filter(|claim| is_called(&claim.making.title, title))
        .min_by_key(|claim| claim.making.since);
    if let Some(claim) = waits {
        record(context, &claim, made.topic).await?;
        return Ok(true);
    }
    let youngest_of_old = context.ledger.now() - UPDATES_COME_WITHIN;
    let another = known
        .iter()
        .filter_map(|known| match &known.value.state {
            SuccessionState::Succeeded(other) => Some(other),
            SuccessionState::Present | SuccessionState::Claimed(_) => None,
        })
        .filter(|other| other.since > youngest_of_old && is_called(&other.title, title))
        .max_by_key(|other| other.since);
    match another {
        Some(other) => join(context, made, other).await.map(|()| true),
        None => Ok(false),
    }
}

/// Whether a topic that was made bears the title that was wanted.
fn is_called(wanted: &str, title: &str) -> bool {
    let (wanted, title) = (wanted.trim(), title.trim());
    wanted == title || title.encode_utf16().count() >= MAY_BE_CUT && wanted.starts_with(title)
}

/// Records the topic that was made and tells the agent, once, whoever of us learns of it.
async fn record(context: &Context, claim: &TopicClaim, to: TopicId) -> Result<(), Stop> {
    let making = &claim.making;
    let audience = Audience::Agent {
        workspace: making.workspace.clone(),
        conversation: making.conversation.clone(),
    };
    let notice = Notice::new(audience, Sentence::TopicMadeAnew, making.topic.key().to_string());
    notices::enqueue(context, notice).await?;
    let ledger = &context.ledger;
    ledger
        .succeed(claim, to)
        .await
        .map_err(|error| elsewhere(context, error))?;
    tracing::warn!(
        chat.id = making.topic.chat.0,
        topic.gone = making.topic.topic.0,
        topic.id = to.0,
        "a topic was made anew"
    );
    Ok(ledger.move_links(making.topic, to).await?)
}

/// A topic that was made twice, the first time by a call that came to nothing as far as we could know.
async fn join(context: &Context, stray: TopicKey, other: &Made) -> Result<(), Stop> {
    tracing::warn!(
        chat.id = stray.chat.0,
        topic.id = stray.topic.0,
        topic.other = other.to.0,
        "a topic was made twice"
    );
    match context.ledger.join_stray(stray, other).await {
        // It has its place.
        Ok(()) | Err(WriteError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn not_made(context: &Context, claim: TopicClaim, error: MessengerError, gone: MessengerError) -> Stop {
    if error.failure() == Failure::Unknown {
        return Stop::TopicNotMade(error);
    }
    let topic = claim.making.topic;
    // A claim that is not given back is taken over when its lease is over.
    let _ = context.ledger.release_topic(claim).await;
    if let Err(stop) = sending::obey(context, topic.bot, topic.chat, &error).await {
        return stop;
    }
    match error.failure() {
        Failure::Permanent => Stop::Messenger(gone),
        Failure::Transient { .. } | Failure::Unknown => Stop::TopicNotMade(error),
    }
}

fn wait_for_it(context: &Context, at_most: Timestamp) -> Stop {
    Stop::Wait {
        reason: "the topic is being made anew",
        until: at_most.min(context.ledger.now() + LOOKED_FOR_EVERY),
    }
}
