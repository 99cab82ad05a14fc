//! Albums: one reply with all files. Telegram sends the items one by one and does not say which is the last.
//!
//! An item is put into its album, a marker goes to the tail of the lane, and then the item is acknowledged. The marker flushes the
//! album when nothing has joined it for a while; whatever else comes in the lane flushes it at once, so that order is kept.

use super::{
    conversation,
    scope::Scope,
    whereabouts::{self, Whereabouts},
    worker::{InboundWorker, Passage, audience, carry_in_its_place},
};
use crate::{
    context::Context,
    delivering::Carried,
    envelope::{InboundEnvelope, InboundErrand, to_ascii_json},
    ports::{QueueError, QueueMessage, Unreadable, UpdateReader},
    rich_text::RichText,
    stop::{Received, Stop, Verdict, dedupe, elsewhere},
    telegram_message::{CustomerMessage, Peek, Update, UpdateKind},
    words,
};
use mapping::{
    Album, AlbumItem, AlbumKey, AlbumState, Arrival, Begun, BotId, ChatId, Claim, Delivery, End, Joined, Key,
    MessageId, OpenAlbum, Reading, Stored, Subject, Timestamp, keys,
};
use serde_json::Value;
use std::time::Duration;

/// An album is whole when nothing has joined it for so long.
const WHOLE_AFTER: Duration = Duration::from_secs(2);

/// A marker that comes too early waits so long, and then lets pass what has come behind it.
const MARKER_WAITS: Duration = Duration::from_secs(1);

/// Why an item's own delivery carries nothing.
const PART_OF_ALBUM: &str = "part of album";

/// The album that a message is an item of.
pub(super) fn key_of(bot: BotId, peek: &Peek) -> Option<AlbumKey> {
    let (chat, album) = (peek.chat?.id, peek.album.clone()?);
    let is_item = peek.kind == UpdateKind::Message && peek.message.is_some();
    is_item.then_some(AlbumKey { bot, chat, album })
}

/// The album of this lane that has to be flushed before the message is carried: any but its own, unless that takes no more.
pub(super) fn in_the_way(lane: &Key, own: Option<&AlbumKey>, reading: &Reading) -> Result<Option<AlbumKey>, Stop> {
    let Some(open) = reading.get::<OpenAlbum>(lane)? else {
        return Ok(None);
    };
    let open = open.value.album;
    let joins = match own.filter(|own| **own == open) {
        Some(own) => {
            let album = reading.get::<Album>(&own.key())?;
            album.is_some_and(|album| album.value.state == AlbumState::Open)
        }
        None => false,
    };
    Ok((!joins).then_some(open))
}

/// Puts an item into its album. `None` if there is no album, or none that takes it: then it is carried by itself.
pub(super) async fn join(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    update: &Value,
) -> Result<Option<End>, Stop> {
    let context = passage.context;
    let (Some(key), Some(id)) = (key_of(passage.bot, passage.peek), passage.peek.message) else {
        return Ok(None);
    };
    let item = AlbumItem {
        message: id,
        update: Some(update.to_string()),
    };
    let read = passage.reading.get::<Album>(&key.key())?;
    // An item that was put back begins a fresh life, and so does an album that begins with it.
    let (lane, since) = (claim.delivery.lane.clone(), claim.delivery.tried_since);
    let joined = context.ledger.join_album(&key, read, &lane, since, &item).await;
    let album = match joined.map_err(|error| elsewhere(context, error))? {
        Joined::In(album) => album,
        Joined::Closed => return Ok(None),
        Joined::Full => return close(context, &key).await,
    };
    if album.state == AlbumState::Open {
        mark(context, &key, &album.lane).await?;
    }
    let said = conversation::said_of(context, message).await?;
    (claim.delivery.fingerprint, claim.delivery.files) = (Some(said.text), said.files);
    claim.delivery.part_of = album.first();
    Ok(Some(End::Skipped(PART_OF_ALBUM.into())))
}

/// What an album cannot hold comes after it, by itself.
async fn close(context: &Context, key: &AlbumKey) -> Result<Option<End>, Stop> {
    if let Some(album) = context.ledger.find::<Album>(&key.key()).await? {
        let closed = context.ledger.close_album(key, album).await;
        closed.map_err(|error| elsewhere(context, error))?;
    }
    Err(Stop::soon(context, "its album is full"))
}

/// Puts a marker at the tail of the lane. Its dedupe id is one of this moment: a marker waits longer than that, so whatever was sent in
/// the same moment has not come out yet.
async fn mark(context: &Context, album: &AlbumKey, lane: &str) -> Result<(), Stop> {
    let now = context.ledger.now();
    let marker = QueueMessage {
        lane: lane.to_owned(),
        dedupe: dedupe(&format!("flush:{}:{}", album.key(), now.as_millis())),
        body: marker(album, now)?,
        gave_up: None,
    };
    Ok(context.queues.inbound.send(marker).await?)
}

