//! The settings, parsed from names and values: the same for both functions and for `serve`. Every error names its variable.

use crate::ports::Assignee;
use mapping::{AdminId, ChatId, CustomerId};
use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    time::Duration,
};

/// All settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `TELEGRAM_CHATS`: the chats that are bridged.
    pub chats: BTreeSet<ChatId>,
    /// `CONVERSATION_PER`: what a conversation is for, within a forum.
    pub conversation_per: ConversationPer,
    /// `GENERAL_TOPIC`: what a conversation is for, within General.
    pub general_topic: GeneralTopic,
    /// `PRIVATE_CHATS`: whether anybody may write to the bot in private.
    pub private_chats: bool,
    /// `NEW_CONVERSATION`: when a topic gets another conversation.
    pub new_conversation: NewConversation,
    /// `STAFF`: people who are not customers, and who they are in Intercom.
    pub staff: BTreeMap<CustomerId, Option<AdminId>>,
    /// `AGENT_NAMES`: how much of an agent's name heads a reply.
    pub agent_names: AgentNames,
    /// `BOT_REPLIES`: whether what Fin and workflows say is carried.
    pub bot_replies: bool,
    /// `REACTIONS`: what becomes of a reaction to a message.
    pub reactions: Reactions,
    /// `TOPIC_STATES`: whether a topic is closed as long as its conversation is.
    pub topic_states: TopicStates,
    /// `CUSTOMER_NOTICE`: what a customer is told whose message could not be passed on, if not in our words.
    pub customer_notice: Option<String>,
    /// `INTERCOM_ADMIN_ID`: who writes notes; the token's own admin otherwise.
    pub intercom_admin: Option<AdminId>,
    /// `INTERCOM_ASSIGNEE`: who gets new conversations.
    pub assignees: Assignees,
    /// `GROUP_MESSAGES_PER_MINUTE`: how many messages a minute a group is sent.
    pub group_messages_per_minute: u32,
    /// `GIVE_UP_AFTER`: how long a message is tried.
    pub give_up_after: Duration,
    /// After a call whose answer is not known, so long nobody looks: longer than any client waits, for it may still happen. No
    /// variable sets it; a test does, to show what it is for.
    pub look_after: Duration,
    /// `TELEGRAM_API_URL`: the Bot API server, without a slash at its end.
    pub telegram_api_url: String,
    /// `INTERCOM_API_URL`, or what follows from `INTERCOM_REGION`, without a slash at its end.
    pub intercom_api_url: String,
}

/// What a conversation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationPer {
    /// A topic, with every customer in it as a participant.
    Topic,
    /// One customer in one topic.
    User,
}

/// What happens with messages in General.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneralTopic {
    /// One conversation for each customer.
    User,
    /// One conversation.
    Topic,
    /// Nothing.
    Off,
}

/// When a topic gets another conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewConversation {
    /// Never: a closed conversation opens again.
    Never,
    /// With the first message after it was closed.
    AfterClose,
    /// With the first message after so long a silence.
    AfterDays(u16),
}

/// How much of an agent's name heads a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentNames {
    /// The first name.
    First,
    /// The whole name.
    Full,
    /// Nothing.
    None,
}

/// What becomes of reactions to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reactions {
    /// Nothing.
    Off,
    /// A short note.
    Note,
}

/// What becomes of it that a topic, or its conversation, is closed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicStates {
    /// Nothing.
    Off,
    /// The other one follows.
    Follow,
}

/// Who gets new conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignees {
    everywhere: Option<Assignee>,
    in_chat: BTreeMap<ChatId, Assignee>,
}

impl Assignees {
    /// Who gets a new conversation of this chat.
    pub fn of(&self, chat: ChatId) -> Option<&Assignee> {
        self.in_chat.get(&chat).or(self.everywhere.as_ref())
    }
}

/// A setting that is missing or cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong with it, and what it should look like.
    pub problem: String,
}

