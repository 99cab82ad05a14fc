//! What the page says about a message on its way, out of the bridge's record of it.

use super::why::why;
use mapping::{Delivery, DeliveryState, LEASE, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A message's state, for a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct State {
    kind: Kind,
    words: String,
    /// When something is done about it next, in milliseconds since the Unix epoch, and what.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<u64>,
    /// How often it was tried and failed.
    tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    OnItsWay,
    Waiting,
    Delivered,
    Aside,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Next {
    what: &'static str,
    at: i64,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    ToIntercom,
    ToTelegram,
}

/// What matters for a message besides its own record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    pub(super) way: Way,
    pub(super) now: Timestamp,
    pub(super) written: Timestamp,
    /// Since when the bridge runs, if it does.
    pub(super) running_since: Option<Timestamp>,
    /// When the vendor calls a webhook next, if it has something to tell.
    pub(super) told_next: Option<Timestamp>,
    /// Whether an earlier message of the same lane is still under way.
    pub(super) is_behind: bool,
    /// Whether a copy of it lies among the dead letters.
    pub(super) is_given_up: bool,
}

/// The queue gives a message out again so long after the lease of the worker that died with it.
const HIDDEN_LONGER: Duration = Duration::from_secs(5);

/// A webhook that takes longer than this is worth a word.
const TOLD_WITHIN: Duration = Duration::from_millis(1500);

/// The sweep leaves younger replies to Intercom's webhook.
const SWEPT_AFTER: Duration = Duration::from_mins(2);

impl Way {
    fn from(self) -> &'static str {
        match self {
            Self::ToIntercom => "Telegram",
            Self::ToTelegram => "Intercom",
        }
    }

    fn to(self) -> &'static str {
        match self {
            Self::ToIntercom => "Intercom",
            Self::ToTelegram => "Telegram",
        }
    }
}

impl State {
    fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self {
            kind,
            words: words.into(),
            next: None,
            took: None,
            tries: 0,
        }
    }

    fn next(mut self, what: &'static str, at: Timestamp) -> Self {
        let at = at.as_millis();
        self.next = Some(Next { what, at });
        self
    }

    /// What the record says.
    pub(super) fn of(delivery: Option<&Delivery>, around: &Around) -> Self {
        let Some(delivery) = delivery else {
            return unrecorded(around);
        };
        let state = match &delivery.state {
            DeliveryState::Claimed { lease_until } => claimed(delivery, *lease_until, around),
            DeliveryState::Waiting { reason, not_before } => waiting(reason, *not_before, around),
            DeliveryState::Delivered => delivered(delivery, around.way),
            DeliveryState::Skipped { reason } => skipped(reason),
            DeliveryState::Undeliverable { .. } if !around.is_given_up => sent_again(around),
            DeliveryState::Undeliverable { reason, in_doubt } => {
                let fate = if *in_doubt {
                    "given up, though it may have arrived"
                } else {
                    "not delivered"
                };
                Self::new(Kind::Failed, format!("{fate}: {}", why(reason)))
            }
        };
        Self {
            // A bridge that does not run keeps no time.
            next: state.next.filter(|_| around.running_since.is_some()),
            tries: delivery.attempt,
            ..state
        }
    }
}

/// The bridge has not begun with it.
fn unrecorded(around: &Around) -> State {
    let (from, way) = (around.way.from(), around.way);
    if around.is_behind {
        return State::new(Kind::Waiting, "waits for the message before it");
    }
    if around.running_since.is_none() {
        return State::new(Kind::Waiting, format!("waits in {from}: the bridge is not running"));
    }
    if around.now.since(around.written) < TOLD_WITHIN {
        return State::new(Kind::OnItsWay, "on its way");
    }
    match around.told_next {
        Some(at) => State::new(Kind::Waiting, format!("{from} has not told the bridge yet")).next("tells it", at),
        None if way == Way::ToTelegram => State::new(Kind::Waiting, "Intercom never told the bridge")
            .next("searched for", around.written + SWEPT_AFTER),
        None => State::new(Kind::OnItsWay, "on its way"),
    }
}

/// Its copy has left the dead letters, and the bridge has not begun with it.
fn sent_again(around: &Around) -> State {
    let words = if around.running_since.is_none() {
        "sent again: waits, the bridge is not running"
    } else {
        "sent again: waits for its turn"
    };
    State::new(Kind::Waiting, words)
}

