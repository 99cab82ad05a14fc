//! Which link a message belongs to, and with it which lane: the same rules at the webhook and in the worker.

use crate::{
    config::{Config, ConversationPer, GeneralTopic, Reactions},
    telegram_message::{ChatKind, Peek, Sender, UpdateKind},
};
use mapping::{BotId, ChatId, CustomerId, LinkKey, TopicId};

/// What is done with an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// It belongs to this link.
    Link(LinkKey),
    /// It concerns a chat as a whole.
    Chat(ChatId),
    /// It is not carried: a code.
    Nothing(&'static str),
}

impl Scope {
    /// The same in the topic that is in the place of the update's own.
    pub(crate) fn in_topic(self, topic: Option<TopicId>) -> Self {
        match self {
            Self::Link(link) => Self::Link(LinkKey { topic, ..link }),
            Self::Chat(_) | Self::Nothing(_) => self,
        }
    }

    /// The lane in which it stays in order.
    pub(crate) fn lane(&self) -> Option<String> {
        match self {
            Self::Link(link) => Some(link.lane()),
            Self::Chat(chat) => Some(LinkKey::chat_lane(*chat)),
            Self::Nothing(_) => None,
        }
    }
}

/// Where an update from an allowed chat belongs. `chat` is its chat, or the successor of that.
pub(crate) fn of(config: &Config, bot: BotId, peek: &Peek, chat: ChatId, kind: ChatKind) -> Scope {
    match &peek.kind {
        UpdateKind::Message | UpdateKind::Edited => match peek.sender {
            Some(sender) => of_message(config, bot, peek, chat, kind, sender),
            None => Scope::Nothing("nobody wrote it"),
        },
        UpdateKind::Topic => Scope::Link(LinkKey {
            bot,
            chat,
            topic: peek.topic,
            customer: None,
        }),
        UpdateKind::Migration { .. } | UpdateKind::Membership => Scope::Chat(chat),
        UpdateKind::Reaction => match config.reactions {
            Reactions::Note => Scope::Chat(chat),
            Reactions::Off => Scope::Nothing("reactions are off"),
        },
        UpdateKind::Service(_) => Scope::Nothing("service message"),
        UpdateKind::Other(_) => Scope::Nothing("another kind of update"),
    }
}

fn of_message(config: &Config, bot: BotId, peek: &Peek, chat: ChatId, kind: ChatKind, sender: Sender) -> Scope {
    let link = |customer| {
        Scope::Link(LinkKey {
            bot,
            chat,
            topic: peek.topic,
            customer,
        })
    };
    // Staff who answer in a place with several customers mean the one whose message they answer. Whom the bot's own messages went to
    // stands in the table, which the webhook does not read.
    let answered = peek.replies_to.map(|answered| answered.author);
    let means = answered.filter(|author| config.staff.contains_key(&sender.id) && author.0 != bot.0);
    let customer = means.or(Some(sender.id));
    match kind {
        ChatKind::Private => link(None),
        ChatKind::Channel => Scope::Nothing("channel"),
        ChatKind::Group => link(customer),
        ChatKind::Forum if peek.topic.is_some() => match config.conversation_per {
            ConversationPer::Topic => link(None),
            ConversationPer::User => link(customer),
        },
        ChatKind::Forum => match config.general_topic {
            GeneralTopic::User => link(customer),
            GeneralTopic::Topic => link(None),
            GeneralTopic::Off => Scope::Nothing("the General topic is off"),
        },
    }
}

/// The link of a conversation of which only the link at the end of its opening message is known, and who wrote that.
///
/// General and a group without topics look alike there; where General is one conversation, so is a plain group then.
pub fn link_of_opening(
    config: &Config,
    bot: BotId,
    chat: ChatId,
    topic: Option<TopicId>,
    customer: CustomerId,
) -> LinkKey {
    let is_shared = chat.is_private()
        || match topic {
            Some(_) => config.conversation_per == ConversationPer::Topic,
            None => config.general_topic == GeneralTopic::Topic,
        };
    LinkKey {
        bot,
        chat,
        topic,
        customer: (!is_shared).then_some(customer),
    }
}

/// Whether a chat is bridged by the settings alone.
pub(crate) fn is_allowed(config: &Config, chat: ChatId, kind: ChatKind) -> bool {
    config.chats.contains(&chat) || config.private_chats && kind == ChatKind::Private
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram_message::{Answered, ChatRef, SenderKind};
    use mapping::{MessageId, UpdateId};

    fn lane(
        settings: &[(&str, &str)],
        kind: ChatKind,
        topic: Option<i64>,
        sender: i64,
        replies_to: Option<i64>,
    ) -> String {
        let config = Config::parse(|name| match name {
            "TELEGRAM_CHATS" => Some("-5".into()),
            _ => settings
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).into()),
        })
        .unwrap();
        let peek = Peek {
            update: UpdateId(1),
            chat: Some(ChatRef { id: ChatId(-5), kind }),
            kind: UpdateKind::Message,
            topic: topic.map(TopicId),
            message: Some(MessageId(9)),
            sender: Some(Sender {
                id: CustomerId(sender),
                kind: SenderKind::User,
            }),
            replies_to: replies_to.map(|author| Answered {
                author: CustomerId(author),
                message: Some(MessageId(8)),
            }),
            album: None,
        };
        of(&config, BotId(7), &peek, ChatId(-5), kind)
            .lane()
            .unwrap_or_else(|| "nothing".into())
    }

    #[test]
    fn each_kind_of_place_has_its_lane() {
        let user = [("CONVERSATION_PER", "user")];
        let off = [("GENERAL_TOPIC", "off")];
        let shared = [("GENERAL_TOPIC", "topic")];
        let staff = [("STAFF", "8"), ("CONVERSATION_PER", "user")];
        assert_eq!(lane(&[], ChatKind::Forum, Some(3), 8, None), "-5:3");
        assert_eq!(lane(&user, ChatKind::Forum, Some(3), 8, None), "-5:3:8");
        assert_eq!(lane(&[], ChatKind::Forum, None, 8, None), "-5:0:8");
        assert_eq!(lane(&shared, ChatKind::Forum, None, 8, None), "-5:0");
        assert_eq!(lane(&off, ChatKind::Forum, None, 8, None), "nothing");
        assert_eq!(lane(&[], ChatKind::Group, None, 8, None), "-5:0:8");
        assert_eq!(lane(&[], ChatKind::Private, None, 8, None), "-5:0");
        assert_eq!(lane(&[], ChatKind::Channel, None, 8, None), "nothing");
        assert_eq!(lane(&staff, ChatKind::Forum, Some(3), 8, Some(9)), "-5:3:9");
        assert_eq!(lane(&staff, ChatKind::Forum, Some(3), 8, Some(7)), "-5:3:8");
        assert_eq!(lane(&user, ChatKind::Forum, Some(3), 8, Some(9)), "-5:3:8");
    }
}