impl Config {
    /// Reads the settings; `value` gives the value of a variable, if it is set.
    pub fn parse(value: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let settings = Settings(&value);
        Ok(Self {
            chats: settings.chats()?,
            conversation_per: settings.choice(
                "CONVERSATION_PER",
                &[("topic", ConversationPer::Topic), ("user", ConversationPer::User)],
            )?,
            general_topic: settings.choice(
                "GENERAL_TOPIC",
                &[
                    ("user", GeneralTopic::User),
                    ("topic", GeneralTopic::Topic),
                    ("off", GeneralTopic::Off),
                ],
            )?,
            private_chats: settings.choice("PRIVATE_CHATS", &[("off", false), ("on", true)])?,
            new_conversation: settings.new_conversation()?,
            staff: settings.staff()?,
            agent_names: settings.choice(
                "AGENT_NAMES",
                &[
                    ("first", AgentNames::First),
                    ("full", AgentNames::Full),
                    ("none", AgentNames::None),
                ],
            )?,
            bot_replies: settings.choice("BOT_REPLIES", &[("on", true), ("off", false)])?,
            reactions: settings.choice("REACTIONS", &[("off", Reactions::Off), ("note", Reactions::Note)])?,
            topic_states: settings.topic_states()?,
            customer_notice: settings.customer_notice()?,
            intercom_admin: settings.admin()?,
            assignees: settings.assignees()?,
            group_messages_per_minute: settings.messages_per_minute()?,
            give_up_after: settings.give_up_after()?,
            look_after: Duration::from_mins(1),
            telegram_api_url: settings.url("TELEGRAM_API_URL", "https://api.telegram.org")?,
            intercom_api_url: {
                let region = settings.choice(
                    "INTERCOM_REGION",
                    &[
                        ("us", "https://api.intercom.io"),
                        ("eu", "https://api.eu.intercom.io"),
                        ("au", "https://api.au.intercom.io"),
                    ],
                )?;
                settings.url("INTERCOM_API_URL", region)?
            },
        })
    }
}

/// How long a notice in somebody's own words may be, in characters: one message has to hold it.
const LONGEST_NOTICE: usize = 1_000;

struct Settings<'v, V: Fn(&str) -> Option<String>>(&'v V);

