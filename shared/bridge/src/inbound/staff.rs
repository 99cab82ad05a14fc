//! Who in a group is staff, and what becomes of what they write there: notes, or replies of the admin that they are in Intercom.

use super::{conversation, worker::Passage};
use crate::{
    context::Context,
    failure::{Failure, HelpdeskError, MessengerError},
    looking::{self, Accounted, Lost},
    notices,
    ports::Reply,
    rich_text::RichText,
    stop::Stop,
    telegram_message::{ChatRef, CustomerMessage, Sender, SenderKind},
    words,
};
use mapping::{
    AdminId, Claim, ConversationId, Delivery, End, Link, LinkKey, LinkState, Open, PartId, Proof, Step, WorkspaceId,
    keys,
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
    match write(passage, claim, message, admin, &open).await {
        Err(Stop::Helpdesk(HelpdeskError::NotFound { reason })) => Err(conversation::not_found(passage, &open, reason)
            .await
            // A conversation in its place is opened by a customer's message, not by staff.
            .unwrap_or(Stop::Skip("staff"))),
        written => written.map(|()| End::Delivered),
    }
}

async fn write(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    admin: Option<AdminId>,
    open: &Open,
) -> Result<(), Stop> {
    let mut text = conversation::text_of(message);
    match admin {
        Some(admin) => reply(passage, claim, open, &admin, &text).await,
        None => {
            text.head(words::said_in_telegram(name_of(message)));
            let accounted = accounted(passage, claim, &open.conversation).await?;
            notices::write_note(passage.context, claim, &open.conversation, &text, &accounted).await
        }
    }
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
    context
        .ledger
        .change_echo(&echo, |replies| replies.reserve(&own))
        .await?;
    let part = match claim.delivery.proof(Step::Text).cloned() {
        Some(Proof::Part(part)) => part,
        Some(Proof::Conversation(_) | Proof::Message(_)) | None => {
            let part = reply_once(passage, claim, open, admin, text).await?;
            claim.prove(Step::Text, Proof::Part(part.clone()), context.ledger.now());
            // From here on the record knows the part, so that nothing of what follows can repeat it.
            context.ledger.progress(claim).await?;
            part
        }
    };
    remember_echo(context, &open.workspace, &part).await;
    context
        .ledger
        .change_echo(&echo, |replies| replies.resolve(&own, &part))
        .await?;
    Ok(())
}

async fn reply_once(
    passage: &Passage<'_>,
    claim: &mut Claim,
    open: &Open,
    admin: &AdminId,
    text: &RichText,
) -> Result<PartId, Stop> {
    if claim.may_have_gone_out {
        let lost = Lost::reply_of_admin(&open.conversation, admin, text, claim.delivery.since);
        let accounted = accounted(passage, claim, &open.conversation).await?;
        if let Some(part) = looking::find(passage.context, &lost, &accounted).await? {
            return Ok(part);
        }
    }
    claim.may_have_gone_out = false;
    let reply = Reply {
        body: text.clone(),
        created_at: None,
    };
    Ok(passage
        .context
        .helpdesk
        .reply_as_admin(&open.conversation, admin, &reply)
        .await?)
}

/// A part that is known to be ours is not to be carried, whatever Intercom makes of its text on the way.
async fn remember_echo(context: &Context, workspace: &WorkspaceId, part: &PartId) {
    let now = context.ledger.now();
    let record = Delivery::skipped("", "echo", now);
    let key = keys::outbound_delivery(workspace, part);
    let transaction = context
        .ledger
        .transaction()
        .create(key, &record, Some(now + keys::FINISHED_FOR));
    // Where a record is already, the reservation decides.
    let _ = context.ledger.commit(transaction).await;
}

/// What other messages became, where that matters: after a doubtful call.
async fn accounted(passage: &Passage<'_>, claim: &Claim, conversation: &ConversationId) -> Result<Accounted, Stop> {
    if !claim.may_have_gone_out {
        return Ok(Accounted::default());
    }
    // They lie under the id that the chat had when they were written.
    let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
    looking::accounted(passage.context, passage.bot, chat, conversation, claim).await
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
