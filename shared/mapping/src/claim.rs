//! Claims: the right of one worker to carry a message, and what it records of how that went.

use crate::{
    delivery::{Arrival, Delivery, DeliveryState, Proof, Receipt, Step},
    keys::FINISHED_FOR,
    ledger::{Ledger, Transaction},
    record::Stored,
    store::{Key, StoreError, Version, WriteError},
    time::Timestamp,
};
use std::time::Duration;

/// How long a claim keeps others off. Longer than a worker can run (120 s), shorter than the queue hides a message (130 s): so a
/// message that is received again proves its former worker dead and finds the claim free.
pub const LEASE: Duration = Duration::from_secs(125);

/// So long after a claim's end what its worker called at last may still happen: a worker may begin a call in its 120th second, and a
/// call that nobody waits for any more may take a minute to happen.
const STILL_HAPPENS: Duration = Duration::from_secs(55);

/// How soon whoever lost a race comes back.
pub(crate) const RACE_LOST: Duration = Duration::from_secs(2);

/// So many beginnings in a row without any outcome make a message poison: it kills its workers.
pub const POISON_AFTER: u32 = 5;

/// How a delivery ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has arrived.
    Delivered,
    /// It is not to be carried, for this reason.
    Skipped(String),
    /// It was given up for this reason, and a human was told.
    Undeliverable(String),
}

/// What to do about a message that came out of the queue.
#[derive(Debug)]
pub enum Begun {
    /// Carry it.
    Claimed(Claim),
    /// Not now.
    Later(Timestamp),
    /// Nothing: it is done.
    Finished,
    /// Give it up: it has killed its workers.
    Poison(Claim),
}

/// The right to carry one message. Every outcome is conditional on it: a worker that was overtaken changes nothing.
#[derive(Debug)]
pub struct Claim {
    key: Key,
    version: Version,
    /// The record as it is known.
    pub delivery: Delivery,
    /// A former worker may have sent the next step.
    pub may_have_gone_out: bool,
    /// Before this time there is no telling whether it did.
    pub settled_at: Timestamp,
}

enum Decision {
    Claim {
        may_have_gone_out: bool,
        settled_at: Timestamp,
    },
    Later(Timestamp),
    Finished,
}

fn decide(delivery: &Delivery, now: Timestamp, arrival: &Arrival) -> Decision {
    match &delivery.state {
        DeliveryState::Claimed { lease_until } if *lease_until > now => Decision::Later(*lease_until),
        DeliveryState::Claimed { lease_until } => Decision::Claim {
            may_have_gone_out: true,
            // Whoever recorded a doubt has chosen the time; whoever died has not.
            settled_at: if delivery.begun == 0 {
                *lease_until
            } else {
                *lease_until + STILL_HAPPENS
            },
        },
        DeliveryState::Waiting { not_before, .. } if *not_before > now => Decision::Later(*not_before),
        DeliveryState::Waiting { .. } => Decision::Claim {
            may_have_gone_out: false,
            settled_at: now,
        },
        DeliveryState::Undeliverable { in_doubt, .. } if arrival.gave_up == Some(delivery.generation) => {
            Decision::Claim {
                may_have_gone_out: *in_doubt,
                settled_at: now,
            }
        }
        DeliveryState::Delivered | DeliveryState::Skipped { .. } | DeliveryState::Undeliverable { .. } => {
            Decision::Finished
        }
    }
}

