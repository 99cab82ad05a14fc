//! `bridgectl reconcile`: one sweep by hand; with `--map`, links rebuilt from what is in Intercom.

use crate::{
    place::{Place, PlaceArgs},
    rebuild::Rebuild,
    serve::Clients,
    settings::Settings,
    times::moment,
};
use anyhow::Context as _;
use bridge::outbound::{Order, Sweep, Swept};
use local::SystemClock;
use mapping::{Clock, Timestamp};
use std::time::Duration;

/// How far back and where.
#[derive(Clone, Debug, clap::Args)]
pub struct Reconcile {
    #[command(flatten)]
    place: PlaceArgs,
    /// From when on, such as 2026-01-31T12:00:00Z; from where the last sweep came to, without it.
    #[arg(long)]
    since: Option<jiff::Timestamp>,
    /// Rebuilds links that the table has lost: each topic gets the newest conversation that was opened from it. What is linked stays.
    #[arg(long, conflicts_with = "since")]
    map: bool,
    /// Lets the sweep begin anew from now, and searches nothing: after a restore, for older replies may have been carried.
    #[arg(long, conflicts_with_all = ["since", "map"])]
    from_now: bool,
    /// Only says what is missing.
    #[arg(long)]
    dry_run: bool,
}

/// A sweep by hand has no deadline to speak of.
const MAY_TAKE: Duration = Duration::from_hours(24);

/// Searches, and tells how far it has come and in the end what was found.
pub async fn run(reconcile: Reconcile, tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let place = reconcile.place.open().await?;
    let settings = place.settings().await?;
    let clients = Clients::new(&settings.config, &settings.secrets)?;
    if reconcile.map {
        return map(&place, &settings, &clients, reconcile.dry_run, tell).await;
    }
    if reconcile.from_now {
        return from_now(&place, &settings, &clients, reconcile.dry_run, tell).await;
    }
    sweep(&reconcile, &place, &settings, &clients, tell).await
}

async fn sweep(
    reconcile: &Reconcile,
    place: &Place,
    settings: &Settings,
    clients: &Clients,
    mut tell: impl FnMut(String) + Send,
) -> anyhow::Result<()> {
    let dry_run = reconcile.dry_run;
    let order = Order {
        since: reconcile
            .since
            .map(|since| Timestamp::from_millis(since.as_millisecond())),
        deadline: SystemClock.now() + MAY_TAKE,
        dry_run,
    };
    let swept = Sweep::new(place.context(settings, clients))
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
        |at| format!("the watermark {is} at {}", moment(at)),
    );
    format!(
        "{} conversations changed, {} of them linked; {} replies {done}; {watermark}",
        swept.looked_at, swept.conversations, swept.missed
    )
}

async fn map(
    place: &Place,
    settings: &Settings,
    clients: &Clients,
    dry_run: bool,
    mut tell: impl FnMut(String) + Send,
) -> anyhow::Result<()> {
    let mut rebuild = Rebuild::of(place, settings, clients, dry_run).await?;
    let found = rebuild.run(&mut tell).await;
    let found = found.context("the rebuild did not come to its end; run it again")?;
    tell(format!("That is all: {}.", found.told(dry_run)));
    if found.linked() > 0 && !dry_run {
        let at = place.ledger.restart_sweep(rebuild.workspace()).await?;
        tell(format!(
            "The watermark is at {}: older replies are not looked for.",
            moment(at)
        ));
    }
    Ok(())
}

async fn from_now(
    place: &Place,
    settings: &Settings,
    clients: &Clients,
    dry_run: bool,
    mut tell: impl FnMut(String) + Send,
) -> anyhow::Result<()> {
    let workspace = place.context(settings, clients).identity().await?.workspace;
    let at = if dry_run {
        place.ledger.now()
    } else {
        place.ledger.restart_sweep(&workspace).await?
    };
    let is = if dry_run { "would be" } else { "is" };
    tell(format!(
        "The watermark of workspace {workspace} {is} at {}: older replies are not looked for.",
        moment(at)
    ));
    Ok(())
}
