//! Carrying what a customer wrote: into the conversation of the topic, which is opened by the first message.

use super::{
    contact,
    opening::{self, Opened},
    staff,
    worker::Passage,
};
use crate::{
    config::NewConversation,
    context::Context,
    failure::HelpdeskError,
    intercom_message::ConversationState,
    looking::{self, Lost},
    ports::Reply,
    rich_text::{Block, RichText},
    stop::{Stop, elsewhere},
    telegram_message::CustomerMessage,
    words,
};
use mapping::{
    Claim, ContactId, ConversationId, Delivery, DeliveryState, End, Link, LinkState, Open, Proof, Reverse, Step,
    Stored, Subject, Timestamp, keys,
};
use std::time::Duration;

/// Intercom is told when a message was written only if that is not long ago: an older one would stand above what was said since.
const TIME_IS_SHOWN_FOR: Duration = Duration::from_mins(5);

/// So long after its creation, what Intercom cannot find may merely not be found yet.
const APPEARS_WITHIN: Duration = Duration::from_mins(2);

/// Carries a customer's message.
pub(super) async fn carry(passage: &Passage<'_>, claim: &mut Claim, message: &CustomerMessage) -> Result<End, Stop> {
    let context = passage.context;
    claim.delivery.fingerprint = Some(context.fingerprint(&message.text.to_plain()).await?);
    if let Some(Proof::Conversation(conversation)) = claim.delivery.proof(Step::Create).cloned() {
        opening::dress(passage, claim, message, &conversation).await;
        return Ok(End::Delivered);
    }
    if claim.delivery.has_arrived() {
        return Ok(End::Delivered);
    }
    let contact = contact::ensure(passage, &message.author).await?;
    let written = Written {
        text: text_of(message),
        date: message.date,
    };
    let link = passage.link()?;
    let open = link.as_ref().and_then(open_of);
    if let Some(open) = &open
        && has_got_through(passage, claim, &written, &contact, open).await?
    {
        return Ok(End::Delivered);
    }
    match (link, open) {
        (Some(link), Some(open)) if !asks_for_another(context, &open, message.date).await? => {
            reply(passage, claim, message, &written, &contact, link, &open).await
        }
        (link, _) => open_then_reply(passage, claim, message, &written, &contact, link).await,
    }
}

