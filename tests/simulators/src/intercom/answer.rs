//! What the server answers.

use axum::{body::Body, http::Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// An answer with a JSON body, or raw bytes for a file.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What an operation returns.
pub(super) type Outcome = Result<Value, Refusal>;

/// Why a request is refused, in the vendor's words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The request was wrong, and a caller who reads the documentation would not have sent it.
    pub(super) is_violation: bool,
    link: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            is_violation: false,
            link: None,
        }
    }

    /// A wrong parameter, which a correct caller does not send.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "parameter_invalid", message).violation()
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "not_found", "Resource Not Found")
    }

    pub(super) fn no_such_contact() -> Self {
        Self::new(404, "not_found", "User Not Found")
    }

    /// A contact that lives on under another id.
    pub(super) fn merged(into: &str) -> Self {
        let message = "This contact has been merged. See the 'Link' header for the canonical contact.";
        Self {
            link: Some(into.to_owned()),
            ..Self::new(410, "contact_merged", message)
        }
    }

    pub(super) fn violation(self) -> Self {
        Self {
            is_violation: true,
            ..self
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let body = json!({
            "type": "error.list",
            "request_id": Uuid::new_v4().to_string(),
            "errors": [{"code": refusal.code, "message": refusal.message}],
        });
        let link = refusal
            .link
            .map(|into| ("link", format!("</contacts/{into}>; rel=\"canonical\"")));
        Self {
            headers: link.into_iter().collect(),
            ..Self::json(refusal.status, &body)
        }
    }
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    /// An HTTP status in the vendor's error shape.
    pub(super) fn failure(status: u16) -> Self {
        let (code, message) = match status {
            401 => ("unauthorized", "Access Token Invalid"),
            402 | 403 => ("api_plan_restricted", "Active subscription needed."),
            404 => ("not_found", "Resource Not Found"),
            409 => ("conflict", "The resource is in conflict"),
            429 => ("rate_limit_exceeded", "Exceeded rate limit"),
            400..=499 => ("client_error", "Bad Request"),
            _ => ("server_error", "Server Error"),
        };
        Refusal::new(status, code, message).into()
    }

    /// Turns into what goes over the wire.
    pub(super) fn into_response(self) -> Response<Body> {
        let typed = self.headers.iter().any(|(name, _)| *name == "content-type");
        let mut builder = Response::builder().status(self.status);
        if !typed {
            builder = builder.header("content-type", "application/json; charset=utf-8");
        }
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        builder.body(Body::from(self.body)).unwrap_or_default()
    }
}
