//! Carrying what a customer wrote: into the conversation of the topic, which is opened by the first message.

use super::{
    contact,
    healing::{self, Fate, Linked},
    opening::{self, Opened},
    plan::{self, Plan, Stand},
    saying::{Saying, Voice},
    worker::Passage,
};
use crate::{
    config::NewConversation, context::Context, failure::HelpdeskError, intercom_message::ConversationState,
    ports::Reply, rich_text::RichText, stop::Stop, telegram_message::CustomerMessage, words,
};
use mapping::{
    Claim, ContactId, ConversationId, End, Link, LinkState, Open, Proof, Reverse, Step, Stored, Timestamp,
    UniqueFileId, keys,
};
use std::{collections::BTreeSet, time::Duration};

/// Intercom is told when a message was written only if that is not long ago: an older one would stand above what was said since.
const TIME_IS_SHOWN_FOR: Duration = Duration::from_mins(5);

/// Carries a customer's message.
pub(super) async fn carry(passage: &Passage<'_>, claim: &mut Claim, message: &CustomerMessage) -> Result<End, Stop> {
    let context = passage.context;
    let said = said_of(context, message).await?;
    (claim.delivery.fingerprint, claim.delivery.files) = (Some(said.text), said.files);
    let plan = plan_of(passage, message, Step::Text);
    if let Some(Proof::Conversation(conversation)) = claim.delivery.proof(Step::Create).cloned() {
        let carrying = Carrying {
            passage,
            message,
            plan: &plan,
        };
        return carrying.after_opening(claim, &conversation, None).await;
    }
    if plan.next(&claim.delivery).is_none() {
        return Ok(End::Delivered);
    }
    let contact = contact::ensure(passage, &message.author).await?;
    let link = passage.link()?;
    let open = link.as_ref().and_then(open_of);
    let carrying = Carrying {
        passage,
        message,
        plan: &plan,
    };
    if let Some(open) = &open
        && claim.may_have_gone_out
        && carrying.saying(&contact, open).look(claim).await?
    {
        return Ok(End::Delivered);
    }
    let has_begun = claim.delivery.proof(Step::Text).is_some();
    match (link, open) {
        (Some(link), Some(open)) if has_begun || !asks_for_another(context, &open, message.date).await? => {
            carrying.reply(claim, &contact, link, &open).await
        }
        (link, _) => carrying.open_then_reply(claim, &contact, link).await,
    }
}

/// What of a message goes in which call.
pub(super) fn plan_of<'m>(passage: &Passage<'_>, message: &'m CustomerMessage, first: Step) -> Plan<'m> {
    let stand = Stand {
        chat: passage.link_key.chat,
        topic: passage.peek.topic,
        message: passage.peek.message.unwrap_or(mapping::MessageId(0)),
    };
    Plan::new(message, stand, first)
}

/// Keyed hashes of what a message says, and of what its files are.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) files: Option<String>,
}

/// What a message says, so that it is known whether a change changed anything.
pub(super) async fn said_of(context: &Context, message: &CustomerMessage) -> Result<Said, Stop> {
    let ids = message.files.iter().filter_map(|file| file.unique_id.as_ref());
    let ids: Vec<&str> = ids.map(UniqueFileId::as_str).collect();
    Ok(Said {
        text: context.fingerprint(&plan::said(message).to_plain()).await?,
        files: match ids.as_slice() {
            [] => None,
            ids => Some(context.fingerprint(&ids.join("\n")).await?),
        },
    })
}

/// A text and when it was written, in the two forms that it may reach Intercom in.
pub(super) struct Written {
    pub(super) text: RichText,
    date: Timestamp,
}

impl Written {
    pub(super) fn new(text: RichText, date: Timestamp) -> Self {
        Self { text, date }
    }

    /// The time that Intercom is told.
    pub(super) fn time_to_show(&self, context: &Context) -> Option<Timestamp> {
        let is_recent = context.ledger.now().since(self.date) < TIME_IS_SHOWN_FOR;
        is_recent.then_some(self.date)
    }

