//! `bridgectl reconcile`: searches once for what Intercom did not deliver. It may run beside `serve`.

use crate::{serve, settings};
use anyhow::Context as _;
use bridge::outbound::{Order, Sweep, Swept};
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

/// Sweeps, and tells how far it has come and in the end what was found.
pub async fn run(reconcile: Reconcile, mut tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let config = settings::config()?;
    let secrets = settings::secrets()?;
    let clients = serve::Clients::new(&config, &secrets)?;
    let (context, _) = serve::ground(&reconcile.data, config, &secrets, &clients)?;
    let order = Order {
        since: reconcile
            .since
            .map(|since| Timestamp::from_millis(since.as_millisecond())),
        deadline: SystemClock.now() + MAY_TAKE,
        dry_run: reconcile.dry_run,
    };
    let dry_run = order.dry_run;
    let swept = Sweep::new(context)
        .run_telling(order, &mut |swept| tell(so_far(swept, dry_run)))
        .await
        .context("the sweep did not come to its end; the next one goes on where it stopped")?;
    let end = if swept.complete { "That is all" } else { "Stopped" };
    tell(format!("{end}: {}", so_far(&swept, dry_run)));
    Ok(())
}

fn so_far(swept: &Swept, dry_run: bool) -> String {
    let (done, is) = if dry_run {
        ("missing", "stays")
    } else {
        ("missing and put into the queue", "is")
    };
    let watermark = swept.watermark.map_or_else(
        || "there is no watermark yet".to_owned(),
        |at| format!("the watermark {is} at {}", time(at)),
    );
    format!(
        "{} conversations changed, {} of them linked; {} replies {done}; {watermark}",
        swept.looked_at, swept.conversations, swept.missed
    )
}

fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
