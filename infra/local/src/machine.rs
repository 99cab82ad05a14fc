//! The bridge on one machine: the handlers of both functions over the lanes of one file.

use crate::{
    database::DatabaseError,
    lanes::{Lanes, QueueName, Taken},
};
use bridge::{
    Context, Verdict,
    inbound::{InboundWebhook, InboundWorker},
    outbound::{OutboundWebhook, OutboundWorker, Sweep, Swept},
    ports::{NotificationReader, UpdateReader},
    webhook::{Answer, WebhookMethod, WebhookRequest},
};
use mapping::{Clock, Timestamp};
use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// A worker is stopped after this time, before its claim's lease is over.
const WORKER_MAY_TAKE: Duration = Duration::from_mins(2);

/// How often what Intercom did not deliver is searched.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// How long one sweep may take; the next goes on where it stopped.
const SWEEP_MAY_TAKE: Duration = Duration::from_mins(4);

/// How often the records that have expired are removed.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// What is due by the clock alone is noticed after at most this time.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How many messages of one direction are carried at the same time.
const WORKERS: usize = 10;

/// The handlers of both functions, and the lanes between them.
pub struct Machine<T, I> {
    lanes: Lanes,
    context: Arc<Context>,
    clock: Arc<dyn Clock>,
    inbound_webhook: InboundWebhook<T>,
    inbound_worker: Arc<InboundWorker<T>>,
    outbound_webhook: OutboundWebhook<I>,
    outbound_worker: Arc<OutboundWorker<I>>,
    heard: Mutex<Heard>,
}

/// When each vendor was last heard: a delivery with the right proof. It is what somebody who sets the bridge up waits for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// Telegram.
    pub telegram: Option<Timestamp>,
    /// Intercom.
    pub intercom: Option<Timestamp>,
}