    /// The reply to send now: a recent one carries its time, an older one says it.
    pub(super) fn reply(&self, context: &Context) -> Reply {
        let created_at = self.time_to_show(context);
        Reply {
            body: match created_at {
                Some(_) => self.text.clone(),
                None => self.dated(),
            },
            created_at,
            files: Vec::new(),
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

/// A customer's message on its way into a conversation.
struct Carrying<'a> {
    passage: &'a Passage<'a>,
    message: &'a CustomerMessage,
    plan: &'a Plan<'a>,
}

impl Carrying<'_> {
    fn saying<'s>(&'s self, contact: &'s ContactId, open: &'s Open) -> Saying<'s> {
        Saying {
            passage: self.passage,
            plan: self.plan,
            date: self.message.date,
            voice: Voice::Contact(contact),
            workspace: &open.workspace,
            conversation: &open.conversation,
        }
    }

    async fn open_then_reply(
        &self,
        claim: &mut Claim,
        contact: &ContactId,
        existing: Option<Stored<Link>>,
    ) -> Result<End, Stop> {
        let Self { passage, message, plan } = *self;
        let written = Written::new(plan.text(), message.date);
        claim.delivery.files_left = plan.files_after_opening();
        match opening::open(passage, claim, &written, contact, existing).await {
            Ok(Opened::Now(conversation)) => {
                // Boxed, for what is said there may find the conversation gone and open another.
                Box::pin(self.after_opening(claim, &conversation, Some(contact))).await
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

    /// What still follows when the conversation is open: what it gets besides its message, and the message's files.
    async fn after_opening(
        &self,
        claim: &mut Claim,
        conversation: &ConversationId,
        contact: Option<&ContactId>,
    ) -> Result<End, Stop> {
        let Self { passage, message, plan } = *self;
        if !claim.delivery.dressed {
            opening::dress(passage, claim, message, conversation).await?;
            claim.delivery.files_left = plan.files_left(&claim.delivery);
            if claim.delivery.files_left > 0 {
                // From here on only files are left, and an agent may have changed what the conversation got.
                claim.delivery.dressed = true;
                passage.context.ledger.progress(claim).await?;
            }
        }
        if plan.next(&claim.delivery).is_none() {
            return Ok(End::Delivered);
        }
        let contact = match contact {
            Some(contact) => contact.clone(),
            None => contact::ensure(passage, &message.author).await?,
        };
        // It may have been bound just now, or another may have taken its place while the files waited.
        let link: Option<Stored<Link>> = passage.context.ledger.find(&passage.link_key.key()).await?;
        let open = link.as_ref().and_then(open_of);
        match (link, open) {
            (Some(link), Some(open)) if open.conversation == *conversation => {
                self.reply(claim, &contact, link, &open).await
            }
            _ => Err(Stop::GiveUp {
                reason: "another conversation is linked now".into(),
                cause: words::Cause::Refused,
            }),
        }
    }

    async fn reply(
        &self,
        claim: &mut Claim,
        contact: &ContactId,
        link: Stored<Link>,
        open: &Open,
    ) -> Result<End, Stop> {
        match self.try_reply(claim, contact, &link, open).await {
            Err(Stop::Helpdesk(error @ (HelpdeskError::NotFound { .. } | HelpdeskError::Refused { .. }))) => {
                let linked = Linked {
                    key: self.passage.link_key,
                    link: &link,
                    open,
                };
                match healing::fate(self.passage, &linked, &error).await? {
                    Fate::There => self.reply_after(claim, contact, &linked, error).await?,
                    Fate::Followed => {
                        return Err(Stop::soon(
                            self.passage.context,
                            "the conversation was merged into another",
                        ));
                    }
                    Fate::Gone => {
                        // What was said there is gone with it.
                        claim.delivery.receipts.clear();
                        claim.delivery.dressed = false;
                        return self.open_then_reply(claim, contact, Some(link)).await;
                    }
                }
            }
            replied => replied?,
        }
        remember_last_message(self.passage, open).await;
        Ok(End::Delivered)
    }

    /// Replies once more in a conversation that is there: what was not found is the contact.
    async fn reply_after(
        &self,
        claim: &mut Claim,
        contact: &ContactId,
        linked: &Linked<'_>,
        error: HelpdeskError,
    ) -> Result<(), Stop> {
        match error {
            HelpdeskError::NotFound { .. } => {
                let contact = contact::replace(self.passage, &self.message.author, contact).await?;
                // An agent may have taken somebody out whom the link knows to take part.
                let open = Open {
                    participants: BTreeSet::new(),
                    ..linked.open.clone()
                };
                self.try_reply(claim, &contact, linked.link, &open).await
            }
            error => Err(error.into()),
        }
    }

    async fn try_reply(
        &self,
        claim: &mut Claim,
        contact: &ContactId,
        link: &Stored<Link>,
        open: &Open,
    ) -> Result<(), Stop> {
        let context = self.passage.context;
        let conversation = &open.conversation;
        claim.delivery.conversation = Some(conversation.clone());
        if !open.participants.contains(contact) {
            let admin = context.own_admin().await?;
            let customer = self.passage.sender()?.id;
            context.helpdesk.attach(conversation, &admin, contact).await?;
            // A link that changed meanwhile is left alone: to attach once more does no harm.
            let _ = context
                .ledger
                .add_participant(self.passage.link_key, link, customer, contact)
                .await;
        }
        self.saying(contact, open).say(claim).await
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
