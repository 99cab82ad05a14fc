//! `bridgectl redrive`: what was given up, and back into its queue with it when the cause is mended.

use crate::{
    place::{Found, Place, PlaceArgs, Walk},
    times::{moment, read_span, span},
};
use anyhow::Context as _;
use bridge::{letter::Letter, ports::Unreadable};
use clap::ValueEnum;
use intercom::IntercomNotifications;
use local::QueueName;
use mapping::{BotId, Delivery, DeliveryState, Timestamp};
use std::{fmt::Write as _, time::Duration};
use telegram::TelegramUpdates;

/// Which dead letters, and whether they go back.
#[derive(Clone, Debug, clap::Args)]
pub struct Redrive {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only those of one direction.
    #[arg(long)]
    queue: Option<Direction>,
    /// Only those of this lane, such as -1001234567890:17; may be given more than once.
    #[arg(long, allow_hyphen_values = true)]
    lane: Vec<String>,
    /// Only those that were written at or after this time, such as 2026-01-31T12:00:00Z.
    #[arg(long)]
    since: Option<jiff::Timestamp>,
    /// Only those that were written so long ago or longer, such as 90m, 24h or 3d.
    #[arg(long, value_parser = read_span)]
    older_than: Option<Duration>,
    /// Puts them back. Without it they are only shown.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Only shows them, as it does without --yes.
    #[arg(long)]
    dry_run: bool,
}

/// The way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// To Intercom.
    Inbound,
    /// To Telegram.
    Outbound,
}

impl Direction {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Inbound, Self::Outbound];

    /// Where what is given up on this way lies.
    pub(crate) fn dead_letters(self) -> QueueName {
        match self {
            Self::Inbound => QueueName::InboundDead,
            Self::Outbound => QueueName::OutboundDead,
        }
    }

    /// Reads a message of this way.
    pub(crate) fn read(self, bot: BotId, body: &str) -> Result<Letter, Unreadable> {
        match self {
            Self::Inbound => Letter::inbound(&TelegramUpdates, bot, body),
            Self::Outbound => Letter::outbound(&IntercomNotifications, body),
        }
    }

    /// What it is called, for a reader.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inbound => "to Intercom",
            Self::Outbound => "to Telegram",
        }
    }
}

/// How many dead letters there were, and what became of them.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u64,
    looked_at: u64,
    chosen: u64,
    put_back: u64,
}

/// Shows the dead letters that are meant, and with `--yes` puts them back, one after the other.
pub async fn run(redrive: Redrive, mut tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let place = redrive.place.open().await?;
    let secrets = place.settings().await?.secrets;
    let bot = secrets.current().await.context("the bot is not known")?.bot();
    let mut count = Count::default();
    for direction in Direction::ALL {
        if redrive.queue.is_some_and(|only| only != direction) {
            continue;
        }
        let mut walk = place.walks.begin(direction.dead_letters());
        let through = Through {
            redrive: &redrive,
            place: &place,
            bot,
            direction,
        };
        let walked = through.walk(walk.as_mut(), &mut count, &mut tell).await;
        walk.end().await?;
        walked?;
    }
    summary(&redrive, count).into_iter().for_each(tell);
    Ok(())
}

/// One queue of dead letters, and what is to be done with it.
struct Through<'r> {
    redrive: &'r Redrive,
    place: &'r Place,
    bot: BotId,
    direction: Direction,
}

impl Through<'_> {
    async fn walk(
        &self,
        walk: &mut dyn Walk,
        count: &mut Count,
        tell: &mut (impl FnMut(String) + Send),
    ) -> anyhow::Result<()> {
        count.all += walk.len().await?;
        loop {
            let some = walk.next().await?;
            if some.is_empty() {
                return Ok(());
            }
            for found in some {
                count.looked_at += 1;
                let letter = match self.direction.read(self.bot, &found.received.body) {
                    Ok(letter) => Ok(letter.looked_up(&self.place.ledger).await?),
                    Err(problem) => Err(problem),
                };
                if !self.is_meant(&found, letter.as_ref().ok()) {
                    continue;
                }
                count.chosen += 1;
                tell(self.line(&found, &letter).await?);
                if self.redrive.yes {
                    walk.put_back(&found).await?;
                    count.put_back += 1;
                }
            }
        }
    }

    fn is_meant(&self, found: &Found, letter: Option<&Letter>) -> bool {
        let Redrive {
            lane,
            since,
            older_than,
            ..
        } = self.redrive;
        if !lane.is_empty() && !lane.contains(&found.received.lane) {
            return false;
        }
        let now = self.place.ledger.now();
        let since = since.map(|since| Timestamp::from_millis(since.as_millisecond()));
        // Nobody knows when what cannot be read was written.
        letter.map_or(since.is_none() && older_than.is_none(), |letter| {
            since.is_none_or(|since| letter.written >= since)
                && older_than.is_none_or(|age| now.since(letter.written) >= age)
        })
    }

    /// One line about a dead letter: where, when, what, why; nothing of what it says.
    async fn line(&self, found: &Found, letter: &Result<Letter, Unreadable>) -> anyhow::Result<String> {
        let (way, lane) = (self.direction.name(), &found.received.lane);
        let letter = match letter {
            Ok(letter) => letter,
            Err(problem) => return Ok(format!("{way}  {lane}  cannot be read: failed to {problem}")),
        };
        let age = span(self.place.ledger.now().since(letter.written));
        let mut told = format!("{way}  {lane}  {} ({age} ago)  {}", moment(letter.written), letter.kind);
        let reading = self.place.ledger.read(&letter.deliveries).await?;
        for key in &letter.deliveries {
            let record = reading.get::<Delivery>(key)?.map(|record| record.value);
            let state = record.map_or_else(
                || "no record of it".to_owned(),
                |record| state(&record, found.received.gave_up),
            );
            let _ = write!(told, "\n    {key}  {state}");
        }
        Ok(told)
    }
}

/// What is known of a delivery, and whether this copy opens it again.
fn state(delivery: &Delivery, gave_up: Option<u32>) -> String {
    let generation = delivery.generation;
    match &delivery.state {
        DeliveryState::Undeliverable { reason, .. } if gave_up == Some(generation) => {
            format!("given up ({generation}): {reason}")
        }
        DeliveryState::Undeliverable { reason, .. } => {
            let copy = gave_up.map_or_else(|| "none".to_owned(), |copy| copy.to_string());
            format!("given up ({generation}): {reason}; this is a copy of another time ({copy}) and opens nothing")
        }
        DeliveryState::Delivered => "delivered since then; nothing more will come of it".into(),
        DeliveryState::Skipped { reason } => format!("not to be carried ({reason}); nothing will come of it"),
        DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. } => "on its way".into(),
    }
}

fn summary(redrive: &Redrive, count: Count) -> Vec<String> {
    let Count {
        all,
        looked_at,
        chosen,
        put_back,
    } = count;
    let mut lines = vec![if redrive.yes {
        format!("{put_back} of {looked_at} dead letters are back in their queues.")
    } else if all.max(looked_at) == 0 {
        "There are no dead letters.".into()
    } else if chosen == 0 {
        format!("None of {looked_at} dead letters is meant.")
    } else {
        format!("{chosen} of {looked_at} dead letters are meant; nothing was changed. With --yes they go back.")
    }];
    let behind = all.saturating_sub(looked_at);
    if behind > 0 {
        lines.push(format!(
            "{behind} more could not be looked at: they stand behind others of their lane, or somebody else looks at them now."
        ));
    }
    lines
}
