//! Messages of a queue, one after the other, and what becomes of each.

use crate::{environment::QueueUrls, event::Message, handlers::Worker, queue};
use async_trait::async_trait;
use bridge::Verdict;
use mapping::{Clock, Timestamp};
use std::{collections::HashSet, time::Duration};

/// The longest that SQS hides a message, counted from its receipt:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>.
const LONGEST: Duration = Duration::from_hours(12);

/// Between the receipt of a message and the start of the function lies some time that nobody tells us.
const BEFORE_US: Duration = Duration::from_mins(1);

/// Hides messages.
#[async_trait]
pub(crate) trait Hide: Send + Sync {
    /// Hides a message for so many seconds from now on.
    async fn hide(&self, message: &Message, seconds: i32);
}

/// The queues that this function takes messages from.
pub(crate) struct OwnQueues {
    pub(crate) client: aws_sdk_sqs::Client,
    pub(crate) urls: QueueUrls,
}

#[async_trait]
impl Hide for OwnQueues {
    async fn hide(&self, message: &Message, seconds: i32) {
        let Some(url) = self.urls.by_arn(&message.queue_arn) else {
            tracing::error!(
                queue.arn = message.queue_arn,
                "a message comes from a queue that is not ours"
            );
            return;
        };
        // It comes again without this too, when the queue's own visibility timeout is over.
        if let Err(error) = queue::hide(&self.client, url, &message.receipt_handle, seconds).await {
            let code = aws_sdk_sqs::error::ProvideErrorMetadata::code(&error).unwrap_or("no answer");
            tracing::warn!(
                lane = message.received.lane,
                code,
                "a message cannot be hidden until its time"
            );
        }
    }
}

/// Carries each message; gives the ids of those that stay in the queue.
///
/// A message that stays keeps those behind it in its lane: they stay as well, unseen.
pub(crate) async fn carry(
    messages: &[Message],
    worker: &dyn Worker,
    hide: &dyn Hide,
    clock: &dyn Clock,
) -> Vec<String> {
    let begun = clock.now();
    let mut held = HashSet::new();
    let mut stay = Vec::new();
    for message in messages {
        let lane = message.received.lane.as_str();
        if held.contains(lane) {
            stay.push(message.id.clone());
            continue;
        }
        match worker.carry(&message.received).await {
            Verdict::Done => {}
            Verdict::Later(at) => {
                hide.hide(message, seconds_until(at, clock.now(), begun)).await;
                held.insert(lane);
                stay.push(message.id.clone());
            }
        }
    }
    stay
}

/// Whole seconds, rounded up, as far as SQS goes.
fn seconds_until(at: Timestamp, now: Timestamp, begun: Timestamp) -> i32 {
    let most = LONGEST.saturating_sub(now.since(begun) + BEFORE_US).as_secs();
    let wanted = at.since(now).as_millis().div_ceil(1000);
    i32::try_from(wanted.min(u128::from(most))).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use bridge::Received;
    use std::sync::Mutex;

    struct Postpones(&'static str);

    #[async_trait]
    impl Worker for Postpones {
        async fn carry(&self, received: &Received) -> Verdict {
            if received.body == self.0 {
                Verdict::Later(SystemClock.now() + Duration::from_millis(9_500))
            } else {
                Verdict::Done
            }
        }
    }

    #[derive(Default)]
    struct Hidden(Mutex<Vec<(String, i32)>>);

    #[async_trait]
    impl Hide for Hidden {
        async fn hide(&self, message: &Message, seconds: i32) {
            self.0.lock().unwrap().push((message.id.clone(), seconds));
        }
    }

    fn message(id: &str, lane: &str) -> Message {
        Message {
            id: id.into(),
            receipt_handle: String::new(),
            queue_arn: String::new(),
            received: Received {
                id: id.into(),
                lane: lane.into(),
                body: id.into(),
                gave_up: None,
                receives: 1,
            },
        }
    }

    #[tokio::test]
    async fn a_message_that_stays_holds_back_its_lane_and_no_other() {
        let messages = [
            message("1", "a"),
            message("2", "a"),
            message("3", "b"),
            message("4", "a"),
        ];
        let hidden = Hidden::default();
        let stay = carry(&messages, &Postpones("2"), &hidden, &SystemClock).await;
        assert_eq!(stay, ["2", "4"]);
        assert_eq!(*hidden.0.lock().unwrap(), [("2".to_owned(), 10)]);
    }

    #[test]
    fn a_time_becomes_whole_seconds_within_what_sqs_allows() {
        let now = Timestamp::from_seconds(1_000);
        let until = |at| seconds_until(at, now, now - Duration::from_secs(20));
        assert_eq!(until(now), 0);
        assert_eq!(until(now - Duration::from_secs(5)), 0);
        assert_eq!(until(now + Duration::from_millis(1)), 1);
        assert_eq!(until(now + Duration::from_secs(2)), 2);
        assert_eq!(until(now + Duration::from_hours(24)), 43_200 - 80);
    }
}
