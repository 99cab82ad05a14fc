//! What went wrong with a call, in the words of what a caller does about it.

use crate::wire::{ErrorItem, ErrorList};
use bridge::failure::HelpdeskError;
use reqwest::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// Whether a call that may have arrived may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing, or twice is the same as once: what is created carries an id of ours, what is set stays set.
    Repeatable,
    /// Twice would be seen: a conversation, a reply, a note.
    Once,
}

/// What Intercom says in its error envelope:
/// <https://developers.intercom.com/docs/references/rest-api/errors/error-objects>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// `unauthorized`, `token_…`, `missing_authorization`.
    Token(String),
    /// `forbidden`, `action_forbidden`, `api_plan_restricted`: the app lacks a scope, or the workspace the plan.
    NotAllowed(String),
    /// `not_found`, `conversation_not_found`, and others of the kind.
    NotFound(String),
    /// `admin_not_found`, `assignee_not_found`: what the call is about is there.
    NoSuchAdmin(String),
    /// `contact_merged`.
    ContactMerged,
    /// `conflict`.
    Conflict,
    /// `rate_limit_exceeded`.
    RateLimited,
    /// `server_error`.
    ServerError,
    /// Anything else, `parameter_invalid` and its like among it.
    Other(String),
    /// The answer is no error envelope: something in front of Intercom answered.
    NotIntercom,
}

impl Code {
    fn read(code: &str) -> Self {
        match code {
            "unauthorized" | "missing_authorization" => Self::Token(code.into()),
            _ if code.starts_with("token_") => Self::Token(code.into()),
            "forbidden" | "action_forbidden" | "api_plan_restricted" => Self::NotAllowed(code.into()),
            "admin_not_found" | "assignee_not_found" => Self::NoSuchAdmin(code.into()),
            "not_found" | "conversation_not_found" | "contact_not_found" | "user_not_found" | "resource_not_found" => {
                Self::NotFound(code.into())
            }
            "contact_merged" => Self::ContactMerged,
            "conflict" => Self::Conflict,
            "rate_limit_exceeded" => Self::RateLimited,
            "server_error" => Self::ServerError,
            _ => Self::Other(printable(code)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Token(code)
            | Self::NotAllowed(code)
            | Self::NotFound(code)
            | Self::NoSuchAdmin(code)
            | Self::Other(code) => code,
            Self::ContactMerged => "contact_merged",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limit_exceeded",
            Self::ServerError => "server_error",
            Self::NotIntercom => "without an error list",
        }
    }
}

/// Codes are words of Intercom's; whatever else stands in their place might be content.
fn printable(code: &str) -> String {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !code.is_empty() && code.len() <= 64 && code.chars().all(is_word) {
        code.into()
    } else {
        "with an unknown code".into()
    }
}

/// An answer other than 2xx.
pub(crate) struct Rejection {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    /// Intercom's own words: they may echo what was sent, so they are looked at and never kept.
    message: String,
    /// How long Intercom wants us to wait.
    pub(crate) after: Option<Duration>,
    /// The `Link` header.
    pub(crate) link: Option<String>,
}

impl Rejection {
    pub(crate) fn new(status: StatusCode, body: &[u8], after: Option<Duration>, link: Option<String>) -> Self {
        let list = serde_json::from_slice(body)
            .ok()
            .filter(serde_json::Value::is_object)
            .and_then(|body| ErrorList::deserialize(body).ok());
        let is_list = list.is_some();
        let first = list.and_then(|list| list.errors.into_iter().next());
        let ErrorItem { code, message } = first.unwrap_or_default();
        Self {
            status,
            code: match code {
                Some(code) => Code::read(&code),
                None if is_list => Code::Other("without a code".into()),
                None => Code::NotIntercom,
            },
            message: message.unwrap_or_default(),
            after,
            link,
        }
    }

    /// Whether Intercom's words hold these, in any case.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words)
    }

    /// What follows this mark in Intercom's words, as far as it is an id.
    pub(crate) fn id_behind(&self, mark: &str) -> Option<&str> {
        let (_, behind) = self.message.split_once(mark)?;
        let end = behind
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(behind.len());
        behind.get(..end).filter(|id| !id.is_empty())
    }

    /// What a caller does about it where nothing heals it.
    pub(crate) fn error(&self, effect: Effect) -> HelpdeskError {
        let reason = format!("{} {}", self.status.as_u16(), self.code.name());
        match self.verdict(effect) {
            Verdict::Transient => HelpdeskError::Transient {
                after: self.after,
                reason,
            },
            Verdict::Unknown => HelpdeskError::Unknown { reason },
            Verdict::Unauthorized => HelpdeskError::Unauthorized { reason },
            Verdict::NotFound => HelpdeskError::NotFound { reason },
            Verdict::Refused => HelpdeskError::Refused { reason },
        }
    }

