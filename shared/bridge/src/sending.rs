//! Sending to Telegram: each call in its slot of the chat's pace, and for each message a receipt.

use crate::{
    context::Context,
    failure::MessengerError,
    ports::{FlatText, Place},
    rich_text::RichText,
    stop::{PACE, Stop},
};
use mapping::{BotId, ChatId, Claim, MessageId, Pace, Proof, Step, Timestamp, keys};
use std::time::Duration;

/// Sends what of a text has no receipt yet. Stops where the next slot has not come.
pub(crate) async fn send(
    context: &Context,
    claim: &mut Claim,
    bot: BotId,
    place: Place,
    text: &RichText,
) -> Result<(), Stop> {
    let road = Road { context, bot, place };
    let messages = context.messenger.compose(text);
    for (at, message) in messages.iter().enumerate() {
        let step = Step::Chunk(number(at));
        if claim.delivery.proof(step).is_none() {
            road.say(claim, step, message, messages.len().saturating_sub(at))
                .await?;
        }
    }
    Ok(())
}

/// The number of a step among its like.
pub(crate) fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// So many slots a call with this many messages takes: they are shown at one moment, so it stands in the middle of as many before and
/// behind it. Then no minute holds more messages than a group takes, whatever stands around them.
pub(crate) fn slots_of(messages: usize) -> usize {
    (messages * 2).saturating_sub(1)
}

/// The way of one delivery's messages to a place in Telegram.
#[derive(Clone, Copy)]
pub(crate) struct Road<'c> {
    pub(crate) context: &'c Context,
    pub(crate) bot: BotId,
    pub(crate) place: Place,
}

impl Road<'_> {
    /// Sends a text; what is still to come, itself included, takes `left` slots.
    pub(crate) async fn say(&self, claim: &mut Claim, step: Step, text: &FlatText, left: usize) -> Result<(), Stop> {
        self.wait_for_slots(claim, 1, left).await?;
        let sent = self.context.messenger.send(self.place, text);
        self.call(claim, &[step], left, async { sent.await.map(|sent| vec![sent]) })
            .await
    }

    /// Makes a call that sends the messages of these steps, and keeps their receipts; what is still to come, these included, takes `left`
    /// slots.
    pub(crate) async fn call(
        &self,
        claim: &mut Claim,
        steps: &[Step],
        left: usize,
        call: impl Future<Output = Result<Vec<MessageId>, MessengerError>> + Send,
    ) -> Result<(), Stop> {
        let context = self.context;
        if claim.may_have_gone_out {
            tracing::warn!(delivery.key = %claim.key(), metric.possible_duplicate = 1, "a message may be shown twice in Telegram");
        }
        let sent = match call.await {
            Ok(sent) => sent,
            Err(error) => return Err(self.failed(claim, error).await),
        };
        for (step, message) in steps.iter().zip(sent) {
            claim.prove(*step, Proof::Message(message), context.ledger.now());
        }
        let now = context.ledger.now();
        // A slot that has passed unused would let two messages go at one moment.
        claim.delivery.slots.retain(|slot| *slot > now);
        let behind = steps.len().saturating_sub(1).min(claim.delivery.slots.len());
        claim.delivery.slots.drain(..behind);
        if left > slots_of(steps.len()) {
            // The window in which a crash shows a message twice ends here.
            context.ledger.progress(claim).await?;
        }
        Ok(())
    }

    async fn failed(&self, claim: &mut Claim, error: MessengerError) -> Stop {
        // What was refused for good took no slot; another way to send it may follow at once.
        if !matches!(error, MessengerError::Refused { .. }) {
            claim.delivery.slots.clear();
        }
        match obey(self.context, self.bot, self.place.chat, &error).await {
            Ok(()) => error.into(),
            Err(stop) => stop,
        }
    }

    /// Goes on when the next call, which sends so many messages, has its slots of the `left` that are still to come, and the middle one of
    /// them has come.
    pub(crate) async fn wait_for_slots(&self, claim: &mut Claim, messages: usize, left: usize) -> Result<(), Stop> {
        let (context, place) = (self.context, self.place);
        let key = keys::pace(self.bot, place.chat);
        let paced = context.ledger.find::<Pace>(&key).await?;
        let now = context.ledger.now();
        let blocked_until = paced
            .as_ref()
            .map_or(Timestamp::EPOCH, |paced| paced.value.blocked_until);
        let slots = &claim.delivery.slots;
        let are_free = slots.first().is_some_and(|first| *first >= blocked_until);
        if !are_free || slots.len() < slots_of(messages) {
            let interval = interval(context, place);
            claim.delivery.slots = context.ledger.reserve_slots(&key, paced, left, interval).await?;
        }
        let slot = claim
            .delivery
            .slots
            .get(messages.saturating_sub(1))
            .copied()
            .unwrap_or(now);
        if slot > now {
            Err(Stop::Wait {
                reason: PACE,
                until: slot,
            })
        } else {
            Ok(())
        }
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

fn interval(context: &Context, place: Place) -> Duration {
    if place.chat.is_private() {
        Duration::from_secs(1)
    } else {
        Duration::from_mins(1) / context.config.group_messages_per_minute.max(1)
    }
}
