//! Every sentence of ours that a person reads, customers' and agents', in one table.

use crate::{
    rich_text::{Block, RichText, Run},
    telegram_message::Reaction,
};
use serde::{Deserialize, Serialize};

/// What we tell a waiting human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "sentence", rename_all = "snake_case")]
pub enum Sentence {
    /// To an agent: the reply has not reached Telegram and will not.
    NotDeliveredToTelegram {
        /// Why.
        cause: Cause,
    },
    /// To an agent: the reply has not reached Telegram yet.
    StillTryingTelegram {
        /// Why.
        cause: Cause,
    },
    /// To an agent: what took long went through.
    WentThrough,
    /// To an agent: the topic was gone, and there is another in its place.
    TopicMadeAnew,
    /// To an agent: the conversation belongs to no topic.
    NoTopic,
    /// To an agent: what was taken back still stands in Telegram.
    StillInTelegram {
        /// Why.
        cause: Cause,
    },
    /// To a customer: the message has not reached support.
    NotDeliveredToSupport,
}

/// Why something was not delivered, as far as it concerns the person who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The bot is not in the group any more, or may not write there.
    NoRights,
    /// The topic is not there any more.
    TopicGone,
    /// The topic is not there any more, and the bot may not make another.
    MayNotMakeTopics,
    /// The topic is closed.
    TopicClosed,
    /// Telegram could not be reached for too long.
    Unreachable,
    /// Telegram refused it.
    Refused,
    /// Telegram has bots delete only what is new.
    TooOldToDelete,
    /// Our own settings are wrong.
    Misconfigured,
}

impl Sentence {
    /// The sentence, for the person who waits.
    pub fn text(&self) -> String {
        match self {
            Self::NotDeliveredToTelegram { cause } => format!("Not delivered to Telegram: {}.", cause.words()),
            Self::StillTryingTelegram { cause } => {
                format!(
                    "Not delivered to Telegram yet: {}. It is tried again and again.",
                    cause.words()
                )
            }
            Self::WentThrough => "The delayed reply has now been delivered to Telegram.".into(),
            Self::TopicMadeAnew => "The topic was deleted in Telegram. It has been created anew under the same title; \
                                    what was written in it before is gone there."
                .into(),
            Self::NoTopic => "Not sent to Telegram: no topic belongs to this conversation. \
                              Answer in the conversation that carries the topic's link."
                .into(),
            Self::StillInTelegram { cause } => {
                format!("Deleted here, but it still stands in Telegram: {}.", cause.words())
            }
            Self::NotDeliveredToSupport => {
                "Sorry, a message could not be passed on to our support team. Please send it again.".into()
            }
        }
    }

    /// The same, said of so many messages at once; in somebody's own words, where there are any, with the number alone, for the
    /// language is theirs.
    pub fn text_for(&self, messages: u32, own_words: Option<&str>) -> String {
        match (messages, own_words) {
            (0 | 1, None) => self.text(),
            (0 | 1, Some(own)) => own.to_owned(),
            (_, None) => format!("{} ({messages} messages within an hour)", self.text()),
            (_, Some(own)) => format!("{own} ({messages})"),
        }
    }

    /// What it is said at most once an hour for: its name, and why.
    pub fn reason(&self) -> String {
        match self {
            Self::NotDeliveredToTelegram { cause }
            | Self::StillTryingTelegram { cause }
            | Self::StillInTelegram { cause } => {
                format!("{}:{cause:?}", self.name())
            }
            Self::WentThrough | Self::TopicMadeAnew | Self::NoTopic | Self::NotDeliveredToSupport => self.name().into(),
        }
    }

    /// Its name in records and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotDeliveredToTelegram { .. } => "not_delivered_to_telegram",
            Self::StillTryingTelegram { .. } => "still_trying_telegram",
            Self::WentThrough => "went_through",
            Self::TopicMadeAnew => "topic_made_anew",
            Self::NoTopic => "no_topic",
            Self::StillInTelegram { .. } => "still_in_telegram",
            Self::NotDeliveredToSupport => "not_delivered_to_support",
        }
    }
}

impl Cause {
    fn words(self) -> &'static str {
        match self {
            Self::NoRights => "the bot was removed from the group or may not write there",
            Self::TopicGone => "the topic was deleted",
            Self::MayNotMakeTopics => {
                "the topic was deleted, and the bot lacks the right to manage topics, without which it cannot create it anew"
            }
            Self::TopicClosed => "the topic is closed",
            Self::Unreachable => "Telegram could not be reached",
            Self::Refused => "Telegram did not accept it",
            Self::TooOldToDelete => "a bot can delete messages there only within 48 hours",
            Self::Misconfigured => "the bridge needs its operator (a token or a setting is wrong)",
        }
    }
}

/// What a topic is called that is made anew and whose title nobody knows.
pub const TOPIC_WITHOUT_TITLE: &str = "Support";

