//! Carrying what somebody changed in what they wrote.

use super::{album, conversation, plan, staff, worker::Passage};
use crate::{
    rich_text::Block,
    stop::{Stop, elsewhere},
    telegram_message::CustomerMessage,
    words::Cause,
};
use mapping::{ChatId, Claim, Delivery, DeliveryState, End, Subject, keys};
use std::time::Duration;

/// How long a change waits for an album whose delivery is not begun.
const WAITS_FOR_ITS_ALBUM: Duration = Duration::from_mins(10);

/// Carries a changed message: parts cannot be changed, so it is said again, under a heading that says so where it does not itself.
pub(super) async fn correct(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    heading: Option<Block>,
) -> Result<End, Stop> {
    let context = passage.context;
    let (Some(chat), Some(id)) = (passage.peek.chat, passage.peek.message) else {
        return Err(Stop::Skip("a change of no message"));
    };
    let key = keys::inbound_delivery(passage.bot, chat.id, Subject::Message(id));
    let Some(original) = context.ledger.find::<Delivery>(&key).await? else {
        return Err(Stop::Skip("a change of what was not bridged"));
    };
    has_arrived(passage, chat.id, original.value.clone()).await?;
    let said = conversation::said_of(context, message).await?;
    let (fingerprint, files) = (Some(said.text), said.files);
    let has_begun = !claim.delivery.receipts.is_empty();
    if original.value.fingerprint == fingerprint && original.value.files == files && !has_begun {
        return Err(Stop::Skip("neither text nor files changed"));
    }
    let mut corrected = message.clone();
    corrected.text = plan::said(message);
    if let Some(heading) = heading {
        corrected.text.head(heading);
    }
    if original.value.files == files {
        corrected.files.clear();
    }
    let sender = passage.peek.sender.ok_or(Stop::Skip("nobody wrote it"))?;
    let end = match staff::role(context, passage.chat, sender).await? {
        staff::Role::Customer => conversation::carry(passage, claim, &corrected).await?,
        staff::Role::Staff(admin) => staff::carry(passage, claim, &corrected, admin).await?,
    };
    // The correction's own receipt comes first: whoever comes back must not take it for no change.
    context.ledger.progress(claim).await?;
    let expires_at = Some(context.ledger.now() + keys::FINISHED_FOR);
    let record = Delivery {
        fingerprint,
        files,
        ..original.value
    };
    let transaction = context
        .ledger
        .transaction()
        .replace(key, &original.version, &record, expires_at);
    context
        .ledger
        .commit(transaction)
        .await
        .map_err(|error| elsewhere(context, error))?;
    Ok(end)
}

/// A change comes after its original: that has to be there, by itself or within its album.
async fn has_arrived(passage: &Passage<'_>, chat: ChatId, original: Delivery) -> Result<(), Stop> {
    let context = passage.context;
    let (now, since) = (context.ledger.now(), original.since);
    match album::carrier(context, passage.bot, chat, original)
        .await?
        .map(|carrier| carrier.state)
    {
        Some(DeliveryState::Delivered) => Ok(()),
        Some(DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. }) => Err(Stop::Wait {
            reason: "its original is under way",
            until: now + Duration::from_secs(5),
        }),
        None if now.since(since) < WAITS_FOR_ITS_ALBUM => Err(Stop::soon(context, "its album is under way")),
        None | Some(DeliveryState::Skipped { .. }) => Err(Stop::Skip("a change of what was not carried")),
        // Put back alone, the original would bring what its author has taken back: they go and come together.
        Some(DeliveryState::Undeliverable { .. }) => Err(Stop::GiveUp {
            reason: "its original was given up".into(),
            cause: Cause::Refused,
        }),
    }
}
