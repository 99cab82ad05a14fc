//! What a failed call means to the bridge: <https://core.telegram.org/bots/api#making-requests>.
//!
//! Telegram tells its errors apart by a code and by an English sentence. Neither is promised to stay, so the code decides first, then a
//! part of the sentence.

use bridge::failure::MessengerError;
use mapping::ChatId;
use std::time::Duration;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 120;

/// What a call does, as far as it matters when its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing, or nothing new when it is done again.
    Repeatable,
    /// It must not be done twice.
    Once,
}

/// How far a call got before its connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Telegram never saw it.
    BeforeSending,
    /// Telegram may have done it.
    Underway,
}

/// An error as Telegram tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) code: u16,
    pub(crate) description: String,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) migrate_to: Option<ChatId>,
}

/// What became of a call that Telegram did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is already as it was to become.
    AlreadySo,
    /// It failed.
    Failed(MessengerError),
}

/// What a connection that failed means.
pub(crate) fn broken(effect: Effect, how: Broken, reason: &str) -> MessengerError {
    let reason = shown(reason);
    match (effect, how) {
        (_, Broken::BeforeSending) | (Effect::Repeatable, Broken::Underway) => transient(reason),
        (Effect::Once, Broken::Underway) => MessengerError::Unknown { reason },
    }
}

/// What an answer means that does not come from the Bot API: from a proxy on the way, or from a server that is no Bot API.
pub(crate) fn foreign(effect: Effect, status: u16) -> MessengerError {
    let reason = format!("HTTP {status}, not an answer of the Bot API");
    match status {
        429 => throttled(None, reason),
        // Who answers that it worked, or broke, may have passed it on.
        200..=299 | 500.. => broken(effect, Broken::Underway, &reason),
        _ => transient(reason),
    }
}

/// What an error of the Bot API means.
pub(crate) fn rejected(effect: Effect, rejection: &Rejection) -> Verdict {
    let reason = shown(&format!("{} {}", rejection.code, rejection.description));
    if let Some(to) = rejection.migrate_to {
        return Verdict::Failed(MessengerError::Migrated { to });
    }
    Verdict::Failed(match rejection.code {
        429 => throttled(rejection.retry_after, reason),
        500.. => broken(effect, Broken::Underway, &reason),
        401 | 404 => MessengerError::Unauthorized { reason },
        408 | 409 => transient(reason),
        code => match meaning(&rejection.description) {
            Meaning::AlreadySo => return Verdict::AlreadySo,
            Meaning::TopicGone => MessengerError::TopicGone { reason },
            Meaning::TopicClosed => MessengerError::TopicClosed,
            Meaning::MessageGone => MessengerError::MessageGone { reason },
            Meaning::NoRights => MessengerError::NoRights { reason },
            Meaning::Other if code == 403 => MessengerError::NoRights { reason },
            Meaning::GoneForGood | Meaning::Other => MessengerError::Refused { reason },
        },
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    AlreadySo,
    NoRights,
    TopicGone,
    TopicClosed,
    MessageGone,
    GoneForGood,
    Other,
}

/// Parts of descriptions, in lower case, and what they mean. The first that is found counts.
const MEANINGS: &[(&str, Meaning)] = &[
    ("message is not modified", Meaning::AlreadySo),
    ("topic_not_modified", Meaning::AlreadySo),
    ("topic_closed", Meaning::TopicClosed),
    ("message thread not found", Meaning::TopicGone),
    ("topic_deleted", Meaning::TopicGone),
    ("topic_id_invalid", Meaning::TopicGone),
    ("message to be replied not found", Meaning::MessageGone),
    ("message to edit not found", Meaning::MessageGone),
    ("message to delete not found", Meaning::MessageGone),
    ("message to copy not found", Meaning::MessageGone),
    ("message to forward not found", Meaning::MessageGone),
    ("message to react not found", Meaning::MessageGone),
    ("message_id_invalid", Meaning::MessageGone),
    ("group chat was deleted", Meaning::GoneForGood),
    ("user is deactivated", Meaning::GoneForGood),
    ("not enough rights", Meaning::NoRights),
    ("have no rights", Meaning::NoRights),
    ("need administrator rights", Meaning::NoRights),
    ("chat_admin_required", Meaning::NoRights),
    ("chat_restricted", Meaning::NoRights),
    ("chat_write_forbidden", Meaning::NoRights),
    ("chat_send_", Meaning::NoRights),
    ("bot was kicked", Meaning::NoRights),
    ("bot is not a member", Meaning::NoRights),
];

fn meaning(description: &str) -> Meaning {
    let description = description.to_ascii_lowercase();
    let found = MEANINGS.iter().find(|(part, _)| description.contains(part));
    found.map_or(Meaning::Other, |(_, meaning)| *meaning)
}

fn transient(reason: String) -> MessengerError {
    MessengerError::Transient {
        after: None,
        throttled: false,
        reason,
    }
}

fn throttled(after: Option<Duration>, reason: String) -> MessengerError {
    MessengerError::Transient {
        after,
        throttled: true,
        reason,
    }
}

/// A description without what could come from a message: fixed descriptions hold no quotes, no addresses, and nothing but ASCII.
pub(crate) fn shown(reason: &str) -> String {
    let end = ["\"", "://"]
        .into_iter()
        .filter_map(|sign| reason.find(sign))
        .min()
        .unwrap_or(reason.len());
    let fixed = reason.get(..end).unwrap_or_default();
    let printable = fixed.chars().take_while(|c| c.is_ascii() && !c.is_ascii_control());
    printable.take(LONGEST_REASON).collect::<String>().trim_end().to_owned()
}