/// What a conversation opens with besides its message.
pub struct FirstNote<'a> {
    /// The chat's title.
    pub chat: &'a str,
    /// The topic's title.
    pub topic: Option<&'a str>,
    /// Who wrote.
    pub name: &'a str,
    /// Their @name, without the @.
    pub username: Option<&'a str>,
    /// The language of their app.
    pub language: Option<&'a str>,
}

impl FirstNote<'_> {
    /// The note that an agent finds in a new conversation.
    pub fn text(&self) -> RichText {
        let mut lines = vec![("From", self.name.to_owned())];
        lines.extend(self.username.map(|username| ("Username", format!("@{username}"))));
        lines.push(("Telegram chat", self.chat.to_owned()));
        lines.extend(self.topic.map(|topic| ("Topic", topic.to_owned())));
        lines.extend(
            self.language
                .map(|language| ("Language of the app", language.to_owned())),
        );
        let line = |(name, value): (&str, String)| Block::line(vec![Run::bold(name), Run::plain(format!(": {value}"))]);
        RichText(lines.into_iter().map(line).collect())
    }
}

/// What heads a message that was forwarded.
pub fn forwarded_from(whom: &str) -> Block {
    Block::line(vec![Run::plain(format!("Forwarded from {whom}:"))])
}

/// What heads a message that was written with an inline bot.
pub fn via_bot(bot: &str) -> Block {
    Block::line(vec![Run::plain(format!("via @{bot}"))])
}

/// What heads a message that carries on what somebody said.
pub fn quoted_author(author: &str) -> Block {
    Block::line(vec![Run::plain(format!("{author} wrote:"))])
}

/// Why a file stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is larger than what bots can fetch.
    TooBig,
    /// Telegram does not give it out.
    Unavailable,
}

/// What stands for a file that is not carried over: `what` is the line for it, `place` where its message is.
pub fn not_carried(what: &str, why: Missing, place: &str) -> Block {
    let why = match why {
        Missing::TooBig => "not carried over, for it is larger than 20 MB",
        Missing::Unavailable => "not carried over, for Telegram does not give it out",
    };
    stays(what, why, place)
}

/// Why a file that an agent sent does not reach Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// It is larger than what bots can send.
    TooBig,
    /// Intercom does not give it out.
    Unavailable,
    /// Telegram does not take it.
    Refused,
}

/// What stands for a file that is not sent: `what` is the line for it, `place` where its conversation is.
pub fn not_sent(what: &str, why: Unsent, place: &str) -> Block {
    let why = match why {
        Unsent::TooBig => "not carried over, for it is larger than 50 MB",
        Unsent::Unavailable => "not carried over, for Intercom does not give it out",
        Unsent::Refused => "not carried over, for Telegram does not take it",
    };
    stays(what, why, place)
}

fn stays(what: &str, why: &str, place: &str) -> Block {
    Block::line(vec![Run::plain(format!("{what} – {why}; see ")), link_or_words(place)])
}

/// What stands for a file or a picture that lies elsewhere in the web.
pub fn elsewhere(what: &str, url: &str) -> Block {
    Block::line(vec![Run::link(what, url)])
}

/// What heads the replies that follow with files where one reply cannot hold them all.
pub fn files_follow(number: usize, of: usize) -> Block {
    Block::line(vec![Run::plain(format!("Files, {number} of {of}:"))])
}

/// What heads the caption of an item of an album where several have one.
pub fn item_of_album(number: usize) -> Block {
    Block::paragraph(vec![Run::plain(format!("Item {number}:"))])
}

/// The note that says what somebody thinks of a message; `place` is where that is.
pub fn reacted(reaction: &Reaction, to_answer: bool, place: &str) -> RichText {
    let Reaction { by, added, taken_back } = reaction;
    let what = match (added.as_slice(), taken_back.as_slice()) {
        ([], gone) => format!("took back the reaction {}", gone.join(" ")),
        (new, []) => format!("reacted with {}", new.join(" ")),
        (new, gone) => format!("reacted with {} instead of {}", new.join(" "), gone.join(" ")),
    };
    let to = if to_answer { "an answer" } else { "a message" };
    let runs = vec![
        Run::bold(by),
        Run::plain(format!(" {what} to {to}: ")),
        link_or_words(place),
    ];
    RichText(vec![Block::paragraph(runs)])
}

/// Where a message is; not every chat has links.
fn link_or_words(place: &str) -> Run {
    if place.starts_with("https://") {
        Run::link(place, place)
    } else {
        Run::plain(place)
    }
}

/// What heads the corrected form of a message.
pub fn corrected() -> Block {
    Block::line(vec![Run::bold("Correction:")])
}

/// What heads a message that arrives long after it was written, with that time.
pub fn written_at(time: &str) -> Block {
    Block::line(vec![Run::plain(format!("Written {time}:"))])
}

