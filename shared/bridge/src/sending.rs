//! Sending text to Telegram: cut into messages, each in its slot of the chat's pace, each with a receipt.

use crate::{
    context::Context,
    failure::MessengerError,
    ports::Place,
    rich_text::RichText,
    stop::{PACE, Stop},
};
use mapping::{BotId, ChatId, Claim, Pace, Proof, Step, Timestamp, keys};
use std::time::Duration;

/// Sends what of a text has no receipt yet. Stops where the next slot has not come.
pub(crate) async fn send(
    context: &Context,
    claim: &mut Claim,
    bot: BotId,
    place: Place,
    text: &RichText,
) -> Result<(), Stop> {
    let messages = context.messenger.compose(text);
    let steps: Vec<Step> = (0..messages.len())
        .map(|at| Step::Chunk(u16::try_from(at).unwrap_or(u16::MAX)))
        .collect();
    let unsent = || steps.iter().zip(&messages);
    for (at, (step, message)) in unsent().enumerate() {
        if claim.delivery.proof(*step).is_some() {
            continue;
        }
        let left = messages.len().saturating_sub(at);
        wait_for_slot(context, claim, bot, place, left).await?;
        if claim.may_have_gone_out {
            tracing::warn!(delivery.key = %claim.key(), metric.possible_duplicate = 1, "a message may be shown twice in Telegram");
        }
        let sent = match context.messenger.send(place, message).await {
            Ok(sent) => sent,
            Err(error) => return Err(failed(context, claim, bot, place, error).await),
        };
        claim.prove(*step, Proof::Message(sent), context.ledger.now());
        if !claim.delivery.slots.is_empty() {
            claim.delivery.slots.remove(0);
        }
        if left > 1 {
            // The window in which a crash shows a message twice ends here.
            context.ledger.progress(claim).await?;
        }
    }
    Ok(())
}

async fn failed(context: &Context, claim: &mut Claim, bot: BotId, place: Place, error: MessengerError) -> Stop {
    claim.delivery.slots.clear();
    match obey(context, bot, place.chat, &error).await {
        Ok(()) => error.into(),
        Err(stop) => stop,
    }
}

/// A 429 is for the whole chat, so every worker has to know it.
pub(crate) async fn obey(context: &Context, bot: BotId, chat: ChatId, error: &MessengerError) -> Result<(), Stop> {
    if let MessengerError::Transient {
        after: Some(after),
        throttled: true,
        ..
    } = error
    {
        let until = context.ledger.now() + *after;
        context.ledger.block_chat(&keys::pace(bot, chat), until).await?;
    }
    Ok(())
}

/// Goes on when the next message has its slot and the slot has come.
async fn wait_for_slot(
    context: &Context,
    claim: &mut Claim,
    bot: BotId,
    place: Place,
    messages: usize,
) -> Result<(), Stop> {
    let key = keys::pace(bot, place.chat);
    let paced = context.ledger.find::<Pace>(&key).await?;
    let now = context.ledger.now();
    let blocked_until = paced
        .as_ref()
        .map_or(Timestamp::EPOCH, |paced| paced.value.blocked_until);
    let slot = claim
        .delivery
        .slots
        .first()
        .copied()
        .filter(|slot| *slot >= blocked_until);
    let slot = match slot {
        Some(slot) => slot,
        None => {
            let interval = interval(context, place);
            claim.delivery.slots = context.ledger.reserve_slots(&key, paced, messages, interval).await?;
            claim.delivery.slots.first().copied().unwrap_or(now)
        }
    };
    if slot > now {
        Err(Stop::Wait {
            reason: PACE,
            until: slot,
        })
    } else {
        Ok(())
    }
}

fn interval(context: &Context, place: Place) -> Duration {
    if place.chat.is_private() {
        Duration::from_secs(1)
    } else {
        Duration::from_mins(1) / context.config.group_messages_per_minute.max(1)
    }
}