/// A call may be out. Whose: the bridge's of now, or that of one that was killed? Or one that gave no answer?
fn claimed(delivery: &Delivery, lease_until: Timestamp, around: &Around) -> State {
    let taken = lease_until - LEASE;
    let to = around.way.to();
    if is_doubt(delivery, taken) {
        let words = format!("{to} gave no answer: nobody knows if it arrived");
        let what = match around.way {
            Way::ToIntercom => "looks",
            Way::ToTelegram => "tries again",
        };
        return State::new(Kind::Waiting, words).next(what, lease_until);
    }
    if around.running_since.is_none_or(|since| taken < since) {
        let words = "the bridge was killed with it in hand: nobody knows if it arrived";
        return State::new(Kind::Waiting, words).next("taken over", lease_until + HIDDEN_LONGER);
    }
    State::new(Kind::OnItsWay, format!("going to {to}"))
}

/// Of a claim that a worker holds, beginnings are counted until it has proven a step. So one that counts none and has no proof since
/// it was taken was left behind in doubt, and its lease says when somebody looks.
fn is_doubt(delivery: &Delivery, taken: Timestamp) -> bool {
    let has_proof = delivery.receipts.iter().any(|receipt| receipt.at >= taken);
    delivery.begun == 0 && !has_proof
}

fn waiting(reason: &str, not_before: Timestamp, around: &Around) -> State {
    if around.running_since.is_none() {
        return State::new(Kind::Waiting, "waits: the bridge is not running");
    }
    match reason {
        "pace" => State::new(Kind::Waiting, "a group takes 20 messages a minute").next("sends", not_before),
        reason => State::new(Kind::Waiting, why(reason)).next("retrying", not_before),
    }
}

fn delivered(delivery: &Delivery, way: Way) -> State {
    let arrived = delivery.receipts.iter().map(|receipt| receipt.at).max();
    let took = arrived.map(|at| at.since(delivery.since).as_millis());
    State {
        took: took.and_then(|took| u64::try_from(took).ok()),
        ..State::new(Kind::Delivered, format!("in {}", way.to()))
    }
}