/// What heads a message of somebody who is not a customer.
pub fn said_in_telegram(name: &str) -> Block {
    Block::line(vec![Run::bold(format!("{name} in Telegram:"))])
}

/// What heads an agent's reply.
pub fn agent_name(name: &str) -> Block {
    Block::line(vec![Run::bold(name)])
}

/// What stands for buttons that a customer can answer with.
pub fn quick_replies(labels: &[String]) -> Block {
    let items = labels
        .iter()
        .map(|label| vec![Block::line(vec![Run::plain(label)])])
        .collect();
    Block::List { start: Some(1), items }
}

/// Where a message in Telegram is found: how an opening message ends. The path is what its opening is recognised by.
pub fn message_link(chat: mapping::ChatId, topic: Option<mapping::TopicId>, message: mapping::MessageId) -> String {
    match (chat.0.checked_neg().map(|id| id - SUPERGROUP), topic) {
        (Some(supergroup), Some(topic)) if supergroup > 0 => format!("https://t.me/c/{supergroup}/{topic}/{message}"),
        (Some(supergroup), None) if supergroup > 0 => format!("https://t.me/c/{supergroup}/{message}"),
        // Basic groups and private chats have no links.
        (_, _) => format!("(Telegram message {message} in chat {chat})"),
    }
}

/// Where a conversation is found in the inbox of its region.
pub fn conversation_link(
    region: Option<&str>,
    workspace: &mapping::WorkspaceId,
    conversation: &mapping::ConversationId,
) -> String {
    let host = match region.map(str::to_ascii_lowercase).as_deref() {
        Some("eu") => "app.eu.intercom.com",
        Some("au") => "app.au.intercom.com",
        _ => "app.intercom.com",
    };
    format!("https://{host}/a/inbox/{workspace}/inbox/conversation/{conversation}")
}

/// The same for a message without an id: the link leads to its topic, and its update tells it from others.
pub fn update_link(chat: mapping::ChatId, topic: Option<mapping::TopicId>, update: mapping::UpdateId) -> String {
    match (chat.0.checked_neg().map(|id| id - SUPERGROUP), topic) {
        (Some(supergroup), Some(topic)) if supergroup > 0 => format!("https://t.me/c/{supergroup}/{topic}#{update}"),
        (Some(supergroup), None) if supergroup > 0 => format!("https://t.me/c/{supergroup}#{update}"),
        (_, _) => format!("(Telegram update {update} in chat {chat})"),
    }
}

/// The chat and the topic of a link made by [`message_link`] or [`update_link`] at the end of a text, and the link itself.
pub fn link_at_end(text: &str) -> Option<(mapping::ChatId, Option<mapping::TopicId>, &str)> {
    let text = text.trim_end();
    let number = |text: &str| text.parse::<i64>().ok();
    let last_word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    if let Some(at) = last_word.rfind("https://t.me/c/") {
        let marker = last_word.get(at..)?;
        let path = marker.strip_prefix("https://t.me/c/")?;
        // Either way the last number is not the place's.
        let ids: Option<Vec<i64>> = path.split(['/', '#']).map(number).collect();
        let chat = |id: i64| mapping::ChatId(-(SUPERGROUP + id));
        return match ids?.as_slice() {
            [id, _message] => Some((chat(*id), None, marker)),
            [id, topic, _message] => Some((chat(*id), Some(mapping::TopicId(*topic)), marker)),
            _ => None,
        };
    }
    let at = text.rfind("(Telegram message ").max(text.rfind("(Telegram update "))?;
    let marker = text.get(at..)?;
    let (_, chat) = marker.strip_suffix(')')?.rsplit_once(" in chat ")?;
    Some((mapping::ChatId(number(chat)?), None, marker))
}

/// What the id of a supergroup adds to the number in its links.
const SUPERGROUP: i64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::{ChatId, MessageId, TopicId, UpdateId};

    #[test]
    fn a_message_link_is_found_again_at_the_end_of_a_text() {
        for (chat, topic) in [
            (-1_001_234_567_890, Some(TopicId(7))),
            (-1_001_234_567_890, None),
            (42, None),
            (-99, None),
        ] {
            let chat = ChatId(chat);
            let links = [
                message_link(chat, topic, MessageId(12)),
                update_link(chat, topic, UpdateId(12)),
            ];
            for link in &links {
                let text = format!("see https://t.me/c/1/2/3 too\n\n{link}\n");
                assert_eq!(link_at_end(&text), Some((chat, topic, link.as_str())));
            }
            assert_ne!(links[0], links[1]);
        }
        assert_eq!(
            message_link(ChatId(-1_001_234_567_890), Some(TopicId(7)), MessageId(12)),
            "https://t.me/c/1234567890/7/12"
        );
        assert_eq!(link_at_end("nothing here"), None);
    }
}
