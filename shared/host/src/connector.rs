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
pub(crate) struct Connector {
    http: reqwest::Client,
    timeout: Option<Duration>,
}

impl Connector {
    /// Over this client, whose own connect timeout holds.
    pub(crate) fn new(http: reqwest::Client) -> Self {
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
