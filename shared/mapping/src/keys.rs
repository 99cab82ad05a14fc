//! Where everything lies in the table: one function for each kind of item.

use crate::{
    ids::{AlbumId, BotId, ChatId, ConversationId, CustomerId, MessageId, PartId, TopicId, UpdateId, WorkspaceId},
    store::{Key, Range},
};
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, time::Duration};

/// How long a finished record is kept.
pub const FINISHED_FOR: Duration = Duration::from_hours(90 * 24);

/// One end of a link: a topic, a chat without topics, or one customer in either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    /// The bot that is in the chat.
    pub bot: BotId,
    /// The chat.
    pub chat: ChatId,
    /// The topic; `None` for General, plain groups and private chats.
    pub topic: Option<TopicId>,
    /// The customer, where each has a conversation of their own.
    pub customer: Option<CustomerId>,
}

impl LinkKey {
    /// Where the link lies.
    pub fn key(&self) -> Key {
        let mut sk = format!("topic#{}", Topic(self.topic));
        if let Some(customer) = self.customer {
            let _ = write!(sk, "#{customer}");
        }
        Key::new(chat(self.bot, self.chat), sk)
    }

    /// The link that lies at a key, if it is one of a link.
    pub fn at(key: &Key) -> Option<Self> {
        let (bot, chat) = key.pk.strip_prefix("chat#")?.split_once('#')?;
        let place = key.sk.strip_prefix("topic#")?;
        let (topic, customer) = match place.split_once('#') {
            Some((topic, customer)) => (topic, Some(customer.parse().ok()?)),
            None => (place, None),
        };
        let topic: i64 = topic.parse().ok()?;
        let link = Self {
            bot: BotId(bot.parse().ok()?),
            chat: ChatId(chat.parse().ok()?),
            topic: (topic != 0).then_some(TopicId(topic)),
            customer: customer.map(CustomerId),
        };
        (link.key() == *key).then_some(link)
    }

    /// The links of a chat.
    pub fn all_of_chat(bot: BotId, chat_id: ChatId, limit: usize) -> Range {
        Range::prefix(chat(bot, chat_id), "topic#", limit)
    }

    /// All links of a topic, whoever's they are.
    pub fn all_of_topic(bot: BotId, chat_id: ChatId, topic: Option<TopicId>, limit: usize) -> Range {
        let from = format!("topic#{}", Topic(topic));
        // `#` is below every digit, so this reaches the topic's own link and its customers', not topic 12 for topic 1.
        let to = format!("{from}#~");
        Range {
            pk: chat(bot, chat_id),
            from,
            to,
            descending: false,
            limit,
        }
    }

    /// The lane in which messages of this link stay in order.
    pub fn lane(&self) -> String {
        let mut lane = format!("{}:{}", self.chat, Topic(self.topic));
        if let Some(customer) = self.customer {
            let _ = write!(lane, ":{customer}");
        }
        lane
    }

    /// The lane of what happens in a chat and in no topic: migration, reactions.
    pub fn chat_lane(chat: ChatId) -> String {
        format!("{chat}:-")
    }
}

/// A topic of a forum; General is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TopicKey {
    /// The bot that is in the chat.
    pub bot: BotId,
    /// The chat.
    pub chat: ChatId,
    /// The topic.
    pub topic: TopicId,
}

impl TopicKey {
    /// The topic of a link, if it has one.
    pub fn of(link: LinkKey) -> Option<Self> {
        link.topic.map(|topic| Self {
            bot: link.bot,
            chat: link.chat,
            topic,
        })
    }

    /// Where it is recorded that it is gone, or in whose place it is.
    pub fn key(&self) -> Key {
        Key::new(chat(self.bot, self.chat), format!("{SUCCESSION}{}", self.topic))
    }

    /// Those of a chat.
    pub fn all_of_chat(bot: BotId, chat_id: ChatId, limit: usize) -> Range {
        Range::prefix(chat(bot, chat_id), SUCCESSION, limit)
    }

    /// The link that lies at a key, if it is one of this topic.
    pub fn link_at(&self, key: &Key) -> Option<LinkKey> {
        let link = |customer| LinkKey {
            bot: self.bot,
            chat: self.chat,
            topic: Some(self.topic),
            customer,
        };
        let customer = key.sk.rsplit('#').next().and_then(|id| id.parse().ok());
        let links = [link(None), link(customer.map(CustomerId))];
        links.into_iter().find(|link| link.key() == *key)
    }
}

const SUCCESSION: &str = "succession#";

/// An album.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlbumKey {
    /// The bot that is in the chat.
    pub bot: BotId,
    /// The chat, by the id under which the items were written.
    pub chat: ChatId,
    /// What its items have in common.
    pub album: AlbumId,
}

impl AlbumKey {
    /// Where it lies.
    pub fn key(&self) -> Key {
        Key::new(format!("album#{}#{}#{}", self.bot, self.chat, self.album), "album")
    }
}

/// Which album is open in a lane.
pub fn open_album(bot: BotId, lane: &str) -> Key {
    Key::new(format!("lane#{bot}#{lane}"), "album")
}

