//! The webhook's registration while its secret rotates.

use crate::{
    classify::Effect,
    client::{ALLOWED_UPDATES, MAX_CONNECTIONS, TelegramClient, reason},
    webhook::SECRET_TOKEN,
};
use async_trait::async_trait;
use bridge::{failure::MessengerError, rotation::Registrar, secrets::Secret};
use serde_json::json;

/// An update of no chat: it is answered like any other, and nothing comes of it.
const PROBE: &str = r#"{"update_id":0,"poll":{"id":"0"}}"#;

impl TelegramClient {
    pub(crate) async fn register_with(&self, url: &str, secret: Option<&Secret>) -> Result<(), MessengerError> {
        let body = json!({
            "url": url,
            "secret_token": secret.map(Secret::expose),
            "allowed_updates": ALLOWED_UPDATES,
            "max_connections": MAX_CONNECTIONS,
        });
        self.request("setWebhook", Effect::Repeatable, &body).await.map(drop)
    }
}

#[async_trait]
impl Registrar for TelegramClient {
    async fn url(&self) -> Result<String, MessengerError> {
        Ok(self.webhook_info().await?.url)
    }

    async fn probe(&self, url: &str, secret: &Secret) -> Result<u16, String> {
        let request = self.http.post(url).timeout(self.timeouts.total);
        let request = request
            .header(SECRET_TOKEN, secret.expose())
            .header("Content-Type", "application/json")
            .body(PROBE);
        let answer = request.send().await.map_err(reason)?;
        Ok(answer.status().as_u16())
    }

    async fn register(&self, url: &str, secret: &Secret) -> Result<(), MessengerError> {
        self.register_with(url, Some(secret)).await
    }
}
