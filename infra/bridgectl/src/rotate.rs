//! `bridgectl rotate`: another secret in the place of one, without a message lost.

use crate::{
    doctor::{self, TELEGRAM_PATH},
    install::{Home, Install, InstallArgs},
    place::{self, Place},
    serve::Clients,
    settings,
    setup::write_secrets,
    times::{read_span, span},
};
use anyhow::Context as _;
use async_trait::async_trait;
use bridge::{
    config::Config,
    ports::{Helpdesk as _, Registry as _},
    rotation::{self, Kept, Progress, Registrar, RotationError, Rules, Step, Vault, VaultError},
    secrets::{FixedSecrets, Secret, Secrets},
};
use clap::ValueEnum;
use local::{SystemClock, SystemEntropy};
use mapping::{Timestamp, WorkspaceId};
use std::{
    io::BufRead as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use telegram::TelegramClient;

/// Which secret.
#[derive(Clone, Debug, clap::Args)]
pub struct Rotate {
    /// Which secret.
    what: What,
    #[command(flatten)]
    install: InstallArgs,
    /// The database file of `serve`.
    #[arg(long, default_value = "bridge.db")]
    data: PathBuf,
    /// How long it is waited until the new webhook secret is in use everywhere.
    #[arg(long, value_parser = read_span, default_value = "6m")]
    wait: Duration,
    /// How long the old webhook secret stays good, for what Telegram has on its way.
    #[arg(long, value_parser = read_span, default_value = "2m")]
    keep_old: Duration,
}

/// A secret that can be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// What Telegram proves itself with: made here, registered, and the old one removed.
    WebhookSecret,
    /// The bot's token, which only `@BotFather` makes: read from the standard input, tried, and put in place.
    BotToken,
    /// The access token of the Intercom app, which only the Developer Hub makes: the same way.
    AccessToken,
}

const WEBHOOK_SECRET: &str = "TELEGRAM_WEBHOOK_SECRET";
const BOT_TOKEN: &str = "TELEGRAM_BOT_TOKEN";
const ACCESS_TOKEN: &str = "INTERCOM_ACCESS_TOKEN";

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Between two looks at the clock.
const MOMENT: Duration = Duration::from_millis(200);

/// Rotates a secret, or goes on with a rotation that was begun, and looks whether all is well then.
pub async fn run(rotate: Rotate, mut tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let install = Install::find(&rotate.install).await?;
    let rotation = Rotation {
        rotate: &rotate,
        config: install.config().context("a setting is missing or wrong")?,
        secrets: install.secrets.checked().context("setup fills in what is missing")?,
        install: &install,
    };
    match rotate.what {
        What::WebhookSecret => rotation.webhook_secret(&mut tell).await?,
        What::BotToken => rotation.bot_token(&mut tell).await?,
        What::AccessToken => rotation.access_token(&mut tell).await?,
    }
    tell("The doctor says:".into());
    tell(doctor::examine(&Install::find(&rotate.install).await?).await?.text());
    Ok(())
}

struct Rotation<'r> {
    rotate: &'r Rotate,
    install: &'r Install,
    config: Config,
    secrets: Secrets,
}

