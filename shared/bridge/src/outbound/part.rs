//! Carrying one part to its topic: begin, drop what is an echo, compose, send in the chat's pace, finish with the index.

use super::{
    plan::{Plan, Reader},
    posting::Posting,
    relay::{self, Errand},
};
use crate::{
    config::{AgentNames, Reactions},
    context::Context,
    delivering::Carried,
    failure::MessengerError,
    inbound::echo_key,
    intercom_message::{AuthorKind, Conversation, Part},
    notices::{self, Audience, Notice},
    ports::Place,
    rich_text::Block,
    sending::Road,
    stop::{Stop, Verdict, elsewhere},
    topics,
    words::{self, Cause, Sentence},
};
use mapping::{
    Begun, Claim, ConversationId, Delivery, Echo, End, Key, LinkKey, Making, MessageId, PartId, Proof, Reading,
    Reverse, SentMessage, Stored, Timestamp, TopicId, TopicKey, TopicTitle, Transaction, WorkspaceId, keys,
};
use std::time::Duration;

/// One part on its way to its topic.
pub(super) struct Passage<'p> {
    pub(super) errand: &'p Errand<'p>,
    pub(super) workspace: &'p WorkspaceId,
    pub(super) conversation: &'p Conversation,
    pub(super) part: &'p Part,
    pub(super) reverse: &'p Reverse,
}

/// Where a reply of this text would be reserved, were it ours.
pub(super) async fn echo_of(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    part: &Part,
) -> Result<Key, Stop> {
    echo_key(context, workspace, conversation, &part.body).await
}

/// Carries a part as far as it goes now.
pub(super) async fn carry(
    passage: &Passage<'_>,
    key: Key,
    existing: Option<Stored<Delivery>>,
    reading: &Reading,
) -> Result<Verdict, Stop> {
    let context = passage.errand.context;
    if existing.is_none() && relay::is_before(passage.part, passage.reverse.since) {
        return Ok(Verdict::Done);
    }
    let carried = carried(passage.errand, passage.workspace, &passage.conversation.id);
    Ok(
        match context.ledger.begin(key, existing, passage.errand.arrival).await? {
            Begun::Later(at) => Verdict::Later(at),
            Begun::Finished => Verdict::Done,
            Begun::Poison(claim) => carried.poison(claim).await,
            Begun::Claimed(mut claim) => match carry_claimed(passage, &mut claim, reading).await {
                Ok(end) => {
                    let index = index(passage, &claim);
                    carried.settle_with(claim, Ok(end), index).await
                }
                stopped => carried.settle(claim, stopped).await,
            },
        },
    )
}

fn carried<'e>(errand: &Errand<'e>, workspace: &WorkspaceId, conversation: &ConversationId) -> Carried<'e> {
    Carried {
        context: errand.context,
        received: errand.received,
        dead_letters: &errand.context.queues.outbound_dead,
        audience: Some(Audience::Agent {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
        }),
        is_notice: false,
    }
}

async fn carry_claimed(passage: &Passage<'_>, claim: &mut Claim, reading: &Reading) -> Result<End, Stop> {
    let context = passage.errand.context;
    claim.delivery.conversation = Some(passage.conversation.id.clone());
    drop_echo(passage, claim, reading).await?;
    let link = passage.reverse.link;
    claim.delivery.stand_in(link.chat, link.topic);
    let place = Place {
        chat: link.chat,
        topic: link.topic,
        reply_to: passage.reverse.last_message,
    };
    let road = Road {
        context,
        bot: link.bot,
        place,
    };
    // One word of Telegram's is enough: who waits for another topic sends no more into the one that is gone.
    let posted = if claim.delivery.topic_gone {
        let reason = "it was gone before".into();
        Err(Stop::Messenger(MessengerError::TopicGone { reason }))
    } else {
        post(passage, claim, road).await
    };
    match posted {
        Err(Stop::Messenger(MessengerError::Migrated { to })) => {
            let ledger = &context.ledger;
            let recorded = ledger.record_migration(link.bot, link.chat, to).await;
            recorded.map_err(|error| elsewhere(context, error))?;
            follow(passage, LinkKey { chat: to, ..link }).await?;
            Err(Stop::soon(context, "the chat has another id now"))
        }
        Err(Stop::Messenger(gone @ MessengerError::TopicGone { .. })) => {
            claim.delivery.topic_gone = true;
            let to = topic_in_its_place(passage, gone).await?;
            let topic = Some(to);
            follow(passage, LinkKey { topic, ..link }).await?;
            Err(Stop::soon(context, "the topic was made anew"))
        }
        sent => sent.map(|()| End::Delivered),
    }
}

