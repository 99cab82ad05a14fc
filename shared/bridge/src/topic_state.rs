//! Whether a topic is closed: with `TOPIC_STATES=follow` as long as its conversation is, whoever closes or opens either of them.
//!
//! Nothing is answered to an event. Whoever hears of one reads the conversation and compares it with what is recorded of the topic, so a
//! lost or repeated word changes nothing, and neither side answers the other for ever. A topic's state cannot be read; but Telegram tells
//! in order of what the bot itself did, so a call whose answer was lost is recorded, too.

use crate::{
    config::{ConversationPer, TopicStates},
    context::Context,
    envelope::Errand,
    failure::{Failure, HelpdeskError, MessengerError},
    intercom_message::{Conversation, ConversationState},
    sending,
    stop::{Stop, elsewhere},
};
use mapping::{
    ConversationId, Link, LinkKey, LinkState, Open, Reverse, Stored, Timestamp, TopicKey, TopicState, Version,
    WorkspaceId, keys,
};
use std::time::Duration;

/// So long replies wait behind a topic that Telegram does not close or open just now: most likely it would not take them either.
const PATIENCE: Duration = Duration::from_hours(1);

/// What a topic has to become for its conversation's sake.
struct Wish {
    topic: TopicKey,
    closed: bool,
    recorded: Option<Stored<TopicState>>,
}

impl Wish {
    fn version(&self) -> Option<&Version> {
        self.recorded.as_ref().map(|recorded| &recorded.version)
    }
}

/// The topic of a link, if it follows a conversation: General and private chats cannot be closed, and where each customer has a
/// conversation, a topic has several.
pub(crate) fn follower(context: &Context, link: LinkKey) -> Option<TopicKey> {
    let config = &context.config;
    let follows = config.topic_states == TopicStates::Follow && config.conversation_per == ConversationPer::Topic;
    TopicKey::of(link).filter(|topic| follows && link.customer.is_none() && !topic.chat.is_private())
}

/// Makes a conversation's topic what the conversation is. `notified` came at `since` and may be old by now, so it is read again before
/// anything is done; it is good enough where that cannot be.
pub(crate) async fn follow_notified(
    context: &Context,
    workspace: &WorkspaceId,
    notified: &Conversation,
    since: Timestamp,
) -> Result<(), Stop> {
    if wanted(context, workspace, notified).await?.is_none() {
        return Ok(());
    }
    match context.helpdesk.conversation(&notified.id).await {
        Ok(read) => follow_read(context, workspace, &read, since).await,
        Err(HelpdeskError::NotFound { .. }) => Ok(()),
        Err(error) => {
            tracing::warn!(conversation.id = %notified.id, %error, "it cannot be told whether a conversation is still closed or open");
            follow_read(context, workspace, notified, since).await
        }
    }
}

