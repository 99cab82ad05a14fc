//! What can go wrong with a call to a vendor, in the words of what a caller does about it.

use mapping::ChatId;
use std::time::Duration;

/// How a failed call is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not happen, and may work later: after this time, or after a backoff.
    Transient {
        /// How long the vendor wants us to wait.
        after: Option<Duration>,
    },
    /// It did not happen and will not.
    Permanent,
    /// It may have happened.
    Unknown,
}

/// Why Intercom did not do what it was asked. Reasons are codes, never content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelpdeskError {
    /// Not done, and worth another try.
    #[error("reach Intercom: {reason}")]
    Transient {
        /// How long Intercom wants us to wait.
        after: Option<Duration>,
        /// What happened, in a word or a code.
        reason: String,
    },
    /// The request went out and the answer is not known.
    #[error("learn what Intercom did: {reason}")]
    Unknown {
        /// What happened, in a word or a code.
        reason: String,
    },
    /// Our access token is refused: an operator has to act.
    #[error("use the Intercom access token: {reason}")]
    Unauthorized {
        /// Intercom's code.
        reason: String,
    },
    /// What the call is about is not there: deleted, merged away, or not there yet.
    #[error("find it in Intercom: {reason}")]
    NotFound {
        /// Intercom's code.
        reason: String,
    },
    /// Refused for good.
    #[error("have it accepted by Intercom: {reason}")]
    Refused {
        /// Status and Intercom's code.
        reason: String,
    },
}

impl HelpdeskError {
    /// How a failed call is treated.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Transient { after, .. } => Failure::Transient { after: *after },
            Self::Unauthorized { .. } => Failure::Transient { after: None },
            Self::Unknown { .. } => Failure::Unknown,
            Self::NotFound { .. } | Self::Refused { .. } => Failure::Permanent,
        }
    }
}

/// Why Telegram did not do what it was asked. Reasons are codes or Telegram's own fixed descriptions, never content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessengerError {
    /// Not done, and worth another try.
    #[error("reach Telegram: {reason}")]
    Transient {
        /// How long Telegram wants us to wait.
        after: Option<Duration>,
        /// A 429: the whole chat has to wait.
        throttled: bool,
        /// What happened, in a word or a code.
        reason: String,
    },
    /// The request went out and the answer is not known.
    #[error("learn what Telegram did: {reason}")]
    Unknown {
        /// What happened, in a word or a code.
        reason: String,
    },
    /// Our bot token is refused: an operator has to act.
    #[error("use the Telegram bot token: {reason}")]
    Unauthorized {
        /// Telegram's description.
        reason: String,
    },
    /// The bot may not write there, until somebody gives it the right or lets it in again.
    #[error("write in the Telegram chat: {reason}")]
    NoRights {
        /// Telegram's description.
        reason: String,
    },
    /// The topic is not there any more.
    #[error("find the Telegram topic: {reason}")]
    TopicGone {
        /// Telegram's description.
        reason: String,
    },
    /// The topic is closed.
    #[error("write in the Telegram topic: it is closed")]
    TopicClosed,
    /// The message that should be answered, changed or deleted is not there any more.
    #[error("find the Telegram message: {reason}")]
    MessageGone {
        /// Telegram's description.
        reason: String,
    },
    /// The chat has another id now.
    #[error("find the Telegram chat: it is {to} now")]
    Migrated {
        /// The chat's new id.
        to: ChatId,
    },
    /// Refused for good.
    #[error("have it accepted by Telegram: {reason}")]
    Refused {
        /// Code and Telegram's description.
        reason: String,
    },
}

impl MessengerError {
    /// How long the bot waits before it tries again to write where it may not.
    const RIGHTS_COME_BACK: Duration = Duration::from_mins(15);

    /// How a failed call is treated where nothing heals it.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Transient { after, .. } => Failure::Transient { after: *after },
            Self::Unauthorized { .. } | Self::Migrated { .. } => Failure::Transient { after: None },
            Self::NoRights { .. } | Self::TopicClosed => Failure::Transient {
                after: Some(Self::RIGHTS_COME_BACK),
            },
            Self::Unknown { .. } => Failure::Unknown,
            Self::TopicGone { .. } | Self::MessageGone { .. } | Self::Refused { .. } => Failure::Permanent,
        }
    }
}
