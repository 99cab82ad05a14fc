//! A webhook request as both hosts bring it, and what is answered.

use bytes::Bytes;
use std::{fmt, time::Duration};

/// A request: what of it matters, as it came over the wire.
#[derive(Clone)]
pub struct WebhookRequest {
    /// The method.
    pub method: WebhookMethod,
    /// The headers, names in any case.
    pub headers: Vec<(String, String)>,
    /// The body, to the byte; nothing of one that is too large or broke off.
    pub body: Bytes,
}

impl fmt::Debug for WebhookRequest {
    /// The names of its headers, for one of the values is a secret; and how long its body is, for people wrote it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("WebhookRequest")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// The methods that a webhook knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookMethod {
    /// Whether somebody is there: Intercom asks when the URL is saved.
    Head,
    /// A delivery.
    Post,
    /// Anything else.
    Other,
}

impl WebhookRequest {
    /// How many bytes its sender sent or, where the host keeps nothing of the body, announced.
    pub fn length(&self) -> Option<usize> {
        if self.body.is_empty() {
            self.header("content-length").and_then(|length| length.parse().ok())
        } else {
            Some(self.body.len())
        }
    }

    /// The value of a header that came exactly once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none()).map(String::as_str)
    }
}

/// What a webhook answers; the body is always empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: it is ours now, or it can never succeed.
    Taken,
    /// 401: the proof is missing or wrong.
    Unauthorized,
    /// 405: not a method of a webhook.
    NoSuchMethod,
    /// 503 with `Retry-After`: it could not be kept; the sender has to try again.
    TryLater(Duration),
}

impl Answer {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Taken => 200,
            Self::Unauthorized => 401,
            Self::NoSuchMethod => 405,
            Self::TryLater(_) => 503,
        }
    }

    /// The value of `Retry-After`, whole seconds.
    pub fn retry_after(self) -> Option<u64> {
        match self {
            Self::TryLater(after) => Some(after.as_secs().max(1)),
            Self::Taken | Self::Unauthorized | Self::NoSuchMethod => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_was_not_kept_has_its_length() {
        let request = |length: Option<&str>, body: &'static str| WebhookRequest {
            method: WebhookMethod::Post,
            headers: length
                .map(|length| ("Content-Length".into(), length.into()))
                .into_iter()
                .collect(),
            body: Bytes::from_static(body.as_bytes()),
        };
        assert_eq!(request(Some("9000000"), "").length(), Some(9_000_000));
        assert_eq!(request(None, "{}").length(), Some(2));
        assert_eq!(request(None, "").length(), None);
    }

    #[test]
    fn a_header_that_comes_twice_proves_nothing() {
        let mut request = WebhookRequest {
            method: WebhookMethod::Post,
            headers: vec![("X-Proof".into(), "a".into())],
            body: Bytes::new(),
        };
        assert_eq!(request.header("x-proof"), Some("a"));
        request.headers.push(("x-proof".into(), "b".into()));
        assert_eq!(request.header("x-proof"), None);
    }

    #[test]
    fn a_request_shows_neither_its_proof_nor_what_was_written() {
        let request = WebhookRequest {
            method: WebhookMethod::Post,
            headers: vec![("X-Proof".into(), "hook_1".into())],
            body: Bytes::from_static(b"Hello"),
        };
        let shown = r#"WebhookRequest { method: Post, headers: ["X-Proof"], body: 5 bytes }"#;
        assert_eq!(format!("{request:?}"), shown);
    }
}
