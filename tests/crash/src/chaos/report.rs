//! What a chaos run was, for whoever started it.

use crate::judge::Verdict;
use std::{collections::BTreeMap, fmt, time::Duration};

/// How a chaos run went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Messages of customers and staff in Telegram.
    pub said: usize,
    /// Answers of agents in Intercom.
    pub answered: usize,
    /// Calls to both vendors.
    pub calls: usize,
    /// How many of them went wrong, by kind.
    pub struck: BTreeMap<String, usize>,
    /// Calls through the ports.
    pub port_calls: usize,
    /// How many of them were a worker's last, or lost their answer.
    pub ended: usize,
    /// How many of these were in the one window.
    pub windows: usize,
    /// Notifications that never came.
    pub lost_notifications: usize,
    /// Replies that sweeps found which came to their end.
    pub swept: usize,
    /// Messages that stand in Telegram once too often.
    pub doubled: usize,
    /// Topics that were deleted and took another place.
    pub moved_topics: usize,
    /// How long it was, by the clock of the run.
    pub lasted: Duration,
    /// What is wrong; nothing, if it is empty.
    pub wrong: Verdict,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let struck: usize = self.struck.values().sum();
        let percent = struck * 100 / self.calls.max(1);
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "{} messages to Intercom, {} to Telegram", self.said, self.answered)?;
        writeln!(
            f,
            "{} calls to the vendors, {struck} of them faulty ({percent} %):",
            self.calls
        )?;
        for (kind, count) in &self.struck {
            writeln!(f, "  {count:6} {kind}")?;
        }
        writeln!(
            f,
            "{} calls through ports, {} of them a worker's last or without their answer, {} in the one window",
            self.port_calls, self.ended, self.windows
        )?;
        writeln!(
            f,
            "{} notifications lost, {} replies found by sweeps that came to their end, {} topics moved",
            self.lost_notifications, self.swept, self.moved_topics
        )?;
        writeln!(
            f,
            "{} messages shown once too often in Telegram, each in that window",
            self.doubled
        )?;
        write!(f, "{} minutes by the clock of the run", self.lasted.as_secs() / 60)
    }
}
