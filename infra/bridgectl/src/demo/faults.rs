//! What can be made to go wrong.

use super::gate::Gate;
use crate::stage::Vendors;
use serde::{Deserialize, Serialize};
use simulators::{Fault, Faults};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// One switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trouble {
    /// Telegram answers the next message with 429.
    TelegramBusy,
    /// Nobody listens where Telegram was.
    TelegramDown,
    /// Telegram refuses the next message for good.
    TelegramRefuses,
    /// Intercom answers the next message with 429.
    IntercomBusy,
    /// Intercom refuses the next message for good.
    IntercomRefuses,
    /// Intercom takes the next message, and its answer is lost.
    AnswerLost,
    /// Intercom answers the next message with 500 and has not taken it.
    IntercomError,
    /// Nobody listens where Intercom was.
    IntercomDown,
    /// Intercom does not tell of replies.
    NotificationsLost,
    /// Both vendors tell everything twice.
    Duplicates,
    /// Every other reply is told late, after the one that follows it.
    OutOfOrder,
    /// The bridge dies during its next call to a vendor, and is started again.
    Crash,
}

/// How a switch looks on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Switch {
    id: Trouble,
    name: &'static str,
    about: &'static str,
    /// Whether it goes off by itself when it has struck.
    once: bool,
    on: bool,
}

