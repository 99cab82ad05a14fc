//! Whether a topic is closed: with `TOPIC_STATES=follow` as long as its conversation is, whoever closes or opens either of them.
//!
//! Nothing is answered to an event. Whoever hears of one reads the conversation and compares it with what is recorded of the topic, so a
//! lost or repeated word changes nothing, and neither side answers the other for ever. A topic's state cannot be read; but Telegram tells
//! in order of what the bot itself did, so a call whose answer was lost is recorded, too.

use crate::{
    config::{ConversationPer, TopicStates},
    context::Context,
    envelope::{Errand, OutboundEnvelope, to_ascii_json},
    failure::{Failure, HelpdeskError, MessengerError},
    intercom_message::{Conversation, ConversationState},
    ports::{QueueError, QueueMessage},
    sending,
    stop::{Stop, dedupe, elsewhere},
};
use mapping::{
    ConversationId, Link, LinkKey, LinkState, Open, Reverse, Stored, Timestamp, TopicKey, TopicState, Version,
    WorkspaceId, keys,
};

/// What a topic has to become for its conversation's sake.
struct Wish {
    topic: TopicKey,
    closed: bool,
    recorded: Option<Stored<TopicState>>,
}

/// The topic of a link, if it follows a conversation: General and private chats cannot be closed, and where each customer has a
/// conversation, a topic has several.
pub(crate) fn follower(context: &Context, link: LinkKey) -> Option<TopicKey> {
    let config = &context.config;
    let follows = config.topic_states == TopicStates::Follow && config.conversation_per == ConversationPer::Topic;
    TopicKey::of(link).filter(|topic| follows && link.customer.is_none() && !topic.chat.is_private())
}

/// Makes a conversation's topic what the conversation is; `told` is what somebody told of it at `since`, and may be old by now.
pub(crate) async fn follow(
    context: &Context,
    workspace: &WorkspaceId,
    told: &Conversation,
    since: Timestamp,
) -> Result<(), Stop> {
    match wanted(context, workspace, told).await? {
        Some(_) => follow_what_is_read(context, workspace, &told.id, since).await,
        None => Ok(()),
    }
}

/// The same by what Intercom says now.
pub(crate) async fn follow_what_is_read(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    since: Timestamp,
) -> Result<(), Stop> {
    let read = match context.helpdesk.conversation(conversation).await {
        Err(HelpdeskError::NotFound { .. }) => return Ok(()),
        read => read?,
    };
    match wanted(context, workspace, &read).await? {
        Some(wish) => fulfil(context, wish, conversation, since).await,
        None => Ok(()),
    }
}

/// Whether a topic is not what its conversation is, for whoever looks at all of them. What Telegram refused waits for the next word.
pub(crate) async fn is_behind(context: &Context, workspace: &WorkspaceId, read: &Conversation) -> Result<bool, Stop> {
    let wish = wanted(context, workspace, read).await?;
    Ok(wish.is_some_and(|wish| wish.recorded.is_none_or(|recorded| !recorded.value.refused)))
}

async fn wanted(context: &Context, workspace: &WorkspaceId, conversation: &Conversation) -> Result<Option<Wish>, Stop> {
    let (TopicStates::Follow, Some(state)) = (context.config.topic_states, conversation.state) else {
        return Ok(None);
    };
    let closed = state == ConversationState::Closed;
    // What was merged is closed for good; its topic goes on in another one, as soon as somebody writes there.
    if closed && !conversation.merged_into.is_empty() {
        return Ok(None);
    }
    let reverse_key = keys::reverse(workspace, &conversation.id);
    let reverse = context.ledger.find::<Reverse>(&reverse_key).await?;
    let Some((link_key, topic)) = reverse.and_then(|reverse| {
        let link = reverse.value.link;
        follower(context, link).map(|topic| (link.key(), topic))
    }) else {
        return Ok(None);
    };
    let state_key = keys::topic_state(topic);
    let reading = context.ledger.read(&[link_key.clone(), state_key.clone()]).await?;
    let link = reading.get::<Link>(&link_key)?.map(|link| link.value.state);
    let is_present = matches!(link, Some(LinkState::Open(open)) if open.conversation == conversation.id);
    let recorded = reading.get::<TopicState>(&state_key)?;
    let is_so = recorded.as_ref().is_some_and(|recorded| recorded.value.closed) == closed;
    Ok((is_present && !is_so).then_some(Wish {
        topic,
        closed,
        recorded,
    }))
}

