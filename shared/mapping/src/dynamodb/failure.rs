//! What DynamoDB's failures are to a caller of the store.

use crate::store::StoreError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// An operation that failed for any reason but a condition. The message of an error may quote an item, so only its name is told.
pub(super) fn unavailable<E: ProvideErrorMetadata>(operation: &str, error: &SdkError<E>) -> StoreError {
    let reason = match error {
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "the answer could not be read",
        SdkError::ServiceError(_) => error.code().unwrap_or("an error without a name"),
        _ => "an unknown failure",
    };
    incomplete(operation, reason)
}

/// An operation that did not come to its end.
pub(super) fn incomplete(operation: &str, reason: &str) -> StoreError {
    StoreError::Unavailable(format!("{operation}: {reason}"))
}
