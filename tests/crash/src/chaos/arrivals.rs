//! What came into the queue to Telegram, in the order in which it came: that is the order which a lane keeps.

use async_trait::async_trait;
use bridge::ports::{Queue, QueueError, QueueMessage};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// When what was named first in a message of the queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    messages: usize,
    first: HashMap<u64, usize>,
}

impl Arrivals {
    /// Watches a queue.
    pub(super) fn watch(&self, queue: Arc<dyn Queue>) -> Arc<dyn Queue> {
        Arc::new(Watched {
            arrivals: self.clone(),
            queue,
        })
    }

    /// The number of the first message that names this part.
    pub(super) fn first(&self, part: &str) -> Option<usize> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.first.get(&part.parse().ok()?).copied()
    }

    fn note(&self, body: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.messages += 1;
        let at = state.messages;
        for id in body.split('"').filter_map(|word| word.parse().ok()) {
            state.first.entry(id).or_insert(at);
        }
    }
}

struct Watched {
    arrivals: Arrivals,
    queue: Arc<dyn Queue>,
}

#[async_trait]
impl Queue for Watched {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let body = message.body.clone();
        self.queue.send(message).await?;
        self.arrivals.note(&body);
        Ok(())
    }
}
