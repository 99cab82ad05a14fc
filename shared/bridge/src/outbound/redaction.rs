//! Redactions: what an agent took back before it was sent is never sent, and what was sent is deleted where that is possible.

use super::{part::messages_of, relay::Errand};
use crate::{
    failure::{HelpdeskError, MessengerError},
    stop::{Stop, Verdict},
};
use mapping::{Begun, ConversationId, Delivery, DeliveryState, End, PartId, Reverse, WorkspaceId, keys};
use std::time::Duration;

/// So long it is tried to delete a message.
const TRIED_FOR: Duration = Duration::from_mins(30);

/// Carries a redaction. Which part it is about is not always said; then the conversation tells.
pub(super) async fn redact(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    parts: Vec<PartId>,
) -> Result<Verdict, Stop> {
    let context = errand.context;
    let parts = if parts.is_empty() {
        match context.helpdesk.conversation(conversation).await {
            Ok(read) => read
                .parts
                .into_iter()
                .filter(|part| part.redacted)
                .map(|part| part.id)
                .collect(),
            Err(HelpdeskError::NotFound { .. }) => return Ok(Verdict::Done),
            Err(error) => return Err(error.into()),
        }
    } else {
        parts
    };
    for part in parts {
        let key = keys::outbound_delivery(workspace, &part);
        let reverse_key = keys::reverse(workspace, conversation);
        let reading = context.ledger.read(&[key.clone(), reverse_key.clone()]).await?;
        let Some(reverse) = reading.get::<Reverse>(&reverse_key)? else {
            continue;
        };
        let existing = reading.get::<Delivery>(&key)?;
        if let Some(delivered) = existing
            .as_ref()
            .filter(|delivery| delivery.value.state == DeliveryState::Delivered)
        {
            delete(errand, &reverse.value, &delivered.value).await?;
            continue;
        }
        match context.ledger.begin(key, existing, errand.arrival).await? {
            Begun::Later(at) => return Ok(Verdict::Later(at)),
            Begun::Finished => {}
            Begun::Poison(claim) | Begun::Claimed(claim) => {
                let end = End::Skipped("redacted".into());
                context.ledger.finish(claim, end, context.ledger.transaction()).await?;
            }
        }
    }
    Ok(Verdict::Done)
}

/// Deletes what can be deleted. What cannot be is a matter for the log: it must not hold up what comes after it.
async fn delete(errand: &Errand<'_>, reverse: &Reverse, delivery: &Delivery) -> Result<(), Stop> {
    let context = errand.context;
    let may_be_tried = context.ledger.now().since(errand.arrival.since) < TRIED_FOR;
    for message in messages_of(delivery) {
        match context.messenger.delete(reverse.link.chat, message).await {
            Ok(()) => {}
            Err(error @ (MessengerError::Transient { .. } | MessengerError::Unknown { .. })) if may_be_tried => {
                return Err(error.into());
            }
            Err(error) => {
                tracing::warn!(message.id = message.0, %error, "a redacted message cannot be deleted in Telegram");
            }
        }
    }
    Ok(())
}