/// Looks for what a lost call may have done, before anything is decided anew.
async fn has_got_through(
    passage: &Passage<'_>,
    claim: &mut Claim,
    written: &Written,
    contact: &ContactId,
    open: &Open,
) -> Result<bool, Stop> {
    if !claim.may_have_gone_out {
        return Ok(false);
    }
    let found = match find_lost(passage, claim, written, contact, &open.conversation).await {
        // What is not there holds nothing; it is found out below which of the two is gone.
        Err(Stop::Helpdesk(HelpdeskError::NotFound { .. })) => None,
        found => found?,
    };
    claim.may_have_gone_out = false;
    if let Some(part) = found {
        claim.delivery.conversation = Some(open.conversation.clone());
        claim.prove(Step::Text, Proof::Part(part), passage.context.ledger.now());
    }
    Ok(claim.delivery.has_arrived())
}

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
    let fingerprint = Some(context.fingerprint(&message.text.to_plain()).await?);
    if original.value.fingerprint == fingerprint && !claim.delivery.has_arrived() {
        return Err(Stop::Skip("the text did not change"));
    }
    let mut corrected = message.clone();
    corrected.text.head(words::corrected());
    let sender = passage.peek.sender.ok_or(Stop::Skip("nobody wrote it"))?;
    let end = match staff::role(context, passage.chat, sender).await? {
        staff::Role::Customer => carry(passage, claim, &corrected).await?,
        staff::Role::Staff(admin) => staff::carry(passage, claim, &corrected, admin).await?,
    };
    // The correction's own receipt comes first: whoever comes back must not take it for no change.
    context.ledger.progress(claim).await?;
    let expires_at = Some(context.ledger.now() + keys::FINISHED_FOR);
    let record = Delivery {
        fingerprint,
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

/// A text and when it was written, in the two forms that it may reach Intercom in.
pub(super) struct Written {
    pub(super) text: RichText,
    pub(super) date: Timestamp,
}

impl Written {
    /// The reply to send now: a recent one carries its time, an older one says it.
    pub(super) fn reply(&self, context: &Context) -> Reply {
        if context.ledger.now().since(self.date) < TIME_IS_SHOWN_FOR {
            Reply {
                body: self.text.clone(),
                created_at: Some(self.date),
            }
        } else {
            Reply {
                body: self.dated(),
                created_at: None,
            }
        }
    }

    /// The text headed by the time at which it was written.
    pub(super) fn dated(&self) -> RichText {
        let time = jiff::Timestamp::from_millisecond(self.date.as_millis()).unwrap_or_default();
        let mut text = self.text.clone();
        text.0
            .insert(0, words::written_at(&time.strftime("%Y-%m-%d %H:%M UTC").to_string()));
        text
    }
}

/// What an agent reads of a message: from whom it was forwarded and what it answers, then what it says.
pub(super) fn text_of(message: &CustomerMessage) -> RichText {
    let mut text = message.text.clone();
    if let Some(quote) = &message.quote {
        text.0.insert(
            0,
            Block::Quote {
                blocks: without_quotes(&quote.text.0),
                expandable: false,
            },
        );
        text.0.splice(0..0, quote.author.as_deref().map(words::quoted_author));
    }
    let heads = [
        message.via_bot.as_deref().map(words::via_bot),
        message.forwarded_from.as_deref().map(words::forwarded_from),
    ];
    for line in heads.into_iter().flatten() {
        text.head(line);
    }
    text
}

/// Quotations do not nest.
fn without_quotes(blocks: &[Block]) -> Vec<Block> {
    let flat = blocks.iter().flat_map(|block| match block {
        Block::Quote { blocks, .. } => blocks.clone(),
        block => vec![block.clone()],
    });
    flat.collect()
}

fn open_of(link: &Stored<Link>) -> Option<Open> {
    match &link.value.state {
        LinkState::Open(open) => Some(open.clone()),
        LinkState::Opening(_) => None,
    }
}

/// Whether the settings want another conversation for this message.
async fn asks_for_another(context: &Context, open: &Open, date: Timestamp) -> Result<bool, Stop> {
    let conversation = match context.config.new_conversation {
        NewConversation::Never => return Ok(false),
        NewConversation::AfterClose | NewConversation::AfterDays(_) => {
            match context.helpdesk.conversation(&open.conversation).await {
                Ok(conversation) => conversation,
                // Whether it is really gone is found out where there is a way to heal it.
                Err(HelpdeskError::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    };
    Ok(match context.config.new_conversation {
        NewConversation::Never => false,
        NewConversation::AfterClose => conversation.state == Some(ConversationState::Closed),
        NewConversation::AfterDays(days) => {
            let silence = Duration::from_hours(24) * u32::from(days);
            conversation.updated_at.is_some_and(|at| date.since(at) > silence)
        }
    })
}

async fn open_then_reply(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    written: &Written,
    contact: &ContactId,
    existing: Option<Stored<Link>>,
) -> Result<End, Stop> {
    match opening::open(passage, claim, written, contact, existing).await {
        Ok(Opened::Now(conversation)) => {
            opening::dress(passage, claim, message, &conversation).await;
            Ok(End::Delivered)
        }
        Ok(Opened::Before) => Err(Stop::soon(passage.context, "another message opened the conversation")),
        Err(Stop::Helpdesk(HelpdeskError::NotFound { reason })) => {
            let survivor = contact::replace(passage, &message.author, contact).await?;
            if survivor == *contact {
                // It is there, and merely not seen everywhere yet.
                return Err(Stop::Helpdesk(HelpdeskError::Transient { after: None, reason }));
            }
            Err(Stop::soon(passage.context, "the contact was replaced"))
        }
        Err(stop) => Err(stop),
    }
}

async fn reply(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    written: &Written,
    contact: &ContactId,
    link: Stored<Link>,
    open: &Open,
) -> Result<End, Stop> {
    match try_reply(passage, claim, written, contact, &link, open).await {
        Err(Stop::Helpdesk(HelpdeskError::NotFound { reason })) => {
            match heal(passage, message, contact, open, reason).await? {
                Healed::Contact(contact) => try_reply(passage, claim, written, &contact, &link, open).await?,
                Healed::ConversationGone => {
                    return open_then_reply(passage, claim, message, written, contact, Some(link)).await;
                }
            }
        }
        replied => replied?,
    }
    remember_last_message(passage, open).await;
    Ok(End::Delivered)
}

async fn try_reply(
    passage: &Passage<'_>,
    claim: &mut Claim,
    written: &Written,
    contact: &ContactId,
    link: &Stored<Link>,
    open: &Open,
) -> Result<(), Stop> {
    let context = passage.context;
    let conversation = &open.conversation;
    claim.delivery.conversation = Some(conversation.clone());
    if !open.participants.contains(contact) {
        let admin = context.own_admin().await?;
        context.helpdesk.attach(conversation, &admin, contact).await?;
        // A link that changed meanwhile is left alone: to attach once more does no harm.
        let _ = context.ledger.add_participant(passage.link_key, link, contact).await;
    }
    let reply = written.reply(context);
    let part = context.helpdesk.reply_as_contact(conversation, contact, &reply).await?;
    claim.prove(Step::Text, Proof::Part(part), context.ledger.now());
    Ok(())
}

async fn find_lost(
    passage: &Passage<'_>,
    claim: &Claim,
    written: &Written,
    contact: &ContactId,
    conversation: &ConversationId,
) -> Result<Option<mapping::PartId>, Stop> {
    let context = passage.context;
    // The neighbours lie under the id that the chat had when they were written.
    let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
    let accounted = looking::accounted(context, passage.bot, chat, conversation, claim).await?;
    for (text, told_time) in [(&written.text, Some(written.date)), (&written.dated(), None)] {
        let lost = Lost::reply_of_contact(conversation, contact, text, written.date, told_time);
        if let Some(part) = looking::find(context, &lost, &accounted).await? {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

enum Healed {
    /// It was the contact that is gone; this one is in its place.
    Contact(ContactId),
    /// It was the conversation that is gone.
    ConversationGone,
}

/// Finds out what it is that Intercom does not find, the conversation or the contact.
async fn heal(
    passage: &Passage<'_>,
    message: &CustomerMessage,
    contact: &ContactId,
    open: &Open,
    reason: String,
) -> Result<Healed, Stop> {
    match not_found(passage, open, reason).await {
        Some(stop) => Err(stop),
        None => match passage.context.helpdesk.conversation(&open.conversation).await {
            Ok(_) => Ok(Healed::Contact(
                contact::replace(passage, &message.author, contact).await?,
            )),
            Err(HelpdeskError::NotFound { .. }) => Ok(Healed::ConversationGone),
            Err(error) => Err(error.into()),
        },
    }
}

/// Why what Intercom does not find may be there all the same: it is young, or the token belongs elsewhere.
pub(super) async fn not_found(passage: &Passage<'_>, open: &Open, reason: String) -> Option<Stop> {
    let context = passage.context;
    if context.ledger.now().since(open.since) < APPEARS_WITHIN {
        return Some(Stop::Helpdesk(HelpdeskError::Transient { after: None, reason }));
    }
    // A wrong token must not open everything anew elsewhere.
    match context.helpdesk.identity().await {
        Ok(identity) if identity.workspace == open.workspace => None,
        Ok(identity) => {
            tracing::error!(
                workspace.linked = %open.workspace,
                workspace.token = %identity.workspace,
                metric.wrong_workspace = 1,
                "the access token belongs to another workspace than the conversations"
            );
            Some(Stop::Helpdesk(HelpdeskError::Unauthorized {
                reason: "another workspace".into(),
            }))
        }
        Err(error) => Some(error.into()),
    }
}

/// Where each customer has a conversation of their own, answers reply to their last message.
async fn remember_last_message(passage: &Passage<'_>, open: &Open) {
    let last_message = passage.answerable();
    if passage.link_key.customer.is_none() || last_message.is_none() {
        return;
    }
    let ledger = &passage.context.ledger;
    let key = keys::reverse(&open.workspace, &open.conversation);
    if let Ok(Some(reverse)) = ledger.find::<Reverse>(&key).await {
        let record = Reverse {
            last_message,
            ..reverse.value
        };
        let transaction = ledger.transaction().replace(key, &reverse.version, &record, None);
        // Whoever changed it meanwhile knows better, and the message has arrived either way.
        let _ = ledger.commit(transaction).await;
    }
}
