//! What the inbound worker does with one message: read, begin, decode, carry, settle.

use super::{
    conversation,
    scope::{self, Scope},
    staff, topic,
};
use crate::{
    context::Context,
    delivering::Carried,
    envelope::{InboundEnvelope, from_json},
    notices::Audience,
    ports::{QueueMessage, UpdateReader},
    stop::{Received, Stop, Verdict, dedupe, elsewhere, not_begun},
    telegram_message::{ChatRef, CustomerMessage, Peek, SenderKind, Update, UpdateKind},
};
use mapping::{
    Arrival, Begun, BotId, ChatId, Claim, Contact, Delivery, End, Forward, Key, Link, LinkKey, Reading, Stored,
    Subject, keys,
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

    pub(super) fn contact(&self) -> Result<Option<Stored<Contact>>, Stop> {
        let sender = self.peek.sender.ok_or(Stop::Skip("nobody wrote it"))?;
        Ok(self.reading.get(&keys::contact(sender.id))?)
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
            Err(stop) => not_begun(&self.context, received, &stop),
        }
    }

    async fn carry(&self, received: &Received) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let read = from_json::<InboundEnvelope>(&received.body)
            .and_then(|envelope| Ok((self.reader.peek_value(&envelope.update)?, envelope)));
        let (peek, envelope) = match read {
            Ok(read) => read,
            Err(problem) => return self.bury(received, &problem.to_string()).await,
        };
        let Some(chat) = peek.chat else {
            return Ok(Verdict::Done);
        };
        let bot = context.bot().await?;
        let (chat, scope, reading) = self.read(bot, &peek, chat).await?;
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
            audience: audience(&passage),
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

    /// One batch read of all that a steady-state message needs. A chat that has another id now is read again under that.
    async fn read(&self, bot: BotId, peek: &Peek, chat: ChatRef) -> Result<(ChatRef, Scope, Reading), Stop> {
        let mut chat = chat;
        loop {
            let scope = scope::of(&self.context.config, bot, peek, chat.id, chat.kind);
            let reading = self.read_for(bot, peek, chat.id, &scope).await?;
            let forward = reading
                .get::<Forward>(&keys::forward(bot, chat.id))?
                .map(|forward| forward.value);
            let is_migration = matches!(peek.kind, UpdateKind::Migration { .. });
            match forward.unwrap_or_default() {
                Forward { to: Some(to), .. } if !is_migration => chat.id = to,
                Forward { from: Some(_), .. } => match self.former_link(bot, &scope, &reading).await? {
                    None => return Ok((chat, scope, reading)),
                    Some((former, link)) if link.is_open() => {
                        let Scope::Link(key) = &scope else {
                            return Ok((chat, scope, reading));
                        };
                        let moved = self.context.ledger.move_link(former, *key).await;
                        moved.map_err(|error| elsewhere(&self.context, error))?;
                    }
                    // What is being opened is opened where it was begun, and moves when it is open.
                    Some((former, _)) => {
                        let scope = Scope::Link(former);
                        let reading = self.read_for(bot, peek, chat.id, &scope).await?;
                        return Ok((chat, scope, reading));
                    }
                },
                Forward { .. } => return Ok((chat, scope, reading)),
            }
        }
    }

    async fn read_for(&self, bot: BotId, peek: &Peek, chat: ChatId, scope: &Scope) -> Result<Reading, Stop> {
        let mut wanted = vec![keys::forward(bot, chat), delivery_key(bot, peek)];
        if let Scope::Link(link) = scope {
            wanted.push(link.key());
            wanted.extend(peek.sender.map(|sender| keys::contact(sender.id)));
        }
        Ok(self.context.ledger.read(&wanted).await?)
    }

    /// The link that still lies under a former id of its chat, if there is none under its present one.
    async fn former_link(&self, bot: BotId, scope: &Scope, reading: &Reading) -> Result<Option<(LinkKey, Link)>, Stop> {
        let Scope::Link(link) = scope else { return Ok(None) };
        if reading.get::<Link>(&link.key())?.is_some() {
            return Ok(None);
        }
        let ledger = &self.context.ledger;
        for chat in ledger.former_ids(bot, link.chat).await? {
            let former = LinkKey { chat, ..*link };
            if let Some(found) = ledger.find::<Link>(&former.key()).await? {
                return Ok(Some((former, found.value)));
            }
        }
        Ok(None)
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
            Update::Edited(message) => conversation::correct(passage, claim, &message).await,
            Update::TopicTitle { topic, title } => topic::renamed(passage, topic, &title).await,
            Update::TopicClosed { .. } => Err(Stop::Skip("topic closed or opened")),
            Update::Membership {
                present,
                administrator,
                manages_topics,
            } => {
                if !present || !administrator {
                    tracing::error!(
                        chat.id = passage.chat.id.0,
                        present,
                        administrator,
                        manages_topics,
                        "the bot's rights in a chat do not suffice: it has to be an administrator"
                    );
                }
                Ok(End::Delivered)
            }
            Update::Other(_) => Err(Stop::Skip("nothing to carry")),
        }
    }

    /// A message that is not ours to read: no retry can help, an operator can.
    async fn bury(&self, received: &Received, problem: &str) -> Result<Verdict, Stop> {
        tracing::error!(
            lane = received.lane,
            problem,
            "a queue message cannot be read; it goes to the dead letters"
        );
        let unreadable = dedupe(&format!("unreadable:{}", received.body));
        let copy = QueueMessage {
            lane: received.lane.clone(),
            dedupe: unreadable,
            body: received.body.clone(),
            gave_up: Some(received.gave_up.unwrap_or(0)),
        };
        self.context.queues.inbound_dead.send(copy).await?;
        Ok(Verdict::Done)
    }
}

async fn carry_message(passage: &Passage<'_>, claim: &mut Claim, message: &CustomerMessage) -> Result<End, Stop> {
    let sender = passage.peek.sender.ok_or(Stop::Skip("nobody wrote it"))?;
    match sender.kind {
        SenderKind::LinkedChannel => return Err(Stop::Skip("a post of the linked channel")),
        SenderKind::Bot => return Err(Stop::Skip("a bot")),
        SenderKind::User | SenderKind::AnonymousAdmin | SenderKind::Channel => {}
    }
    if message.for_another_bot {
        return Err(Stop::Skip("a command for another bot"));
    }
    match staff::role(passage.context, passage.chat, sender).await? {
        staff::Role::Customer => conversation::carry(passage, claim, message).await,
        staff::Role::Staff(admin) => staff::carry(passage, claim, message, admin).await,
    }
}

/// Message ids start anew when a chat gets another id, so a delivery keeps the id under which its message was written.
fn delivery_key(bot: BotId, peek: &Peek) -> Key {
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
fn audience(passage: &Passage<'_>) -> Option<Audience> {
    let peek = passage.peek;
    let by_person = peek
        .sender
        .is_some_and(|sender| matches!(sender.kind, SenderKind::User | SenderKind::Channel));
    (peek.kind == UpdateKind::Message && by_person).then_some(Audience::Customer {
        bot: passage.bot,
        chat: passage.chat.id,
        topic: peek.topic,
        reply_to: peek.message,
    })
}