    #[expect(
        clippy::match_same_arms,
        reason = "the rows stand in order, and each has a reason of its own"
    )]
    fn verdict(&self, effect: Effect) -> Verdict {
        match (self.status.as_u16(), &self.code) {
            (429, _) | (400..500, Code::RateLimited) => Verdict::Transient,
            (500.. | 408, _) | (400..500, Code::ServerError) => Verdict::perhaps_done(effect),
            (401, _) | (400..500, Code::Token(_)) => Verdict::Unauthorized,
            // An operator has to give the app its scope, or the workspace its plan; until then every message waits.
            (402 | 403, Code::NotAllowed(_)) => Verdict::Unauthorized,
            (404 | 410, Code::NotFound(_) | Code::ContactMerged | Code::Other(_)) => Verdict::NotFound,
            // Somebody else changed it at the same moment, and nothing was done.
            (409 | 423 | 425, _) => Verdict::Transient,
            // A gateway, or a wrong address: that something is gone can only Intercom say.
            (402 | 403 | 404 | 410, Code::NotIntercom) => Verdict::Transient,
            (400..500, _) => Verdict::Refused,
            // A redirect is not followed, for it would take the token elsewhere.
            (0..400, _) => Verdict::Transient,
        }
    }
}

enum Verdict {
    Transient,
    Unknown,
    Unauthorized,
    NotFound,
    Refused,
}

impl Verdict {
    fn perhaps_done(effect: Effect) -> Self {
        match effect {
            Effect::Repeatable => Self::Transient,
            Effect::Once => Self::Unknown,
        }
    }
}

/// A call without an answer, or with one that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// No name, no connection, no TLS: nothing was sent.
    NotConnected,
    /// The time was over.
    TimedOut,
    /// The connection broke, or what came back was no HTTP.
    Lost,
    /// The answer is not what was asked for.
    Unreadable,
    /// The answer is longer than anyone could have wanted.
    TooLong,
    /// The request could not be made at all: a token or an address with characters that have no place there.
    NotSent,
}

