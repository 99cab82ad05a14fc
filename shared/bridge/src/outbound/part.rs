//! Carrying one part to its topic: begin, drop what is an echo, compose, send in the chat's pace, finish with the index.

use super::relay::{self, Errand};
use crate::{
    config::AgentNames,
    content_words::{self, FileWords},
    context::Context,
    delivering::{Carried, Stop, Verdict, backoff},
    failure::MessengerError,
    inbound::echo_key,
    intercom_message::{AuthorKind, Conversation, Part},
    notices::{self, Audience, Notice},
    ports::Place,
    rich_text::{Block, RichText, Run},
    sending,
    words::{self, Cause, Sentence},
};
use mapping::{
    Begun, Claim, ConversationId, Delivery, Echo, EchoCheck, End, Key, LinkKey, MessageId, Proof, Reading, Reverse,
    SentMessage, Stored, Timestamp, Transaction, WorkspaceId, keys,
};

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
    match context.ledger.begin(key, existing, passage.errand.arrival).await? {
        Begun::Later(at) => Ok(Verdict::Later(at)),
        Begun::Finished => Ok(Verdict::Done),
        Begun::Poison(claim) => carried.give_up(context, claim, "poison".into(), Cause::Refused).await,
        Begun::Claimed(mut claim) => match carry_claimed(passage, &mut claim, reading).await {
            Ok(end) => {
                let index = index(passage, &claim);
                Ok(carried.settle_with(context, claim, Ok(end), index).await)
            }
            stopped => Ok(carried.settle(context, claim, stopped).await),
        },
    }
}

fn carried<'e>(errand: &Errand<'e>, workspace: &WorkspaceId, conversation: &ConversationId) -> Carried<'e> {
    Carried {
        received: errand.received,
        dead_letters: &errand.context.queues.outbound_dead,
        audience: Some(Audience::Agent {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
        }),
    }
}

async fn carry_claimed(passage: &Passage<'_>, claim: &mut Claim, reading: &Reading) -> Result<End, Stop> {
    let context = passage.errand.context;
    claim.delivery.conversation = Some(passage.conversation.id.clone());
    drop_echo(passage, claim, reading).await?;
    let link = passage.reverse.link;
    let place = Place {
        chat: link.chat,
        topic: link.topic,
        reply_to: passage.reverse.last_message,
    };
    let text = text_of(context, claim, passage.part);
    match sending::send(context, claim, link.bot, place, &text).await {
        Err(Stop::Messenger(MessengerError::Migrated { to })) => {
            context.ledger.record_migration(link.bot, link.chat, to).await?;
            context.ledger.move_link(link, LinkKey { chat: to, ..link }).await?;
            let until = context.ledger.now();
            Err(Stop::Wait {
                reason: "the chat has another id now",
                until,
            })
        }
        sent => sent.map(|()| End::Delivered),
    }
}

/// Our own reply that comes back is not carried. Only its part id tells: an agent may type the same words.
async fn drop_echo(passage: &Passage<'_>, claim: &Claim, reading: &Reading) -> Result<(), Stop> {
    let context = passage.errand.context;
    if passage.part.author.admin().is_none() || !claim.delivery.receipts.is_empty() {
        return Ok(());
    }
    let key = echo_of(context, passage.workspace, &passage.conversation.id, passage.part).await?;
    let Some(echo) = reading.get::<Echo>(&key)? else {
        return Ok(());
    };
    match echo.value.is_echo(&passage.part.id, context.ledger.now()) {
        EchoCheck::Ours => Err(Stop::Skip("echo")),
        EchoCheck::NotOurs => Ok(()),
        EchoCheck::NotKnownBefore(lease_until) => {
            let soon = context.ledger.now() + std::time::Duration::from_secs(2);
            Err(Stop::Wait {
                reason: "it may be an echo",
                until: lease_until.min(soon),
            })
        }
    }
}

/// What a customer reads: the agent's name, what was said, what came with it.
fn text_of(context: &Context, claim: &Claim, part: &Part) -> RichText {
    let mut text = part.body.clone();
    text.extend(part.attachments.iter().map(|file| {
        let words = FileWords {
            name: Some(&file.name),
            size: file.size,
            duration: None,
        };
        Block::line(vec![Run::plain(content_words::file(words))])
    }));
    if !part.quick_replies.is_empty() {
        text.extend([words::quick_replies(&part.quick_replies)]);
    }
    if let Some(name) = heading(context, part) {
        text.head(words::agent_name(&name));
    }
    if claim.delivery.generation > 0 {
        let written = jiff::Timestamp::from_millisecond(part.created_at.as_millis()).unwrap_or_default();
        text.head(words::written_at(&written.strftime("%Y-%m-%d %H:%M UTC").to_string()));
    }
    text
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

/// What we sent, so that a reply, a reaction or a redaction finds it.
fn index(passage: &Passage<'_>, claim: &Claim) -> Transaction {
    let ledger = &passage.errand.context.ledger;
    let link = passage.reverse.link;
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
pub(super) fn messages_of(delivery: &Delivery) -> Vec<MessageId> {
    let message = |proof: &Proof| match proof {
        Proof::Message(message) => Some(*message),
        Proof::Part(_) | Proof::Conversation(_) => None,
    };
    delivery
        .receipts
        .iter()
        .filter_map(|receipt| message(&receipt.proof))
        .collect()
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
    match context.ledger.begin(key, existing, errand.arrival).await? {
        Begun::Later(at) => Ok(Verdict::Later(at)),
        Begun::Finished => Ok(Verdict::Done),
        Begun::Poison(claim) => carried.give_up(context, claim, "poison".into(), Cause::Refused).await,
        Begun::Claimed(claim) if context.ledger.now() < too_late => {
            let until = context.ledger.now() + backoff(context, claim.delivery.attempt);
            context
                .ledger
                .wait(
                    claim,
                    "no topic belongs to the conversation yet",
                    until.min(too_late),
                    true,
                )
                .await?;
            Ok(Verdict::Later(until.min(too_late)))
        }
        Begun::Claimed(claim) => {
            let audience = Audience::Agent {
                workspace: workspace.clone(),
                conversation: conversation.clone(),
            };
            let about = claim.key().to_string();
            notices::enqueue(
                context,
                Notice {
                    audience,
                    sentence: Sentence::NoTopic,
                    about,
                },
            )
            .await?;
            Ok(carried.settle(context, claim, Err(Stop::Skip("no topic"))).await)
        }
    }
}
