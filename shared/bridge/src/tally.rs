//! What is counted when something stops on its way. The log line that tells of it carries the counts as fields `metric.…`, and a host
//! makes metrics of those.

use crate::{
    failure::{Failure, HelpdeskError, MessengerError},
    stop::{PACE, STAFF, Stop},
};

/// What one stop counts as; what it is not is left out of its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Something failed and will be tried again.
    pub(crate) retry: Option<u64>,
    /// It is not its turn in the chat's pace.
    pub(crate) pace_wait: Option<u64>,
    /// Staff wrote it where there is no conversation.
    pub(crate) skipped_staff: Option<u64>,
    /// A vendor has had enough for now.
    pub(crate) throttled: Option<u64>,
    /// A vendor refuses our token.
    pub(crate) token_refused: Option<u64>,
}

const ONE: Option<u64> = Some(1);

impl Tally {
    /// What a stop counts as.
    pub(crate) fn of(stop: &Stop) -> Self {
        match stop {
            Stop::Wait { reason, .. } => Self {
                pace_wait: (*reason == PACE).then_some(1),
                ..Self::default()
            },
            Stop::Skip(reason) => Self {
                skipped_staff: (*reason == STAFF).then_some(1),
                ..Self::default()
            },
            Stop::GiveUp { .. } | Stop::Overtaken => Self::default(),
            Stop::Store(_) | Stop::Secrets(_) | Stop::Queue(_) => Self {
                retry: ONE,
                ..Self::default()
            },
            Stop::Helpdesk(error) => {
                let tally = Self::of_failure(error.failure());
                match error {
                    HelpdeskError::Transient { after: Some(_), .. } => tally.throttled(),
                    HelpdeskError::Unauthorized { .. } => tally.refused(),
                    HelpdeskError::Transient { after: None, .. }
                    | HelpdeskError::Unknown { .. }
                    | HelpdeskError::NotFound { .. }
                    | HelpdeskError::Refused { .. } => tally,
                }
            }
            Stop::Messenger(error) | Stop::TopicNotMade(error) => {
                let tally = Self::of_failure(error.failure());
                match error {
                    MessengerError::Transient { throttled: true, .. } => tally.throttled(),
                    MessengerError::Unauthorized { .. } => tally.refused(),
                    MessengerError::Transient { throttled: false, .. }
                    | MessengerError::Unknown { .. }
                    | MessengerError::NoRights { .. }
                    | MessengerError::TopicGone { .. }
                    | MessengerError::TopicClosed
                    | MessengerError::MessageGone { .. }
                    | MessengerError::Migrated { .. }
                    | MessengerError::Refused { .. } => tally,
                }
            }
        }
    }

    fn of_failure(failure: Failure) -> Self {
        Self {
            retry: match failure {
                Failure::Transient { .. } | Failure::Unknown => ONE,
                Failure::Permanent => None,
            },
            ..Self::default()
        }
    }

    fn throttled(self) -> Self {
        Self { throttled: ONE, ..self }
    }

    fn refused(self) -> Self {
        Self {
            token_refused: ONE,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Cause;
    use mapping::Timestamp;
    use std::time::Duration;

    fn counts(stop: &Stop) -> [u64; 5] {
        let Tally {
            retry,
            pace_wait,
            skipped_staff,
            throttled,
            token_refused,
        } = Tally::of(stop);
        [retry, pace_wait, skipped_staff, throttled, token_refused].map(Option::unwrap_or_default)
    }

    #[test]
    fn a_stop_counts_as_what_an_operator_would_call_it() {
        let reason = String::new;
        let wait = |reason| Stop::Wait {
            reason,
            until: Timestamp::EPOCH,
        };
        let refused = HelpdeskError::Refused { reason: reason() };
        let busy = MessengerError::Transient {
            after: Some(Duration::from_secs(3)),
            throttled: true,
            reason: reason(),
        };
        let unreachable = HelpdeskError::Transient {
            after: None,
            reason: reason(),
        };
        let token = HelpdeskError::Unauthorized { reason: reason() };
        let given_up = Stop::GiveUp {
            reason: reason(),
            cause: Cause::Refused,
        };
        for (stop, expected) in [
            (wait(PACE), [0, 1, 0, 0, 0]),
            (wait("it may be an echo"), [0, 0, 0, 0, 0]),
            (Stop::Skip("echo"), [0, 0, 0, 0, 0]),
            (Stop::Skip(STAFF), [0, 0, 1, 0, 0]),
            (given_up, [0, 0, 0, 0, 0]),
            (refused.into(), [0, 0, 0, 0, 0]),
            (unreachable.into(), [1, 0, 0, 0, 0]),
            (busy.into(), [1, 0, 0, 1, 0]),
            (token.into(), [1, 0, 0, 0, 1]),
        ] {
            assert_eq!(counts(&stop), expected, "{stop}");
        }
    }
}
