//! What changes: shown first, and done only if it is agreed to.

use super::{
    person::Person,
    plan::{Change, Plan},
};
use crate::{
    doctor::TELEGRAM_PATH,
    install::{EnvFile, Home, Install},
};
use anyhow::Context as _;
use std::collections::BTreeMap;
use telegram::{ALLOWED_UPDATES, BotAccount, MAX_CONNECTIONS};

/// One thing that changes.
enum Step {
    /// Secrets, by the names of their variables.
    Secrets(Vec<&'static str>),
    /// Settings and their values.
    Settings(BTreeMap<&'static str, String>),
    /// Where Telegram delivers to.
    Webhook(String),
}

/// Shows what changes, asks, and does it.
pub(super) async fn agreed(
    install: &Install,
    plan: &Plan,
    bot: &BotAccount,
    person: &mut dyn Person,
) -> anyhow::Result<()> {
    let steps = steps(install, plan).await?;
    if steps.is_empty() {
        person.tell("\nEverything that is written down is in place already.");
        return Ok(());
    }
    person.tell("\nThis changes:");
    for step in &steps {
        person.tell(&format!("  {}", step.words(install, bot)));
    }
    anyhow::ensure!(person.agrees("Do it?")?, "nothing was changed");
    for step in &steps {
        step.take(install, plan, person).await?;
        person.tell(&format!("  done: {}", step.words(install, bot)));
    }
    Ok(())
}

async fn steps(install: &Install, plan: &Plan) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    let secrets: Vec<_> = plan.changed_secrets().into_iter().map(|(name, _)| name).collect();
    let is_new_proof = secrets.iter().any(|name| name.starts_with("TELEGRAM_"));
    if !secrets.is_empty() {
        steps.push(Step::Secrets(secrets));
    }
    let mut settings = BTreeMap::new();
    settings.extend(plan.changed_chats().map(|chats| ("TELEGRAM_CHATS", chats)));
    settings.extend(plan.changed_region().map(|region| ("INTERCOM_REGION", region)));
    if !settings.is_empty() {
        steps.push(Step::Settings(settings));
    }
    if let Some(url) = install.public_url() {
        let url = format!("{url}{TELEGRAM_PATH}");
        if is_new_proof || !is_registered(plan, &url).await? {
            steps.push(Step::Webhook(url));
        }
    }
    Ok(steps)
}

async fn is_registered(plan: &Plan, url: &str) -> anyhow::Result<bool> {
    let info = plan.secrets.telegram(&plan.telegram_api_url)?.webhook_info().await;
    let info = info.map_err(|error| anyhow::anyhow!("failed to {error}"))?;
    let wanted = ALLOWED_UPDATES
        .iter()
        .all(|kind| info.allowed_updates.iter().any(|allowed| allowed == kind));
    Ok(info.url == url && wanted && info.max_connections == Some(MAX_CONNECTIONS))
}

impl Step {
    fn words(&self, install: &Install, bot: &BotAccount) -> String {
        match self {
            Self::Secrets(names) => format!("{}: {}", install.where_secrets_are(), names.join(", ")),
            Self::Settings(settings) => {
                let one =
                    |(name, value): (&&str, &String)| format!("{} becomes {value}", install.where_setting_is(name));
                settings.iter().map(one).collect::<Vec<_>>().join("; ")
            }
            Self::Webhook(url) => format!(
                "Telegram delivers what @{} hears to {url} ({}; at most {MAX_CONNECTIONS} at a time)",
                bot.username,
                ALLOWED_UPDATES.join(", ")
            ),
        }
    }

    async fn take(&self, install: &Install, plan: &Plan, person: &mut dyn Person) -> anyhow::Result<()> {
        match self {
            Self::Secrets(_) => write_secrets(install, &plan.changed_secrets()).await,
            Self::Settings(settings) => write_settings(install, settings, person).await,
            Self::Webhook(url) => {
                let telegram = plan.secrets.telegram(&plan.telegram_api_url)?;
                telegram
                    .set_webhook(url)
                    .await
                    .map_err(|error| anyhow::anyhow!("failed to {error}"))
            }
        }
    }
}

/// Writes secrets where the bridge reads them; its others stay.
pub(crate) async fn write_secrets(install: &Install, changes: &[Change<'_>]) -> anyhow::Result<()> {
    match &install.home {
        Home::Machine(file) => {
            let texts = changes.iter().map(|(name, secrets)| {
                let texts: Vec<&str> = secrets.iter().map(bridge::secrets::Secret::expose).collect();
                (*name, texts.join(","))
            });
            EnvFile::read(&file.path)?.with(&texts.collect())?.write()
        }
        #[cfg(feature = "aws")]
        Home::Stack(deployed) => super::stack::write_secrets(&deployed.stack, changes).await,
    }
}

async fn write_settings(
    install: &Install,
    settings: &BTreeMap<&'static str, String>,
    person: &mut dyn Person,
) -> anyhow::Result<()> {
    match &install.home {
        Home::Machine(file) => {
            // The secrets may have been written since it was read.
            let file = EnvFile::read(&file.path).context("the file that was just written")?;
            file.with(settings)?.write()?;
            person.tell("  a bridge that is running takes it when it is started again");
            Ok(())
        }
        #[cfg(feature = "aws")]
        Home::Stack(deployed) => super::stack::write_settings(&deployed.stack, settings, person).await,
    }
}
