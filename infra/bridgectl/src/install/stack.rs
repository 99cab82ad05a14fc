//! A bridge in an AWS account: its settings are those of its functions, its secrets lie in Secrets Manager.

use super::{Home, Install, Kept};
use crate::aws::{Stack, refusal};
use anyhow::Context as _;
use bridge::secrets::Secret;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A stack and the settings of its functions.
pub(crate) struct Deployed {
    pub(crate) stack: Stack,
    pub(crate) settings: BTreeMap<String, String>,
}

/// What the template calls a setting.
pub(crate) fn parameter(variable: &str) -> String {
    let words = variable.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{first}{}", rest.to_ascii_lowercase())
    });
    words.collect()
}

/// Reads what is installed.
pub(super) async fn install(stack: Stack, public_url: Option<String>) -> anyhow::Result<Install> {
    let function = &stack.parts.inbound_worker.name;
    let configuration = stack
        .lambda()
        .get_function_configuration()
        .function_name(function)
        .send()
        .await;
    let configuration = configuration
        .map_err(refusal)
        .with_context(|| format!("the settings of the function {function} cannot be read"))?;
    let variables = configuration
        .environment()
        .and_then(|environment| environment.variables());
    let settings = variables
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()));
    let public_url = match public_url {
        Some(url) => Some(url),
        None => {
            let url = stack.output("TelegramWebhookUrl")?;
            Some(url.trim_end_matches("/telegram-webhook").to_owned())
        }
    };
    Ok(Install {
        secrets: Kept::of_secret(&secret(&stack).await?),
        home: Home::Stack(Box::new(Deployed {
            settings: settings.collect(),
            stack,
        })),
        public_url,
    })
}

/// The secret's keys as they are.
pub(crate) async fn secret(stack: &Stack) -> anyhow::Result<Map<String, Value>> {
    let read = stack
        .secrets_manager()
        .get_secret_value()
        .secret_id(&stack.parts.secret)
        .send()
        .await;
    let read = read.map_err(refusal).context("the stack's secret cannot be read")?;
    // Its text is not quoted, for it is the secret.
    let keys = read.secret_string().and_then(|text| serde_json::from_str(text).ok());
    keys.context("the stack's secret is not a JSON object")
}

impl Kept {
    fn of_secret(keys: &Map<String, Value>) -> Self {
        let list = |key: &str| match keys.get(key) {
            Some(Value::String(text)) => text.split(',').map(str::trim).map(str::to_owned).collect(),
            Some(Value::Array(entries)) => entries.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(_) | None => Vec::new(),
        };
        let secrets = |key: &str| {
            let filled = list(key).into_iter().filter(|entry: &String| !entry.trim().is_empty());
            filled.map(Secret::new).collect::<Vec<_>>()
        };
        Self {
            bot_token: secrets("telegram_bot_token").into_iter().next(),
            webhook_secrets: secrets("telegram_webhook_secrets"),
            access_token: secrets("intercom_access_token").into_iter().next(),
            client_secrets: secrets("intercom_client_secrets"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_called_like_settings() {
        let template = include_str!("../../../../template.yaml");
        for variable in [
            "TELEGRAM_CHATS",
            "INTERCOM_REGION",
            "INTERCOM_ADMIN_ID",
            "STAFF",
            "INTERCOM_ASSIGNEE",
        ] {
            let line = format!("        {variable}: !Ref {}\n", parameter(variable));
            assert!(template.contains(&line), "{line}");
        }
    }

    #[test]
    fn a_secret_as_the_template_makes_it_has_one_key_filled_in() {
        let keys = serde_json::json!({"telegram_bot_token": "", "intercom_access_token": "", "intercom_client_secrets": "",
            "telegram_webhook_secrets": "hook"});
        let kept = Kept::of_secret(keys.as_object().unwrap());
        assert_eq!(kept.missing().len(), 3);
        assert_eq!(kept.webhook_secrets.len(), 1);
    }
}
