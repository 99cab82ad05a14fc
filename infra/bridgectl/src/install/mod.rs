//! A bridge as it is installed: its settings, its secrets, and where the vendors reach it.

mod env_file;
#[cfg(feature = "aws")]
mod stack;

pub(crate) use env_file::EnvFile;
#[cfg(feature = "aws")]
pub(crate) use stack::{Deployed, parameter, secret};

use crate::settings;
use async_trait::async_trait;
use bridge::{
    config::{Config, ConfigError},
    secrets::{Secret, SecretSource, Secrets, SecretsError},
};
use intercom::IntercomClient;
use local::SystemClock;
use std::{path::PathBuf, sync::Arc, time::Duration};
use telegram::TelegramClient;

/// Which bridge.
#[derive(Clone, Debug, clap::Args)]
pub struct InstallArgs {
    #[cfg(feature = "aws")]
    #[command(flatten)]
    stack: crate::aws::StackArgs,
    #[cfg(not(feature = "aws"))]
    #[arg(long, hide = true)]
    stack: Option<String>,
    /// The file with the settings of `serve`; what the environment sets is stronger.
    #[arg(long, default_value = ".env")]
    env_file: PathBuf,
    /// The URL under which the vendors reach the bridge, https://…; of a stack it is known.
    #[arg(long)]
    public_url: Option<String>,
}

/// Where a bridge lives.
pub(crate) enum Home {
    /// On a machine, beside a file with its settings.
    Machine(EnvFile),
    /// In an AWS account.
    #[cfg(feature = "aws")]
    Stack(Box<Deployed>),
}

/// A bridge.
pub struct Install {
    pub(crate) home: Home,
    pub(crate) secrets: Kept,
    public_url: Option<String>,
}

/// The secrets as far as they are filled in. Nothing of them can be printed.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) bot_token: Option<Secret>,
    pub(crate) webhook_secrets: Vec<Secret>,
    pub(crate) access_token: Option<Secret>,
    pub(crate) client_secrets: Vec<Secret>,
}

impl Install {
    /// Finds the bridge that the arguments name.
    pub async fn find(args: &InstallArgs) -> anyhow::Result<Self> {
        let public_url = args.public_url.as_deref().map(public_url).transpose()?;
        #[cfg(feature = "aws")]
        if let Some(stack) = args.stack.find().await? {
            return stack::install(stack, public_url).await;
        }
        #[cfg(not(feature = "aws"))]
        anyhow::ensure!(
            args.stack.is_none(),
            "this bridgectl was built without AWS; with it: cargo run --features aws -- …"
        );
        let file = EnvFile::read(&args.env_file)?;
        Ok(Self {
            secrets: Kept::of_variables(|name| variable(&file, name)),
            home: Home::Machine(file),
            public_url,
        })
    }

    /// A setting, under its name in the environment.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        match &self.home {
            Home::Machine(file) => variable(file, name),
            #[cfg(feature = "aws")]
            Home::Stack(deployed) => deployed.settings.get(name).cloned(),
        }
    }

    /// All settings.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        Config::parse(|name| self.setting(name))
    }

    /// All settings of a bridge that may have no chats yet.
    pub(crate) fn config_without_chats(&self) -> Result<Config, ConfigError> {
        Config::parse(|name| match name {
            "TELEGRAM_CHATS" => Some(NO_CHATS.into()),
            _ => self.setting(name),
        })
    }

    /// Where the vendors reach it, without a slash at its end.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// Where somebody changes secrets.
    pub(crate) fn where_secrets_are(&self) -> String {
        match &self.home {
            Home::Machine(file) => file.path.display().to_string(),
            #[cfg(feature = "aws")]
            Home::Stack(deployed) => format!("the secret {} in Secrets Manager", deployed.stack.parts.secret),
        }
    }

    /// Where somebody changes a setting.
    pub(crate) fn where_setting_is(&self, variable: &str) -> String {
        match &self.home {
            Home::Machine(file) => format!("{variable} in {}", file.path.display()),
            #[cfg(feature = "aws")]
            Home::Stack(deployed) => {
                format!(
                    "the parameter {} of the stack {}",
                    stack::parameter(variable),
                    deployed.stack.name
                )
            }
        }
    }
}

/// What `TELEGRAM_CHATS` holds while there are none: no chat has this id.
pub(crate) const NO_CHATS: &str = "0";