impl<T, I> Machine<T, I>
where
    T: UpdateReader + Clone + 'static,
    I: NotificationReader + Clone + 'static,
{
    /// Puts the handlers on this ground.
    pub fn new(telegram: T, intercom: I, context: Arc<Context>, lanes: Lanes, clock: Arc<dyn Clock>) -> Self {
        let secrets = Arc::clone(&context.secrets);
        let inbound = Arc::clone(&context.queues.inbound);
        let outbound = Arc::clone(&context.queues.outbound);
        let config = context.config.clone();
        Self {
            inbound_webhook: InboundWebhook::new(
                telegram.clone(),
                config,
                Arc::clone(&secrets),
                context.ledger.clone(),
                inbound,
            ),
            outbound_webhook: OutboundWebhook::new(intercom.clone(), secrets, Arc::clone(&clock), outbound),
            inbound_worker: Arc::new(InboundWorker::new(telegram, Arc::clone(&context))),
            outbound_worker: Arc::new(OutboundWorker::new(intercom, Arc::clone(&context))),
            lanes,
            context,
            clock,
            heard: Mutex::default(),
        }
    }

    /// Answers Telegram.
    pub async fn telegram_webhook(&self, request: &WebhookRequest) -> Answer {
        let answer = self.inbound_webhook.handle(request).await;
        if is_genuine(request, answer) {
            self.lock_heard().telegram = Some(self.clock.now());
        }
        answer
    }

    /// Answers Intercom.
    pub async fn intercom_webhook(&self, request: &WebhookRequest) -> Answer {
        let answer = self.outbound_webhook.handle(request).await;
        if is_genuine(request, answer) {
            self.lock_heard().intercom = Some(self.clock.now());
        }
        answer
    }

    /// When each vendor was last heard.
    pub fn heard(&self) -> Heard {
        *self.lock_heard()
    }

    fn lock_heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queues.
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Carries one message that is due, of either direction; tells whether there was one.
    pub async fn step(&self) -> Result<bool, DatabaseError> {
        for name in [QueueName::Inbound, QueueName::Outbound] {
            if let Some(taken) = self.lanes.take(name).await? {
                self.carry(name, &taken).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When the next message is due, of either direction.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, DatabaseError> {
        let inbound = self.lanes.next_due(QueueName::Inbound).await?;
        let outbound = self.lanes.next_due(QueueName::Outbound).await?;
        Ok(inbound.into_iter().chain(outbound).min())
    }

    /// Searches once for what Intercom did not deliver.
    pub async fn sweep(&self) -> Result<Swept, bridge::outbound::SweepError> {
        let deadline = self.clock.now() + SWEEP_MAY_TAKE;
        Sweep::new(Arc::clone(&self.context)).run(deadline).await
    }

    async fn carry(&self, name: QueueName, taken: &Taken) -> Result<(), DatabaseError> {
        let received = taken.received.clone();
        let (inbound, outbound) = (Arc::clone(&self.inbound_worker), Arc::clone(&self.outbound_worker));
        let (clock, until) = (Arc::clone(&self.clock), self.clock.now() + WORKER_MAY_TAKE);
        let worker = unless_panicked(async move {
            let carried = async {
                match name {
                    QueueName::Inbound | QueueName::InboundDead => inbound.handle(&received).await,
                    QueueName::Outbound | QueueName::OutboundDead => outbound.handle(&received).await,
                }
            };
            timeout(WORKER_MAY_TAKE, before(until, clock.as_ref(), carried)).await
        });
        match worker.await {
            Some(Ok(Some(Verdict::Done))) => self.lanes.done(taken).await,
            Some(Ok(Some(Verdict::Later(at)))) => self.lanes.later(taken, at).await,
            Some(Ok(None) | Err(_)) | None => {
                tracing::error!(
                    lane = taken.received.lane,
                    "a worker did not come to an end; its message comes again"
                );
                Ok(())
            }
        }
    }

    /// Carries messages, sweeps, and removes what has expired, until `stop` says so; what is under way then is carried to its end.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for name in [QueueName::Inbound, QueueName::Outbound] {
            for _ in 0..WORKERS {
                tasks.spawn(Arc::clone(&self).carry_all(name, stop.clone()));
            }
        }
        tasks.spawn(Arc::clone(&self).sweep_regularly(stop.clone()));
        tasks.spawn(Arc::clone(&self).purge_regularly(stop.clone()));
        let _ = stop.wait_for(|stop| *stop).await;
        while tasks.join_next().await.is_some() {}
    }

    async fn carry_all(self: Arc<Self>, name: QueueName, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let carried = match self.lanes.take(name).await {
                Ok(Some(taken)) => self.carry(name, &taken).await.map(|()| true),
                Ok(None) => Ok(false),
                Err(error) => Err(error),
            };
            match carried {
                Ok(true) => {}
                Ok(false) => self.wait_for_work(name, &mut stop).await,
                Err(error) => {
                    tracing::error!(%error, "the lanes cannot be used");
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn wait_for_work(&self, name: QueueName, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            () = self.lanes.sent(name) => {}
            () = sleep(LOOK_AGAIN) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn sweep_regularly(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let machine = Arc::clone(&self);
            match unless_panicked(async move { machine.sweep().await }).await {
                None => tracing::error!("a sweep did not come to an end; the next one begins where it began"),
                Some(Ok(swept)) => tracing::info!(
                    sweep.conversations = swept.conversations,
                    sweep.missed = swept.missed,
                    sweep.complete = swept.complete,
                    "a sweep ended"
                ),
                Some(Err(error)) => tracing::warn!(%error, "a sweep stopped"),
            }
            tokio::select! {
                () = sleep(SWEEP_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn purge_regularly(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut due = Timestamp::EPOCH;
        while !*stop.borrow() {
            let now = self.clock.now();
            if now >= due {
                due = now + PURGE_EVERY;
                match self.lanes.store().purge_expired(now).await {
                    Ok(records) => tracing::debug!(records, "what has expired was removed"),
                    Err(error) => tracing::warn!(%error, "what has expired could not be removed"),
                }
            }
            tokio::select! {
                () = sleep(LOOK_AGAIN) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }
}

/// Carries no further at this time or after it.
///
/// A machine that slept has not moved the timer of whoever was at work, and when it wakes, others may hold its lease. So whenever that
/// work could go on, the clock on the wall is asked first: no call is begun by whose time is over. One that was begun just before may
/// still happen, which whoever comes after waits for (`mapping`, what is settled).
async fn before<T>(until: Timestamp, clock: &dyn Clock, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|task| {
        if clock.now() >= until {
            return Poll::Ready(None);
        }
        work.as_mut().poll(task).map(Some)
    })
    .await
}

/// What came of some work, unless it panicked: that ends it, and nothing else.
async fn unless_panicked<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
}

/// Nothing is taken without its proof, but for the question whether anybody is there.
fn is_genuine(request: &WebhookRequest, answer: Answer) -> bool {
    request.method == WebhookMethod::Post && answer == Answer::Taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::testing::ManualClock;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn who_slept_until_the_time_was_over_begins_nothing() {
        for (slept, goes_on) in [(Duration::from_secs(119), true), (Duration::from_hours(1), false)] {
            let clock = ManualClock::new(Timestamp::from_seconds(1_000));
            let until = clock.now() + WORKER_MAY_TAKE;
            let calls = AtomicU32::new(0);
            let work = async {
                calls.fetch_add(1, Ordering::Relaxed);
                clock.advance(slept);
                tokio::task::yield_now().await;
                calls.fetch_add(1, Ordering::Relaxed);
            };
            let went = before(until, &clock, work).await;
            assert_eq!(went.is_some(), goes_on, "{slept:?}");
            assert_eq!(calls.load(Ordering::Relaxed), 1 + u32::from(goes_on), "{slept:?}");
        }
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_work_alone() {
        assert_eq!(unless_panicked(async { 7 }).await, Some(7));
        assert_eq!(
            unless_panicked(async { panic!("of something unforeseen") }).await,
            None::<u32>
        );
    }
}