/// The same by what Intercom says now.
pub(crate) async fn follow(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    since: Timestamp,
) -> Result<(), Stop> {
    match context.helpdesk.conversation(conversation).await {
        Ok(read) => follow_read(context, workspace, &read, since).await,
        Err(HelpdeskError::NotFound { .. }) => Ok(()),
        Err(error @ HelpdeskError::Refused { .. }) => {
            tracing::error!(conversation.id = %conversation, %error, "it cannot be told whether a conversation is closed or open");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn follow_read(
    context: &Context,
    workspace: &WorkspaceId,
    read: &Conversation,
    since: Timestamp,
) -> Result<(), Stop> {
    match wanted(context, workspace, read).await? {
        // Its topic goes on in the other one as soon as somebody writes there.
        Some(wish) if wish.closed && was_merged(context, read).await? => Ok(()),
        Some(wish) => fulfil(context, wish, &read.id, since).await,
        None => Ok(()),
    }
}

/// Whether a closed conversation lives on in another one. Those that were merged into it are closed as well.
async fn was_merged(context: &Context, closed: &Conversation) -> Result<bool, Stop> {
    for other in &closed.merged_into {
        match context.helpdesk.conversation(other).await {
            Ok(read) if read.state.is_some_and(|state| state != ConversationState::Closed) => return Ok(true),
            Ok(_) | Err(HelpdeskError::NotFound { .. } | HelpdeskError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Has the lane of a conversation look after its topic, if that is not what the conversation is: once for each change of it, for what
/// Telegram refuses it will refuse again. Tells whether it was so.
pub(crate) async fn mind(
    context: &Context,
    workspace: &WorkspaceId,
    read: &Conversation,
    dry_run: bool,
) -> Result<bool, Stop> {
    let Some(wish) = wanted(context, workspace, read).await? else {
        return Ok(false);
    };
    let changed = read.updated_at.unwrap_or_else(|| context.ledger.now());
    let recorded = wish.recorded.as_ref().map(|recorded| recorded.value);
    let is_minded = recorded.is_some_and(|recorded| recorded.minded >= Some(changed));
    if !is_minded && !dry_run {
        enqueue_look(context, workspace, &read.id, &changed.as_millis().to_string()).await?;
        let state = TopicState {
            closed: !wish.closed,
            minded: Some(changed),
        };
        record(context, wish.topic, wish.version(), state).await?;
    }
    Ok(!is_minded)
}

async fn wanted(context: &Context, workspace: &WorkspaceId, conversation: &Conversation) -> Result<Option<Wish>, Stop> {
    let (TopicStates::Follow, Some(state)) = (context.config.topic_states, conversation.state) else {
        return Ok(None);
    };
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
    let is_its_own = matches!(link, Some(LinkState::Open(open)) if open.conversation == conversation.id);
    let recorded = reading.get::<TopicState>(&state_key)?;
    let closed = state == ConversationState::Closed;
    let is_so = recorded.as_ref().is_some_and(|recorded| recorded.value.closed) == closed;
    Ok((is_its_own && !is_so).then_some(Wish {
        topic,
        closed,
        recorded,
    }))
}

async fn fulfil(context: &Context, wish: Wish, conversation: &ConversationId, since: Timestamp) -> Result<(), Stop> {
    let TopicKey { bot, chat, topic } = wish.topic;
    let Err(error) = context.messenger.set_topic_closed(chat, topic, wish.closed).await else {
        return record(context, wish.topic, wish.version(), TopicState::new(wish.closed)).await;
    };
    sending::obey(context, bot, chat, &error).await?;
    let is_early = context.ledger.now().since(since) < PATIENCE;
    match error {
        // Whatever stands behind it could not be sent now either.
        MessengerError::Unauthorized { .. } | MessengerError::Transient { throttled: true, .. } => Err(error.into()),
        MessengerError::Transient { .. } | MessengerError::Unknown { .. } if is_early => Err(error.into()),
        // The next reply makes it anew, and open.
        MessengerError::TopicGone { .. } => Ok(()),
        MessengerError::Transient { .. }
        | MessengerError::Unknown { .. }
        | MessengerError::NoRights { .. }
        | MessengerError::TopicClosed
        | MessengerError::MessageGone { .. }
        | MessengerError::Migrated { .. }
        | MessengerError::Refused { .. } => {
            tracing::error!(
                chat.id = chat.0,
                topic.id = topic.0,
                conversation.id = %conversation,
                closed = wish.closed,
                %error,
                "a topic cannot be closed or opened as its conversation was"
            );
            Ok(())
        }
    }
}

/// Makes a conversation what somebody made its topic by this event, and records that. Where Intercom refuses it, the topic becomes
/// again what the conversation is, so that whoever closed or opened it sees that.
pub(crate) async fn lead(
    context: &Context,
    topic: TopicKey,
    link: Option<&Open>,
    closed: bool,
    event: &str,
) -> Result<(), Stop> {
    let Some(open) = link else {
        return record_told(context, topic, closed).await;
    };
    match make_so(context, &open.conversation, closed).await {
        Err(Stop::Helpdesk(error)) if error.failure() == Failure::Permanent => {
            tracing::error!(conversation.id = %open.conversation, closed, %error, "a conversation cannot be closed or opened as its topic was");
            heed(context, topic, link, closed, event).await
        }
        done => {
            done?;
            record_told(context, topic, closed).await
        }
    }
}

/// It is looked first: a part in the conversation tells of each time that it was closed.
async fn make_so(context: &Context, conversation: &ConversationId, closed: bool) -> Result<(), Stop> {
    let read = context.helpdesk.conversation(conversation).await?;
    if (read.state == Some(ConversationState::Closed)) == closed {
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
    record_told(context, topic, closed).await?;
    match link {
        Some(open) => enqueue_look(context, &open.workspace, &open.conversation, event).await,
        None => Ok(()),
    }
}

async fn record_told(context: &Context, topic: TopicKey, closed: bool) -> Result<(), Stop> {
    let recorded = context.ledger.find::<TopicState>(&keys::topic_state(topic)).await?;
    let version = recorded.as_ref().map(|recorded| &recorded.version);
    record(context, topic, version, TopicState::new(closed)).await
}

async fn record(context: &Context, topic: TopicKey, version: Option<&Version>, state: TopicState) -> Result<(), Stop> {
    let transaction = context.ledger.transaction();
    let transaction = transaction.put_after(keys::topic_state(topic), version, &state, None);
    let put = context.ledger.commit(transaction).await;
    put.map(drop).map_err(|error| elsewhere(context, error))
}

/// Has the conversation's lane look whether its topic is what it is; once for each `cause`.
async fn enqueue_look(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    cause: &str,
) -> Result<(), Stop> {
    let errand = Errand::TopicState {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
    };
    let cause = format!("topic_state:{cause}");
    Ok(context.enqueue(workspace, conversation, errand, &cause).await?)
}
