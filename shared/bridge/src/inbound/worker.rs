//! What the inbound worker does with one message: read, begin, decode, carry, settle.

use super::{
    conversation, correction,
    scope::Scope,
    staff, topic,
    whereabouts::{self, Whereabouts},
};
use crate::{
    context::Context,
    delivering::Carried,
    envelope::{InboundEnvelope, from_json},
    notices::Audience,
    ports::UpdateReader,
    stop::{Received, Stop, Verdict},
    telegram_message::{ChatRef, CustomerMessage, Peek, Sender, SenderKind, Update, UpdateKind},
    unbegun::{Legible, Unbegun},
};
use mapping::{
    Arrival, Begun, BotId, ChatId, Claim, Contact, Delivery, End, Key, Link, LinkKey, MessageId, Reading, Stored,
    Subject, Succession, TopicKey, keys,
};
use std::sync::Arc;

/// Takes messages out of the inbound queue and carries them to Intercom.
pub struct InboundWorker<R> {
    reader: R,
    context: Arc<Context>,
}

/// One message on its way to Intercom: what was known of it before anything parsed its content.
pub(super) struct Passage<'p> {
    pub(super) context: &'p Context,
    pub(super) bot: BotId,
    pub(super) peek: &'p Peek,
    pub(super) chat: ChatRef,
    pub(super) link_key: LinkKey,
    pub(super) reading: &'p Reading,
}

impl Passage<'_> {
    pub(super) fn link(&self) -> Result<Option<Stored<Link>>, Stop> {
        Ok(self.reading.get(&self.link_key.key())?)
    }

    /// What is known of a topic of the chat, if its message told it before.
    pub(super) fn succession(&self) -> Result<Option<Stored<Succession>>, Stop> {
        match TopicKey::of(self.link_key) {
            Some(topic) => Ok(self.reading.get(&topic.key())?),
            None => Ok(None),
        }
    }

    /// The message, if an answer can reply to it: ids start anew when a chat gets another id, and a topic that is gone takes its
    /// messages with it.
    pub(super) fn answerable(&self) -> Option<MessageId> {
        let is_here = |written: ChatRef| written.id == self.link_key.chat && self.peek.topic == self.link_key.topic;
        self.peek.message.filter(|_| self.peek.chat.is_some_and(is_here))
    }

    pub(super) fn contact(&self) -> Result<Option<Stored<Contact>>, Stop> {
        Ok(self.reading.get(&keys::contact(self.sender()?.id))?)
    }

    pub(super) fn sender(&self) -> Result<Sender, Stop> {
        self.peek.sender.ok_or(Stop::Skip("nobody wrote it"))
    }
}

impl<R: UpdateReader> InboundWorker<R> {
    /// A worker on this ground.
    pub fn new(reader: R, context: Arc<Context>) -> Self {
        Self { reader, context }
    }

    /// Carries one message as far as it goes now.
    pub async fn handle(&self, received: &Received) -> Verdict {
        match self.carry(received).await {
            Ok(verdict) => verdict,
            Err(stop) => self.unbegun(received).settle(&stop, self.legible(received).await).await,
        }
    }

    fn unbegun<'r>(&'r self, received: &'r Received) -> Unbegun<'r> {
        Unbegun {
            context: &self.context,
            received,
            dead_letters: &self.context.queues.inbound_dead,
        }
    }

    async fn legible(&self, received: &Received) -> Legible {
        let Ok(envelope) = from_json::<InboundEnvelope>(&received.body) else {
            return Legible::default();
        };
        let peek = self.reader.peek_value(&envelope.update).ok();
        let bot = self.context.bot().await.ok();
        Legible {
            received_at: Some(envelope.received_at),
            audience: bot
                .zip(peek.as_ref())
                .and_then(|(bot, peek)| audience(bot, peek, peek.chat?.id)),
        }
    }