/// The topic in the place of one that is gone. General is never made anew.
async fn topic_in_its_place(passage: &Passage<'_>, gone: MessengerError) -> Result<TopicId, Stop> {
    let context = passage.errand.context;
    let link = passage.reverse.link;
    let Some(topic) = TopicKey::of(link) else {
        return Err(gone.into());
    };
    let title = context
        .ledger
        .find::<TopicTitle>(&keys::topic_title(link.bot, link.chat, link.topic))
        .await?;
    let title = title
        .map(|told| told.value.title)
        .or_else(|| passage.conversation.title.clone())
        .filter(|title| !title.trim().is_empty());
    let now = context.ledger.now();
    let wish = Making {
        topic,
        lease_until: now,
        since: now,
        title: title.unwrap_or_else(|| words::TOPIC_WITHOUT_TITLE.into()),
        workspace: passage.workspace.clone(),
        conversation: passage.conversation.id.clone(),
    };
    topics::make_anew(context, wish, gone).await
}

/// The topic is elsewhere now: the conversation's way back follows it, and the link with it where it is this conversation's.
async fn follow(passage: &Passage<'_>, to: LinkKey) -> Result<(), Stop> {
    let context = passage.errand.context;
    // The customers' next message moves it if this does not.
    let _ = context.ledger.move_link(passage.reverse.link, to).await;
    context
        .ledger
        .move_reverse(passage.workspace, &passage.conversation.id, to)
        .await
        .map_err(|error| elsewhere(context, error))
}

/// Our own reply that comes back is not carried. Only its part id tells: an agent may type the same words. While a reply of
/// ours with this text has no part id yet, this may be it.
async fn drop_echo(passage: &Passage<'_>, claim: &Claim, reading: &Reading) -> Result<(), Stop> {
    let context = passage.errand.context;
    if !may_be_echo(passage.part) || !claim.delivery.receipts.is_empty() {
        return Ok(());
    }
    let key = echo_of(context, passage.workspace, &passage.conversation.id, passage.part).await?;
    let Some(echo) = reading.get::<Echo>(&key)? else {
        return Ok(());
    };
    if echo.value.is_ours(&passage.part.id) {
        return Err(Stop::Skip("echo"));
    }
    let mut unresolved = false;
    for delivery in echo.value.unresolved() {
        let reply = context.ledger.find::<Delivery>(delivery).await?;
        if reply.is_some_and(|reply| !reply.value.is_finished()) {
            return Err(Stop::soon(context, "it may be an echo"));
        }
        unresolved = true;
    }
    // A reply that has ended since was resolved before that.
    let read_again = if unresolved {
        context.ledger.find::<Echo>(&key).await?
    } else {
        None
    };
    match read_again {
        Some(echo) if echo.value.is_ours(&passage.part.id) => Err(Stop::Skip("echo")),
        Some(_) | None => Ok(()),
    }
}

/// Whether a part's author is one in whose name the bridge may have written.
pub(super) fn may_be_echo(part: &Part) -> bool {
    matches!(part.author.kind, AuthorKind::Admin | AuthorKind::Bot)
}

async fn post(passage: &Passage<'_>, claim: &mut Claim, road: Road<'_>) -> Result<(), Stop> {
    let context = passage.errand.context;
    let region = context.identity().await.ok().and_then(|identity| identity.region);
    let link = words::conversation_link(region.as_deref(), passage.workspace, &passage.conversation.id);
    let reader = Reader {
        keeps: &|url| context.helpdesk.keeps(url),
        compose: &|text| context.messenger.compose(text),
        link: &link,
    };
    let plan = Plan::new(passage.part, heads(passage, claim), &reader);
    Posting::new(passage, road, &reader, &plan).post(claim).await
}

/// What stands above what was said: who says it; and when it was written, where that is long ago. What has begun to arrive goes on
/// as it began, or it would be cut elsewhere.
fn heads(passage: &Passage<'_>, claim: &mut Claim) -> Vec<Block> {
    let (errand, part) = (passage.errand, passage.part);
    // What could not even be begun has been given up without a record.
    let was_given_up = claim.delivery.generation > 0 || errand.arrival.gave_up.is_some();
    claim.delivery.dated |= was_given_up && claim.delivery.receipts.is_empty();
    let written = claim.delivery.dated.then(|| {
        let written = jiff::Timestamp::from_millisecond(part.created_at.as_millis()).unwrap_or_default();
        words::written_at(&written.strftime("%Y-%m-%d %H:%M UTC").to_string())
    });
    let name = heading(errand.context, part).map(|name| words::agent_name(&name));
    written.into_iter().chain(name).collect()
}

