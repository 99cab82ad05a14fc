//! Carrying what somebody thinks of a message, where the settings want it: a note that says who, what, and of which message.

use super::{album, worker::Passage};
use crate::{looking, notices, stop::Stop, telegram_message::Reaction, words};
use mapping::{
    Claim, ConversationId, Delivery, DeliveryState, End, MessageId, Reverse, SentMessage, Subject, WorkspaceId, keys,
};
use std::time::Duration;

/// Between a topic and what is thought of its messages no order is promised: so long a reaction waits for a message that is under way.
const WAITS_FOR_ITS_MESSAGE: Duration = Duration::from_mins(2);

/// And so long for one of which nothing is known: it may be older than the bridge.
const WAITS_FOR_ANY_MESSAGE: Duration = Duration::from_secs(15);

/// How soon it is looked again.
const LOOKS_AGAIN: Duration = Duration::from_secs(5);

/// What somebody reacted to.
struct Target {
    workspace: WorkspaceId,
    conversation: ConversationId,
    /// Whether it came from Intercom.
    is_answer: bool,
}

/// Carries a reaction.
pub(super) async fn carry(passage: &Passage<'_>, claim: &mut Claim, reaction: &Reaction) -> Result<End, Stop> {
    let context = passage.context;
    let message = passage.peek.message.ok_or(Stop::Skip("a reaction to no message"))?;
    if reaction.added.is_empty() && reaction.taken_back.is_empty() {
        return Err(Stop::Skip("nothing changed"));
    }
    let target = target(passage, claim, message).await?;
    let reverse = keys::reverse(&target.workspace, &target.conversation);
    let Some(reverse) = context.ledger.find::<Reverse>(&reverse).await? else {
        return Err(Stop::Skip("no topic belongs to its conversation"));
    };
    if context.identity().await?.workspace != target.workspace {
        return Err(Stop::Skip("another workspace"));
    }
    let link = reverse.value.link;
    let place = words::message_link(link.chat, link.topic, message);
    let note = words::reacted(reaction, target.is_answer, &place);
    claim.delivery.conversation = Some(target.conversation.clone());
    let chat = passage.chat.id;
    let accounted = looking::accounted(context, passage.bot, chat, &target.conversation, claim).await?;
    notices::write_note(context, claim, &target.conversation, &note, &accounted).await?;
    Ok(End::Delivered)
}

/// The conversation that a message came from, or went to.
async fn target(passage: &Passage<'_>, claim: &Claim, message: MessageId) -> Result<Target, Stop> {
    let context = passage.context;
    let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
    let sent_key = keys::sent_message(passage.bot, chat, message);
    let own_key = keys::inbound_delivery(passage.bot, chat, Subject::Message(message));
    let read = context.ledger.read(&[sent_key.clone(), own_key.clone()]).await?;
    if let Some(sent) = read.get::<SentMessage>(&sent_key)? {
        return Ok(Target {
            workspace: sent.value.workspace,
            conversation: sent.value.conversation,
            is_answer: true,
        });
    }
    let Some(own) = read.get::<Delivery>(&own_key)? else {
        return Err(too_early(passage, claim, WAITS_FOR_ANY_MESSAGE));
    };
    let carrier = album::carrier(context, passage.bot, chat, own.value).await?;
    match carrier.map(|carrier| (carrier.state, carrier.conversation)) {
        Some((DeliveryState::Delivered, Some(conversation))) => Ok(Target {
            workspace: context.identity().await?.workspace,
            conversation,
            is_answer: false,
        }),
        None | Some((DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. }, _)) => {
            Err(too_early(passage, claim, WAITS_FOR_ITS_MESSAGE))
        }
        Some((DeliveryState::Delivered | DeliveryState::Skipped { .. } | DeliveryState::Undeliverable { .. }, _)) => {
            Err(Stop::Skip("a reaction to what was not carried"))
        }
    }
}

/// It waits for its message, but holds others up so long at most.
fn too_early(passage: &Passage<'_>, claim: &Claim, most: Duration) -> Stop {
    let now = passage.context.ledger.now();
    if now.since(claim.delivery.since) >= most {
        return Stop::Skip("a reaction to what is not in Intercom");
    }
    Stop::Wait {
        reason: "its message is not there yet",
        until: now + LOOKS_AGAIN,
    }
}
