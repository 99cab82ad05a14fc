//! `bridgectl setup`: asks for what is missing, finds the groups, writes it down, registers the webhook, and goes through Intercom's
//! Developer Hub with whoever runs it. It may be run again at any time; what is in place is kept.

mod carry_out;
mod chats;
mod hub;
mod person;
mod ping;
mod plan;
#[cfg(feature = "aws")]
mod stack;
mod tokens;

pub(crate) use carry_out::write_secrets;
pub use hub::{EVENTS, PERMISSIONS};
pub use person::{Person, Terminal, Unattended};

use crate::{
    doctor,
    findings::Findings,
    install::{Install, InstallArgs},
};
use mapping::ChatId;
use plan::Plan;
use std::time::Duration;

/// Which bridge, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Setup {
    #[command(flatten)]
    install: InstallArgs,
    /// Chats that are bridged, by id, if they are known already.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    chats: Vec<i64>,
    /// Asks nothing: takes tokens from the environment, and every group that the bot is in.
    #[arg(long)]
    pub yes: bool,
    /// How many minutes to wait for a group, and for Intercom's ping; 0 waits for neither.
    #[arg(long, default_value_t = 10)]
    wait: u64,
}

/// How long to wait for what others do, and how often to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) in_all: Duration,
    pub(crate) look_every: Duration,
}

/// Sets up, with somebody who answers; gives what the doctor says of it in the end.
pub async fn run(setup: &Setup, person: &mut dyn Person) -> anyhow::Result<Findings> {
    let install = Install::find(&setup.install).await?;
    let patience = Patience {
        in_all: Duration::from_mins(setup.wait),
        look_every: Duration::from_secs(1),
    };
    let mut plan = Plan::of(&install)?;
    let bot = tokens::bot(&install, &mut plan, person).await?;
    tokens::intercom(&install, &mut plan, person).await?;
    tokens::client_secret(&mut plan, person)?;
    plan.choose_webhook_secret(person);
    let given = setup.chats.iter().map(|chat| ChatId(*chat));
    chats::find(&mut plan, &install, &bot, given, patience, person).await?;
    carry_out::agreed(&install, &plan, &bot, person).await?;
    let install = Install::find(&setup.install).await?;
    person.tell(ATTRIBUTES);
    hub::walk_through(&install, patience, person).await?;
    person.tell("\nThe doctor's last look:");
    doctor::examine(&install).await
}

const ATTRIBUTES: &str = "\nAttributes in Intercom: the bridge needs none of its own. It finds people by their external id (telegram:<user id>), so none are made.";
