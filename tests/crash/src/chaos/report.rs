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
    /// Calls that went wrong in an outage: Telegram's, Intercom's.
    pub outages: [usize; 2],
    /// What people did and what was done to the bridge, and how often.
    pub deeds: BTreeMap<&'static str, usize>,
    /// Messages that stand in Telegram once too often.
    pub doubled: usize,
    /// Topics that were deleted and took another place.
    pub moved_topics: usize,
    /// How long it was, by the clock of the run.
    pub lasted: Duration,
    /// What is wrong; nothing, if it is empty.
    pub wrong: Verdict,
    /// What every run has to exercise and this one has not: a run that is worth nothing is as bad as one that finds something.
    pub unexercised: Verdict,
}

impl Report {
    /// What a run has to exercise and this one has not. `expected`: the kinds of fault that a run of this length has.
    pub(super) fn never(&self, deletes_topics: bool, expected: &[String]) -> Verdict {
        let happened = [
            ("messages to Intercom", self.said),
            ("messages to Telegram", self.answered),
            ("calls to Telegram in an outage", self.outages[0]),
            ("calls to Intercom in an outage", self.outages[1]),
            ("ends of workers", self.ended),
            ("notifications lost", self.lost_notifications),
            ("replies found by sweeps", self.swept),
            (
                "topics made anew",
                if deletes_topics { self.moved_topics } else { usize::MAX },
            ),
        ];
        let deeds = DEEDS.map(|deed| (deed, self.deeds.get(deed).copied().unwrap_or(0)));
        let faults = expected
            .iter()
            .map(|kind| (kind.as_str(), self.struck.get(kind).copied().unwrap_or(0)));
        let all = happened.into_iter().chain(deeds).chain(faults);
        let never = all.filter(|(_, times)| *times == 0);
        never.map(|(what, _)| what.to_owned()).collect()
    }
}

/// What every run does, by its name in the report.
pub(super) const DEEDS: [&str; 12] = [
    "texts of customers",
    "texts of staff",
    "the same words again",
    "albums and photos to Intercom",
    "corrections",
    "answers in several messages",
    "albums and photos to Telegram",
    "answers that close",
    "answers taken back",
    "messages deleted in Telegram",
    "conversations closed",
    "updates delivered long ago",
];

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
        for (deed, times) in &self.deeds {
            writeln!(f, "  {times:6} {deed}")?;
        }
        writeln!(
            f,
            "{} messages shown once too often in Telegram, each in that window",
            self.doubled
        )?;
        write!(f, "{} minutes by the clock of the run", self.lasted.as_secs() / 60)
    }
}
