//! The scenarios, one module a theme.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what cannot be played has failed; what it cost is published"
)]

mod agent_file_faults;
mod agent_files;
mod albums;
mod canary;
mod cards;
mod changes;
mod chaos;
mod clicks;
mod content;
mod counts;
mod doors;
mod duplicates;
mod errors;
mod file_faults;
mod file_left;
mod files;
mod generations;
mod ground;
mod healing;
mod inside;
mod logs;
mod lost_calls;
mod notices;
mod odd;
mod opening;
mod pace;
mod people;
mod places;
mod poison;
mod reactions;
mod redriven;
mod rights;
mod rotation;
mod running;
mod staff_answers;
mod sweep;
mod sweep_stops;
mod topic_gone;
mod topic_lost_calls;
mod topic_state_faults;
mod topic_states;
mod unlinked;
mod wrong_workspace;