fn marker(album: &AlbumKey, now: Timestamp) -> Result<String, QueueError> {
    let envelope = InboundEnvelope {
        received_at: now,
        errand: InboundErrand::Flush(album.clone()),
    };
    to_ascii_json(&envelope).map_err(|_| QueueError::Refused("not JSON".into()))
}

/// The record of how a message is carried: its own, or that of its album. `None` while its album is not begun.
pub(super) async fn carrier(
    context: &Context,
    bot: BotId,
    chat: ChatId,
    own: Delivery,
) -> Result<Option<Delivery>, Stop> {
    let Some(first) = own.part_of else { return Ok(Some(own)) };
    let key = keys::inbound_delivery(bot, chat, Subject::Album(first));
    let of_album = context.ledger.find::<Delivery>(&key).await?;
    Ok(of_album.map(|delivery| delivery.value))
}

/// An album on its way: its first item, and where all that is known of it lies.
struct Whole<'a> {
    key: &'a AlbumKey,
    album: &'a Album,
    peek: &'a Peek,
    delivery: Key,
}

impl<R: UpdateReader> InboundWorker<R> {
    /// What a marker does.
    pub(super) async fn flush_when_whole(&self, received: &Received, key: &AlbumKey) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let now = context.ledger.now();
        let Some(album) = context.ledger.find::<Album>(&key.key()).await? else {
            tracing::warn!(lane = received.lane, "an album is not kept any more");
            return Ok(Verdict::Done);
        };
        match album.value.state {
            AlbumState::Flushed => return Ok(Verdict::Done),
            // It has waited at the head of its lane, and something may have come behind it.
            AlbumState::Open if received.receives > 1 => {
                mark(context, key, &album.value.lane).await?;
                return Ok(Verdict::Done);
            }
            AlbumState::Open if now.since(album.value.last_at) < WHOLE_AFTER => {
                return Ok(Verdict::Later(now + MARKER_WAITS));
            }
            AlbumState::Open | AlbumState::Closed => {}
        }
        self.flush(key, album, received).await
    }

    /// Flushes the album that stands in the way of another message.
    pub(super) async fn flush_first(&self, key: &AlbumKey, received: &Received) -> Result<Verdict, Stop> {
        // What was given up of that one is not for this one to open again.
        let received = Received {
            gave_up: None,
            ..received.clone()
        };
        match self.context.ledger.find::<Album>(&key.key()).await? {
            Some(album) => self.flush(key, album, &received).await,
            None => Ok(Verdict::Done),
        }
    }

    /// Carries an album as far as it goes now. Nothing joins it any more.
    async fn flush(&self, key: &AlbumKey, album: Stored<Album>, received: &Received) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let closed = context.ledger.close_album(key, album).await;
        let album = closed.map_err(|error| elsewhere(context, error))?.value;
        let Some((first, peek)) = self.first_of(&album)? else {
            return Ok(Verdict::Done);
        };
        let whole = Whole {
            key,
            album: &album,
            peek: &peek,
            delivery: keys::inbound_delivery(key.bot, key.chat, Subject::Album(first)),
        };
        let marker = Received {
            lane: album.lane.clone(),
            body: marker(key, context.ledger.now())?,
            ..received.clone()
        };
        let verdict = self.carry_album(&whole, &marker).await?;
        if verdict == Verdict::Done {
            let ended = context.ledger.end_album(key, &album.lane, &whole.delivery).await;
            ended.map_err(|error| elsewhere(context, error))?;
        }
        Ok(verdict)
    }

    fn first_of(&self, album: &Album) -> Result<Option<(MessageId, Peek)>, Unreadable> {
        let Some(first) = album.items.first() else {
            return Ok(None);
        };
        let Some(update) = update_of(first)? else {
            return Ok(None);
        };
        Ok(Some((first.message, self.reader.peek_value(&update)?)))
    }

    async fn carry_album(&self, whole: &Whole<'_>, marker: &Received) -> Result<Verdict, Stop> {
        let context = self.context.as_ref();
        let Some(chat) = whole.peek.chat else {
            return Ok(Verdict::Done);
        };
        let wanted = std::slice::from_ref(&whole.delivery);
        let Whereabouts { chat, scope, reading } =
            whereabouts::read(context, whole.key.bot, whole.peek, chat, wanted).await?;
        let Scope::Link(link_key) = scope else {
            tracing::info!(
                album.items = whole.album.items.len(),
                "an album is not bridged any more"
            );
            return Ok(Verdict::Done);
        };
        let passage = Passage {
            context,
            bot: whole.key.bot,
            peek: whole.peek,
            chat,
            link_key,
            reading: &reading,
        };
        let carried = Carried {
            context,
            received: marker,
            dead_letters: &context.queues.inbound_dead,
            audience: audience(whole.key.bot, whole.peek, passage.chat.id),
            is_notice: false,
        };
        let arrival = Arrival {
            lane: marker.lane.clone(),
            since: whole.album.since,
            gave_up: marker.gave_up,
        };
        let existing = reading.get::<Delivery>(&whole.delivery)?;
        let begun = context.ledger.begin(whole.delivery.clone(), existing, &arrival).await?;
        Ok(match begun {
            Begun::Later(at) => Verdict::Later(at),
            Begun::Finished => Verdict::Done,
            Begun::Poison(claim) => carried.poison(claim).await,
            Begun::Claimed(mut claim) => {
                let went = self.carry_claimed_album(&passage, &mut claim, whole.album).await;
                carried.settle(claim, went).await
            }
        })
    }

    async fn carry_claimed_album(&self, passage: &Passage<'_>, claim: &mut Claim, album: &Album) -> Result<End, Stop> {
        let username = passage.context.bot_username().await;
        let mut items = Vec::with_capacity(album.items.len());
        for item in &album.items {
            let Some(update) = update_of(item)? else { continue };
            if let Update::Message(message) = self.reader.decode(&update, username.as_deref())? {
                items.push((item.message, *message));
            }
        }
        match in_one(items) {
            Some(message) => carry_in_its_place(passage, claim, &message).await,
            None => Err(Stop::Skip("an album without items")),
        }
    }
}

