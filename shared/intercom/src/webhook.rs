//! Intercom's webhook: proves a notification genuine, then reads ids out of it.

use crate::decode;
use bridge::{
    intercom_message::{Notification, NotificationPeek},
    ports::{NotificationReader, Unreadable},
    secrets::{Secret, Secrets},
    webhook::WebhookRequest,
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use subtle::{Choice, ConstantTimeEq};

/// Length of a SHA-1 digest in bytes.
const DIGEST: usize = 20;

/// Reads what Intercom sends to the webhook.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntercomNotifications;

/// The body of a notification whose signature was right. Only [`IntercomNotifications::verify`] makes one.
pub struct VerifiedNotification(Bytes);

impl NotificationReader for IntercomNotifications {
    type Verified = VerifiedNotification;

    /// `X-Hub-Signature` is `sha1=` and the HMAC-SHA1 of the raw body under the app's client secret, in hex.
    /// <https://developers.intercom.com/docs/references/webhooks/webhook-models>
    fn verify(&self, request: &WebhookRequest, secrets: &Secrets) -> Option<VerifiedNotification> {
        let claimed = claimed_digest(request.header("x-hub-signature")?)?;
        let genuine = secrets
            .intercom_client_secrets
            .iter()
            // Every secret is tried, so that the time taken does not tell which one was right.
            .fold(Choice::from(0), |genuine, secret| {
                genuine | signed_with(secret, &request.body, &claimed)
            });
        bool::from(genuine).then(|| VerifiedNotification(request.body.clone()))
    }

    fn peek(&self, verified: &VerifiedNotification) -> Result<(NotificationPeek, Value), Unreadable> {
        let value: Value = serde_json::from_slice(&verified.0).map_err(|error| unreadable(&error))?;
        Ok((decode::peek(decode::envelope(&value)?)?, value))
    }

    fn decode(&self, notification: &Value) -> Result<Notification, Unreadable> {
        decode::notification(notification)
    }
}

/// A JSON error says where it stopped; what it stopped at stays out of it.
pub(crate) fn unreadable(error: &serde_json::Error) -> Unreadable {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "not readable",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "not a JSON object",
        serde_json::error::Category::Eof => "cut off",
    };
    Unreadable(format!("{kind} at line {} column {}", error.line(), error.column()))
}

fn claimed_digest(header: &str) -> Option<[u8; DIGEST]> {
    let mut digest = [0; DIGEST];
    hex::decode_to_slice(header.trim().strip_prefix("sha1=")?, &mut digest).ok()?;
    Some(digest)
}

fn signed_with(secret: &Secret, body: &[u8], claimed: &[u8; DIGEST]) -> Choice {
    let Some(digest) = digest(secret, body) else {
        return Choice::from(0);
    };
    // Anyone can sign with an empty secret.
    digest.ct_eq(claimed) & Choice::from(u8::from(!secret.expose().is_empty()))
}

