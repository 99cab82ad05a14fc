//! How the Bot API says no.

use serde_json::{Value, json};

/// A refused call, in the vendor's shape: <https://core.telegram.org/bots/api#making-requests>.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) description: String,
    pub(crate) parameters: Option<Value>,
    /// Whether a correct client would never have made this call.
    pub(crate) violation: bool,
}

impl Refusal {
    /// A 400 that happens to correct clients too.
    pub(crate) fn bad(description: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", description.as_ref()))
    }

    /// A 400 that only a mistake of the client's explains.
    pub(crate) fn wrong(description: impl AsRef<str>) -> Self {
        Self {
            violation: true,
            ..Self::bad(description)
        }
    }

    pub(crate) fn forbidden(description: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", description.as_ref()))
    }

    pub(crate) fn migrated(to: i64) -> Self {
        Self {
            parameters: Some(json!({ "migrate_to_chat_id": to })),
            ..Self::bad("group chat was upgraded to a supergroup chat")
        }
    }

    pub(crate) fn too_many(seconds: i64) -> Self {
        Self {
            parameters: Some(json!({ "retry_after": seconds })),
            ..Self::new(429, format!("Too Many Requests: retry after {seconds}"))
        }
    }

    pub(crate) fn too_large() -> Self {
        Self {
            violation: true,
            ..Self::new(413, "Request Entity Too Large")
        }
    }

    /// The words that the server has for a status, for faults that name nothing but the status.
    pub(crate) fn of_status(code: u16) -> Self {
        let description = match code {
            400 => "Bad Request: CHAT_WRITE_FORBIDDEN",
            401 => "Unauthorized",
            403 => "Forbidden: bot was kicked from the supergroup chat",
            404 => "Not Found",
            409 => "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            413 => "Request Entity Too Large",
            429 => return Self::too_many(1),
            502 => "Bad Gateway",
            504 => "Gateway Timeout",
            _ => "Internal Server Error: restart",
        };
        Self::new(code, description)
    }

    pub(crate) fn new(code: u16, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            parameters: None,
            violation: false,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }

    /// Whole seconds for the `Retry-After` header.
    pub(crate) fn retry_after(&self) -> Option<i64> {
        self.parameters.as_ref()?.get("retry_after")?.as_i64()
    }
}