impl<V: Fn(&str) -> Option<String>> Settings<'_, V> {
    /// A variable that is set to nothing is as good as not set: consoles and `.env` files make such ones.
    fn text(&self, variable: &str) -> Option<String> {
        (self.0)(variable)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    /// The first choice is the default.
    fn choice<T: Copy>(&self, variable: &'static str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let error = |is: &str| ConfigError {
            variable,
            problem: format!("{is:?} is none of {}", names.join(", ")),
        };
        let is = self
            .text(variable)
            .or_else(|| names.first().map(|name| (*name).to_owned()))
            .unwrap_or_default();
        choices
            .iter()
            .find(|(name, _)| is.eq_ignore_ascii_case(name))
            .map(|(_, choice)| *choice)
            .ok_or_else(|| error(&is))
    }

    fn chats(&self) -> Result<BTreeSet<ChatId>, ConfigError> {
        let variable = "TELEGRAM_CHATS";
        let example = "the ids of the chats that are bridged, such as -1001234567890,-1009876543210";
        let error = |problem| ConfigError { variable, problem };
        let list = self
            .text(variable)
            .ok_or_else(|| error(format!("not set; it holds {example}")))?;
        list.split(',')
            .map(|id| {
                number(id)
                    .map(ChatId)
                    .ok_or_else(|| error(format!("{id:?} is not a chat id; it holds {example}")))
            })
            .collect()
    }

    fn new_conversation(&self) -> Result<NewConversation, ConfigError> {
        let variable = "NEW_CONVERSATION";
        let Some(text) = self.text(variable) else {
            return Ok(NewConversation::Never);
        };
        let error = || ConfigError {
            variable,
            problem: format!("{text:?} is none of never, after_close, after_days:N"),
        };
        match text.split_once(':') {
            None if text == "never" => Ok(NewConversation::Never),
            None if text == "after_close" => Ok(NewConversation::AfterClose),
            Some(("after_days", days)) => number(days)
                .filter(|days| *days > 0)
                .map(NewConversation::AfterDays)
                .ok_or_else(error),
            None | Some(_) => Err(error()),
        }
    }

    fn staff(&self) -> Result<BTreeMap<CustomerId, Option<AdminId>>, ConfigError> {
        let variable = "STAFF";
        let error = |entry: &str| ConfigError {
            variable,
            problem: format!("{entry:?} is not <telegram user id> or <telegram user id>=<intercom admin id>"),
        };
        let entry = |entry: &str| {
            let (user, admin) = entry
                .split_once('=')
                .map_or((entry, None), |(user, admin)| (user, Some(admin.trim())));
            let user = number(user).map(CustomerId).ok_or_else(|| error(entry))?;
            match admin {
                Some(admin) if number::<u64>(admin).is_none() => Err(error(entry)),
                admin => Ok((user, admin.map(AdminId::new))),
            }
        };
        self.text(variable)
            .iter()
            .flat_map(|list| list.split(','))
            .map(entry)
            .collect()
    }

    fn admin(&self) -> Result<Option<AdminId>, ConfigError> {
        let variable = "INTERCOM_ADMIN_ID";
        let Some(text) = self.text(variable) else {
            return Ok(None);
        };
        match number::<u64>(&text) {
            Some(_) => Ok(Some(AdminId::new(text))),
            None => Err(ConfigError {
                variable,
                problem: format!("{text:?} is not an admin id: digits only"),
            }),
        }
    }

    fn assignees(&self) -> Result<Assignees, ConfigError> {
        let mut assignees = Assignees::default();
        for entry in self.text("INTERCOM_ASSIGNEE").iter().flat_map(|list| list.split(',')) {
            let error = || ConfigError {
                variable: "INTERCOM_ASSIGNEE",
                problem: format!("{entry:?} is not team:<id>, admin:<id>, <chat id>=team:<id> or <chat id>=admin:<id>"),
            };
            let (chat, assignee) = entry
                .split_once('=')
                .map_or((None, entry), |(chat, who)| (Some(chat), who));
            let assignee = match assignee.trim().split_once(':') {
                Some(("team", id)) if number::<u64>(id).is_some() => Assignee::Team(id.trim().to_owned()),
                Some(("admin", id)) if number::<u64>(id).is_some() => Assignee::Admin(AdminId::new(id.trim())),
                _ => return Err(error()),
            };
            match chat {
                None => assignees.everywhere = Some(assignee),
                Some(chat) => {
                    assignees
                        .in_chat
                        .insert(number(chat).map(ChatId).ok_or_else(error)?, assignee);
                }
            }
        }
        Ok(assignees)
    }

    fn messages_per_minute(&self) -> Result<u32, ConfigError> {
        let variable = "GROUP_MESSAGES_PER_MINUTE";
        let Some(text) = self.text(variable) else { return Ok(20) };
        let error = || ConfigError {
            variable,
            problem: format!("{text:?} is not a number from 1 to 1200"),
        };
        number(&text)
            .filter(|number| (1..=1200).contains(number))
            .ok_or_else(error)
    }

    fn give_up_after(&self) -> Result<Duration, ConfigError> {
        let variable = "GIVE_UP_AFTER";
        let most = Duration::from_hours(12 * 24);
        let Some(text) = self.text(variable) else {
            return Ok(Duration::from_hours(24));
        };
        let error = || ConfigError {
            variable,
            problem: format!("{text:?} is not a time from 1m to 12d, such as 24h"),
        };
        let unit = |unit: &str| match unit {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(3600),
            "d" => Some(24 * 3600),
            _ => None,
        };
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let seconds = number::<u64>(digits).zip(unit(text.get(digits.len()..).unwrap_or_default().trim()));
        let time = seconds
            .and_then(|(number, unit)| number.checked_mul(unit))
            .map(Duration::from_secs);
        time.filter(|time| (Duration::from_mins(1)..=most).contains(time))
            .ok_or_else(error)
    }

    fn topic_states(&self) -> Result<TopicStates, ConfigError> {
        let variable = "TOPIC_STATES";
        let states = self.choice(variable, &[("off", TopicStates::Off), ("follow", TopicStates::Follow)])?;
        if states == TopicStates::Follow && self.new_conversation()? == NewConversation::AfterClose {
            return Err(ConfigError {
                variable,
                problem: "\"follow\" does not go with NEW_CONVERSATION=after_close: in a closed topic no customer could begin another".into(),
            });
        }
        Ok(states)
    }

    fn customer_notice(&self) -> Result<Option<String>, ConfigError> {
        let text = self.text("CUSTOMER_NOTICE");
        match text.as_ref().map(|text| text.chars().count()) {
            Some(length) if length > LONGEST_NOTICE => Err(ConfigError {
                variable: "CUSTOMER_NOTICE",
                problem: format!("{length} characters are more than {LONGEST_NOTICE}"),
            }),
            Some(_) | None => Ok(text),
        }
    }

    fn url(&self, variable: &'static str, default: &str) -> Result<String, ConfigError> {
        let url = self.text(variable).unwrap_or_else(|| default.to_owned());
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || url.contains(char::is_whitespace) {
            return Err(ConfigError {
                variable,
                problem: format!("{url:?} is not a URL such as {default}"),
            });
        }
        Ok(url.trim_end_matches('/').to_owned())
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests;