/// The HMAC-SHA1 of a body under a secret; HMAC takes a key of any length.
pub(crate) fn digest(secret: &Secret, body: &[u8]) -> Option<[u8; DIGEST]> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::webhook::WebhookMethod;
    use mapping::{ConversationId, PartId};
    use serde_json::json;

    fn secrets(client: &[&str]) -> Secrets {
        Secrets {
            telegram_bot_token: Secret::new("1:a"),
            telegram_webhook_secrets: vec![],
            intercom_access_token: Secret::new("token"),
            intercom_client_secrets: client.iter().map(|secret| Secret::new(*secret)).collect(),
        }
    }

    fn sign(secret: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
    }

    fn request(body: &str, signature: &str) -> WebhookRequest {
        WebhookRequest {
            method: WebhookMethod::Post,
            headers: vec![("X-Hub-Signature".into(), signature.into())],
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn verified(body: &Value) -> VerifiedNotification {
        let body = body.to_string();
        let request = request(&body, &sign("client", body.as_bytes()));
        IntercomNotifications.verify(&request, &secrets(&["client"])).unwrap()
    }

    /// HMAC-SHA1 test case 2 of RFC 2202.
    #[test]
    fn the_signature_is_that_of_the_rfc() {
        let body = "what do ya want for nothing?";
        let genuine = "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let upper = "sha1=EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79";
        for signature in [genuine, upper] {
            assert!(
                IntercomNotifications
                    .verify(&request(body, signature), &secrets(&["next", "Jefe", "last"]))
                    .is_some()
            );
        }
    }

    #[test]
    fn what_is_not_signed_with_one_of_the_secrets_is_refused() {
        let body = r#"{"app_id":"abc"}"#;
        let good = sign("client", body.as_bytes());
        let cases = [
            (body.to_owned(), good.clone(), vec!["other"]),
            (body.to_owned(), good.clone(), vec![]),
            (format!("{body} "), good.clone(), vec!["client"]),
            (body.to_owned(), good.replace("sha1=", "sha256="), vec!["client"]),
            (body.to_owned(), good.replace("sha1=", ""), vec!["client"]),
            (body.to_owned(), good[..good.len() - 2].to_owned(), vec!["client"]),
            (body.to_owned(), format!("{good}00"), vec!["client"]),
            (body.to_owned(), "sha1=".to_owned(), vec!["client"]),
            (body.to_owned(), "sha1=zz".to_owned(), vec!["client"]),
            (body.to_owned(), sign("", body.as_bytes()), vec![""]),
        ];
        for (body, signature, client) in cases {
            assert!(
                IntercomNotifications
                    .verify(&request(&body, &signature), &secrets(&client))
                    .is_none(),
                "{signature}"
            );
        }
        let mut bare = request(body, &good);
        bare.headers.clear();
        assert!(IntercomNotifications.verify(&bare, &secrets(&["client"])).is_none());
    }

    #[test]
    fn a_peek_reads_ids_wherever_they_stand() {
        let part = json!({"type": "conversation_part", "id": 7, "part_type": "comment"});
        let cases = [
            (
                "conversation.admin.replied",
                json!({"type": "conversation", "id": "12", "conversation_parts": {"conversation_parts": [part]}}),
                Some("12"),
                vec!["7"],
            ),
            (
                "conversation.deleted",
                json!({"type": "conversation", "conversation_id": "13"}),
                Some("13"),
                vec![],
            ),
            (
                "conversation.contact.attached",
                json!({"conversation": {"parts": [], "model": {"id": 14}}, "contact": {"id": "c"}}),
                Some("14"),
                vec![],
            ),
            (
                "conversation_part.redacted",
                json!({"type": "conversation_part", "id": "8", "conversation": {"id": "15"}}),
                Some("15"),
                vec!["8"],
            ),
            ("contact.merged", json!({"type": "contact", "id": "16"}), None, vec![]),
            ("ticket.created", json!({"type": "ticket", "id": "17"}), None, vec![]),
            ("conversation.read", json!("odd"), None, vec![]),
        ];
        for (topic, item, conversation, parts) in cases {
            let body = json!({"app_id": "abc", "id": "notif_1", "topic": topic, "data": {"item": item}});
            let (peek, value) = IntercomNotifications.peek(&verified(&body)).unwrap();
            assert_eq!(value, body);
            assert_eq!(peek.workspace.as_str(), "abc");
            assert_eq!(peek.event, topic);
            assert_eq!(peek.conversation, conversation.map(ConversationId::new), "{topic}");
            assert_eq!(
                peek.parts,
                parts.into_iter().map(PartId::new).collect::<Vec<_>>(),
                "{topic}"
            );
        }
    }

    #[test]
    fn a_ping_has_no_id() {
        let body = json!({"app_id": "abc", "id": null, "topic": "ping", "data": {"item": {"type": "ping"}}});
        let (peek, _) = IntercomNotifications.peek(&verified(&body)).unwrap();
        assert_eq!((peek.id, peek.event.as_str()), (None, "ping"));
    }

    #[test]
    fn errors_hold_nothing_of_the_body() {
        for body in [
            "",
            "secret words",
            r#"{"app_id": "abc", "topic": secret}"#,
            r#"["secret"]"#,
            r#"{"topic": "secret"}"#,
        ] {
            let request = request(body, &sign("client", body.as_bytes()));
            let verified = IntercomNotifications.verify(&request, &secrets(&["client"])).unwrap();
            let error = IntercomNotifications.peek(&verified).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
