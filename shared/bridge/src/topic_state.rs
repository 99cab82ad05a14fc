//! Whether a topic is closed: with `TOPIC_STATES=follow` as long as its conversation is, whoever closes or opens either of them.
//!
//! Nothing is answered to an event: whatever brings a conversation's state compares it with what the record says of the topic, and makes
//! the topic so. So a lost or repeated word changes nothing, and neither side answers the other for ever.

use crate::{
    config::TopicStates,
    context::Context,
    failure::{Failure, MessengerError},
    intercom_message::{Conversation, ConversationState},
    stop::{Stop, elsewhere},
};
use mapping::{ConversationId, Link, LinkState, Reverse, Timestamp, TopicKey, TopicState, Version, WorkspaceId, keys};

/// What a topic is to be, and is not as far as is known.
pub(crate) struct Wish {
    topic: TopicKey,
    closed: bool,
    known: Option<Version>,
}

/// What a topic has to become for its conversation's sake, if anything. A topic with several conversations follows none of them, and one
/// that has had another follows that no more.
pub(crate) async fn wish(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &Conversation,
) -> Result<Option<Wish>, Stop> {
    let (TopicStates::Follow, Some(state)) = (context.config.topic_states, conversation.state) else {
        return Ok(None);
    };
    let ledger = &context.ledger;
    let reverse = keys::reverse(workspace, &conversation.id);
    let Some(link) = ledger.find::<Reverse>(&reverse).await?.map(|found| found.value.link) else {
        return Ok(None);
    };
    let Some(topic) = TopicKey::of(link).filter(|_| link.customer.is_none()) else {
        return Ok(None);
    };
    let (link, own) = (link.key(), keys::topic_state(topic));
    let reading = ledger.read(&[link.clone(), own.clone()]).await?;
    let link = reading.get::<Link>(&link)?;
    let is_its_own = |link: &Link| matches!(&link.state, LinkState::Open(open) if open.conversation == conversation.id);
    let known = reading.get::<TopicState>(&own)?;
    let closed = state == ConversationState::Closed;
    let is_news = known.as_ref().is_some_and(|known| known.value.closed) != closed;
    let wanted = is_news && link.is_some_and(|link| is_its_own(&link.value));
    Ok(wanted.then(|| Wish {
        topic,
        closed,
        known: known.map(|known| known.version),
    }))
}

/// Makes a topic what its conversation is. What brought the conversation's state came at `since`.
pub(crate) async fn follow(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &Conversation,
    since: Timestamp,
) -> Result<(), Stop> {
    let Some(wish) = wish(context, workspace, conversation).await? else {
        return Ok(());
    };
    let TopicKey { chat, topic, .. } = wish.topic;
    match context.messenger.set_topic_closed(chat, topic, wish.closed).await {
        Ok(()) => remember(context, wish.topic, wish.known, wish.closed).await,
        // Whatever stands behind it could not be sent now either.
        Err(error @ (MessengerError::Transient { .. } | MessengerError::Unknown { .. }))
            if context.ledger.now().since(since) < context.config.give_up_after =>
        {
            Err(error.into())
        }
        // The next reply makes it anew, and open.
        Err(MessengerError::TopicGone { .. }) => Ok(()),
        Err(error) => {
            tracing::error!(
                chat.id = chat.0,
                topic.id = topic.0,
                conversation.id = %conversation.id,
                closed = wish.closed,
                %error,
                "a topic cannot be closed or opened as its conversation was"
            );
            Ok(())
        }
    }
}

/// Makes a conversation what somebody made its topic. `conversation` is none where the topic has none.
pub(crate) async fn lead(
    context: &Context,
    topic: TopicKey,
    conversation: Option<&ConversationId>,
    closed: bool,
) -> Result<(), Stop> {
    if let Some(conversation) = conversation {
        match make_so(context, conversation, closed).await {
            Err(Stop::Helpdesk(error)) if error.failure() == Failure::Permanent => {
                tracing::error!(conversation.id = %conversation, closed, %error, "a conversation cannot be closed or opened as its topic was");
            }
            done => done?,
        }
    }
    let known = context.ledger.find::<TopicState>(&keys::topic_state(topic)).await?;
    let known = known.map(|known| known.version);
    remember(context, topic, known, closed).await
}

/// It is looked first: a part that says so stands in the conversation for each time that it is closed.
async fn make_so(context: &Context, conversation: &ConversationId, closed: bool) -> Result<(), Stop> {
    let read = context.helpdesk.conversation(conversation).await?;
    if (read.state == Some(ConversationState::Closed)) == closed {
        return Ok(());
    }
    let admin = context.own_admin().await?;
    Ok(context.helpdesk.set_closed(conversation, &admin, closed).await?)
}

async fn remember(context: &Context, topic: TopicKey, known: Option<Version>, closed: bool) -> Result<(), Stop> {
    let ledger = &context.ledger;
    let record = TopicState { closed };
    let put = ledger
        .transaction()
        .put_after(keys::topic_state(topic), known.as_ref(), &record, None);
    let put = ledger.commit(put).await;
    put.map(drop).map_err(|error| elsewhere(context, error))
}
