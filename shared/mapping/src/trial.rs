//! Trials: how often in a row a message was tried and nothing came of it, where no delivery counts that: what kills its workers
//! before they begin it.

use crate::{
    claim::POISON_AFTER,
    keys,
    ledger::Ledger,
    record::Record,
    store::{StoreError, Version, WriteError},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// No queue keeps a message for longer.
const KEPT_FOR: Duration = Duration::from_hours(14 * 24);

/// The record of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tried {
    /// Trials since the last outcome.
    begun: u32,
}

impl Record for Tried {
    const KIND: &'static str = "trial";
}

/// One trial of a message, before anybody knows what comes of it.
#[derive(Debug)]
pub struct Trial {
    message: String,
    version: Version,
    begun: u32,
}

impl Trial {
    /// Whether the message has killed too many workers.
    pub fn is_poison(&self) -> bool {
        self.begun > POISON_AFTER
    }
}

impl Ledger {
    /// Counts a trial of the message that its queue calls so.
    pub async fn try_message(&self, message: &str) -> Result<Trial, WriteError> {
        let key = keys::trial(message);
        let known = self.find::<Tried>(&key).await?;
        let read = known.as_ref().map(|known| known.version.clone());
        let begun = known.map_or(0, |known| known.value.begun).saturating_add(1);
        let expires_at = Some(self.now() + KEPT_FOR);
        let transaction = self
            .transaction()
            .put_after(key, read.as_ref(), &Tried { begun }, expires_at);
        Ok(Trial {
            message: message.to_owned(),
            version: self.commit(transaction).await?,
            begun,
        })
    }

    /// Something came of it, whatever it is: it has not killed this worker.
    pub async fn end_trial(&self, trial: Trial) -> Result<(), StoreError> {
        let transaction = self.transaction().delete(keys::trial(&trial.message), &trial.version);
        match self.commit(transaction).await {
            // It was another worker's meanwhile, who ends it.
            Ok(_) | Err(WriteError::Conflict) => Ok(()),
            Err(WriteError::Store(error)) => Err(error),
        }
    }
}
