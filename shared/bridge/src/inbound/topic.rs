//! What happens to a topic itself.

use super::worker::Passage;
use crate::{
    failure::Failure,
    stop::{Stop, elsewhere},
    telegram_message::CustomerMessage,
    topic_state, topics,
};
use mapping::{Claim, CustomerId, End, Link, LinkKey, LinkState, TopicId, TopicKey, TopicTitle, keys};

/// How many conversations of one topic follow its title.
const CONVERSATIONS: usize = 100;

/// A topic was created or renamed: its title is kept for the conversation to come, and given to those that are there.
pub(super) async fn titled(passage: &Passage<'_>, topic: Option<TopicId>, title: &str) -> Result<End, Stop> {
    // A topic has the id of the message that tells of its creation.
    let is_created = topic.map(|topic| topic.0) == passage.peek.message.map(|message| message.0);
    let by = passage.peek.sender.map(|sender| sender.id);
    let topic = passage.link_key.topic;
    remember(passage, topic, title).await?;
    if is_created && is_us(passage, by) {
        // Its conversations have their titles.
        confirm(passage, title).await?;
    } else {
        rename(passage, topic, title).await?;
    }
    Ok(End::Delivered)
}

/// Somebody closed or opened a topic: its conversation follows, where the settings want it.
pub(super) async fn closed(passage: &Passage<'_>, claim: &Claim, closed: bool) -> Result<End, Stop> {
    let Some(topic) = topic_state::follower(passage.context, passage.link_key) else {
        return Err(Stop::Skip("topic closed or opened"));
    };
    // The word is of a topic that is gone, or has lain among the dead letters: it is not so any more.
    if passage.peek.topic != passage.link_key.topic || claim.delivery.generation > 0 {
        return Err(Stop::Skip("a topic was closed or opened long ago"));
    }
    let link = passage.link()?.map(|link| link.value.state);
    let open = match &link {
        Some(LinkState::Open(open)) => Some(open),
        Some(LinkState::Opening(_)) | None => None,
    };
    let event = passage.peek.update.to_string();
    if is_us(passage, passage.peek.sender.map(|sender| sender.id)) {
        topic_state::heed(passage.context, topic, open, closed, &event).await?;
    } else {
        topic_state::lead(passage.context, topic, open, closed, &event).await?;
    }
    Ok(End::Delivered)
}

/// A message in a topic that we made, perhaps without knowing, may come before the word that it was created.
pub(super) async fn find_its_place(passage: &Passage<'_>, message: &CustomerMessage) -> Result<(), Stop> {
    let Some(title) = message.topic_title.as_deref() else {
        return Ok(());
    };
    if is_us(passage, message.topic_creator) && passage.link()?.is_none() && confirm(passage, title).await? {
        return Err(Stop::soon(passage.context, "its topic is in the place of another"));
    }
    Ok(())
}

fn is_us(passage: &Passage<'_>, somebody: Option<CustomerId>) -> bool {
    somebody == Some(CustomerId(passage.bot.0))
}

/// Gives a topic that we made its place, if it has none. Tells whether that is new.
async fn confirm(passage: &Passage<'_>, title: &str) -> Result<bool, Stop> {
    match TopicKey::of(passage.link_key) {
        Some(topic) if passage.succession()?.is_none() => topics::confirm(passage.context, topic, title).await,
        Some(_) | None => Ok(false),
    }
}

async fn remember(passage: &Passage<'_>, topic: Option<TopicId>, title: &str) -> Result<(), Stop> {
    let context = passage.context;
    let key = keys::topic_title(passage.bot, passage.link_key.chat, topic);
    let told = context.ledger.find::<TopicTitle>(&key).await?;
    let record = TopicTitle {
        title: title.to_owned(),
    };
    let version = told.as_ref().map(|told| &told.version);
    let transaction = context.ledger.transaction().put_after(key, version, &record, None);
    let put = context.ledger.commit(transaction).await;
    put.map(drop).map_err(|error| elsewhere(context, error))
}

async fn rename(passage: &Passage<'_>, topic: Option<TopicId>, title: &str) -> Result<(), Stop> {
    let context = passage.context;
    let links = LinkKey::all_of_topic(passage.bot, passage.link_key.chat, topic, CONVERSATIONS);
    for (_, link) in context.ledger.list::<Link>(&links).await? {
        let LinkState::Open(open) = link.value.state else {
            continue;
        };
        match context.helpdesk.set_title(&open.conversation, title).await {
            Err(error) if error.failure() != Failure::Permanent => return Err(error.into()),
            Err(error) => tracing::warn!(conversation.id = %open.conversation, %error, "a title was refused"),
            Ok(()) => {}
        }
    }
    Ok(())
}
