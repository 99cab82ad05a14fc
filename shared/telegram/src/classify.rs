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
pub(crate) fn foreign(effect: Effect, status: u16, retry_after: Option<Duration>) -> MessengerError {
    let reason = format!("HTTP {status}, not an answer of the Bot API");
    match status {
        429 => throttled(retry_after, reason),
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

/// A description without what could come from a message: fixed descriptions hold no quotes, no addresses, no tokens, and nothing but
/// ASCII.
fn shown(reason: &str) -> String {
    let end = ["\"", "://"].into_iter().filter_map(|sign| reason.find(sign)).min();
    let fixed = reason.get(..end.unwrap_or(reason.len())).unwrap_or_default();
    let printable = fixed.chars().take_while(|c| c.is_ascii() && !c.is_ascii_control());
    let line = printable.take(LONGEST_REASON).collect::<String>();
    let words = line.split_whitespace().take_while(|word| !looks_like_token(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a word could be a bot token: a number, a colon, and a long rest.
fn looks_like_token(word: &str) -> bool {
    let Some((id, secret)) = word.split_once(':') else {
        return false;
    };
    id.ends_with(|c: char| c.is_ascii_digit()) && secret.len() > 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code, description, and what it means for a call that must not be done twice.
    const TABLE: &[(u16, &str, &str)] = &[
        (400, "Bad Request: chat not found", "refused"),
        (400, "Bad Request: chat_id is empty", "refused"),
        (400, "Bad Request: message thread not found", "topic gone"),
        (400, "Bad Request: TOPIC_DELETED", "topic gone"),
        (400, "Bad Request: TOPIC_ID_INVALID", "topic gone"),
        (400, "Bad Request: TOPIC_CLOSED", "topic closed"),
        (400, "Bad Request: TOPIC_NOT_MODIFIED", "already so"),
        (
            400,
            "Bad Request: message is not modified: specified new message content",
            "already so",
        ),
        (400, "Bad Request: message to be replied not found", "message gone"),
        (400, "Bad Request: message to edit not found", "message gone"),
        (400, "Bad Request: message to delete not found", "message gone"),
        (400, "Bad Request: message to copy not found", "message gone"),
        (400, "Bad Request: message to forward not found", "message gone"),
        (400, "Bad Request: message to react not found", "message gone"),
        (400, "Bad Request: message can't be edited", "refused"),
        (400, "Bad Request: message can't be deleted", "refused"),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            "no rights",
        ),
        (400, "Bad Request: not enough rights to create a topic", "no rights"),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", "no rights"),
        (400, "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN", "no rights"),
        (400, "Bad Request: CHAT_ADMIN_REQUIRED", "no rights"),
        (400, "Bad Request: CHAT_RESTRICTED", "no rights"),
        (400, "Bad Request: the chat is not a forum", "refused"),
        (400, "Bad Request: message is too long", "refused"),
        (400, "Bad Request: message caption is too long", "refused"),
        (400, "Bad Request: message text is empty", "refused"),
        (
            400,
            "Bad Request: can't parse entities: Unsupported start tag",
            "refused",
        ),
        (400, "Bad Request: ENTITIES_TOO_LONG", "refused"),
        (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", "refused"),
        (400, "Bad Request: IMAGE_PROCESS_FAILED", "refused"),
        (400, "Bad Request: wrong type of the web page content", "refused"),
        (
            400,
            "Bad Request: can't use the media of the specified type in the album",
            "refused",
        ),
        (
            400,
            "Bad Request: failed to send message #2 with the error message \"PHOTO_INVALID_DIMENSIONS\"",
            "refused",
        ),
        (
            400,
            "Bad Request: not enough rights to send photos to the chat",
            "no rights",
        ),
        (
            400,
            "Bad Request: not enough rights to send documents to the chat",
            "no rights",
        ),
        (
            400,
            "Bad Request: not enough rights to send music to the chat",
            "no rights",
        ),
        (400, "Bad Request: CHAT_SEND_PHOTOS_FORBIDDEN", "no rights"),
        (400, "Bad Request: wrong file identifier/HTTP URL specified", "refused"),
        (400, "Bad Request: failed to get HTTP URL content", "refused"),
        (400, "Bad Request: Wrong HTTP URL specified", "refused"),
        (400, "Bad Request: can't upload file by URL", "refused"),
        (
            400,
            "Bad Request: query is too old and response timeout expired",
            "refused",
        ),
        (401, "Unauthorized", "unauthorized"),
        (401, "Unauthorized: invalid token specified", "unauthorized"),
        (403, "Forbidden: bot was kicked from the supergroup chat", "no rights"),
        (403, "Forbidden: bot was kicked from the group chat", "no rights"),
        (403, "Forbidden: bot was kicked from the channel chat", "no rights"),
        (
            403,
            "Forbidden: bot is not a member of the supergroup chat",
            "no rights",
        ),
        (403, "Forbidden: bot was blocked by the user", "no rights"),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "no rights",
        ),
        (403, "Forbidden: the group chat was deleted", "refused"),
        (403, "Forbidden: user is deactivated", "refused"),
        (404, "Not Found", "unauthorized"),
        (404, "Not Found: method not found", "unauthorized"),
        (408, "Request Timeout", "transient"),
        (409, "Conflict: terminated by other getUpdates request", "transient"),
        (
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            "transient",
        ),
        (413, "Request Entity Too Large", "refused"),
        (418, "something new", "refused"),
        (429, "Too Many Requests: retry after 7", "throttled"),
        (500, "Internal Server Error: restart", "unknown"),
        (
            500,
            "Internal Server Error: sent message was immediately deleted and can't be returned",
            "unknown",
        ),
        (502, "Bad Gateway", "unknown"),
        (504, "Gateway Timeout", "unknown"),
        (599, "something new", "unknown"),
    ];

    fn word(verdict: &Verdict) -> &'static str {
        let Verdict::Failed(error) = verdict else {
            return "already so";
        };
        match error {
            MessengerError::Transient { throttled: true, .. } => "throttled",
            MessengerError::Transient { .. } => "transient",
            MessengerError::Unknown { .. } => "unknown",
            MessengerError::Unauthorized { .. } => "unauthorized",
            MessengerError::NoRights { .. } => "no rights",
            MessengerError::TopicGone { .. } => "topic gone",
            MessengerError::TopicClosed => "topic closed",
            MessengerError::MessageGone { .. } => "message gone",
            MessengerError::Migrated { .. } => "migrated",
            MessengerError::Refused { .. } => "refused",
        }
    }

    fn rejection(code: u16, description: &str) -> Rejection {
        Rejection {
            code,
            description: description.into(),
            ..Rejection::default()
        }
    }

    #[test]
    fn every_known_error_means_something() {
        for (code, description, expected) in TABLE {
            let rejection = rejection(*code, description);
            assert_eq!(
                word(&rejected(Effect::Once, &rejection)),
                *expected,
                "{code} {description}"
            );
            let repeated = if *expected == "unknown" { "transient" } else { expected };
            assert_eq!(
                word(&rejected(Effect::Repeatable, &rejection)),
                repeated,
                "{code} {description}"
            );
        }
    }

    #[test]
    fn a_chat_that_moved_is_followed_whatever_the_words_are() {
        let moved = Rejection {
            migrate_to: Some(ChatId(-1_001)),
            ..rejection(400, "something new")
        };
        let error = MessengerError::Migrated { to: ChatId(-1_001) };
        assert_eq!(rejected(Effect::Once, &moved), Verdict::Failed(error));
    }

    #[test]
    fn waiting_lasts_as_long_as_telegram_says() {
        let busy = Rejection {
            retry_after: Some(Duration::from_secs(7)),
            ..rejection(429, "Too Many Requests")
        };
        let Verdict::Failed(MessengerError::Transient {
            after, throttled: true, ..
        }) = rejected(Effect::Once, &busy)
        else {
            panic!("not throttled")
        };
        assert_eq!(after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn what_is_not_telegrams_answer_says_only_whether_it_may_have_happened() {
        let cases = [
            (200, "unknown"),
            (302, "transient"),
            (400, "transient"),
            (404, "transient"),
            (429, "throttled"),
            (502, "unknown"),
        ];
        for (status, expected) in cases {
            assert_eq!(
                word(&Verdict::Failed(foreign(Effect::Once, status, None))),
                expected,
                "{status}"
            );
        }
        assert_eq!(
            word(&Verdict::Failed(foreign(Effect::Repeatable, 502, None))),
            "transient"
        );
    }

    #[test]
    fn reasons_are_fixed_descriptions() {
        let reasons = [
            (
                "400 Bad Request: message can't be deleted",
                "400 Bad Request: message can't be deleted",
            ),
            ("Unsupported start tag \"secret\" at byte", "Unsupported start tag"),
            ("no connection to https://example.com/bot1:a", "no connection to https"),
            ("bad token 123456:AAbbCCddEEffGGhhIIjj given", "bad token"),
            ("name Ж too long", "name"),
            ("line\nbreak", "line"),
        ];
        for (reason, expected) in reasons {
            assert_eq!(shown(reason), expected);
        }
        assert_eq!(shown(&"x".repeat(500)).len(), LONGEST_REASON);
    }
}