impl Ledger {
    /// Begins to carry a message, or says why not. `existing` is what was read at `key`.
    pub async fn begin(
        &self,
        key: Key,
        existing: Option<Stored<Delivery>>,
        arrival: &Arrival,
    ) -> Result<Begun, StoreError> {
        let now = self.now();
        let (read, mut delivery, may_have_gone_out, settled_at) = match existing {
            None => (None, Delivery::born(arrival, now), false, now),
            Some(Stored { version, value }) => match decide(&value, now, arrival) {
                Decision::Later(at) => return Ok(Begun::Later(at)),
                Decision::Finished => return Ok(Begun::Finished),
                Decision::Claim {
                    may_have_gone_out,
                    settled_at,
                } => (Some(version), value, may_have_gone_out, settled_at),
            },
        };
        if matches!(delivery.state, DeliveryState::Undeliverable { .. }) {
            delivery.tried_since = now;
            delivery.attempt = 0;
        }
        delivery.begun = delivery.begun.saturating_add(1);
        delivery.state = DeliveryState::Claimed {
            lease_until: now + LEASE,
        };
        let poison = delivery.begun > POISON_AFTER;
        let transaction = self
            .transaction()
            .put_after(key.clone(), read.as_ref(), &delivery, None);
        match self.commit(transaction).await {
            Ok(version) => {
                let claim = Claim {
                    key,
                    version,
                    delivery,
                    may_have_gone_out,
                    settled_at,
                };
                Ok(if poison {
                    Begun::Poison(claim)
                } else {
                    Begun::Claimed(claim)
                })
            }
            Err(WriteError::Conflict) => Ok(Begun::Later(now + RACE_LOST)),
            Err(WriteError::Store(error)) => Err(error),
        }
    }

    /// Records what is proven so far, and goes on.
    pub async fn progress(&self, claim: &mut Claim) -> Result<(), WriteError> {
        self.progress_with(claim, self.transaction()).await
    }

    /// Records what is proven so far together with other writes, and goes on.
    pub async fn progress_with(&self, claim: &mut Claim, with: Transaction) -> Result<(), WriteError> {
        // Whoever dies from here on has begun something, too.
        claim.delivery.begun = 1;
        let transaction = with.replace(claim.key.clone(), &claim.version, &claim.delivery, None);
        claim.version = self.commit(transaction).await?;
        claim.may_have_gone_out = false;
        Ok(())
    }

    /// Records that it is to be tried again; `failed` counts it as an attempt. Nothing is out, unless the claim says that something
    /// may be: that doubt is kept until somebody has looked.
    pub async fn wait(
        &self,
        mut claim: Claim,
        reason: &str,
        not_before: Timestamp,
        failed: bool,
    ) -> Result<(), WriteError> {
        claim.delivery.attempt = claim.delivery.attempt.saturating_add(u32::from(failed));
        claim.delivery.begun = 0;
        claim.delivery.state = if claim.may_have_gone_out {
            DeliveryState::Claimed {
                lease_until: not_before,
            }
        } else {
            DeliveryState::Waiting {
                reason: reason.to_owned(),
                not_before,
            }
        };
        self.commit(claim.into_transaction(self.transaction(), None))
            .await
            .map(drop)
    }

    /// Records that the next step may have happened, and that nobody looks before `look_at`.
    pub async fn doubt(&self, mut claim: Claim, look_at: Timestamp) -> Result<(), WriteError> {
        claim.delivery.attempt = claim.delivery.attempt.saturating_add(1);
        claim.delivery.begun = 0;
        claim.delivery.state = DeliveryState::Claimed { lease_until: look_at };
        self.commit(claim.into_transaction(self.transaction(), None))
            .await
            .map(drop)
    }

    /// Records the end, together with other writes.
    pub async fn finish(&self, mut claim: Claim, end: End, with: Transaction) -> Result<(), WriteError> {
        claim.delivery.begun = 0;
        claim.delivery.slots.clear();
        claim.delivery.state = match end {
            End::Delivered => DeliveryState::Delivered,
            End::Skipped(reason) => DeliveryState::Skipped { reason },
            End::Undeliverable(reason) => {
                claim.delivery.generation = claim.delivery.generation.saturating_add(1);
                DeliveryState::Undeliverable {
                    reason,
                    in_doubt: claim.may_have_gone_out,
                }
            }
        };
        let expires_at = Some(self.now() + FINISHED_FOR);
        self.commit(claim.into_transaction(with, expires_at)).await.map(drop)
    }
}

impl Claim {
    /// The delivery's key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Keeps the proof of a step, to be recorded with whatever is recorded next.
    pub fn prove(&mut self, step: Step, proof: Proof, at: Timestamp) {
        self.delivery.receipts.push(Receipt { step, proof, at });
        self.may_have_gone_out = false;
    }

    fn into_transaction(self, with: Transaction, expires_at: Option<Timestamp>) -> Transaction {
        with.replace(self.key, &self.version, &self.delivery, expires_at)
    }
}
