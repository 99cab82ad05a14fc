//! Redactions: what an agent took back before it was sent is never sent, and what was sent is deleted where that is possible.

use super::relay::Errand;
use crate::{
    delivering::cause_of,
    failure::{HelpdeskError, MessengerError},
    notices::{self, Audience, Notice},
    sending,
    stop::{Stop, Verdict},
    words::{Cause, Sentence},
};
use mapping::{Arrival, Begun, ConversationId, Delivery, End, PartId, Proof, Reverse, WorkspaceId, keys};
use std::time::Duration;

/// So long it is tried to delete a message.
const TRIED_FOR: Duration = Duration::from_mins(30);

/// So long a bot may delete its messages: <https://core.telegram.org/bots/api#deletemessage>.
const DELETABLE_FOR: Duration = Duration::from_hours(48);

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
        if let later @ Verdict::Later(_) = take_back(errand, workspace, conversation, &part).await? {
            return Ok(later);
        }
    }
    Ok(Verdict::Done)
}

/// Takes one part back: what was not sent is not sent any more, and what was is deleted.
pub(super) async fn take_back(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    part: &PartId,
) -> Result<Verdict, Stop> {
    let taken_back = TakenBack {
        errand,
        workspace,
        conversation,
        part,
    };
    taken_back.carry().await
}

/// One part that an agent took back.
struct TakenBack<'r> {
    errand: &'r Errand<'r>,
    workspace: &'r WorkspaceId,
    conversation: &'r ConversationId,
    part: &'r PartId,
}

impl TakenBack<'_> {
    async fn carry(&self) -> Result<Verdict, Stop> {
        let ledger = &self.errand.context.ledger;
        let key = keys::outbound_delivery(self.workspace, self.part);
        let reverse_key = keys::reverse(self.workspace, self.conversation);
        let reading = ledger.read(&[key.clone(), reverse_key.clone()]).await?;
        let Some(reverse) = reading.get::<Reverse>(&reverse_key)? else {
            return Ok(Verdict::Done);
        };
        let existing = reading.get::<Delivery>(&key)?;
        // What was given up is not to come back from the dead letters either.
        let arrival = Arrival {
            gave_up: existing.as_ref().map(|delivery| delivery.value.generation),
            ..self.errand.arrival.clone()
        };
        let known = existing.as_ref().map(|delivery| delivery.value.clone());
        let delivery = match ledger.begin(key, existing, &arrival).await? {
            Begun::Later(at) => return Ok(Verdict::Later(at)),
            Begun::Finished => known,
            Begun::Poison(claim) | Begun::Claimed(claim) => {
                let begun = claim.delivery.clone();
                let end = End::Skipped("redacted".into());
                ledger.finish(claim, end, ledger.transaction()).await?;
                Some(begun)
            }
        };
        if let Some(delivery) = delivery {
            self.delete(&reverse.value, &delivery).await?;
        }
        Ok(Verdict::Done)
    }

    /// Deletes what can be deleted. What cannot be must not hold up what comes after it: the agent is told.
    async fn delete(&self, reverse: &Reverse, delivery: &Delivery) -> Result<(), Stop> {
        let context = self.errand.context;
        let (bot, chat) = (reverse.link.bot, delivery.chat.unwrap_or(reverse.link.chat));
        let may_be_tried = context.ledger.now().since(self.errand.arrival.since) < TRIED_FOR;
        let mut stays = None;
        for receipt in &delivery.receipts {
            let message = match receipt.proof {
                Proof::Message(message) => message,
                Proof::FormerMessage(_) => {
                    stays = Some(Cause::Refused);
                    continue;
                }
                Proof::Part(_) | Proof::Conversation(_) => continue,
            };
            match context.messenger.delete(chat, message).await {
                Ok(()) | Err(MessengerError::MessageGone { .. } | MessengerError::TopicGone { .. }) => {}
                Err(error @ (MessengerError::Transient { .. } | MessengerError::Unknown { .. })) if may_be_tried => {
                    sending::obey(context, bot, chat, &error).await?;
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::warn!(message.id = message.0, %error, "a redacted message cannot be deleted in Telegram");
                    let is_old = context.ledger.now().since(receipt.at) > DELETABLE_FOR;
                    stays = Some(if is_old {
                        Cause::TooOldToDelete
                    } else {
                        cause_of(&error)
                    });
                }
            }
        }
        match stays {
            Some(cause) => self.tell(cause).await,
            None => Ok(()),
        }
    }

    async fn tell(&self, cause: Cause) -> Result<(), Stop> {
        let audience = Audience::Agent {
            workspace: self.workspace.clone(),
            conversation: self.conversation.clone(),
        };
        let about = keys::outbound_delivery(self.workspace, self.part).to_string();
        let notice = Notice::new(audience, Sentence::StillInTelegram { cause }, about);
        notices::enqueue(self.errand.context, notice).await
    }
}
