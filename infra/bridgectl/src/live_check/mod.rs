//! `bridgectl live-check`: tries, on a development workspace and in a test group, what no description says and the bridge takes for
//! granted; removes what it made, and says what holds, what differs, and what of the code rests on it.

mod bench;
mod ear;
mod intercom;
mod notifications;
mod points;
mod report;
mod telegram;
mod updates;

pub use points::{About, POINTS, Point, Rest};
pub use report::{Line, Outcome, Report};

use crate::{install::InstallArgs, setup::Person};
use bench::Bench;
use std::{net::SocketAddr, time::Duration};

/// Where to try, and what.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct LiveCheck {
    #[command(flatten)]
    install: InstallArgs,
    /// The development workspace, by id, to which the access token belongs. It is needed with --yes; otherwise it is asked for.
    #[arg(long)]
    workspace: Option<String>,
    /// The test group, by id: one with topics in which the bot is an administrator. Nothing is written in any other.
    #[arg(long, allow_hyphen_values = true)]
    chat: Option<i64>,
    /// Asks nothing. What needs a person is not tried.
    #[arg(long)]
    pub yes: bool,
    /// Prints JSON, for a program; what a person is told goes to the standard error.
    #[arg(long)]
    pub json: bool,
    /// Also tries what takes hundreds of calls, or minutes.
    #[arg(long)]
    long: bool,
    /// Where to listen for what the vendors deliver; without it that is not tried.
    #[arg(long, requires = "listen_url")]
    listen: Option<SocketAddr>,
    /// The https:// address that leads to --listen, by a reverse proxy or a tunnel.
    #[arg(long, requires = "listen")]
    listen_url: Option<String>,
    /// A workflow that begins with a new conversation, and assigns or answers, is live in the workspace.
    #[arg(long)]
    workflow: bool,
    /// A topic of the group with a million messages above its beginning.
    #[arg(long)]
    old_topic: Option<i64>,
    /// Tries no other points than these, by name.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// For how many minutes to wait for what a person does.
    #[arg(long, default_value_t = 5)]
    wait: u64,
}

/// Intercom gives out 500.
const MANY_PARTS: u32 = 501;

/// How time passes for the vendors, how long to wait for what others do, and how much is much.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// How long a second of the vendors takes.
    pub second: Duration,
    /// How long a person, or a delivery, may take.
    pub patience: Duration,
    /// How many parts are more than a conversation gives out.
    pub parts: u32,
}

impl Rhythm {
    fn seconds(self, seconds: u32) -> Duration {
        self.second * seconds
    }
}

/// Tries what is to be tried, with somebody who answers.
pub async fn run(check: &LiveCheck, person: &mut dyn Person) -> anyhow::Result<Report> {
    let rhythm = Rhythm {
        second: Duration::from_secs(1),
        patience: Duration::from_mins(check.wait),
        parts: MANY_PARTS,
    };
    run_in(check, person, rhythm).await
}

/// The same where the vendors have a time of their own.
pub async fn run_in(check: &LiveCheck, person: &mut dyn Person, rhythm: Rhythm) -> anyhow::Result<Report> {
    for name in &check.only {
        let is_known = POINTS.iter().any(|about| about.name == name);
        anyhow::ensure!(is_known, "--only: there is no point {name:?}");
    }
    let mut bench = Bench::set_up(check, person, rhythm).await?;
    let mut report = Report::default();
    let is_whole = tokio::select! {
        () = Box::pin(try_all(&mut bench, check, &mut report)) => true,
        _ = tokio::signal::ctrl_c() => false,
    };
    report.left = bench.clean_up().await;
    anyhow::ensure!(is_whole, "stopped; {}", left(&report.left));
    Ok(report)
}

fn left(left: &[String]) -> String {
    if left.is_empty() {
        "what was made is removed".into()
    } else {
        format!("still there: {}", left.join("; "))
    }
}

async fn try_all(bench: &mut Bench<'_>, check: &LiveCheck, report: &mut Report) {
    for about in &POINTS {
        if !check.only.is_empty() && !check.only.iter().any(|name| name == about.name) {
            continue;
        }
        bench.tell(&format!("… {}", about.name));
        let outcome = if about.is_long && !check.long {
            Ok(Outcome::Untried(
                "it takes hundreds of calls, or minutes: --long".into(),
            ))
        } else {
            try_one(bench, about.point).await
        };
        let outcome = outcome.unwrap_or_else(|error| Outcome::Untried(format!("{error:#}")));
        report.add(about, outcome);
    }
}

async fn try_one(bench: &mut Bench<'_>, point: Point) -> anyhow::Result<Outcome> {
    match point {
        Point::ReplyHtml => intercom::reply_html(bench).await,
        Point::ReadHtml => intercom::read_html(bench).await,
        Point::NewestVersion => intercom::newest_version(bench).await,
        Point::OutsiderReply => intercom::outsider_reply(bench).await,
        Point::AttachmentSize => intercom::attachment_size(bench).await,
        Point::ManyParts => intercom::many_parts(bench).await,
        Point::NotificationText => notifications::text(bench).await,
        Point::PackageCode => notifications::package_code(bench).await,
        Point::RetryId => notifications::retry_id(bench).await,
        Point::OneClick => notifications::one_click(bench).await,
        Point::Workflows => intercom::workflows(bench).await,
        Point::Entities => telegram::entities(bench).await,
        Point::ClosedTopic => telegram::closed_topic(bench).await,
        Point::Words => telegram::words(bench).await,
        Point::FrontEnd => telegram::front_end(bench).await,
        Point::OldTopic => telegram::old_topic(bench).await,
        Point::WebhookSecret => updates::secret(bench).await,
        Point::WebhookRetry => updates::retry(bench).await,
        Point::PaceAlbums => telegram::pace_albums(bench).await,
        Point::PaceEdits => telegram::pace_edits(bench).await,
        Point::PaceTopics => telegram::pace_topics(bench).await,
    }
}
