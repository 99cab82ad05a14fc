//! Who in a group is staff, and what becomes of what they write there: notes, or replies of the admin that they are in Intercom.

use super::{
    album,
    conversation::plan_of,
    healing::{self, Fate, Linked},
    saying::{Saying, Voice},
    whereabouts,
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
    AdminId, ChatId, Claim, ConversationId, Delivery, End, Link, LinkKey, LinkState, MessageId, Open, PartId, Reverse,
    SentMessage, Step, Stored, Subject, WorkspaceId, keys,
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
    let key = link_of(passage).await?.ok_or(Stop::Skip(STAFF))?;
    let Some(link) = read_link(passage, key).await? else {
        return Err(Stop::Skip(STAFF));
    };
    let LinkState::Open(open) = &link.value.state else {
        return Err(Stop::Skip(STAFF));
    };
    claim.delivery.conversation = Some(open.conversation.clone());
    let Err(stop) = write(passage, claim, message, admin, open).await else {
        return Ok(End::Delivered);
    };
    let Stop::Helpdesk(error @ (HelpdeskError::NotFound { .. } | HelpdeskError::Refused { .. })) = stop else {
        return Err(stop);
    };
    let linked = Linked { key, link: &link, open };
    Err(match (healing::fate(passage, &linked, &error).await?, error) {
        (Fate::Followed, _) => Stop::soon(passage.context, "the conversation was merged into another"),
        (Fate::There, error @ HelpdeskError::Refused { .. }) => error.into(),
        // A conversation in its place is opened by a customer's message, not by staff.
        (Fate::There | Fate::Gone, _) => Stop::Skip(STAFF),
    })
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

/// The topic's link; where each customer has one, that of the conversation of the message that is answered.
async fn link_of(passage: &Passage<'_>) -> Result<Option<LinkKey>, Stop> {
    let own = passage.link_key;
    let Some(answered) = passage.peek.replies_to.filter(|_| own.customer.is_some()) else {
        return Ok(Some(own));
    };
    let known = match answered.message {
        Some(message) => link_of_message(passage, message).await?,
        None => None,
    };
    let customer = match known {
        Some(link) => link.customer,
        // What nothing is known of was written by its author, unless we wrote it for somebody.
        None if answered.author.0 == passage.bot.0 => return Ok(None),
        None => Some(answered.author),
    };
    Ok(Some(LinkKey { customer, ..own }))
}

/// The link of the conversation that a message here came from, or went to.
async fn link_of_message(passage: &Passage<'_>, message: MessageId) -> Result<Option<LinkKey>, Stop> {
    let (context, bot) = (passage.context, passage.bot);
    // Under the id that the chat had then: they start anew when it gets another.
    let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
    let sent_key = keys::sent_message(bot, chat, message);
    let own_key = keys::inbound_delivery(bot, chat, Subject::Message(message));
    let reading = context.ledger.read(&[sent_key.clone(), own_key.clone()]).await?;
    let link = match (
        reading.get::<SentMessage>(&sent_key)?,
        reading.get::<Delivery>(&own_key)?,
    ) {
        (Some(sent), _) => Some(sent.value.link),
        (None, Some(own)) => link_of_delivery(passage, chat, own.value).await?,
        (None, None) => None,
    };
    let now = (passage.link_key.chat, passage.link_key.topic);
    Ok(link.filter(|link| [now, (chat, passage.peek.topic)].contains(&(link.chat, link.topic))))
}

async fn link_of_delivery(passage: &Passage<'_>, chat: ChatId, own: Delivery) -> Result<Option<LinkKey>, Stop> {
    let context = passage.context;
    let carrier = album::carrier(context, passage.bot, chat, own).await?;
    let Some(conversation) = carrier.and_then(|carrier| carrier.conversation) else {
        return Ok(None);
    };
    let reverse = keys::reverse(&context.identity().await?.workspace, &conversation);
    let reverse = context.ledger.find::<Reverse>(&reverse).await?;
    Ok(reverse.map(|reverse| reverse.value.link))
}

async fn read_link(passage: &Passage<'_>, key: LinkKey) -> Result<Option<Stored<Link>>, Stop> {
    if key == passage.link_key {
        passage.link()
    } else {
        whereabouts::link_at(passage.context, key).await
    }
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
