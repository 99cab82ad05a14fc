//! Who in a group is staff, and what becomes of what they write there: notes, or replies of the admin that they are in Intercom.

use super::{conversation, worker::Passage};
use crate::{
    context::Context,
    delivering::Stop,
    failure::{Failure, MessengerError},
    looking::{self, Lost},
    notices,
    ports::Reply,
    rich_text::RichText,
    telegram_message::{ChatRef, CustomerMessage, Sender, SenderKind},
    words,
};
use mapping::{
    AdminId, Claim, ConversationId, End, LEASE, Link, LinkKey, LinkState, Open, PartId, Proof, Step, WorkspaceId, keys,
};

/// What somebody in a group is to the bridge.
pub(super) enum Role {
    /// A customer.
    Customer,
    /// Staff; and who they are in Intercom, if the settings say so.
    Staff(Option<AdminId>),
}

/// What a sender is. Administrators are staff, and who is named in `STAFF`.
pub(super) async fn role(context: &Context, chat: ChatRef, sender: Sender) -> Result<Role, Stop> {
    if let Some(admin) = context.config.staff.get(&sender.id) {
        return Ok(Role::Staff(admin.clone()));
    }
    if sender.kind == SenderKind::AnonymousAdmin {
        return Ok(Role::Staff(None));
    }
    if chat.id.is_private() || sender.kind != SenderKind::User {
        return Ok(Role::Customer);
    }
    match context.administrators(chat.id).await {
        Ok(administrators) if administrators.contains(&sender.id) => Ok(Role::Staff(None)),
        Ok(_) => Ok(Role::Customer),
        // A bot that was thrown out cannot ask any more; what it has taken is still carried.
        Err(MessengerError::NoRights { reason }) => {
            tracing::warn!(
                chat.id = chat.id.0,
                reason,
                "the administrators of a chat are not known"
            );
            Ok(Role::Customer)
        }
        Err(error) if matches!(error.failure(), Failure::Permanent) => {
            tracing::warn!(chat.id = chat.id.0, %error, "the administrators of a chat are not known");
            Ok(Role::Customer)
        }
        Err(error) => Err(error.into()),
    }
}

/// Carries what staff wrote, if the topic has a conversation.
pub(super) async fn carry(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    admin: Option<AdminId>,
) -> Result<End, Stop> {
    let Some(open) = conversation_of(passage).await? else {
        return Err(Stop::Skip("staff"));
    };
    claim.delivery.conversation = Some(open.conversation.clone());
    let mut text = conversation::text_of(message);
    match admin {
        Some(admin) => reply(passage, claim, &open, &admin, &text).await?,
        None => {
            text.head(words::said_in_telegram(name_of(message)));
            let receipts = receipts(passage, claim, &open.conversation).await?;
            notices::write_note(passage.context, claim, &open.conversation, &text, &receipts).await?;
        }
    }
    Ok(End::Delivered)
}

fn name_of(message: &CustomerMessage) -> &str {
    message.author.signature.as_deref().unwrap_or(&message.author.name)
}

/// The topic's conversation; where each customer has one, that of whoever is answered.
async fn conversation_of(passage: &Passage<'_>) -> Result<Option<Open>, Stop> {
    let link = match (passage.link_key.customer, passage.peek.replies_to) {
        (Some(own), Some(customer)) if own != customer => {
            let key = LinkKey {
                customer: Some(customer),
                ..passage.link_key
            };
            passage.context.ledger.find::<Link>(&key.key()).await?
        }
        (_, _) => passage.link()?,
    };
    Ok(link.and_then(|link| match link.value.state {
        LinkState::Open(open) => Some(open),
        LinkState::Opening(_) => None,
    }))
}

/// Replies in the admin's name. The reply will come back as a notification, perhaps before this call returns, so it is
/// reserved before and resolved after.
async fn reply(
    passage: &Passage<'_>,
    claim: &mut Claim,
    open: &Open,
    admin: &AdminId,
    text: &RichText,
) -> Result<(), Stop> {
    let context = passage.context;
    let echo = echo_key(context, &open.workspace, &open.conversation, text).await?;
    let own = claim.key().clone();
    let now = context.ledger.now();
    context
        .ledger
        .change_echo(&echo, |replies| replies.reserve(&own, now + LEASE))
        .await?;
    let found = if claim.may_have_gone_out {
        let lost = Lost::reply_of_admin(&open.conversation, admin, text, claim.delivery.since);
        let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
        let receipts = looking::receipts_of_neighbours(context, passage.bot, chat, &open.conversation, &own).await?;
        looking::find(context, &lost, &receipts).await?
    } else {
        None
    };
    let part = match found {
        Some(part) => part,
        None => {
            claim.may_have_gone_out = false;
            let reply = Reply {
                body: text.clone(),
                created_at: None,
            };
            context
                .helpdesk
                .reply_as_admin(&open.conversation, admin, &reply)
                .await?
        }
    };
    context
        .ledger
        .change_echo(&echo, |replies| replies.resolve(&own, &part))
        .await?;
    claim.prove(Step::Text, Proof::Part(part), context.ledger.now());
    Ok(())
}

/// What the lane's other messages became, where that matters: after a doubtful call.
async fn receipts(passage: &Passage<'_>, claim: &Claim, conversation: &ConversationId) -> Result<Vec<PartId>, Stop> {
    if !claim.may_have_gone_out {
        return Ok(Vec::new());
    }
    // They lie under the id that the chat had when they were written.
    let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
    looking::receipts_of_neighbours(passage.context, passage.bot, chat, conversation, claim.key()).await
}

/// Where replies of one text in one conversation are reserved.
pub(crate) async fn echo_key(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    text: &RichText,
) -> Result<mapping::Key, Stop> {
    let fingerprint = context.fingerprint(&text.fingerprint_text()).await?;
    Ok(keys::echo(workspace, conversation, &fingerprint))
}