impl Trouble {
    // In the order of the page's two rows: what is the same at both vendors stands below each other.
    const ALL: [Self; 12] = [
        Self::TelegramBusy,
        Self::TelegramDown,
        Self::TelegramRefuses,
        Self::Duplicates,
        Self::NotificationsLost,
        Self::OutOfOrder,
        Self::IntercomBusy,
        Self::IntercomDown,
        Self::IntercomRefuses,
        Self::IntercomError,
        Self::AnswerLost,
        Self::Crash,
    ];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::TelegramBusy => (
                "Telegram says 429",
                "The next reply is turned away with “retry after 8 s”. The bridge waits exactly that long.",
            ),
            Self::TelegramDown => (
                "Telegram is down",
                "Nothing gets through to Telegram until you switch this off. Replies wait, and are tried again.",
            ),
            Self::TelegramRefuses => (
                "Telegram refuses",
                "The next reply is refused for good. The agent is told with a note; you can send it again.",
            ),
            Self::IntercomBusy => (
                "Intercom says 429",
                "The next customer message is turned away with “retry after 8 s”. The bridge waits exactly that long.",
            ),
            Self::IntercomRefuses => (
                "Intercom refuses",
                "The next customer message is refused for good. The customer is told in the topic; you can send it again.",
            ),
            Self::AnswerLost => (
                "Answer gets lost",
                "Intercom takes the next customer message, but the bridge never hears so. It looks a minute later, and does not send it twice.",
            ),
            Self::IntercomError => (
                "Intercom says 500",
                "The next customer message fails, and nobody knows if it was taken. The bridge looks a minute later, then sends it.",
            ),
            Self::IntercomDown => (
                "Intercom is down",
                "Nothing gets through to Intercom until you switch this off. Messages wait, and are tried again.",
            ),
            Self::NotificationsLost => (
                "Webhooks get lost",
                "Intercom does not tell of replies. The bridge searches for them and finds them after two minutes.",
            ),
            Self::Duplicates => (
                "Everything comes twice",
                "Both send every webhook twice. Nothing is shown twice.",
            ),
            Self::OutOfOrder => (
                "Webhooks out of order",
                "Every other reply is told 4 s late, after the one behind it. Each arrives once, in the order in which it was told.",
            ),
            Self::Crash => (
                "Crash in the middle",
                "The bridge dies during its next call, with the message in its hands, and starts again. 125 s later it is safe to take over.",
            ),
        }
    }

    /// Calls that go wrong, and how; none for what is no single call.
    fn calls(self) -> Vec<(Side, &'static str, Fault)> {
        use Side::{Intercom, Telegram};
        let both = |fault: &Fault| {
            [OPEN, REPLY]
                .map(|call| (Intercom, call, fault.clone()))
                .into_iter()
                .collect()
        };
        match self {
            Self::TelegramBusy => vec![(Telegram, SEND, Fault::TooManyRequests(BUSY_FOR))],
            Self::TelegramRefuses => vec![(Telegram, SEND, Fault::Refuse(TOO_LARGE))],
            Self::IntercomBusy => both(&Fault::TooManyRequests(BUSY_FOR)),
            Self::IntercomRefuses => both(&Fault::Refuse(UNPROCESSABLE)),
            Self::AnswerLost => both(&Fault::LoseAnswer),
            Self::IntercomError => both(&Fault::Refuse(500)),
            // Telegram has not taken the message when the bridge dies, Intercom has: what is harder for each.
            Self::Crash => {
                let mut calls: Vec<_> = both(&Fault::Slow(LONGER_THAN_A_CALL));
                calls.push((Telegram, SEND, Fault::Hang));
                calls
            }
            Self::TelegramDown | Self::IntercomDown | Self::NotificationsLost | Self::Duplicates | Self::OutOfOrder => {
                Vec::new()
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Telegram,
    Intercom,
}

const SEND: &str = "sendMessage";
const OPEN: &str = "POST /conversations";
const REPLY: &str = "POST /conversations/{id}/reply";
/// Refused for good, whatever the bridge does.
const TOO_LARGE: u16 = 413;
const UNPROCESSABLE: u16 = 422;
const BUSY_FOR: Duration = Duration::from_secs(8);
const LONGER_THAN_A_CALL: Duration = Duration::from_secs(30);
const LATE_BY: Duration = Duration::from_secs(4);

/// All switches, and what stands before the vendors.
pub(super) struct Troubles {
    vendors: Vendors,
    telegram: Gate,
    intercom: Gate,
    on: Mutex<BTreeSet<Trouble>>,
}

impl Troubles {
    /// Puts gates before the vendors; nothing is switched on.
    pub(super) async fn before(vendors: &Vendors) -> std::io::Result<Self> {
        Ok(Self {
            vendors: vendors.clone(),
            telegram: Gate::before(vendors.telegram.base_url()).await?,
            intercom: Gate::before(vendors.intercom.base_url()).await?,
            on: Mutex::default(),
        })
    }

    /// Where the bridge reaches the vendors: two settings of its.
    pub(super) fn addresses(&self) -> [(&'static str, String); 2] {
        [
            ("TELEGRAM_API_URL", self.telegram.base_url()),
            ("INTERCOM_API_URL", self.intercom.base_url()),
        ]
    }

    /// Turns one switch.
    pub(super) fn switch(&self, trouble: Trouble, on: bool) {
        let mut all = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = if on { all.insert(trouble) } else { all.remove(&trouble) };
        if !changed {
            return;
        }
        for (side, call, fault) in trouble.calls() {
            if on {
                self.faults(side).arm(call, fault, 1);
            } else {
                self.faults(side).disarm(call, &fault);
            }
        }
        let Vendors { telegram, intercom, .. } = &self.vendors;
        match trouble {
            Trouble::TelegramDown => self.telegram.shut(on),
            Trouble::IntercomDown => self.intercom.shut(on),
            Trouble::NotificationsLost => intercom.lose_notifications(on),
            Trouble::Duplicates => {
                telegram.duplicate_updates(1 + u32::from(on));
                intercom.duplicate_notifications(usize::from(on));
            }
            Trouble::OutOfOrder => intercom.configure(|options| options.notification_delay = Duration::ZERO),
            Trouble::TelegramBusy
            | Trouble::TelegramRefuses
            | Trouble::IntercomBusy
            | Trouble::IntercomRefuses
            | Trouble::AnswerLost
            | Trouble::IntercomError
            | Trouble::Crash => {}
        }
    }

    /// Turns off what has struck, and says what that was.
    pub(super) fn struck(&self) -> Vec<Trouble> {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let has_struck = |trouble: &Trouble| {
            let mut calls = trouble.calls().into_iter();
            calls.any(|(side, call, fault)| !self.faults(side).is_armed(call, &fault))
        };
        let struck: Vec<Trouble> = on.into_iter().filter(has_struck).collect();
        for trouble in &struck {
            self.switch(*trouble, false);
        }
        struck
    }

    /// Before an agent's reply: whether Intercom tells of it at once.
    pub(super) fn before_reply(&self) {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if on.contains(&Trouble::OutOfOrder) {
            self.vendors.intercom.configure(|options| {
                let was_late = !options.notification_delay.is_zero();
                options.notification_delay = if was_late { Duration::ZERO } else { LATE_BY };
            });
        }
    }

    /// Every switch as it stands.
    pub(super) fn switches(&self) -> Vec<Switch> {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        let switch = |id: Trouble| {
            let (name, about) = id.words();
            let once = !id.calls().is_empty();
            Switch {
                id,
                name,
                about,
                once,
                on: on.contains(&id),
            }
        };
        Trouble::ALL.into_iter().map(switch).collect()
    }

    fn faults(&self, side: Side) -> &Faults {
        match side {
            Side::Telegram => self.vendors.telegram.faults(),
            Side::Intercom => self.vendors.intercom.faults(),
        }
    }
}