    async fn carry(&self, received: &Received) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let read = from_json::<InboundEnvelope>(&received.body)
            .and_then(|envelope| Ok((self.reader.peek_value(&envelope.update)?, envelope)));
        let (peek, envelope) = match read {
            Ok(read) => read,
            Err(problem) => return self.unbegun(received).bury(&problem.to_string()).await,
        };
        let Some(chat) = peek.chat else {
            return Ok(Verdict::Done);
        };
        let bot = context.bot().await?;
        let Whereabouts { chat, scope, reading } = whereabouts::read(context, bot, &peek, chat).await?;
        let link_key = match &scope {
            Scope::Link(link) => *link,
            Scope::Chat(chat) => LinkKey {
                bot,
                chat: *chat,
                topic: None,
                customer: None,
            },
            Scope::Nothing(_) => return Ok(Verdict::Done),
        };
        let arrival = Arrival {
            lane: received.lane.clone(),
            since: envelope.received_at,
            gave_up: received.gave_up,
        };
        let key = delivery_key(bot, &peek);
        let passage = Passage {
            context,
            bot,
            peek: &peek,
            chat,
            link_key,
            reading: &reading,
        };
        let carried = Carried {
            context,
            received,
            dead_letters: &context.queues.inbound_dead,
            audience: audience(bot, &peek, passage.chat.id),
            is_notice: false,
        };
        let existing = reading.get::<Delivery>(&key)?;
        Ok(match context.ledger.begin(key, existing, &arrival).await? {
            Begun::Later(at) => Verdict::Later(at),
            Begun::Finished => Verdict::Done,
            Begun::Poison(claim) => carried.poison(claim).await,
            Begun::Claimed(mut claim) => {
                let went = self.carry_claimed(&passage, &mut claim, &envelope).await;
                carried.settle(claim, went).await
            }
        })
    }

    async fn carry_claimed(
        &self,
        passage: &Passage<'_>,
        claim: &mut Claim,
        envelope: &InboundEnvelope,
    ) -> Result<End, Stop> {
        let username = passage.context.bot_username().await;
        match self.reader.decode(&envelope.update, username.as_deref())? {
            Update::Message(message) => carry_message(passage, claim, &message).await,
            Update::Edited(message) => correction::correct(passage, claim, &message).await,
            Update::TopicTitle { topic, title } => topic::titled(passage, topic, &title).await,
            Update::TopicClosed { .. } => Err(Stop::Skip("topic closed or opened")),
            Update::Membership {
                present,
                administrator,
                manages_topics,
            } => {
                if !present || !administrator || !manages_topics {
                    tracing::error!(
                        chat.id = passage.chat.id.0,
                        present,
                        administrator,
                        manages_topics,
                        "the bot's rights in a chat do not suffice: it has to be an administrator who manages topics"
                    );
                }
                Ok(End::Delivered)
            }
            Update::Other(_) => Err(Stop::Skip("nothing to carry")),
        }
    }
}

async fn carry_message(passage: &Passage<'_>, claim: &mut Claim, message: &CustomerMessage) -> Result<End, Stop> {
    let sender = passage.sender()?;
    match sender.kind {
        SenderKind::LinkedChannel => return Err(Stop::Skip("a post of the linked channel")),
        SenderKind::Bot => return Err(Stop::Skip("a bot")),
        SenderKind::User | SenderKind::AnonymousAdmin | SenderKind::Channel => {}
    }
    if message.for_another_bot {
        return Err(Stop::Skip("a command for another bot"));
    }
    topic::find_its_place(passage, message).await?;
    match staff::role(passage.context, passage.chat, sender).await? {
        staff::Role::Customer => conversation::carry(passage, claim, message).await,
        staff::Role::Staff(admin) => staff::carry(passage, claim, message, admin).await,
    }
}

/// Message ids start anew when a chat gets another id, so a delivery keeps the id under which its message was written.
pub(super) fn delivery_key(bot: BotId, peek: &Peek) -> Key {
    let chat = peek.chat.map_or(ChatId(0), |chat| chat.id);
    let subject = match (&peek.kind, peek.message) {
        (UpdateKind::Edited, Some(message)) => Subject::Edit(message, peek.update),
        (UpdateKind::Reaction, Some(message)) => Subject::Reaction(message, peek.update),
        (UpdateKind::Message | UpdateKind::Topic, Some(message)) => Subject::Message(message),
        _ => Subject::Update(peek.update),
    };
    keys::inbound_delivery(bot, chat, subject)
}

/// Who is told when the message does not arrive: whoever wrote it, if a person did.
fn audience(bot: BotId, peek: &Peek, chat: ChatId) -> Option<Audience> {
    let by_person = peek
        .sender
        .is_some_and(|sender| matches!(sender.kind, SenderKind::User | SenderKind::Channel));
    (peek.kind == UpdateKind::Message && by_person).then_some(Audience::Customer {
        bot,
        chat,
        topic: peek.topic,
        reply_to: peek.message,
    })
}
