//! Queues on Amazon SQS.

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    error::{ProvideErrorMetadata as _, SdkError},
    operation::{
        change_message_visibility::ChangeMessageVisibilityError,
        send_message::{SendMessageError, builders::SendMessageFluentBuilder},
    },
    types::MessageAttributeValue,
};
use bridge::ports::{Queue, QueueError, QueueMessage};

/// The message attribute that tells which giving-up a message is a copy of.
pub(crate) const GAVE_UP: &str = "gave_up";

/// What SQS says of a message that it will never take, whoever sends it: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
///
/// Everything else, missing rights and a missing queue included, is about us, and a message must not be lost for it.
const REFUSALS: [&str; 5] = [
    "InvalidAttributeValue",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "MissingParameter",
    "UnsupportedOperation",
];

/// A FIFO queue on SQS.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// The queue at this URL, which must exist.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    fn request(&self, message: QueueMessage) -> Option<SendMessageFluentBuilder> {
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(message.lane)
            .message_deduplication_id(message.dedupe)
            .message_body(message.body);
        let Some(generation) = message.gave_up else {
            return Some(request);
        };
        let attribute = MessageAttributeValue::builder()
            .data_type("Number")
            .string_value(generation.to_string());
        Some(request.message_attributes(GAVE_UP, attribute.build().ok()?))
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let request = self
            .request(message)
            .ok_or_else(|| QueueError::Refused("no request".into()))?;
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn failed(error: &SdkError<SendMessageError>) -> QueueError {
    match error {
        SdkError::ServiceError(_) => refused_or_unavailable(error.code()),
        SdkError::ConstructionFailure(_) => QueueError::Refused("the request could not be built".into()),
        SdkError::TimeoutError(_) => QueueError::Unavailable("no answer in time".into()),
        SdkError::DispatchFailure(_) => QueueError::Unavailable("no connection".into()),
        _ => QueueError::Unavailable("the answer could not be read".into()),
    }
}

fn refused_or_unavailable(code: Option<&str>) -> QueueError {
    let code = code.unwrap_or("an error without a name");
    // Older queues name their errors after the former protocol: `AWS.SimpleQueueService.UnsupportedOperation`.
    let name = code.rsplit('.').next().unwrap_or(code);
    if REFUSALS.contains(&name) {
        QueueError::Refused(code.to_owned())
    } else {
        QueueError::Unavailable(code.to_owned())
    }
}

/// Hides a received message for so many seconds from now on.
pub(crate) async fn hide(
    client: &Client,
    url: &str,
    receipt_handle: &str,
    seconds: i32,
) -> Result<(), SdkError<ChangeMessageVisibilityError>> {
    client
        .change_message_visibility()
        .queue_url(url)
        .receipt_handle(receipt_handle)
        .visibility_timeout(seconds)
        .send()
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_message_itself_loses_it() {
        let refused = |code| matches!(refused_or_unavailable(Some(code)), QueueError::Refused(_));
        for code in [
            "InvalidParameterValue",
            "InvalidMessageContents",
            "AWS.SimpleQueueService.UnsupportedOperation",
        ] {
            assert!(refused(code), "{code}");
        }
        for code in [
            "RequestThrottled",
            "ThrottlingException",
            "ServiceUnavailable",
            "InternalError",
            "AccessDenied",
            "QueueDoesNotExist",
            "ExpiredToken",
        ] {
            assert!(!refused(code), "{code}");
        }
        assert!(matches!(refused_or_unavailable(None), QueueError::Unavailable(_)));
    }
}