fn heading(context: &Context, part: &Part) -> Option<String> {
    let name = part
        .author
        .name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty())?;
    match (context.config.agent_names, part.author.kind) {
        (AgentNames::None, _) => None,
        // A bot goes by the whole name that the workspace gave it.
        (AgentNames::Full, _) | (AgentNames::First, AuthorKind::Bot) => Some(name.to_owned()),
        (AgentNames::First, _) => name.split_whitespace().next().map(str::to_owned),
    }
}

/// What we sent, so that a reaction finds it, or an answer where each customer has a conversation. Where neither is looked for it would
/// only cost, and more than all else that is written of a message.
fn index(passage: &Passage<'_>, claim: &Claim) -> Transaction {
    let context = passage.errand.context;
    let ledger = &context.ledger;
    let link = passage.reverse.link;
    if context.config.reactions == Reactions::Off && link.customer.is_none() {
        return ledger.transaction();
    }
    let sent = SentMessage {
        link,
        workspace: passage.workspace.clone(),
        conversation: passage.conversation.id.clone(),
        part: passage.part.id.clone(),
    };
    let expires_at = Some(ledger.now() + keys::FINISHED_FOR);
    messages_of(&claim.delivery)
        .into_iter()
        .fold(ledger.transaction(), |transaction, message| {
            transaction.create(keys::sent_message(link.bot, link.chat, message), &sent, expires_at)
        })
}

/// The messages in Telegram that show a part.
fn messages_of(delivery: &Delivery) -> Vec<MessageId> {
    let message = |proof: &Proof| match proof {
        Proof::Message(message) => Some(*message),
        // Under the chat's present id this would be somebody else's.
        Proof::FormerMessage(_) | Proof::Part(_) | Proof::Conversation(_) => None,
    };
    delivery
        .receipts
        .iter()
        .filter_map(|receipt| message(&receipt.proof))
        .collect()
}

/// Ends what was begun and cannot be read any more: deleted with its conversation, or beyond what Intercom shows.
pub(super) async fn end_unread(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    part: &PartId,
) -> Result<(), Stop> {
    let ledger = &errand.context.ledger;
    let key = keys::outbound_delivery(workspace, part);
    let Some(existing) = ledger.find::<Delivery>(&key).await? else {
        return Ok(());
    };
    if let Begun::Claimed(claim) | Begun::Poison(claim) = ledger.begin(key, Some(existing), errand.arrival).await? {
        let went = Err(Stop::GiveUp {
            reason: "gone from Intercom".into(),
            cause: Cause::Refused,
        });
        carried(errand, workspace, conversation).settle(claim, went).await;
    }
    Ok(())
}

/// Holds a reply until its conversation is linked, and ends it with a note to the agent if that does not come.
pub(super) async fn wait_for_link(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    key: Key,
    existing: Option<Stored<Delivery>>,
    too_late: Timestamp,
) -> Result<Verdict, Stop> {
    let context = errand.context;
    let carried = carried(errand, workspace, conversation);
    Ok(match context.ledger.begin(key, existing, errand.arrival).await? {
        Begun::Later(at) => Verdict::Later(at),
        Begun::Finished => Verdict::Done,
        Begun::Poison(claim) => carried.poison(claim).await,
        Begun::Claimed(claim) => {
            let stop = link_is_missing(context, workspace, conversation, &claim, too_late).await;
            carried.settle(claim, Err(stop)).await
        }
    })
}

async fn link_is_missing(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    claim: &Claim,
    too_late: Timestamp,
) -> Stop {
    if context.ledger.now() < too_late {
        let waited = context.ledger.now().since(claim.delivery.tried_since);
        let until = context.ledger.now() + waited.clamp(Duration::from_secs(2), Duration::from_mins(3));
        return Stop::Wait {
            reason: "no topic belongs to the conversation yet",
            until: until.min(too_late),
        };
    }
    let audience = Audience::Agent {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
    };
    let about = claim.key().to_string();
    match notices::enqueue(context, Notice::new(audience, Sentence::NoTopic, about)).await {
        Ok(()) => Stop::Skip("no topic"),
        Err(stop) => stop,
    }
}