impl Rotation<'_> {
    /// Each step leaves something that the next run finds: as long as there are two secrets, the rotation goes on.
    async fn webhook_secret(&self, tell: &mut (impl FnMut(String) + Send)) -> anyhow::Result<()> {
        let place = self.install.where_secrets_are();
        if self.secrets.telegram_webhook_secrets.len() > 1 {
            tell(format!("1 of 4: {place} holds two secrets, so a rotation goes on."));
        }
        let telegram = self.clients(self.secrets.clone())?.telegram;
        let clock = Arc::new(SystemClock);
        let rotation = rotation::Rotation::new(self.vault(), telegram.clone(), clock, Arc::new(SystemEntropy));
        let rules = Rules {
            every: None,
            settle: Duration::ZERO,
            keep_old: self.rotate.keep_old,
        };
        // What reads its secrets when it starts is started again by whoever runs this.
        let patience = if self.reads_by_itself() {
            self.rotate.wait
        } else {
            Duration::ZERO
        };
        let give_up_at = Instant::now() + patience;
        loop {
            match rotation.advance(&rules).await {
                Ok(Progress::Begun) => tell(format!("1 of 4: a new secret stands beside the old one in {place}.")),
                Ok(Progress::Registered) => {
                    tell("2 of 4: the webhook takes the new one.".into());
                    let time = span(self.rotate.keep_old);
                    tell(format!("3 of 4: Telegram uses it. The old one stays good for {time}."));
                }
                Ok(Progress::Ended) => break,
                Ok(Progress::NotDue | Progress::Settling | Progress::Keeping) => tokio::time::sleep(MOMENT).await,
                Ok(Progress::Untaken(_)) | Err(RotationError::Webhook(_)) if Instant::now() < give_up_at => {
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(Progress::Untaken(401)) => return self.knows_only_others(&telegram).await,
                Ok(Progress::Untaken(status)) => {
                    anyhow::bail!("the webhook answers {status}; mend that, then run this again")
                }
                Err(error) => anyhow::bail!("failed to {error}"),
            }
        }
        let reads = self.reads();
        tell(format!(
            "4 of 4: the old one is removed; it is no good any more {reads}."
        ));
        Ok(())
    }

    /// The webhook refuses the new secret: says whether it knows the one that Telegram uses.
    async fn knows_only_others(&self, telegram: &TelegramClient) -> anyhow::Result<()> {
        let url = Registrar::url(telegram).await?;
        let old = self.secrets.telegram_webhook_secrets.last();
        let old = old.context("there is no webhook secret")?;
        let how = match telegram.probe(&url, old).await {
            Ok(200) => "knows only the old one",
            Ok(_) | Err(_) => "knows neither",
        };
        let reads = self.reads();
        anyhow::bail!("the webhook {how}; it reads its secrets {reads}. Run this again then")
    }

    fn vault(&self) -> Arc<dyn Vault> {
        match &self.install.home {
            Home::Machine(_) => Arc::new(FileVault {
                install: self.rotate.install.clone(),
                last: Mutex::default(),
            }),
            #[cfg(feature = "aws")]
            Home::Stack(deployed) => {
                let secret = deployed.stack.parts.secret.clone();
                Arc::new(host::SecretsVault::new(deployed.stack.secrets_manager(), secret))
            }
        }
    }

    async fn bot_token(&self, tell: &mut (impl FnMut(String) + Send)) -> anyhow::Result<()> {
        let secrets = self.secrets.clone();
        // Telegram forgets the webhook with the token, so it is asked while the old one may still be good.
        let registered = self.clients(secrets.clone())?.telegram.registration().await;
        let registered = registered.map(|registration| registration.url).unwrap_or_default();
        tell("In Telegram, ask @BotFather for another token: /mybots, the bot, API Token, Revoke. From then on the old one is no good;".into());
        tell("messages wait at Telegram meanwhile. Paste the new token here, and end the line:".into());
        let with = Secrets {
            telegram_bot_token: read_secret()?,
            ..secrets.clone()
        };
        anyhow::ensure!(
            with.bot() == secrets.bot(),
            "this is the token of another bot ({} instead of {}): its links would all be new",
            with.bot(),
            secrets.bot()
        );
        let telegram = self.clients(with.clone())?.telegram;
        let now = telegram.registration().await.context("Telegram does not take it")?.url;
        let known = self.install.public_url().map(|url| format!("{url}{TELEGRAM_PATH}"));
        let url = known.into_iter().chain([registered, now]).find(|url| !url.is_empty());
        self.keep(BOT_TOKEN, std::slice::from_ref(&with.telegram_bot_token))
            .await?;
        tell(format!(
            "Telegram takes it, and it stands in {}.",
            self.install.where_secrets_are()
        ));
        match url {
            None => tell(
                "Where the webhook is nobody knows any more: register it, as setup or serve --public-url does.".into(),
            ),
            Some(url) => {
                telegram.set_webhook(&url).await?;
                tell("The webhook is registered with it.".into());
            }
        }
        tell(format!("It is in use {}.", self.reads()));
        Ok(())
    }

    async fn access_token(&self, tell: &mut (impl FnMut(String) + Send)) -> anyhow::Result<()> {
        let secrets = self.secrets.clone();
        tell("In Intercom's Developer Hub: the app, Authentication, Regenerate access token. Paste the new token here, and end the line:".into());
        let with = Secrets {
            intercom_access_token: read_secret()?,
            ..secrets
        };
        let identity = self.clients(with.clone())?.intercom.identity().await;
        let workspace = identity.context("Intercom does not take it")?.workspace;
        let known = self.workspaces().await?;
        anyhow::ensure!(
            known.is_none_or(|known| known == workspace),
            "this is the token of workspace {workspace}, and the conversations are in another: nothing would be carried"
        );
        self.keep(ACCESS_TOKEN, std::slice::from_ref(&with.intercom_access_token))
            .await?;
        tell(format!(
            "Intercom takes it, and it stands in {}. It is in use {}.",
            self.install.where_secrets_are(),
            self.reads()
        ));
        Ok(())
    }

    /// The workspace of the conversations, if there are any.
    async fn workspaces(&self) -> anyhow::Result<Option<WorkspaceId>> {
        let mut from = None;
        let Some(place) = self.place()? else { return Ok(None) };
        loop {
            let (items, next) = place.whole.part(from).await?;
            let at = items.iter().find_map(|item| {
                let (workspace, _) = item.key.pk.strip_prefix("conversation#")?.split_once('#')?;
                Some(WorkspaceId::new(workspace))
            });
            from = next;
            if at.is_some() || from.is_none() {
                return Ok(at);
            }
        }
    }

    /// Where the conversations are; a machine may have none yet.
    fn place(&self) -> anyhow::Result<Option<Place>> {
        match &self.install.home {
            Home::Machine(_) if !self.rotate.data.exists() => Ok(None),
            Home::Machine(_) => place::in_file(&self.rotate.data).map(Some),
            #[cfg(feature = "aws")]
            Home::Stack(deployed) => Ok(Some(place::in_stack(deployed.stack.clone()))),
        }
    }

    /// Writes a secret, by the name of its variable.
    async fn keep(&self, variable: &'static str, secrets: &[Secret]) -> anyhow::Result<()> {
        keep(self.install, variable, secrets).await
    }

    /// Whether its processes read secrets anew while they run.
    fn reads_by_itself(&self) -> bool {
        match &self.install.home {
            Home::Machine(_) => false,
            #[cfg(feature = "aws")]
            Home::Stack(_) => true,
        }
    }

    /// When they have read what is kept now.
    fn reads(&self) -> &'static str {
        if self.reads_by_itself() {
            "within five minutes, and at once where a vendor refuses the old one"
        } else {
            "when serve is started again"
        }
    }

    fn clients(&self, secrets: Secrets) -> anyhow::Result<Clients> {
        let secrets = FixedSecrets::new(secrets).context("it is not of its form")?;
        Clients::new(&self.config, &(Arc::new(secrets) as _))
    }
}

