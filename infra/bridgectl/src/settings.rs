//! What the commands read from the environment and from a `.env` file: the one place of this program that does.

use anyhow::Context as _;
use bridge::{
    config::Config,
    secrets::{FixedSecrets, Secret, Secrets},
};

/// Adds what a `.env` file in this folder or above sets and the environment does not.
pub fn load_dotenv() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The error's own text quotes the line, which may hold a token.
        Err(_) => anyhow::bail!("the .env file has a line that is not NAME=value"),
    }
}

/// The settings of DESIGN §12.
pub fn config() -> anyhow::Result<Config> {
    Config::parse(|name| std::env::var(name).ok()).context("a setting is missing or wrong")
}

/// The secrets, as separate variables.
pub fn secrets() -> anyhow::Result<FixedSecrets> {
    secrets_from(|name| std::env::var(name).ok())
}

fn secrets_from(value: impl Fn(&str) -> Option<String>) -> anyhow::Result<FixedSecrets> {
    let secret = |name: &str| {
        let value = value(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty());
        value.map(Secret::new).with_context(|| format!("{name}: not set"))
    };
    let secrets = Secrets {
        telegram_bot_token: secret("TELEGRAM_BOT_TOKEN")?,
        telegram_webhook_secrets: vec![secret("TELEGRAM_WEBHOOK_SECRET")?],
        intercom_access_token: secret("INTERCOM_ACCESS_TOKEN")?,
        intercom_client_secrets: vec![secret("INTERCOM_CLIENT_SECRET")?],
    };
    FixedSecrets::new(secrets).context("a secret is not of its form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_secret_is_named_and_none_is_shown() {
        let error = secrets_from(|name| (name == "TELEGRAM_BOT_TOKEN").then(|| "12:hidden".into())).unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.contains("TELEGRAM_WEBHOOK_SECRET"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
        let error = secrets_from(|_| Some("hidden".into())).unwrap_err();
        let shown = format!("{error:?}");
        assert!(
            shown.contains("telegram_bot_token") && !shown.contains("hidden"),
            "{shown}"
        );
    }
}
