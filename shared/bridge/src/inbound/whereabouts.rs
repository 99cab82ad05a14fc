//! Where a message belongs now: its chat may have another id, and its topic may be gone with another in its place.

use super::scope::{self, Scope};
use crate::{
    context::Context,
    stop::{Stop, elsewhere},
    telegram_message::{ChatRef, Peek, UpdateKind},
};
use mapping::{
    BotId, ChatId, Forward, Key, Link, LinkKey, Reading, Stored, Succession, SuccessionState, TopicId, TopicKey, keys,
};

/// Where a message belongs, and what is known there.
pub(super) struct Whereabouts {
    pub(super) chat: ChatRef,
    pub(super) scope: Scope,
    pub(super) reading: Reading,
}

/// What has moved since.
enum Moved {
    Nothing,
    /// The chat has this id now.
    Chat(ChatId),
    /// This topic is in the place of the message's own.
    Topic(TopicId),
    /// The link still lies where the topic was before.
    Link(LinkKey),
    /// It is being opened there.
    Opening(LinkKey),
}

/// One batch read of all that a steady-state message needs: where it belongs, and `besides`. What has moved is read again where it is
/// now.
pub(super) async fn read(
    context: &Context,
    bot: BotId,
    peek: &Peek,
    chat: ChatRef,
    besides: &[Key],
) -> Result<Whereabouts, Stop> {
    let mut chat = chat;
    let mut topic = peek.topic;
    loop {
        let scope = scope::of(&context.config, bot, peek, chat.id, chat.kind).in_topic(topic);
        let reading = read_for(context, bot, peek, chat.id, &scope, besides).await?;
        match moved(context, bot, peek, chat.id, &scope, &reading).await? {
            Moved::Nothing => return Ok(Whereabouts { chat, scope, reading }),
            Moved::Chat(to) => chat.id = to,
            Moved::Topic(to) => topic = Some(to),
            Moved::Link(former) => {
                let Scope::Link(key) = &scope else {
                    return Ok(Whereabouts { chat, scope, reading });
                };
                let moved = context.ledger.move_link(former, *key).await;
                moved.map_err(|error| elsewhere(context, error))?;
            }
            // What is being opened is opened where it was begun, and moves when it is open.
            Moved::Opening(former) => {
                let scope = Scope::Link(former);
                let reading = read_for(context, bot, peek, chat.id, &scope, besides).await?;
                return Ok(Whereabouts { chat, scope, reading });
            }
        }
    }
}

async fn read_for(
    context: &Context,
    bot: BotId,
    peek: &Peek,
    chat: ChatId,
    scope: &Scope,
    besides: &[Key],
) -> Result<Reading, Stop> {
    let mut wanted = vec![keys::forward(bot, chat)];
    wanted.extend(besides.iter().cloned());
    if let Scope::Link(link) = scope {
        wanted.push(link.key());
        wanted.extend(TopicKey::of(*link).map(|topic| topic.key()));
        wanted.extend(peek.sender.map(|sender| keys::contact(sender.id)));
    }
    Ok(context.ledger.read(&wanted).await?)
}

async fn moved(
    context: &Context,
    bot: BotId,
    peek: &Peek,
    chat: ChatId,
    scope: &Scope,
    reading: &Reading,
) -> Result<Moved, Stop> {
    let forward = reading.get::<Forward>(&keys::forward(bot, chat))?;
    let forward = forward.map(|forward| forward.value).unwrap_or_default();
    if let Some(to) = forward.to
        && !matches!(peek.kind, UpdateKind::Migration { .. })
    {
        return Ok(Moved::Chat(to));
    }
    let Scope::Link(link) = scope else {
        return Ok(Moved::Nothing);
    };
    let succession = match TopicKey::of(*link) {
        Some(topic) => reading.get::<Succession>(&topic.key())?,
        None => None,
    };
    let succession = succession.map(|succession| succession.value);
    if let Some(SuccessionState::Succeeded(made)) = succession.as_ref().map(|succession| &succession.state) {
        return Ok(Moved::Topic(made.to));
    }
    if reading.get::<Link>(&link.key())?.is_some() {
        return Ok(Moved::Nothing);
    }
    let mut former = Vec::new();
    if forward.from.is_some() {
        let chats = context.ledger.former_ids(bot, chat).await?;
        former.extend(chats.into_iter().map(|chat| LinkKey { chat, ..*link }));
    }
    if let Some(topic) = TopicKey::of(*link)
        && succession.is_some_and(|succession| succession.from.is_some())
    {
        let topics = context.ledger.former_topics(topic).await?;
        former.extend(topics.into_iter().map(|topic| LinkKey {
            topic: Some(topic),
            ..*link
        }));
    }
    left_behind(context, former).await
}

/// The link of this key; where it still lies where its topic or its chat was before, it is moved here first.
pub(super) async fn link_at(context: &Context, key: LinkKey) -> Result<Option<Stored<Link>>, Stop> {
    let found = context.ledger.find(&key.key()).await?;
    if found.is_some() {
        return Ok(found);
    }
    let chats = context.ledger.former_ids(key.bot, key.chat).await?;
    let mut former: Vec<LinkKey> = chats.into_iter().map(|chat| LinkKey { chat, ..key }).collect();
    if let Some(topic) = TopicKey::of(key) {
        let topics = context.ledger.former_topics(topic).await?.into_iter().map(Some);
        former.extend(topics.map(|topic| LinkKey { topic, ..key }));
    }
    let Moved::Link(from) = left_behind(context, former).await? else {
        return Ok(None);
    };
    let moved = context.ledger.move_link(from, key).await;
    moved.map_err(|error| elsewhere(context, error))?;
    Ok(context.ledger.find(&key.key()).await?)
}

/// The link that still lies where a topic or its chat was before.
async fn left_behind(context: &Context, former: Vec<LinkKey>) -> Result<Moved, Stop> {
    for former in former {
        if let Some(found) = context.ledger.find::<Link>(&former.key()).await? {
            return Ok(if found.value.is_open() {
                Moved::Link(former)
            } else {
                Moved::Opening(former)
            });
        }
    }
    Ok(Moved::Nothing)
}
