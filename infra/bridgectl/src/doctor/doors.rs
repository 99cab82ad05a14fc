//! The webhooks from outside: is somebody there, does a right proof open, does a wrong one not.

use super::Look;
use crate::{doctor::telegram::PATH as TELEGRAM, findings::Findings};
use bridge::secrets::Secret;
use serde_json::json;

/// What the path of Intercom's webhook is.
pub(crate) const INTERCOM: &str = "/intercom-webhook";

/// The header in which Telegram proves that it is Telegram.
const SECRET_TOKEN: &str = "x-telegram-bot-api-secret-token";

/// The header in which Intercom proves that it is Intercom.
const SIGNATURE: &str = "x-hub-signature";

/// Knocks at both doors.
pub(super) async fn examine(look: &Look<'_>, url: Option<&str>, found: &mut Findings) {
    let Some(url) = url else {
        found.unchecked(
            "webhooks",
            "It is not known under which URL the vendors reach the bridge",
            "pass --public-url https://…",
        );
        return;
    };
    let door = Door {
        http: &look.http,
        url: format!("{url}{TELEGRAM}"),
        header: SECRET_TOKEN,
        check: "webhook.telegram",
        vendor: "Telegram",
    };
    let secrets = &look.install.secrets;
    // An update of no chat is taken, and is nothing.
    let update = json!({"update_id": 0}).to_string();
    let proofs = secrets.webhook_secrets.iter().map(|secret| secret.expose().to_owned());
    door.try_keys(look, &update, &proofs.collect::<Vec<_>>(), found).await;
    let door = Door {
        url: format!("{url}{INTERCOM}"),
        header: SIGNATURE,
        check: "webhook.intercom",
        vendor: "Intercom",
        ..door
    };
    let ping = ping();
    let proofs = secrets
        .client_secrets
        .iter()
        .map(|secret| intercom::sign(secret, ping.as_bytes()));
    door.try_keys(look, &ping, &proofs.collect::<Vec<_>>(), found).await;
}

/// A ping as Intercom sends it.
fn ping() -> String {
    let item = json!({"type": "ping", "message": "bridgectl doctor"});
    let data = json!({"type": "notification_event_data", "item": item});
    json!({"type": "notification_event", "app_id": "bridgectl", "topic": "ping", "id": null, "data": data}).to_string()
}

struct Door<'a> {
    http: &'a reqwest::Client,
    url: String,
    header: &'static str,
    check: &'static str,
    vendor: &'static str,
}

impl Door<'_> {
    /// Nobody, somebody with a wrong proof, then each right proof.
    async fn try_keys(&self, look: &Look<'_>, body: &str, proofs: &[String], found: &mut Findings) {
        let head = self.http.head(&self.url).send().await;
        match head.map(|answer| answer.status().as_u16()) {
            Ok(200) => {}
            Ok(status) => return self.wrong(&format!("HEAD is answered with {status}"), status, look, found),
            Err(error) => return self.unreachable(&error.without_url(), found),
        }
        let wrong = intercom::sign(&Secret::new("wrong"), body.as_bytes());
        match self.post(body, &wrong).await {
            Some(401) => {}
            Some(200) => {
                let words = format!("{} lets in what no vendor sent", self.url);
                return found.broken(self.check, words, "what is deployed there is not this bridge");
            }
            status => return self.odd("a wrong proof", status, look, found),
        }
        for proof in proofs {
            match self.post(body, proof).await {
                Some(200) => {}
                status => return self.odd("a right proof", status, look, found),
            }
        }
        if proofs.is_empty() {
            let words = format!("{} keeps strangers out; there is no secret to open it with", self.url);
            return found.unchecked(self.check, words, "bridgectl setup asks for what is missing");
        }
        let words = format!("{} opens to {}'s proof and to no other", self.url, self.vendor);
        found.ok(self.check, words);
    }

    async fn post(&self, body: &str, proof: &str) -> Option<u16> {
        let request = self.http.post(&self.url).header("content-type", "application/json");
        let answer = request.header(self.header, proof).body(body.to_owned()).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    fn odd(&self, proof: &str, status: Option<u16>, look: &Look<'_>, found: &mut Findings) {
        match status {
            Some(status) => self.wrong(&format!("{proof} is answered with {status}"), status, look, found),
            None => found.unchecked(
                self.check,
                format!("{proof} got no answer from {}", self.url),
                "run the doctor again",
            ),
        }
    }

    fn wrong(&self, what: &str, status: u16, look: &Look<'_>, found: &mut Findings) {
        let place = look.install.where_secrets_are();
        let mend = match status {
            401 => format!(
                "the bridge has another secret than {place}: if it was changed, a function has it within 5 minutes, serve after a restart"
            ),
            503 => format!(
                "the bridge lacks a secret or reaches no queue; its log names which. bridgectl setup fills in {place}"
            ),
            404 | 405 => "the URL does not lead to this bridge: see the stack's outputs, or the reverse proxy".into(),
            300..=399 => "neither vendor follows a redirect: give the URL that it leads to".into(),
            _ => "see the log of the bridge, and of what stands before it".into(),
        };
        found.broken(self.check, format!("{}: {what}", self.url), mend);
    }

    fn unreachable(&self, error: &reqwest::Error, found: &mut Findings) {
        let what = if error.is_timeout() {
            "no answer in time"
        } else {
            "no connection"
        };
        found.broken(
            self.check,
            format!("{}: {what}", self.url),
            "is the bridge running, and does the name lead to it, with a certificate that everybody trusts?",
        );
    }
}
