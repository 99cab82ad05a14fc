//! `bridgectl doctor`: looks at everything that can be looked at from outside, and says what to do.

mod doors;
mod intercom;
#[cfg(feature = "aws")]
mod stack;
mod telegram;

pub(crate) use doors::INTERCOM as INTERCOM_PATH;
pub(crate) use telegram::{PATH as TELEGRAM_PATH, named, standing_words};

use crate::{
    findings::Findings,
    install::{Install, InstallArgs, NO_CHATS},
};
use ::intercom::IntercomClient;
use ::telegram::TelegramClient;
use anyhow::Context as _;
use bridge::config::Config;
use local::SystemClock;
use mapping::{Clock as _, Timestamp};

/// Which bridge, and for whom the answer is.
#[derive(Clone, Debug, clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    install: InstallArgs,
    /// Prints JSON, for a program.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Whether a program reads the answer.
    pub fn is_for_a_program(&self) -> bool {
        self.json
    }
}

/// What is looked at, and with what.
pub(crate) struct Look<'a> {
    install: &'a Install,
    config: Config,
    telegram: TelegramClient,
    intercom: IntercomClient,
    http: reqwest::Client,
    now: Timestamp,
}

impl<'a> Look<'a> {
    fn with(install: &'a Install, config: Config) -> anyhow::Result<Self> {
        Ok(Self {
            telegram: install.secrets.telegram(&config.telegram_api_url)?,
            intercom: install.secrets.intercom(&config.intercom_api_url)?,
            http: ::telegram::http_client(::telegram::Timeouts::default()).context("the HTTP client cannot be made")?,
            now: SystemClock.now(),
            config,
            install,
        })
    }
}

/// What the app may do in Intercom.
pub(crate) async fn permissions(install: &Install) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    intercom::scopes(&Look::with(install, install.config()?)?, &mut found).await;
    Ok(found)
}

/// Whether the webhooks can be reached, and open to the right proofs alone.
pub(crate) async fn webhooks(install: &Install) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    doors::examine(
        &Look::with(install, install.config()?)?,
        install.public_url(),
        &mut found,
    )
    .await;
    Ok(found)
}

/// Looks at the bridge that the arguments name.
pub async fn run(doctor: &Doctor) -> anyhow::Result<Findings> {
    examine(&Install::find(&doctor.install).await?).await
}

/// Looks at a bridge.
pub async fn examine(install: &Install) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    #[cfg(feature = "aws")]
    if let crate::install::Home::Stack(deployed) = &install.home {
        stack::examine(&deployed.stack, &mut found).await;
    }
    secrets(install, &mut found);
    let Some(config) = settings(install, &mut found) else {
        found.unchecked(
            "vendors",
            "Telegram and Intercom were not asked",
            "mend the settings first, then run the doctor again",
        );
        return Ok(found);
    };
    let look = Look::with(install, config)?;
    let webhook = telegram::examine(&look, &mut found).await;
    intercom::examine(&look, &mut found).await;
    let url = look.install.public_url().map(str::to_owned);
    doors::examine(&look, url.or(webhook).as_deref(), &mut found).await;
    Ok(found)
}

fn secrets(install: &Install, found: &mut Findings) {
    let place = install.where_secrets_are();
    let missing = install.secrets.missing();
    if !missing.is_empty() {
        found.broken(
            "secrets",
            format!("Missing: {}", missing.join(", ")),
            format!("bridgectl setup asks for what is missing and writes it into {place}"),
        );
        return;
    }
    match install.secrets.checked() {
        Ok(_) => found.ok("secrets", format!("All four secrets are in {place}")),
        Err(error) => found.broken(
            "secrets",
            format!("failed to {error}"),
            format!("bridgectl setup writes it into {place}"),
        ),
    }
}

/// The settings, as far as vendors can be asked with them.
fn settings(install: &Install, found: &mut Findings) -> Option<Config> {
    let chats = install.setting("TELEGRAM_CHATS");
    if chats.as_deref().is_none_or(|chats| chats.trim() == NO_CHATS) {
        found.broken(
            "settings",
            "No chat is bridged yet",
            "bridgectl setup finds the groups that the bot is in",
        );
        return install.config_without_chats().ok();
    }
    match install.config() {
        Ok(config) => {
            found.ok("settings", "The settings can be read");
            Some(config)
        }
        Err(error) => {
            let place = install.where_setting_is(error.variable);
            found.broken("settings", error.to_string(), format!("change {place}"));
            None
        }
    }
}