fn skipped(reason: &str) -> State {
    let words = match reason {
        "echo" => "written in Telegram",
        "staff" => "stays in Telegram: no customer has written here yet",
        "no topic" => "stays in Intercom: no topic belongs to this conversation",
        reason => return State::new(Kind::Aside, format!("not carried over: {reason}")),
    };
    State::new(Kind::Aside, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::{PartId, Proof, Receipt, Step};
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn around(way: Way) -> Around {
        Around {
            way,
            now: NOW,
            written: NOW - Duration::from_secs(10),
            running_since: Some(NOW - Duration::from_mins(1)),
            told_next: None,
            is_behind: false,
            is_given_up: false,
        }
    }

    fn delivery(state: DeliveryState, attempt: u32, begun: u32) -> Delivery {
        Delivery {
            state,
            lane: "-1:2".into(),
            since: NOW - Duration::from_secs(10),
            tried_since: NOW - Duration::from_secs(10),
            attempt,
            begun,
            generation: 0,
            receipts: Vec::new(),
            chat: None,
            topic: None,
            topic_gone: false,
            slots: Vec::new(),
            conversation: None,
            dated: false,
            told: false,
            fingerprint: None,
            files: None,
            files_left: 0,
            dressed: false,
            part_of: None,
        }
    }

    fn said(delivery: Option<&Delivery>, around: &Around) -> (String, Option<String>) {
        let state = State::of(delivery, around);
        let next = state.next.map(|next| format!("{} {}", next.what, next.at / 1000));
        (state.words, next)
    }

    #[test]
    fn a_wait_says_why_and_until_when() {
        let not_before = NOW + Duration::from_secs(8);
        let reason = "reach Telegram: 429 Too Many Requests: retry after 8".to_owned();
        let waits = delivery(DeliveryState::Waiting { reason, not_before }, 0, 0);
        let (words, next) = said(Some(&waits), &around(Way::ToTelegram));
        assert_eq!(words, "Telegram said 429, too many requests");
        assert_eq!(next.as_deref(), Some("retrying 1008"));
    }

    #[test]
    fn a_claim_is_told_from_one_of_the_dead_and_from_a_lost_answer() {
        let claim = |lease_until| DeliveryState::Claimed { lease_until };
        let alive = delivery(claim(NOW + LEASE), 0, 1);
        assert_eq!(said(Some(&alive), &around(Way::ToIntercom)).0, "going to Intercom");
        let restarted = Around {
            running_since: Some(NOW + Duration::from_secs(1)),
            ..around(Way::ToIntercom)
        };
        let (words, next) = said(Some(&alive), &restarted);
        assert!(words.starts_with("the bridge was killed"), "{words}");
        assert_eq!(next.as_deref(), Some("taken over 1130"));
        let doubt = delivery(claim(NOW + Duration::from_mins(1)), 1, 0);
        let (words, next) = said(Some(&doubt), &around(Way::ToIntercom));
        assert!(words.starts_with("Intercom gave no answer"), "{words}");
        assert_eq!(next.as_deref(), Some("looks 1060"));
    }

    /// What is said of a claim of a message that was written minutes before.
    fn said_of_an_old(delivery: &Delivery) -> (String, Option<String>) {
        let old = Around {
            written: NOW - Duration::from_mins(5),
            running_since: Some(NOW - Duration::from_secs(10)),
            ..around(Way::ToIntercom)
        };
        said(Some(delivery), &old)
    }

    #[test]
    fn a_lost_answer_is_told_however_old_the_message_is() {
        let lease_until = NOW + Duration::from_mins(1);
        let doubt = delivery(DeliveryState::Claimed { lease_until }, 4, 0);
        let (words, next) = said_of_an_old(&doubt);
        assert!(words.starts_with("Intercom gave no answer"), "{words}");
        assert_eq!(next.as_deref(), Some("looks 1060"));
    }

    #[test]
    fn a_doubt_that_is_kept_while_nobody_can_look_is_still_one() {
        for attempt in [0, 3] {
            let lease_until = NOW + Duration::from_secs(8);
            let kept = delivery(DeliveryState::Claimed { lease_until }, attempt, 0);
            let (words, next) = said_of_an_old(&kept);
            assert!(words.starts_with("Intercom gave no answer"), "{words}");
            assert_eq!(next.as_deref(), Some("looks 1008"));
        }
    }

    #[test]
    fn a_claim_that_has_proven_a_step_is_no_doubt() {
        let taken = NOW - Duration::from_secs(2);
        let mut working = delivery(
            DeliveryState::Claimed {
                lease_until: taken + LEASE,
            },
            2,
            0,
        );
        working.receipts.push(Receipt {
            step: Step::Create,
            proof: Proof::Part(PartId::new("7")),
            at: NOW - Duration::from_secs(1),
        });
        assert_eq!(said_of_an_old(&working), ("going to Intercom".into(), None));
    }

    #[test]
    fn what_was_given_up_fails_until_it_is_sent_again() {
        let state = DeliveryState::Undeliverable {
            reason: "have it accepted by Intercom: 422".into(),
            in_doubt: false,
        };
        let dead = delivery(state, 0, 0);
        let given_up = Around {
            is_given_up: true,
            ..around(Way::ToIntercom)
        };
        assert_eq!(
            said(Some(&dead), &given_up).0,
            "not delivered: Intercom refused it: 422"
        );
        let sent_again = said(Some(&dead), &around(Way::ToIntercom)).0;
        assert_eq!(sent_again, "sent again: waits for its turn");
    }

    #[test]
    fn what_has_no_record_says_who_is_waited_for() {
        let behind = Around {
            is_behind: true,
            ..around(Way::ToTelegram)
        };
        assert_eq!(said(None, &behind).0, "waits for the message before it");
        let down = Around {
            running_since: None,
            ..around(Way::ToIntercom)
        };
        assert_eq!(said(None, &down).0, "waits in Telegram: the bridge is not running");
        let lost = said(None, &around(Way::ToTelegram));
        assert_eq!(lost.1.as_deref(), Some("searched for 1110"));
    }

    #[test]
    fn the_page_gets_it_as_json() {
        let undeliverable = DeliveryState::Undeliverable {
            reason: "have it accepted by Telegram: Bad Request".into(),
            in_doubt: false,
        };
        let given_up = Around {
            is_given_up: true,
            ..around(Way::ToTelegram)
        };
        let state = State::of(Some(&delivery(undeliverable, 2, 0)), &given_up);
        let expected = json!({
            "kind": "failed", "tries": 2,
            "words": "not delivered: Telegram refused it: Bad Request",
        });
        assert_eq!(serde_json::to_value(state).unwrap(), expected);
    }
}
