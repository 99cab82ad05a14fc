//! What the inbound worker does with one message: read, begin, decode, carry, settle.

use super::{
    album, conversation, correction, reaction,
    scope::Scope,
    staff, topic,
    whereabouts::{self, Whereabouts},
};
use crate::{
    context::Context,
    delivering::Carried,
    envelope::{InboundEnvelope, InboundErrand, from_json},
    notices::Audience,
    ports::UpdateReader,
    stop::{Received, Stop, Verdict},
    telegram_message::{ChatRef, CustomerMessage, Peek, Sender, SenderKind, Update, UpdateKind},
    unbegun::{Legible, Unbegun},
    words,
};
use mapping::{
    Arrival, Begun, BotId, ChatId, Claim, Contact, Delivery, End, Key, Link, LinkKey, MessageId, Reading, Stored,
    Subject, Succession, Timestamp, TopicId, TopicKey, keys,
};
use serde_json::Value;
use std::sync::Arc;

/// Takes messages out of the inbound queue and carries them to Intercom.
pub struct InboundWorker<R> {
    pub(super) reader: R,
    pub(super) context: Arc<Context>,
}

/// An update as it comes out of the queue.
struct Mail<'m> {
    received: &'m Received,
    since: Timestamp,
    update: &'m Value,
    peek: Peek,
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
        let unbegun = self.unbegun(received);
        let carrying = Box::pin(async {
            match self.carry(received).await {
                Ok(verdict) => verdict,
                Err(stop) => unbegun.settle(&stop, self.legible(received).await).await,
            }
        });
        unbegun.unless_it_is_poison(customers_of, carrying).await
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
        let peek = match &envelope.errand {
            InboundErrand::Update(update) => self.reader.peek_value(update).ok(),
            InboundErrand::Flush(_) => None,
        };
        let bot = self.context.bot().await.ok();
        Legible {
            received_at: Some(envelope.received_at),
            audience: bot
                .zip(peek.as_ref())
                .and_then(|(bot, peek)| audience(bot, peek, peek.chat?.id)),
        }
    }

    async fn carry(&self, received: &Received) -> Result<Verdict, Stop> {
        let envelope = match from_json::<InboundEnvelope>(&received.body) {
            Ok(envelope) => envelope,
            Err(problem) => return self.unbegun(received).bury(&problem.to_string()).await,
        };
        let update = match envelope.errand {
            InboundErrand::Update(update) => update,
            InboundErrand::Flush(album) => return self.flush_when_whole(received, &album).await,
        };
        match self.reader.peek_value(&update) {
            Ok(peek) => {
                let since = envelope.received_at;
                let update = &update;
                self.carry_update(&Mail {
                    received,
                    since,
                    update,
                    peek,
                })
                .await
            }
            Err(problem) => self.unbegun(received).bury(&problem.to_string()).await,
        }
    }

    async fn carry_update(&self, mail: &Mail<'_>) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let Some(chat) = mail.peek.chat else {
            return Ok(Verdict::Done);
        };
        let bot = context.bot().await?;
        let key = delivery_key(bot, &mail.peek);
        let lane = keys::open_album(bot, &mail.received.lane);
        let own_album = album::key_of(bot, &mail.peek);
        let mut wanted = vec![key.clone(), lane.clone()];
        wanted.extend(own_album.iter().map(mapping::AlbumKey::key));
        let mut at = whereabouts::read(context, bot, &mail.peek, chat, &wanted).await?;
        let existing = at.reading.get::<Delivery>(&key)?;
        if is_bridged(&at)
            && !is_over(existing.as_ref(), mail.received)
            && let Some(open) = album::in_the_way(&lane, own_album.as_ref(), &at.reading)?
        {
            match self.flush_first(&open, mail.received).await? {
                Verdict::Done => at = whereabouts::read(context, bot, &mail.peek, chat, &wanted).await?,
                later @ Verdict::Later(_) => return Ok(later),
            }
        }
        self.carry_alone(mail, bot, key, at).await
    }

    /// Carries a message that nothing stands in the way of.
    async fn carry_alone(&self, mail: &Mail<'_>, bot: BotId, key: Key, at: Whereabouts) -> Result<Verdict, Stop> {
        let (context, received) = (self.context.as_ref(), mail.received);
        let Whereabouts { chat, scope, reading } = at;
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
            since: mail.since,
            gave_up: received.gave_up,
        };
        let passage = Passage {
            context,
            bot,
            peek: &mail.peek,
            chat,
            link_key,
            reading: &reading,
        };
        let carried = Carried {
            context,
            received,
            dead_letters: &context.queues.inbound_dead,
            audience: audience(bot, &mail.peek, passage.chat.id),
            is_notice: false,
        };
        let existing = reading.get::<Delivery>(&key)?;
        Ok(match context.ledger.begin(key, existing, &arrival).await? {
            Begun::Later(at) => Verdict::Later(at),
            Begun::Finished => Verdict::Done,
            Begun::Poison(claim) => carried.poison(claim).await,
            Begun::Claimed(mut claim) => {
                let went = self.carry_claimed(&passage, &mut claim, mail.update).await;
                carried.settle(claim, went).await
            }
        })
    }

    async fn carry_claimed(&self, passage: &Passage<'_>, claim: &mut Claim, update: &Value) -> Result<End, Stop> {
        let username = passage.context.bot_username().await;
        match self.reader.decode(update, username.as_deref())? {
            Update::Message(message) => carry_message(passage, claim, &message, update).await,
            Update::Edited(message) => correction::correct(passage, claim, &message, Some(words::corrected())).await,
            Update::LocationEnded(message) => correction::correct(passage, claim, &message, None).await,
            Update::Reaction(reaction) => reaction::carry(passage, claim, &reaction).await,
            Update::TopicTitle { topic, title } => topic::titled(passage, topic, &title).await,
            Update::TopicClosed { closed, .. } => topic::closed(passage, claim, closed).await,
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

fn is_bridged(at: &Whereabouts) -> bool {
    match at.scope {
        Scope::Link(_) | Scope::Chat(_) => true,
        Scope::Nothing(_) => false,
    }
}

/// Whether a message is dealt with, so that nothing has to make way for it.
fn is_over(existing: Option<&Stored<Delivery>>, received: &Received) -> bool {
    received.gave_up.is_none() && existing.is_some_and(|delivery| delivery.value.is_finished())
}

async fn carry_message(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    update: &Value,
) -> Result<End, Stop> {
    let sender = passage.sender()?;
    match sender.kind {
        SenderKind::LinkedChannel => return Err(Stop::Skip("a post of the linked channel")),
        SenderKind::Bot => return Err(Stop::Skip("a bot")),
        SenderKind::User | SenderKind::AnonymousAdmin | SenderKind::Channel => {}
    }
    if message.for_another_bot {
        return Err(Stop::Skip("a command for another bot"));
    }
    match album::join(passage, claim, message, update).await? {
        Some(joined) => Ok(joined),
        None => carry_in_its_place(passage, claim, message).await,
    }
}

/// Carries a message or an album into the conversation that it belongs to.
pub(super) async fn carry_in_its_place(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
) -> Result<End, Stop> {
    let sender = passage.sender()?;
    topic::find_its_place(passage, message).await?;
    match staff::role(passage.context, passage.chat, sender).await? {
        staff::Role::Customer => conversation::carry(passage, claim, message).await,
        staff::Role::Staff(admin) => staff::carry(passage, claim, message, admin).await,
    }
}

/// Message ids start anew when a chat gets another id, so a delivery keeps the id under which its message was written.
pub(crate) fn delivery_key(bot: BotId, peek: &Peek) -> Key {
    let chat = peek.chat.map_or(ChatId(0), |chat| chat.id);
    let subject = match (&peek.kind, peek.message) {
        (UpdateKind::Edited, Some(message)) => Subject::Edit(message, peek.update),
        (UpdateKind::Reaction, Some(message)) => Subject::Reaction(message, peek.update),
        (UpdateKind::Message | UpdateKind::Topic, Some(message)) => Subject::Message(message),
        _ => Subject::Update(peek.update),
    };
    keys::inbound_delivery(bot, chat, subject)
}

/// The customers of the topic that a lane is of. In that of a whole chat nobody waits.
fn customers_of(bot: BotId, lane: &str) -> Option<Audience> {
    let mut words = lane.split(':');
    let chat = ChatId(words.next()?.parse().ok()?);
    let topic: i64 = words.next()?.parse().ok()?;
    Some(Audience::Customer {
        bot,
        chat,
        topic: (topic != 0).then_some(TopicId(topic)),
        reply_to: None,
    })
}

/// Who is told when the message does not arrive: whoever wrote it, if a person did.
pub(super) fn audience(bot: BotId, peek: &Peek, chat: ChatId) -> Option<Audience> {
    let by_person = peek
        .sender
        .is_some_and(|sender| matches!(sender.kind, SenderKind::User | SenderKind::Channel));
    let is_content = matches!(peek.kind, UpdateKind::Message | UpdateKind::Edited);
    (is_content && by_person).then_some(Audience::Customer {
        bot,
        chat,
        topic: peek.topic,
        reply_to: peek.message,
    })
}