/// `0` is what has no topic id: General and chats without topics.
struct Topic(Option<TopicId>);

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(0, |topic| topic.0).fmt(f)
    }
}

fn chat(bot: BotId, chat: ChatId) -> String {
    format!("chat#{bot}#{chat}")
}

/// The partition of the deliveries of one chat, so that a message's neighbours are one query away.
fn inbound(bot: BotId, chat: ChatId) -> String {
    format!("tg#{bot}#{chat}")
}

/// What a delivery from Telegram is about: a message, or something that happened to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The message itself.
    Message(MessageId),
    /// A change of the message.
    Edit(MessageId, UpdateId),
    /// A reaction to the message.
    Reaction(MessageId, UpdateId),
    /// The album that begins with the message.
    Album(MessageId),
    /// Whatever names no message.
    Update(UpdateId),
}

/// The delivery of a message from Telegram.
pub fn inbound_delivery(bot: BotId, chat: ChatId, subject: Subject) -> Key {
    // Sort keys are ordered by bytes: twenty digits make that the order of numbers.
    let sk = match subject {
        Subject::Message(message) => format!("{:020}", message.0),
        Subject::Edit(message, update) => format!("{:020}#edit#{update}", message.0),
        Subject::Reaction(message, update) => format!("{:020}#reaction#{update}", message.0),
        Subject::Album(first) => format!("{:020}#album", first.0),
        Subject::Update(update) => format!("u#{update}"),
    };
    Key::new(inbound(bot, chat), sk)
}

/// The deliveries of a chat, those of its newest messages first.
pub fn recent_deliveries(bot: BotId, chat: ChatId, limit: usize) -> Range {
    // Above every message id, below the `u` of what names no message.
    Range {
        pk: inbound(bot, chat),
        from: "0".into(),
        to: ":".into(),
        descending: true,
        limit,
    }
}

/// The deliveries of a chat, those of its oldest messages first.
pub fn first_deliveries(bot: BotId, chat: ChatId, limit: usize) -> Range {
    Range {
        descending: false,
        ..recent_deliveries(bot, chat, limit)
    }
}

/// A delivery from Telegram and those of the same chat that lie before it, the nearest first.
pub fn deliveries_up_to(delivery: &Key, limit: usize) -> Range {
    Range {
        pk: delivery.pk.clone(),
        from: "0".into(),
        to: delivery.sk.clone(),
        descending: true,
        limit,
    }
}

/// A delivery from Telegram and those of the same chat that lie behind it, the nearest first.
pub fn deliveries_from(delivery: &Key, limit: usize) -> Range {
    Range {
        pk: delivery.pk.clone(),
        from: delivery.sk.clone(),
        // Above the `u` of what names no message.
        to: "~".into(),
        descending: false,
        limit,
    }
}

/// The delivery of a part from Intercom.
pub fn outbound_delivery(workspace: &WorkspaceId, part: &PartId) -> Key {
    Key::new(format!("part#{workspace}#{part}"), "delivery")
}

/// The reverse item of a link: from conversation to topic.
pub fn reverse(workspace: &WorkspaceId, conversation: &ConversationId) -> Key {
    Key::new(format!("conversation#{workspace}#{conversation}"), "link")
}

/// The trials of a message, by its queue's name for it.
pub fn trial(message: &str) -> Key {
    Key::new(format!("letter#{message}"), "trial")
}

/// The contact of a customer.
pub fn contact(customer: CustomerId) -> Key {
    Key::new(format!("customer#{customer}"), "contact")
}

/// That a customer is in a conversation. Under the conversation, not its topic: that may move, and the reverse item knows where it is.
pub fn customer_link(customer: CustomerId, workspace: &WorkspaceId, conversation: &ConversationId) -> Key {
    Key::new(
        format!("customer#{customer}"),
        format!("{CUSTOMER_LINK}{workspace}#{conversation}"),
    )
}

/// All conversations that a customer is in.
pub fn customer_links(customer: CustomerId, limit: usize) -> Range {
    Range::prefix(format!("customer#{customer}"), CUSTOMER_LINK, limit)
}

const CUSTOMER_LINK: &str = "link#";

/// What a topic is called.
pub fn topic_title(bot: BotId, chat_id: ChatId, topic: Option<TopicId>) -> Key {
    Key::new(chat(bot, chat_id), format!("title#{}", Topic(topic)))
}

/// Whether a topic is closed.
pub fn topic_state(topic: TopicKey) -> Key {
    Key::new(chat(topic.bot, topic.chat), format!("state#{}", topic.topic))
}

/// The successor of a chat, or the chat that it succeeds.
pub fn forward(bot: BotId, chat_id: ChatId) -> Key {
    Key::new(chat(bot, chat_id), "forward")
}

/// A message that we sent to Telegram.
pub fn sent_message(bot: BotId, chat: ChatId, message: MessageId) -> Key {
    Key::new(format!("msg#{bot}#{chat}#{message}"), "part")
}

