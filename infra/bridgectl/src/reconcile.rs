//! `bridgectl reconcile`: searches once for what Intercom did not deliver. It may run beside `serve`.

use crate::{serve, settings};
use anyhow::Context as _;
use bridge::outbound::Sweep;
use local::SystemClock;
use mapping::{Clock, Timestamp};
use std::{path::PathBuf, time::Duration};

/// How far back and in which file.
#[derive(Clone, Debug, clap::Args)]
pub struct Reconcile {
    /// The database file.
    #[arg(long, default_value = "bridge.db")]
    data: PathBuf,
    /// From when on, such as 2026-01-31T12:00:00Z; from where the last sweep came to, without it.
    #[arg(long)]
    since: Option<jiff::Timestamp>,
    /// Only says what is missing.
    #[arg(long)]
    dry_run: bool,
}

/// A sweep by hand has no deadline to speak of.
const MAY_TAKE: Duration = Duration::from_hours(24);

/// Sweeps, and tells what was found.
pub async fn run(reconcile: Reconcile) -> anyhow::Result<String> {
    let config = settings::config()?;
    let secrets = settings::secrets()?;
    let clients = serve::Clients::new(&config, &secrets)?;
    let (context, _) = serve::ground(&reconcile.data, config, &secrets, &clients)?;
    let since = reconcile
        .since
        .map(|since| Timestamp::from_millis(since.as_millisecond()));
    let deadline = SystemClock.now() + MAY_TAKE;
    let swept = Sweep::new(context)
        .run(since, deadline, reconcile.dry_run)
        .await
        .context("the sweep did not come to its end; the next one begins where it stopped")?;
    let done = if reconcile.dry_run {
        "missing"
    } else {
        "missing, and put into the queue"
    };
    Ok(format!(
        "{} linked conversations changed; {} replies {done}",
        swept.conversations, swept.missed
    ))
}
