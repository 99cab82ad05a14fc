//! Another webhook secret in the place of one, without an update lost. Each step is written down before the next one is taken, and
//! both secrets are good in between: whoever stops, whoever goes on, and when, makes no difference.

use crate::{failure::MessengerError, secrets::Secret};
use async_trait::async_trait;
use mapping::{Clock, Entropy, Timestamp};
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// What a webhook answers that takes an update.
const TAKEN: u16 = 200;

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The new secret stands before the old one, and Telegram uses the old one.
    Begun,
    /// Telegram uses the new one.
    Registered,
    /// The old one is gone.
    Ended,
}

/// The webhook's secrets as they are kept: the one that is registered next or was last, and behind it the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// The last step that was written down, and when; none where nothing was ever rotated, or by hand.
    pub last: Option<(Step, Timestamp)>,
}

/// Why the secrets could not be read or written; it holds none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VaultError(pub String);

/// Where the webhook's secrets are kept, for whoever may change them.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Reads them as they are now.
    async fn read(&self) -> Result<Kept, VaultError>;

    /// Writes them; what else is kept there stays.
    async fn write(&self, kept: &Kept) -> Result<(), VaultError>;
}

/// Where the webhook is registered, and whether it takes what comes with a secret.
#[async_trait]
pub trait Registrar: Send + Sync {
    /// The webhook's URL; empty if none is registered.
    async fn url(&self) -> Result<String, MessengerError>;

    /// The status that the webhook answers to an update of nothing with this secret; the error says why there is none.
    async fn probe(&self, url: &str, secret: &Secret) -> Result<u16, String>;

    /// Has Telegram prove itself with this secret from now on.
    async fn register(&self, url: &str, secret: &Secret) -> Result<(), MessengerError>;
}

/// When a step is due.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How old a secret becomes; none for a rotation that is begun at once.
    pub every: Option<Duration>,
    /// How long every process may take to read a secret that was written.
    pub settle: Duration,
    /// How long the old one stays good, for what Telegram has on its way.
    pub keep_old: Duration,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The secret is not old enough yet.
    NotDue,
    /// The new secret stands beside the old one.
    Begun,
    /// Processes may still have to read it.
    Settling,
    /// The webhook answered the new secret with this status.
    Untaken(u16),
    /// Telegram uses the new secret.
    Registered,
    /// The old one is still good.
    Keeping,
    /// The old one is gone.
    Ended,
}

/// Why a step was not taken. The next one that is tried goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// The secrets could not be read or written.
    #[error("change the webhook secret where it is kept: {0}")]
    Vault(#[from] VaultError),
    /// Telegram could not be asked, or told.
    #[error(transparent)]
    Telegram(#[from] MessengerError),
    /// The webhook could not be asked.
    #[error("reach the webhook: {0}")]
    Webhook(String),
    /// There is no secret, or no webhook.
    #[error("find anything to rotate: {0}")]
    Nothing(&'static str),
}

/// Rotates the webhook's secret.
pub struct Rotation {
    vault: Arc<dyn Vault>,
    registrar: Arc<dyn Registrar>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Rotation {
    /// A rotation with what it needs.
    pub fn new(
        vault: Arc<dyn Vault>,
        registrar: Arc<dyn Registrar>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            vault,
            registrar,
            clock,
            entropy,
        }
    }

    /// Takes the next step, if it is due.
    pub async fn advance(&self, rules: &Rules) -> Result<Progress, RotationError> {
        let kept = self.vault.read().await?;
        match kept.secrets.as_slice() {
            [] => Err(RotationError::Nothing("no webhook secret is kept")),
            [current] => self.begin(current, kept.last, rules).await,
            [new, ..] => match kept.last {
                Some((Step::Registered, at)) => self.end(new, at, rules).await,
                Some((Step::Begun, at)) if self.clock.now().since(at) < rules.settle => Ok(Progress::Settling),
                // Somebody may have put both there by hand.
                Some((Step::Begun | Step::Ended, _)) | None => self.register(&kept).await,
            },
        }
    }

    async fn begin(
        &self,
        current: &Secret,
        last: Option<(Step, Timestamp)>,
        rules: &Rules,
    ) -> Result<Progress, RotationError> {
        match (rules.every, last) {
            (Some(every), Some((_, at))) if self.clock.now().since(at) < every => return Ok(Progress::NotDue),
            // How old it is nobody knows: its time begins now.
            (Some(_), None) => {
                self.write(vec![current.clone()], Step::Ended).await?;
                return Ok(Progress::NotDue);
            }
            (None | Some(_), _) => {}
        }
        self.write(vec![self.fresh(), current.clone()], Step::Begun).await?;
        Ok(Progress::Begun)
    }

    async fn register(&self, kept: &Kept) -> Result<Progress, RotationError> {
        let Some(new) = kept.secrets.first() else {
            return Err(RotationError::Nothing("no webhook secret is kept"));
        };
        let url = self.registrar.url().await?;
        if url.is_empty() {
            return Err(RotationError::Nothing("Telegram has no webhook of this bot"));
        }
        match self.registrar.probe(&url, new).await.map_err(RotationError::Webhook)? {
            TAKEN => {}
            status => return Ok(Progress::Untaken(status)),
        }
        self.registrar.register(&url, new).await?;
        self.write(kept.secrets.clone(), Step::Registered).await?;
        Ok(Progress::Registered)
    }

    async fn end(&self, new: &Secret, registered: Timestamp, rules: &Rules) -> Result<Progress, RotationError> {
        if self.clock.now().since(registered) < rules.keep_old {
            return Ok(Progress::Keeping);
        }
        self.write(vec![new.clone()], Step::Ended).await?;
        Ok(Progress::Ended)
    }

    async fn write(&self, secrets: Vec<Secret>, step: Step) -> Result<(), VaultError> {
        let last = Some((step, self.clock.now()));
        self.vault.write(&Kept { secrets, last }).await
    }

    /// Forty-eight digits of chance: more than anybody can guess.
    fn fresh(&self) -> Secret {
        let mut secret = String::new();
        for _ in 0..3 {
            let _ = write!(secret, "{:016x}", self.entropy.bits());
        }
        Secret::new(secret)
    }
}
