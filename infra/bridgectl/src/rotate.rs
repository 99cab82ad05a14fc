//! `bridgectl rotate`: another secret in the place of one, without a message lost.

use crate::{
    doctor,
    install::{Home, Install, InstallArgs},
    place::{self, Place},
    serve::Clients,
    settings,
    setup::write_secrets,
    times::{read_span, span},
};
use anyhow::Context as _;
use bridge::{
    config::Config,
    ports::{Helpdesk as _, Registry as _},
    secrets::{FixedSecrets, Secret, Secrets},
};
use clap::ValueEnum;
use mapping::WorkspaceId;
use std::{
    io::BufRead as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

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

/// An authentic update of no chat: it is answered, and nothing comes of it.
const PROBE: &str = r#"{"update_id":0,"poll":{"id":"0"}}"#;

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
        let secrets = self.secrets.clone();
        let (new, old) = match secrets.telegram_webhook_secrets.as_slice() {
            [current] => {
                let new = fresh();
                self.keep(WEBHOOK_SECRET, &[new.clone(), current.clone()]).await?;
                tell(format!(
                    "1 of 4: a new secret stands beside the old one in {}.",
                    self.install.where_secrets_are()
                ));
                (new, current.clone())
            }
            [new, old, ..] => {
                tell(format!(
                    "1 of 4: {} holds two secrets, so a rotation goes on.",
                    self.install.where_secrets_are()
                ));
                (new.clone(), old.clone())
            }
            [] => anyhow::bail!("{} holds no webhook secret", self.install.where_secrets_are()),
        };
        let with = |first: &Secret| Secrets {
            telegram_webhook_secrets: vec![first.clone()],
            ..secrets.clone()
        };
        let url = self.clients(with(&new))?.telegram.registration().await?.url;
        anyhow::ensure!(
            !url.is_empty(),
            "Telegram has no webhook of this bot: there is nothing to rotate"
        );
        self.wait_until_taken(&url, &new, &old).await?;
        tell("2 of 4: the webhook takes the new one.".into());
        self.clients(with(&new))?.telegram.set_webhook(&url).await?;
        tell(format!(
            "3 of 4: Telegram uses it. The old one stays good for {}.",
            span(self.rotate.keep_old)
        ));
        tokio::time::sleep(self.rotate.keep_old).await;
        self.keep(WEBHOOK_SECRET, &[new]).await?;
        tell(format!(
            "4 of 4: the old one is removed; it is no good any more {}.",
            self.reads()
        ));
        Ok(())
    }

    /// A process that does not know a secret reads its secrets anew, so one that answers has it.
    async fn wait_until_taken(&self, url: &str, new: &Secret, old: &Secret) -> anyhow::Result<()> {
        let http = telegram::http_client(telegram::Timeouts::default()).context("the HTTP client cannot be made")?;
        // What reads its secrets when it starts is started again by whoever runs this.
        let reads = self.reads_by_itself();
        let give_up_at = Instant::now() + if reads { self.rotate.wait } else { Duration::ZERO };
        loop {
            let status = probe(&http, url, new).await;
            match status {
                Ok(200) => return Ok(()),
                _ if Instant::now() < give_up_at => tokio::time::sleep(PAUSE).await,
                Ok(401) => {
                    let knows_old = probe(&http, url, old).await.is_ok_and(|status| status == 200);
                    let how = if knows_old {
                        "knows only the old one"
                    } else {
                        "knows neither"
                    };
                    anyhow::bail!(
                        "the webhook {how}; it reads its secrets {}. Run this again then",
                        self.reads()
                    );
                }
                Ok(status) => anyhow::bail!("the webhook answers {status}; mend that, then run this again"),
                Err(error) => return Err(error.context("the webhook cannot be reached from here")),
            }
        }
    }

    async fn bot_token(&self, tell: &mut (impl FnMut(String) + Send)) -> anyhow::Result<()> {
        let secrets = self.secrets.clone();
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
        let url = telegram.registration().await.context("Telegram does not take it")?.url;
        self.keep(BOT_TOKEN, std::slice::from_ref(&with.telegram_bot_token))
            .await?;
        tell(format!(
            "Telegram takes it, and it stands in {}.",
            self.install.where_secrets_are()
        ));
        if url.is_empty() {
            tell("Telegram has no webhook of this bot: register it, as setup or serve --public-url does.".into());
        } else {
            telegram.set_webhook(&url).await?;
            tell("The webhook is registered with it.".into());
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

    /// Writes a secret, by the name of its variable, unless it would not be read there.
    async fn keep(&self, variable: &'static str, secrets: &[Secret]) -> anyhow::Result<()> {
        if matches!(self.install.home, Home::Machine(_)) {
            anyhow::ensure!(
                settings::variable(variable).is_none(),
                "{variable} is set in the environment: change it there"
            );
        }
        write_secrets(self.install, &[(variable, secrets)]).await
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

/// The status of the answer to an update that does nothing.
async fn probe(http: &reqwest::Client, url: &str, secret: &Secret) -> anyhow::Result<u16> {
    let request = http
        .post(url)
        .header("X-Telegram-Bot-Api-Secret-Token", secret.expose())
        .header("Content-Type", "application/json")
        .body(PROBE);
    // The URL is no secret, but errors of this client never show one.
    let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    Ok(answer.status().as_u16())
}

/// Forty-eight letters and digits: more than anybody can guess.
fn fresh() -> Secret {
    use rand::{RngExt as _, distr::Alphanumeric};
    let letters = rand::rng().sample_iter(Alphanumeric).take(48);
    Secret::new(letters.map(char::from).collect::<String>())
}

/// One line of the standard input: what stands in a command is kept in the shell's history.
fn read_secret() -> anyhow::Result<Secret> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let secret = line.trim();
    anyhow::ensure!(!secret.is_empty(), "nothing was pasted, and nothing was changed");
    Ok(Secret::new(secret))
}