fn update_of(item: &AlbumItem) -> Result<Option<Value>, Unreadable> {
    let read = |update: &String| {
        serde_json::from_str(update).map_err(|error| Unreadable(format!("an item: {:?}", error.classify())))
    };
    item.update.as_ref().map(read).transpose()
}

/// The items of an album as one message: that of the first, with the files of all. Where more than one has a caption, each says whose
/// it is.
fn in_one(items: Vec<(MessageId, CustomerMessage)>) -> Option<CustomerMessage> {
    let captions = items.iter().filter(|(_, item)| !item.text.is_blank()).count();
    let mut text = RichText::default();
    let mut files = Vec::new();
    for (at, (message, item)) in items.iter().enumerate() {
        if !item.text.is_blank() {
            let mut caption = item.text.clone();
            if captions > 1 {
                caption.head(words::item_of_album(at + 1));
            }
            text.extend(caption.0);
        }
        files.extend(item.files.iter().cloned().map(|mut file| {
            file.message = Some(*message);
            file
        }));
    }
    let first_of = |has: fn(&CustomerMessage) -> bool| items.iter().map(|(_, item)| item).find(|item| has(item));
    let quote = first_of(|item| item.quote.is_some()).and_then(|item| item.quote.clone());
    let forwarded_from = first_of(|item| item.forwarded_from.is_some()).and_then(|item| item.forwarded_from.clone());
    let (_, first) = items.into_iter().next()?;
    Some(CustomerMessage {
        text,
        files,
        quote,
        forwarded_from,
        ..first
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram_message::{Author, FileKind, Quote, SentFile};
    use mapping::FileId;

    fn item(message: i64, caption: &str) -> (MessageId, CustomerMessage) {
        let file = SentFile {
            id: FileId::new(message.to_string()),
            unique_id: None,
            kind: FileKind::Photo,
            line: "[photo]".into(),
            name: None,
            content_type: None,
            size: None,
            message: None,
        };
        let message_of_item = CustomerMessage {
            chat_title: String::new(),
            chat_username: None,
            topic_title: None,
            topic_creator: None,
            author: Author::default(),
            date: Timestamp::from_seconds(message),
            text: RichText::plain(caption),
            files: vec![file],
            quote: None,
            forwarded_from: None,
            via_bot: None,
            for_another_bot: false,
        };
        (MessageId(message), message_of_item)
    }

    fn text_of(items: &[(i64, &str)]) -> String {
        let items = items.iter().map(|(message, caption)| item(*message, caption));
        in_one(items.collect()).unwrap().text.to_plain()
    }

    #[test]
    fn an_album_says_whose_each_caption_is_where_there_are_several() {
        assert_eq!(text_of(&[(1, ""), (2, "")]), "");
        assert_eq!(text_of(&[(1, ""), (2, "look")]), "look");
        let both = text_of(&[(1, "the box"), (2, ""), (3, "the dent")]);
        assert_eq!(both, "Item 1:\nthe box\n\nItem 3:\nthe dent");
        assert_eq!(in_one(Vec::new()), None);
    }

    #[test]
    fn an_album_is_its_first_item_with_the_files_of_all() {
        let mut second = item(42, "");
        second.1.quote = Some(Quote {
            author: None,
            text: RichText::plain("?"),
        });
        let album = in_one(vec![item(41, ""), second]).unwrap();
        assert_eq!(album.date, Timestamp::from_seconds(41));
        assert!(album.quote.is_some());
        let files: Vec<_> = album
            .files
            .iter()
            .map(|file| (file.id.as_str(), file.message))
            .collect();
        assert_eq!(files, [("41", Some(MessageId(41))), ("42", Some(MessageId(42)))]);
    }
}
