//! The webhook's secrets in Secrets Manager, for whoever may change them.

use crate::secrets::{SecretText as _, SecretsManager, list};
use async_trait::async_trait;
use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata as _};
use bridge::{
    rotation::{Kept, Step, Vault, VaultError},
    secrets::Secret,
};
use mapping::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const SECRETS: &str = "telegram_webhook_secrets";
/// How far a rotation has come: beside what it is about, so that both are written at once.
const ROTATION: &str = "telegram_webhook_rotation";

/// A secret in Secrets Manager, of which nothing but the webhook's secrets is changed.
pub struct SecretsVault(SecretsManager);

#[derive(Serialize, Deserialize)]
struct Stamp {
    step: StepName,
    /// Unix seconds.
    at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepName {
    Begun,
    Registered,
    Ended,
}

impl SecretsVault {
    /// The secret of this name or ARN.
    pub fn new(client: Client, secret_id: String) -> Self {
        Self(SecretsManager { client, secret_id })
    }

    async fn keys(&self) -> Result<Map<String, Value>, VaultError> {
        let text = self.0.read().await.map_err(VaultError)?;
        serde_json::from_str(&text).map_err(|_| VaultError("it is not a JSON object".into()))
    }
}

#[async_trait]
impl Vault for SecretsVault {
    async fn read(&self) -> Result<Kept, VaultError> {
        kept(&self.keys().await?)
    }

    async fn write(&self, kept: &Kept) -> Result<(), VaultError> {
        let mut keys = self.keys().await?;
        put(&mut keys, kept);
        let (client, id) = (&self.0.client, &self.0.secret_id);
        let text = Value::Object(keys).to_string();
        let put = client.put_secret_value().secret_id(id).secret_string(text).send().await;
        put.map(drop)
            .map_err(|error| VaultError(error.code().unwrap_or("no answer").to_owned()))
    }
}

fn kept(keys: &Map<String, Value>) -> Result<Kept, VaultError> {
    let secrets = list(keys, SECRETS).map_err(|error| VaultError(error.to_string()))?;
    let stamp = keys.get(ROTATION).and_then(|stamp| Stamp::deserialize(stamp).ok());
    let last = stamp.map(|stamp| {
        let step = match stamp.step {
            StepName::Begun => Step::Begun,
            StepName::Registered => Step::Registered,
            StepName::Ended => Step::Ended,
        };
        (step, Timestamp::from_seconds(stamp.at))
    });
    Ok(Kept { secrets, last })
}

fn put(keys: &mut Map<String, Value>, kept: &Kept) {
    let secrets: Vec<&str> = kept.secrets.iter().map(Secret::expose).collect();
    keys.insert(SECRETS.into(), json!(secrets));
    let stamp = kept.last.map(|(step, at)| Stamp {
        step: match step {
            Step::Begun => StepName::Begun,
            Step::Registered => StepName::Registered,
            Step::Ended => StepName::Ended,
        },
        at: at.as_seconds(),
    });
    keys.insert(ROTATION.into(), json!(stamp));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_as_the_template_makes_it_is_read_and_nothing_else_of_it_changes() {
        let made = json!({"telegram_bot_token": "1:a", "intercom_access_token": "t", "intercom_client_secrets": "c",
            "telegram_webhook_secrets": "old", "of somebody": "else"});
        let mut keys = made.as_object().unwrap().clone();
        let read = kept(&keys).unwrap();
        assert_eq!((read.secrets.as_slice(), read.last), (&[Secret::new("old")][..], None));
        let at = Timestamp::from_seconds(1_800_000_000);
        for step in [Step::Begun, Step::Registered, Step::Ended] {
            let both = Kept {
                secrets: vec![Secret::new("new"), Secret::new("old")],
                last: Some((step, at)),
            };
            put(&mut keys, &both);
            assert_eq!(kept(&keys).unwrap(), both);
        }
        for key in [
            "telegram_bot_token",
            "intercom_access_token",
            "intercom_client_secrets",
            "of somebody",
        ] {
            assert_eq!(keys[key], made[key]);
        }
    }
}