impl Broken {
    /// The error says in a word what happened. The HTTP client's own words would name the address.
    pub(crate) fn error(self, effect: Effect) -> HelpdeskError {
        let reason = match self {
            Self::NotConnected => "not connected",
            Self::TimedOut => "timed out",
            Self::Lost => "connection lost",
            Self::Unreadable => "unreadable answer",
            Self::TooLong => "answer too long",
            Self::NotSent => "request cannot be made",
        }
        .to_owned();
        match (self, effect) {
            (Self::NotConnected | Self::NotSent, _)
            | (Self::TimedOut | Self::Lost | Self::Unreadable, Effect::Repeatable) => {
                HelpdeskError::Transient { after: None, reason }
            }
            (Self::TooLong, Effect::Repeatable) => HelpdeskError::Refused { reason },
            (Self::TimedOut | Self::Lost | Self::Unreadable | Self::TooLong, Effect::Once) => {
                HelpdeskError::Unknown { reason }
            }
        }
    }
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        // A connection that took too long is both, and nothing was sent over it.
        if error.is_connect() {
            Self::NotConnected
        } else if error.is_builder() {
            Self::NotSent
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Lost
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, Eq)]
    enum Is {
        Transient,
        Unknown,
        Unauthorized,
        NotFound,
        Refused,
    }

    fn kind(error: &HelpdeskError) -> Is {
        match error {
            HelpdeskError::Transient { .. } => Is::Transient,
            HelpdeskError::Unknown { .. } => Is::Unknown,
            HelpdeskError::Unauthorized { .. } => Is::Unauthorized,
            HelpdeskError::NotFound { .. } => Is::NotFound,
            HelpdeskError::Refused { .. } => Is::Refused,
        }
    }

    fn rejection(status: u16, code: Option<&str>) -> Rejection {
        let body = code.map_or_else(
            || "<html>nginx</html>".to_owned(),
            |code| json!({"type": "error.list", "errors": [{"code": code, "message": "Ann wrote: hello"}]}).to_string(),
        );
        Rejection::new(StatusCode::from_u16(status).unwrap(), body.as_bytes(), None, None)
    }

    /// Status, code, what it means for a call that may be repeated, and for one that may not.
    const ROWS: &[(u16, Option<&str>, Is, Is)] = &[
        (302, None, Is::Transient, Is::Transient),
        (400, Some("parameter_invalid"), Is::Refused, Is::Refused),
        (400, Some("parameter_not_found"), Is::Refused, Is::Refused),
        (400, Some("type_mismatch"), Is::Refused, Is::Refused),
        (400, Some("client_error"), Is::Refused, Is::Refused),
        (400, Some("intercom_version_invalid"), Is::Refused, Is::Refused),
        (400, Some("rate_limit_exceeded"), Is::Transient, Is::Transient),
        (400, None, Is::Refused, Is::Refused),
        (401, Some("unauthorized"), Is::Unauthorized, Is::Unauthorized),
        (401, Some("token_not_found"), Is::Unauthorized, Is::Unauthorized),
        (401, Some("token_revoked"), Is::Unauthorized, Is::Unauthorized),
        (401, Some("token_blocked"), Is::Unauthorized, Is::Unauthorized),
        (401, Some("token_unauthorized"), Is::Unauthorized, Is::Unauthorized),
        (401, Some("token_expired"), Is::Unauthorized, Is::Unauthorized),
        (401, Some("missing_authorization"), Is::Unauthorized, Is::Unauthorized),
        (401, None, Is::Unauthorized, Is::Unauthorized),
        (402, Some("api_plan_restricted"), Is::Unauthorized, Is::Unauthorized),
        (403, Some("api_plan_restricted"), Is::Unauthorized, Is::Unauthorized),
        (403, Some("forbidden"), Is::Unauthorized, Is::Unauthorized),
        (403, Some("action_forbidden"), Is::Unauthorized, Is::Unauthorized),
        (403, Some("something_else"), Is::Refused, Is::Refused),
        (403, None, Is::Transient, Is::Transient),
        (404, Some("not_found"), Is::NotFound, Is::NotFound),
        (404, Some("conversation_not_found"), Is::NotFound, Is::NotFound),
        (404, Some("contact_not_found"), Is::NotFound, Is::NotFound),
        (404, Some("user_not_found"), Is::NotFound, Is::NotFound),
        (404, Some("resource_not_found"), Is::NotFound, Is::NotFound),
        (404, Some("a_new_thing_not_found"), Is::NotFound, Is::NotFound),
        (404, Some("admin_not_found"), Is::Refused, Is::Refused),
        (404, Some("assignee_not_found"), Is::Refused, Is::Refused),
        (404, None, Is::Transient, Is::Transient),
        (405, None, Is::Refused, Is::Refused),
        (408, Some("request_timeout"), Is::Transient, Is::Unknown),
        (409, Some("conflict"), Is::Transient, Is::Transient),
        (410, Some("contact_merged"), Is::NotFound, Is::NotFound),
        (413, None, Is::Refused, Is::Refused),
        (422, Some("parameter_invalid"), Is::Refused, Is::Refused),
        (422, Some("parameter_not_found"), Is::Refused, Is::Refused),
        (422, Some("type_mismatch"), Is::Refused, Is::Refused),
        (422, Some("client_error"), Is::Refused, Is::Refused),
        (429, Some("rate_limit_exceeded"), Is::Transient, Is::Transient),
        (429, None, Is::Transient, Is::Transient),
        (500, Some("server_error"), Is::Transient, Is::Unknown),
        (502, None, Is::Transient, Is::Unknown),
        (503, Some("service_unavailable"), Is::Transient, Is::Unknown),
        (504, None, Is::Transient, Is::Unknown),
    ];

    #[test]
    fn each_answer_has_one_meaning() {
        for (status, code, repeatable, once) in ROWS {
            let rejection = rejection(*status, *code);
            assert_eq!(
                kind(&rejection.error(Effect::Repeatable)),
                *repeatable,
                "{status} {code:?}"
            );
            assert_eq!(kind(&rejection.error(Effect::Once)), *once, "{status} {code:?}");
        }
    }

    #[test]
    fn each_break_has_one_meaning() {
        let rows = [
            (Broken::NotConnected, Is::Transient, Is::Transient),
            (Broken::NotSent, Is::Transient, Is::Transient),
            (Broken::TimedOut, Is::Transient, Is::Unknown),
            (Broken::Lost, Is::Transient, Is::Unknown),
            (Broken::Unreadable, Is::Transient, Is::Unknown),
            (Broken::TooLong, Is::Refused, Is::Unknown),
        ];
        for (broken, repeatable, once) in rows {
            assert_eq!(kind(&broken.error(Effect::Repeatable)), repeatable, "{broken:?}");
            assert_eq!(kind(&broken.error(Effect::Once)), once, "{broken:?}");
        }
    }

    #[test]
    fn reasons_are_codes_and_never_content() {
        for (status, code, _, _) in ROWS {
            let printed = rejection(*status, *code).error(Effect::Once).to_string();
            assert!(!printed.contains("Ann"), "{printed}");
        }
        let odd = rejection(400, Some("Ann wrote: hello")).error(Effect::Once);
        assert!(odd.to_string().ends_with("400 with an unknown code"), "{odd}");
        let known = rejection(404, Some("conversation_not_found")).error(Effect::Repeatable);
        assert!(known.to_string().ends_with("404 conversation_not_found"), "{known}");
    }
}
