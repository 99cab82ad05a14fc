//! What was measured in one run.

use crate::{price::Line, serve::Served, usage::Usage, warm::Warm};
use serde::Serialize;

/// All that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// How large what is deployed is.
    pub(crate) builds: Vec<Build>,
    /// From the start of a process to its first answer.
    pub(crate) cold_starts: Vec<ColdStart>,
    /// Functions that are awake.
    pub(crate) warm: Vec<Warm>,
    /// What a message uses.
    pub(crate) usages: Vec<Usage>,
    /// What a million of them cost.
    pub(crate) bill: Vec<Line>,
    /// How many metrics were counted at all, each by its function.
    pub(crate) metrics: usize,
    /// `bridgectl serve`.
    pub(crate) served: Vec<Served>,
}

/// How large a function is.
#[derive(Debug, Serialize)]
pub(crate) struct Build {
    pub(crate) function: String,
    pub(crate) bytes: usize,
    /// What is uploaded, and downloaded at each cold start.
    pub(crate) zipped: usize,
}

/// Medians of processes that were started under the same conditions.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ColdStart {
    pub(crate) function: String,
    /// AWS is called over TLS.
    pub(crate) tls: bool,
    /// From the first event on there is no more of a processor than comes with so much memory.
    pub(crate) memory_mb: Option<u32>,
    /// From the start of the process to its first answer.
    pub(crate) first_answer_ms: f64,
    /// The same, by that of the bare runtime.
    pub(crate) ratio: f64,
    /// Processor time until then.
    pub(crate) cpu_ms: f64,
    pub(crate) cpu_ratio: f64,
    /// The most memory.
    pub(crate) peak_mb: f64,
}

/// The one in the middle.
pub(crate) fn median<T: Ord + Copy + Default>(mut of: Vec<T>) -> T {
    of.sort_unstable();
    of.get(of.len() / 2).copied().unwrap_or_default()
}
