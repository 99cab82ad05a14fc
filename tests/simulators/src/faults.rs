//! Faults that a test or the demo switches on: what goes wrong with the next call of a kind.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// One way in which a call goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this HTTP status in the vendor's own error shape; nothing is done.
    Refuse(u16),
    /// Answered 429 as the vendor does, nothing is done; the wait is whole seconds.
    TooManyRequests(Duration),
    /// The work is done, then the answer is this HTTP status (a 5xx).
    FailAfter(u16),
    /// The work is done and the connection is cut before the answer.
    LoseAnswer,
    /// The connection is cut, nothing is done.
    CutBefore,
    /// Never answered, nothing is done: the caller has to give up by itself.
    Hang,
    /// Never answered; the work is done when the caller has gone away.
    CommitLate,
    /// Answered after this (real) time, the work done.
    Slow(Duration),
    /// A 200 whose body is not what the API promises, the work done.
    Garble,
}

#[derive(Debug)]
struct Armed {
    call: String,
    fault: Fault,
    times: usize,
}

/// The faults that are armed, shared between a simulator and whoever plays with it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Armed>>>);

impl Faults {
    /// The next `times` calls whose name is `call` go wrong. Names are the vendor's: a Bot API method such as
    /// `sendMessage`, or method and path template of Intercom such as `POST /conversations/{id}/reply`; `*` is any call.
    pub fn arm(&self, call: &str, fault: Fault, times: usize) {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed.push_back(Armed {
            call: call.to_owned(),
            fault,
            times,
        });
    }

    /// Forgets what is armed.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many faults are armed and have not struck yet.
    pub fn armed(&self) -> usize {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|armed| armed.times)
            .sum()
    }

    /// Whether a fault is armed for a call of this name and has not struck as often as it may.
    pub fn is_armed(&self, call: &str, fault: &Fault) -> bool {
        let armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter().any(|armed| armed.call == call && armed.fault == *fault)
    }

    /// Forgets a fault that was armed for calls of this name.
    pub fn disarm(&self, call: &str, fault: &Fault) {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed.retain(|armed| armed.call != call || armed.fault != *fault);
    }

    /// The fault that strikes this call, which uses it up.
    pub(crate) fn strike(&self, call: &str) -> Option<Fault> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = armed.iter().position(|armed| armed.call == call || armed.call == "*")?;
        let hit = armed.get_mut(at)?;
        hit.times = hit.times.saturating_sub(1);
        let fault = hit.fault.clone();
        if hit.times == 0 {
            armed.remove(at);
        }
        Some(fault)
    }
}
