//! What the commands read from the environment and from a `.env` file: the one place of this program that does.

use anyhow::Context as _;
use bridge::{
    config::Config,
    secrets::{FixedSecrets, Secret, SecretSource, Secrets, SecretsError},
};
use std::{path::PathBuf, sync::Arc};

/// What a bridge runs with.
pub struct Settings {
    /// The settings of DESIGN §12.
    pub config: Config,
    /// Tokens and webhook secrets.
    pub secrets: Arc<dyn SecretSource>,
}

/// Those of this machine.
pub fn here() -> anyhow::Result<Settings> {
    Ok(Settings {
        config: config()?,
        secrets: Arc::new(secrets()?),
    })
}

/// Adds what a `.env` file in this folder or above sets and the environment does not.
pub fn load_dotenv() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The error's own text quotes the line, which may hold a token.
        Err(dotenvy::Error::LineParse(broken, _)) => match number_of(&broken) {
            Some((file, number)) => anyhow::bail!("{}, line {number}: not of the form NAME=value", file.display()),
            None => anyhow::bail!("the .env file has a line that is not of the form NAME=value"),
        },
        Err(error) => Err(error).context("the .env file cannot be read"),
    }
}

/// The file and the line in which what could not be read begins: an entry, or the value of one, and behind it a comment at most.
fn number_of(broken: &str) -> Option<(PathBuf, usize)> {
    let folder = std::env::current_dir().ok()?;
    let mut files = folder.ancestors().map(|folder| folder.join(".env"));
    let file = files.find(|file| file.is_file())?;
    let text = std::fs::read_to_string(&file).ok()?;
    let broken = broken.lines().next().map(str::trim).filter(|line| !line.is_empty())?;
    let is_it = |part: &str| {
        let rest = part.trim_start().strip_prefix(broken).map(str::trim_start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
    };
    let entry = text.lines().position(is_it);
    let value = || {
        text.lines()
            .position(|line| line.split_once('=').is_some_and(|(_, value)| is_it(value)))
    };
    Some((file, entry.or_else(value)? + 1))
}

/// A variable of the environment that says something.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
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
    // While one rotates, the next or last one stands behind a comma.
    let list = |name: &str| {
        let secrets = secret(name)?;
        let each = secrets.expose().split(',').map(|one| Secret::new(one.trim()));
        anyhow::Ok(each.collect())
    };
    let secrets = Secrets {
        telegram_bot_token: secret("TELEGRAM_BOT_TOKEN")?,
        telegram_webhook_secrets: list("TELEGRAM_WEBHOOK_SECRET")?,
        intercom_access_token: secret("INTERCOM_ACCESS_TOKEN")?,
        intercom_client_secrets: list("INTERCOM_CLIENT_SECRET")?,
    };
    FixedSecrets::new(secrets).map_err(|error| match error {
        SecretsError::Unusable { key, problem } => anyhow::anyhow!("{}: {problem}", variable_of(&key)),
        SecretsError::Unavailable(_) => error.into(),
    })
}

/// The variable that holds what Secrets Manager has under this key: one secret, where that has a list.
fn variable_of(key: &str) -> String {
    key.strip_suffix("_secrets")
        .map_or_else(|| key.to_owned(), |key| format!("{key}_secret"))
        .to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_that_rotates_has_another_behind_a_comma() {
        use bridge::secrets::SecretSource as _;
        let value = |name: &str| match name {
            "TELEGRAM_BOT_TOKEN" => "12:a",
            "TELEGRAM_WEBHOOK_SECRET" => "new, old",
            _ => "one",
        };
        let secrets = secrets_from(|name| Some(value(name).into())).unwrap();
        let secrets = secrets.current().await.unwrap();
        assert_eq!(
            secrets.telegram_webhook_secrets,
            [Secret::new("new"), Secret::new("old")]
        );
        assert_eq!(secrets.intercom_client_secrets, [Secret::new("one")]);
    }

    #[test]
    fn a_missing_secret_is_named_and_none_is_shown() {
        let error = secrets_from(|name| (name == "TELEGRAM_BOT_TOKEN").then(|| "12:hidden".into())).unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.contains("TELEGRAM_WEBHOOK_SECRET"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
        let error = secrets_from(|_| Some("hidden".into())).unwrap_err();
        let shown = format!("{error:?}");
        assert!(
            shown.contains("TELEGRAM_BOT_TOKEN") && !shown.contains("hidden"),
            "{shown}"
        );
    }
}