fn variable(file: &EnvFile, name: &str) -> Option<String> {
    settings::variable(name).or_else(|| file.values.get(name).cloned())
}

/// An address that vendors can reach: HTTPS, or a simulator on this machine.
fn public_url(url: &str) -> anyhow::Result<String> {
    let url = url.trim().trim_end_matches('/');
    let is_here = ["http://127.0.0.1:", "http://localhost:"]
        .iter()
        .any(|here| url.starts_with(here));
    anyhow::ensure!(
        url.starts_with("https://") || is_here,
        "--public-url: {url:?} does not begin with https://"
    );
    Ok(url.to_owned())
}

impl Kept {
    /// From variables as `serve` reads them; lists have commas.
    pub(crate) fn of_variables(value: impl Fn(&str) -> Option<String>) -> Self {
        let list = |name| {
            let value = value(name).unwrap_or_default();
            let entries = value.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            entries.map(Secret::new).collect::<Vec<_>>()
        };
        let one = |name| list(name).into_iter().next();
        Self {
            bot_token: one("TELEGRAM_BOT_TOKEN"),
            webhook_secrets: list("TELEGRAM_WEBHOOK_SECRET"),
            access_token: one("INTERCOM_ACCESS_TOKEN"),
            client_secrets: list("INTERCOM_CLIENT_SECRET"),
        }
    }

    /// The names of those that are missing.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let rows = [
            ("the bot token", self.bot_token.is_none()),
            ("Telegram's webhook secret", self.webhook_secrets.is_empty()),
            ("Intercom's access token", self.access_token.is_none()),
            ("Intercom's client secret", self.client_secrets.is_empty()),
        ];
        rows.into_iter()
            .filter(|(_, missing)| *missing)
            .map(|(name, _)| name)
            .collect()
    }

    /// All of them, each of its form.
    pub(crate) fn checked(&self) -> Result<Secrets, SecretsError> {
        self.filled().checked()
    }

    /// All of them; what is missing is empty.
    fn filled(&self) -> Secrets {
        let or_empty = |secret: &Option<Secret>| secret.clone().unwrap_or_else(|| Secret::new(""));
        Secrets {
            telegram_bot_token: or_empty(&self.bot_token),
            telegram_webhook_secrets: self.webhook_secrets.clone(),
            intercom_access_token: or_empty(&self.access_token),
            intercom_client_secrets: self.client_secrets.clone(),
        }
    }

    /// Telegram, for whoever has the bot token.
    pub(crate) fn telegram(&self, base_url: &str) -> anyhow::Result<TelegramClient> {
        let timeouts = telegram::Timeouts::default();
        let http = telegram::http_client(timeouts)?;
        Ok(TelegramClient::new(http, base_url, self.source(), timeouts))
    }

    /// Intercom, for whoever has the access token.
    pub(crate) fn intercom(&self, base_url: &str) -> anyhow::Result<IntercomClient> {
        let timeouts = intercom::Timeouts::default();
        let http = intercom::http_client(timeouts)?;
        let clock = Arc::new(SystemClock);
        Ok(IntercomClient::new(http, base_url, self.source(), timeouts, clock))
    }

    /// All of them as they are.
    pub(crate) fn current(&self) -> Secrets {
        self.filled()
    }

    fn source(&self) -> Arc<dyn SecretSource> {
        Arc::new(Given(Arc::new(self.filled())))
    }
}

/// Secrets of which some may be missing: who asks needs one of them.
struct Given(Arc<Secrets>);

#[async_trait]
impl SecretSource for Given {
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

    #[test]
    fn what_is_missing_is_named() {
        let some = Kept::of_variables(|name| (name == "INTERCOM_CLIENT_SECRET").then(|| "new, old".into()));
        assert_eq!(some.client_secrets.len(), 2);
        let missing = ["the bot token", "Telegram's webhook secret", "Intercom's access token"];
        assert_eq!(some.missing(), missing);
    }

    #[test]
    fn vendors_come_by_https() {
        assert_eq!(public_url("https://b.example/").unwrap(), "https://b.example");
        assert!(public_url("http://127.0.0.1:8080").is_ok());
        for url in ["http://b.example", "b.example", "http://127.0.0.1.example"] {
            assert!(public_url(url).unwrap_err().to_string().contains(url));
        }
    }
}
