//! The AWS SDK over the same HTTP client as everything else: one stack, one TLS provider, one pool of connections.

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared as _,
};
use aws_smithy_types::body::SdkBody;
use std::time::Duration;

/// A [`reqwest::Client`] as the SDK's HTTP client.
#[derive(Clone, Debug)]
pub struct Connector {
    http: reqwest::Client,
    timeout: Option<Duration>,
}

impl Connector {
    /// Over this client, whose own connect timeout holds.
    pub fn new(http: reqwest::Client) -> Self {
        Self { http, timeout: None }
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        Self {
            http: self.http.clone(),
            timeout: settings.read_timeout(),
        }
        .into_shared()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { http, timeout } = self.clone();
        HttpConnectorFuture::new(async move {
            let mut request = outgoing(request)?;
            if timeout.is_some() {
                *request.timeout_mut() = timeout;
            }
            incoming(http.execute(request).await.map_err(failed)?)
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (head, body) = request.into_parts();
    let body = match body.bytes() {
        Some(bytes) => reqwest::Body::from(bytes.to_vec()),
        None => reqwest::Body::wrap(body),
    };
    reqwest::Request::try_from(http::Request::from_parts(head, body))
        .map_err(|error| ConnectorError::user(error.without_url().into()))
}

fn incoming(response: reqwest::Response) -> Result<HttpResponse, ConnectorError> {
    let response = http::Response::<reqwest::Body>::from(response).map(SdkBody::from_body_1_x);
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

fn failed(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::{SqsQueue, aws, environment::Environment};
    use bridge::ports::{Queue as _, QueueError, QueueMessage};
    use std::{sync::Arc, sync::Mutex, time::Duration};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    /// An SQS that answers every request alike, or never.
    struct Sqs {
        url: String,
        requests: Arc<Mutex<Vec<String>>>,
    }

    impl Sqs {
        async fn answering(status: &str, body: &str) -> Self {
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            Self::start(Some(answer)).await
        }

        async fn start(answer: Option<String>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let requests = Arc::<Mutex<Vec<String>>>::default();
            let seen = Arc::clone(&requests);
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let request = read(&mut stream).await;
                    seen.lock().unwrap().push(request);
                    match &answer {
                        Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                        None => std::mem::forget(stream),
                    }
                }
            });
            Self { url, requests }
        }

        fn queue(&self) -> SqsQueue {
            let set = |name: &str| match name {
                "AWS_ENDPOINT_URL" => Some(self.url.clone()),
                "TELEGRAM_CHATS" => Some("-1".into()),
                name if name.starts_with("TELEGRAM") || name.starts_with("INTERCOM") => None,
                "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "SECRET_ID" | "TABLE_NAME" => {
                    Some("test".into())
                }
                name if name.ends_with("_URL") => Some(format!("{}/1/queue.fifo", self.url)),
                _ => None,
            };
            let environment = Environment::parse(set).ok().unwrap();
            let config = aws::sdk_config(&environment, aws::http_client().unwrap());
            SqsQueue::new(aws_sdk_sqs::Client::new(&config), environment.queue_urls.inbound)
        }

        fn requests(&self) -> Vec<String> {
            self.requests.lock().unwrap().clone()
        }
    }

    /// Reads one request whose length is told.
    async fn read(stream: &mut TcpStream) -> String {
        let mut request = String::new();
        loop {
            let mut piece = [0; 4096];
            let length = stream.read(&mut piece).await.unwrap();
            request.push_str(std::str::from_utf8(&piece[..length]).unwrap());
            let told = request
                .split_once("content-length: ")
                .and_then(|(_, rest)| rest.split("\r\n").next());
            let told: usize = told.map_or(0, |length| length.parse().unwrap());
            let body = request.split_once("\r\n\r\n").map(|(_, body)| body.len());
            if length == 0 || body.is_some_and(|body| body >= told) {
                return request;
            }
        }
    }

    fn message() -> QueueMessage {
        QueueMessage {
            lane: "1:2".into(),
            dedupe: "3:4".into(),
            body: "the envelope".repeat(1_000),
            gave_up: Some(2),
        }
    }

    #[tokio::test]
    async fn a_message_goes_out_whole_with_its_lane_and_generation() {
        let sqs = Sqs::answering("200 OK", r#"{"MessageId":"m"}"#).await;
        sqs.queue().send(message()).await.unwrap();
        let request = &sqs.requests()[0];
        for part in [
            r#""MessageGroupId":"1:2""#,
            r#""MessageDeduplicationId":"3:4""#,
            r#""gave_up":{"#,
            r#""StringValue":"2""#,
            r#""DataType":"Number""#,
            &message().body,
        ] {
            assert!(request.contains(part), "{part}");
        }
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_then_told_as_unavailable() {
        let throttled = r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}"#;
        for (status, body) in [("400 Bad Request", throttled), ("503 Service Unavailable", "{}")] {
            let sqs = Sqs::answering(status, body).await;
            let error = sqs.queue().send(message()).await.unwrap_err();
            assert!(matches!(error, QueueError::Unavailable(_)), "{error:?}");
            assert_eq!(sqs.requests().len(), 3, "{status}");
        }
    }

    #[tokio::test]
    async fn a_message_that_is_refused_is_not_tried_again() {
        let refused = r#"{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"no"}"#;
        let sqs = Sqs::answering("400 Bad Request", refused).await;
        let error = sqs.queue().send(message()).await.unwrap_err();
        assert!(matches!(error, QueueError::Refused(_)), "{error:?}");
        assert_eq!(sqs.requests().len(), 1);
    }

    #[tokio::test]
    async fn no_answer_is_not_waited_for_longer_than_a_request_may_take() {
        let silent = Sqs::start(None).await;
        let begun = std::time::Instant::now();
        let error = silent.queue().send(message()).await.unwrap_err();
        assert!(matches!(error, QueueError::Unavailable(_)), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    }
}