async fn fulfil(context: &Context, wish: Wish, conversation: &ConversationId, since: Timestamp) -> Result<(), Stop> {
    let TopicKey { bot, chat, topic } = wish.topic;
    let version = wish.recorded.map(|recorded| recorded.version);
    let done = context.messenger.set_topic_closed(chat, topic, wish.closed).await;
    let Err(error) = done else {
        let state = TopicState {
            closed: wish.closed,
            refused: false,
        };
        return record(context, wish.topic, version.as_ref(), state).await;
    };
    sending::obey(context, bot, chat, &error).await?;
    let is_early = context.ledger.now().since(since) < context.config.give_up_after;
    match error {
        // Whatever stands behind it could not be sent now either.
        MessengerError::Unauthorized { .. } => return Err(error.into()),
        MessengerError::Transient { .. } | MessengerError::Unknown { .. } if is_early => return Err(error.into()),
        // The next reply makes it anew, and open.
        MessengerError::TopicGone { .. } => return Ok(()),
        MessengerError::Transient { .. }
        | MessengerError::Unknown { .. }
        | MessengerError::NoRights { .. }
        | MessengerError::TopicClosed
        | MessengerError::MessageGone { .. }
        | MessengerError::Migrated { .. }
        | MessengerError::Refused { .. } => tracing::error!(
            chat.id = chat.0,
            topic.id = topic.0,
            conversation.id = %conversation,
            closed = wish.closed,
            %error,
            "a topic cannot be closed or opened as its conversation was"
        ),
    }
    let state = TopicState {
        closed: !wish.closed,
        refused: true,
    };
    record(context, wish.topic, version.as_ref(), state).await
}

/// Makes a conversation what somebody made its topic, and records that.
pub(crate) async fn lead(context: &Context, topic: TopicKey, link: Option<&Open>, closed: bool) -> Result<(), Stop> {
    if let Some(open) = link {
        match make_so(context, &open.conversation, closed).await {
            Err(Stop::Helpdesk(error)) if error.failure() == Failure::Permanent => {
                tracing::error!(conversation.id = %open.conversation, closed, %error, "a conversation cannot be closed or opened as its topic was");
            }
            done => done?,
        }
    }
    told(context, topic, closed).await
}

/// It is looked first: a part in the conversation tells of each time that it was closed.
async fn make_so(context: &Context, conversation: &ConversationId, closed: bool) -> Result<(), Stop> {
    let read = context.helpdesk.conversation(conversation).await?;
    let is_so = (read.state == Some(ConversationState::Closed)) == closed;
    if is_so || !read.merged_into.is_empty() {
        return Ok(());
    }
    let admin = context.own_admin().await?;
    Ok(context.helpdesk.set_closed(conversation, &admin, closed).await?)
}

/// Telegram tells of what we did ourselves. Meanwhile it may be wanted otherwise, and by a call whose answer was lost nobody knows.
pub(crate) async fn heed(
    context: &Context,
    topic: TopicKey,
    link: Option<&Open>,
    closed: bool,
    event: &str,
) -> Result<(), Stop> {
    told(context, topic, closed).await?;
    match link {
        Some(open) => look_again(context, &open.workspace, &open.conversation, event).await,
        None => Ok(()),
    }
}

async fn told(context: &Context, topic: TopicKey, closed: bool) -> Result<(), Stop> {
    let recorded = context.ledger.find::<TopicState>(&keys::topic_state(topic)).await?;
    let version = recorded.map(|recorded| recorded.version);
    let state = TopicState { closed, refused: false };
    record(context, topic, version.as_ref(), state).await
}

async fn record(context: &Context, topic: TopicKey, version: Option<&Version>, state: TopicState) -> Result<(), Stop> {
    let transaction = context.ledger.transaction();
    let transaction = transaction.put_after(keys::topic_state(topic), version, &state, None);
    let put = context.ledger.commit(transaction).await;
    put.map(drop).map_err(|error| elsewhere(context, error))
}

/// Has the conversation's lane look whether its topic is what it is; once for each `cause`.
pub(crate) async fn look_again(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    cause: &str,
) -> Result<(), Stop> {
    let errand = Errand::State {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
    };
    let received_at = context.ledger.now();
    let body =
        to_ascii_json(&OutboundEnvelope { received_at, errand }).map_err(|_| QueueError::Refused("not JSON".into()))?;
    let message = QueueMessage {
        lane: format!("{workspace}:{conversation}"),
        dedupe: dedupe(&format!("state:{workspace}:{conversation}:{cause}")),
        body,
        gave_up: None,
    };
    Ok(context.queues.outbound.send(message).await?)
}