/// Replies made through Intercom's API in an admin's name, which will come back as notifications.
pub fn echo(workspace: &WorkspaceId, conversation: &ConversationId, fingerprint: &str) -> Key {
    Key::new(format!("echo#{workspace}#{conversation}#{fingerprint}"), "echo")
}

/// When something may next be sent to a chat.
pub fn pace(bot: BotId, chat: ChatId) -> Key {
    Key::new(format!("pace#{bot}#{chat}"), "pace")
}

/// A notice to a waiting human: at most one an hour for a lane and a reason.
pub fn notice(lane: &str, reason: &str) -> Key {
    Key::new(format!("notice#{lane}#{reason}"), "notice")
}

/// How far the sweep has come.
pub fn watermark(workspace: &WorkspaceId) -> Key {
    Key::new(format!("sweep#{workspace}"), "watermark")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_s_links_are_a_stretch_of_their_own() {
        let link = |topic, customer| LinkKey {
            bot: BotId(7),
            chat: ChatId(-1001),
            topic: Some(TopicId(topic)),
            customer: Option::map(customer, CustomerId),
        };
        let range = LinkKey::all_of_topic(BotId(7), ChatId(-1001), Some(TopicId(1)), 10);
        let within = |key: &Key| key.pk == range.pk && key.sk >= range.from && key.sk <= range.to;
        assert!(within(&link(1, None).key()));
        assert!(within(&link(1, Some(99)).key()));
        assert!(within(&link(1, Some(-1005)).key()));
        assert!(!within(&link(12, None).key()));
        assert!(!within(&link(2, Some(1)).key()));
    }

    #[test]
    fn a_link_is_known_by_its_key() {
        for (topic, customer) in [(None, None), (None, Some(9)), (Some(3), None), (Some(3), Some(-1005))] {
            let link = LinkKey {
                bot: BotId(7),
                chat: ChatId(-1001),
                topic: topic.map(TopicId),
                customer: customer.map(CustomerId),
            };
            assert_eq!(LinkKey::at(&link.key()), Some(link));
        }
        for (pk, sk) in [
            ("chat#7#-1001", "title#3"),
            ("chat#7#-1001", "succession#3"),
            ("chat#7#-1001", "topic#3#9#9"),
            ("chat#7#-1001", "topic#03"),
            ("customer#9", "contact"),
        ] {
            assert_eq!(LinkKey::at(&Key::new(pk, sk)), None, "{pk} {sk}");
        }
    }

    #[test]
    fn a_topic_knows_its_links_by_their_keys() {
        let topic = TopicKey {
            bot: BotId(7),
            chat: ChatId(-1001),
            topic: TopicId(5),
        };
        let link = |topic, customer| LinkKey {
            bot: BotId(7),
            chat: ChatId(-1001),
            topic: Some(TopicId(topic)),
            customer: Option::map(customer, CustomerId),
        };
        for own in [link(5, None), link(5, Some(5)), link(5, Some(-1009))] {
            assert_eq!(topic.link_at(&own.key()), Some(own));
        }
        assert_eq!(topic.link_at(&link(55, None).key()), None);
        assert_eq!(topic.link_at(&link(6, Some(5)).key()), None);
        // What is known of the topic itself is none of its links.
        let links = LinkKey::all_of_topic(BotId(7), ChatId(-1001), Some(TopicId(5)), 10);
        assert!(topic.key().sk < links.from || topic.key().sk > links.to);
    }

    #[test]
    fn deliveries_of_a_chat_lie_in_the_order_of_their_messages() {
        let key = |subject| inbound_delivery(BotId(7), ChatId(-5), subject);
        let range = recent_deliveries(BotId(7), ChatId(-5), 10);
        let within = |key: &Key| key.pk == range.pk && key.sk >= range.from && key.sk <= range.to;
        let (nine, ten) = (
            key(Subject::Message(MessageId(9))),
            key(Subject::Message(MessageId(10))),
        );
        assert!(nine.sk < ten.sk && within(&nine) && within(&ten));
        assert!(within(&key(Subject::Edit(MessageId(9), UpdateId(1)))));
        assert!(within(&key(Subject::Album(MessageId(9)))));
        assert!(!within(&key(Subject::Update(UpdateId(1)))));
    }

    #[test]
    fn the_neighbours_of_a_delivery_lie_on_both_sides_of_it() {
        let key = |subject| inbound_delivery(BotId(7), ChatId(-5), subject);
        let message = |id| key(Subject::Message(MessageId(id)));
        let within = |range: &Range, key: &Key| key.pk == range.pk && key.sk >= range.from && key.sk <= range.to;
        for own in [message(10), key(Subject::Update(UpdateId(1)))] {
            let (before, behind) = (deliveries_up_to(&own, 10), deliveries_from(&own, 10));
            assert!(within(&before, &own) && within(&behind, &own));
            assert!(within(&before, &message(9)) && !within(&behind, &message(9)));
        }
        let behind = deliveries_from(&message(10), 10);
        assert!(within(&behind, &message(11)) && within(&behind, &key(Subject::Update(UpdateId(1)))));
    }
}
