//! Faults that a test or the demo switches on: what goes wrong with the next call of a kind.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    armed: VecDeque<Armed>,
    decide: Option<Decide>,
    late: usize,
}

type Decide = Box<dyn FnMut(&str) -> Option<Fault> + Send>;

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Faults");
        shown.field("armed", &self.armed).field("late", &self.late);
        shown.finish_non_exhaustive()
    }
}

impl Faults {
    /// The next `times` calls whose name is `call` go wrong. Names are the vendor's: a Bot API method such as
    /// `sendMessage`, or method and path template of Intercom such as `POST /conversations/{id}/reply`; `*` is any call.
    pub fn arm(&self, call: &str, fault: Fault, times: usize) {
        self.state().armed.push_back(Armed {
            call: call.to_owned(),
            fault,
            times,
        });
    }

    /// Asks this about each call from now on for which nothing is armed.
    pub fn decide(&self, decide: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.state().decide = Some(Box::new(decide));
    }

    /// Forgets what is armed, and whom to ask.
    pub fn clear(&self) {
        let mut state = self.state();
        state.armed.clear();
        state.decide = None;
    }

    /// How many faults are armed and have not struck yet.
    pub fn armed(&self) -> usize {
        self.state().armed.iter().map(|armed| armed.times).sum()
    }

    /// How many calls were struck by [`Fault::CommitLate`] whose work is not done yet.
    pub fn late(&self) -> usize {
        self.state().late
    }

    /// Whether a fault is armed for a call of this name and has not struck as often as it may.
    pub fn is_armed(&self, call: &str, fault: &Fault) -> bool {
        let state = self.state();
        let mut armed = state.armed.iter();
        armed.any(|armed| armed.call == call && armed.fault == *fault)
    }

    /// Forgets a fault that was armed for calls of this name.
    pub fn disarm(&self, call: &str, fault: &Fault) {
        self.state()
            .armed
            .retain(|armed| armed.call != call || armed.fault != *fault);
    }

    /// The fault that strikes this call, which uses it up.
    pub(crate) fn strike(&self, call: &str) -> Option<Fault> {
        let mut state = self.state();
        let fault = state
            .strike_armed(call)
            .or_else(|| state.decide.as_mut().and_then(|decide| decide(call)));
        state.late += usize::from(fault == Some(Fault::CommitLate));
        fault
    }

    /// The work of a call that was struck by [`Fault::CommitLate`] is done.
    pub(crate) fn committed(&self) {
        self.state().late -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn strike_armed(&mut self, call: &str) -> Option<Fault> {
        let at = self
            .armed
            .iter()
            .position(|armed| armed.call == call || armed.call == "*")?;
        let hit = self.armed.get_mut(at)?;
        hit.times = hit.times.saturating_sub(1);
        let fault = hit.fault.clone();
        if hit.times == 0 {
            self.armed.remove(at);
        }
        Some(fault)
    }
}
