//! Carrying what somebody changed in what they wrote.

use super::{conversation, plan, staff, worker::Passage};
use crate::{
    stop::{Stop, elsewhere},
    telegram_message::CustomerMessage,
    words,
};
use mapping::{Claim, Delivery, DeliveryState, End, Subject, keys};
use std::time::Duration;

/// Carries a changed message: parts cannot be changed, so it is said again, marked as a correction.
pub(super) async fn correct(passage: &Passage<'_>, claim: &mut Claim, message: &CustomerMessage) -> Result<End, Stop> {
    let context = passage.context;
    let (Some(chat), Some(id)) = (passage.peek.chat, passage.peek.message) else {
        return Err(Stop::Skip("a change of no message"));
    };
    let key = keys::inbound_delivery(passage.bot, chat.id, Subject::Message(id));
    let Some(original) = context.ledger.find::<Delivery>(&key).await? else {
        return Err(Stop::Skip("a change of what was not bridged"));
    };
    match original.value.state {
        DeliveryState::Delivered => {}
        DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. } => {
            let until = context.ledger.now() + Duration::from_secs(5);
            return Err(Stop::Wait {
                reason: "its original is under way",
                until,
            });
        }
        DeliveryState::Skipped { .. } | DeliveryState::Undeliverable { .. } => {
            return Err(Stop::Skip("a change of what was not carried"));
        }
    }
    let fingerprint = Some(context.fingerprint(&plan::said(message).to_plain()).await?);
    let files = conversation::files_of(context, message).await?;
    let has_begun = !claim.delivery.receipts.is_empty();
    if original.value.fingerprint == fingerprint && original.value.files == files && !has_begun {
        return Err(Stop::Skip("neither text nor files changed"));
    }
    let mut corrected = message.clone();
    corrected.text = plan::said(message);
    corrected.text.head(words::corrected());
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
