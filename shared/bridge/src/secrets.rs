//! Tokens and webhook secrets: types that cannot be printed, and the port that reads them.

use async_trait::async_trait;
use mapping::BotId;
use serde::Deserialize;
use std::{fmt, sync::Arc, time::Duration};

/// A secret. It has no `Display`, its `Debug` shows nothing, and it is written nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself: for a request header, a URL that is never printed, a signature.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// All secrets of one deployment, under the names that they have in Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Secrets {
    /// The bot's token: `<bot id>:<secret>`.
    pub telegram_bot_token: Secret,
    /// What Telegram may send as `X-Telegram-Bot-Api-Secret-Token`: the current one, and the next or last one while it rotates.
    pub telegram_webhook_secrets: Vec<Secret>,
    /// The access token of the Intercom app.
    pub intercom_access_token: Secret,
    /// What Intercom may sign with: the app's client secret, and the next or last one while it rotates.
    pub intercom_client_secrets: Vec<Secret>,
}

/// A secret that is missing or not of the right form; it names the key, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// A key is missing, empty, or not of the right form.
    #[error("read the secret {key}: {problem}")]
    Unusable {
        /// Which.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The place where secrets are kept cannot be reached.
    #[error("reach the secrets: {0}")]
    Unavailable(String),
}

impl Secrets {
    /// Checks that every key is filled in and has its form.
    pub fn checked(self) -> Result<Self, SecretsError> {
        let unusable = |key: &str, problem: &str| SecretsError::Unusable {
            key: key.into(),
            problem: problem.into(),
        };
        if bot_id(&self.telegram_bot_token).is_none() {
            return Err(unusable("telegram_bot_token", "not of the form <bot id>:<secret>"));
        }
        if self.intercom_access_token.expose().trim().is_empty() {
            return Err(unusable("intercom_access_token", "empty"));
        }
        let lists = [
            ("telegram_webhook_secrets", &self.telegram_webhook_secrets),
            ("intercom_client_secrets", &self.intercom_client_secrets),
        ];
        for (key, list) in lists {
            // An empty secret would let an unsigned request in.
            if list.is_empty() || list.iter().any(|secret| secret.expose().trim().is_empty()) {
                return Err(unusable(key, "empty, or with an empty entry"));
            }
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let is_token = |secret: &Secret| secret.expose().len() <= 256 && secret.expose().chars().all(allowed);
        if !self.telegram_webhook_secrets.iter().all(is_token) {
            return Err(unusable(
                "telegram_webhook_secrets",
                "1 to 256 characters of A-Z a-z 0-9 _ - each",
            ));
        }
        Ok(self)
    }

    /// The bot that the token belongs to.
    pub fn bot(&self) -> BotId {
        bot_id(&self.telegram_bot_token).unwrap_or(BotId(0))
    }
}

fn bot_id(token: &Secret) -> Option<BotId> {
    let (id, secret) = token.expose().split_once(':')?;
    (!secret.trim().is_empty()).then_some(())?;
    id.parse().ok().filter(|id| *id > 0).map(BotId)
}

/// Where secrets come from.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// The secrets, read once and kept for some minutes.
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError>;

    /// The secrets, read anew if what is kept is older than `age`: after a vendor refused a token, or a proof did not match.
    async fn newer_than(&self, age: Duration) -> Result<Arc<Secrets>, SecretsError>;
}

/// Secrets that do not change while the program runs.
#[derive(Clone, Debug)]
pub struct FixedSecrets(Arc<Secrets>);

impl FixedSecrets {
    /// Keeps these, if each is filled in.
    pub fn new(secrets: Secrets) -> Result<Self, SecretsError> {
        secrets.checked().map(Arc::new).map(Self)
    }
}

#[async_trait]
impl SecretSource for FixedSecrets {
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::clone(&self.0))
    }

    async fn newer_than(&self, _age: Duration) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets {
            telegram_bot_token: Secret::new("123:abc"),
            telegram_webhook_secrets: vec![Secret::new("hook_1")],
            intercom_access_token: Secret::new("dG9r"),
            intercom_client_secrets: vec![Secret::new("client")],
        }
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let printed = format!("{:?}", secrets());
        for secret in ["123:abc", "hook_1", "dG9r", "client\""] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[test]
    fn a_secret_that_would_let_everyone_in_is_refused() {
        assert_eq!(secrets().checked().unwrap().bot(), BotId(123));
        let empty = Secrets {
            telegram_webhook_secrets: vec![Secret::new("")],
            ..secrets()
        };
        assert!(
            empty
                .checked()
                .unwrap_err()
                .to_string()
                .contains("telegram_webhook_secrets")
        );
        let none = Secrets {
            intercom_client_secrets: vec![],
            ..secrets()
        };
        assert!(
            none.checked()
                .unwrap_err()
                .to_string()
                .contains("intercom_client_secrets")
        );
        let token = Secrets {
            telegram_bot_token: Secret::new("abc"),
            ..secrets()
        };
        assert!(token.checked().unwrap_err().to_string().contains("telegram_bot_token"));
    }
}
