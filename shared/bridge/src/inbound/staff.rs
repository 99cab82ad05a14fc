//! Who in a group is staff, and what becomes of what they write there: notes, or replies of the admin that they are in Intercom.

use super::{
    conversation::{self, plan_of},
    saying::{Saying, Voice},
    worker::Passage,
};
use crate::{
    context::Context,
    failure::{Failure, HelpdeskError, MessengerError},
    rich_text::RichText,
    stop::{STAFF, Stop},
    telegram_message::{ChatRef, CustomerMessage, Sender, SenderKind},
    words,
};
use mapping::{
    AdminId, Claim, ConversationId, Delivery, End, Link, LinkKey, LinkState, Open, PartId, Step, WorkspaceId, keys,
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
        return Err(Stop::Skip(STAFF));
    };
    claim.delivery.conversation = Some(open.conversation.clone());
    match write(passage, claim, message, admin, &open).await {
        Err(Stop::Helpdesk(HelpdeskError::NotFound { reason })) => Err(conversation::not_found(passage, &open, reason)
            .await
            // A conversation in its place is opened by a customer's message, not by staff.
            .unwrap_or(Stop::Skip(STAFF))),
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
    let own_admin;
    let (plan, voice) = match &admin {
        Some(admin) => (plan_of(passage, message, Step::Text), Voice::Admin(admin)),
        None => {
            own_admin = passage.context.own_admin().await?;
            let plan = plan_of(passage, message, Step::Note);
            let heading = words::said_in_telegram(name_of(message));
            (plan.headed(heading), Voice::Note(&own_admin))
        }
    };
    let saying = Saying {
        passage,
        plan: &plan,
        date: message.date,
        voice,
        workspace: &open.workspace,
        conversation: &open.conversation,
    };
    saying.say(claim).await
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

/// A part that is known to be ours is not to be carried, whatever Intercom makes of its text on the way.
pub(super) async fn remember_echo(context: &Context, workspace: &WorkspaceId, part: &PartId) {
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
