//! Redactions: what an agent took back before it was sent is never sent, and what was sent is deleted where that is possible.

use super::{part::messages_of, relay::Errand};
use crate::{
    delivering::{Stop, Verdict},
    failure::{Failure, HelpdeskError},
};
use mapping::{Begun, ConversationId, Delivery, DeliveryState, End, PartId, Reverse, WorkspaceId, keys};

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

async fn delete(errand: &Errand<'_>, reverse: &Reverse, delivery: &Delivery) -> Result<(), Stop> {
    for message in messages_of(delivery) {
        match errand.context.messenger.delete(reverse.link.chat, message).await {
            Ok(()) => {}
            Err(error) if error.failure() == Failure::Permanent => {
                tracing::warn!(message.id = message.0, %error, "a redacted message cannot be deleted in Telegram");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