/// Writes a secret, by the name of its variable, unless it would not be read there.
async fn keep(install: &Install, variable: &'static str, secrets: &[Secret]) -> anyhow::Result<()> {
    if matches!(install.home, Home::Machine(_)) {
        anyhow::ensure!(
            settings::variable(variable).is_none(),
            "{variable} is set in the environment: change it there"
        );
    }
    write_secrets(install, &[(variable, secrets)]).await
}

/// The webhook's secrets in the file of `serve`, which says nothing of how far a rotation has come: who goes on with it looks again.
struct FileVault {
    install: InstallArgs,
    last: Mutex<Option<(Step, Timestamp)>>,
}

impl FileVault {
    async fn find(&self) -> Result<Install, VaultError> {
        Install::find(&self.install)
            .await
            .map_err(|error| VaultError(format!("{error:#}")))
    }

    fn last(&self) -> MutexGuard<'_, Option<(Step, Timestamp)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Vault for FileVault {
    async fn read(&self) -> Result<Kept, VaultError> {
        let secrets = self.find().await?.secrets.webhook_secrets;
        Ok(Kept {
            secrets,
            last: *self.last(),
        })
    }

    async fn write(&self, kept: &Kept) -> Result<(), VaultError> {
        let written = keep(&self.find().await?, WEBHOOK_SECRET, &kept.secrets).await;
        written.map_err(|error| VaultError(format!("{error:#}")))?;
        *self.last() = kept.last;
        Ok(())
    }
}

/// One line of the standard input: what stands in a command is kept in the shell's history.
fn read_secret() -> anyhow::Result<Secret> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let secret = line.trim();
    anyhow::ensure!(!secret.is_empty(), "nothing was pasted, and nothing was changed");
    Ok(Secret::new(secret))
}
