//! What of AWS a webhook needs, answered at once: a secret, and a queue that takes messages. Plain, or over TLS as AWS itself is.

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::AbortHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// An account with one secret.
pub(crate) struct Aws {
    /// Where it listens.
    pub(crate) url: String,
    trusted: Option<(TempDir, PathBuf)>,
    server: AbortHandle,
}

impl Aws {
    /// Without TLS.
    pub(crate) async fn plain(secret: &Value) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = router(secret);
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            trusted: None,
            server: server.abort_handle(),
        })
    }

    /// Over TLS, under the name of this machine, which has to be looked up.
    pub(crate) async fn over_tls(secret: &Value) -> anyhow::Result<Self> {
        let authority = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&authority)?.pem();
        let issuer = Issuer::new(params, authority);
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;

        let (listener, address) = TlsListener::bind(Arc::new(config)).await?;
        let router = router(secret);
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url: format!("https://localhost:{}", address.port()),
            trusted: Some(trusting(&root)?),
            server: server.abort_handle(),
        })
    }

    /// The one authority that whoever calls has to trust. What functions bring along of their own costs them less than to read it.
    pub(crate) fn trusted(&self) -> Option<String> {
        self.trusted.as_ref().map(|(_, file)| file.display().to_string())
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn trusting(root: &str) -> anyhow::Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("trusted.pem");
    fs::write(&file, root)?;
    Ok((folder, file))
}

fn router(secret: &Value) -> Router {
    let secret = secret.to_string();
    Router::new().fallback(any(move |headers: HeaderMap| {
        let answer = answer(&headers, &secret);
        async move { answer }
    }))
}

fn answer(headers: &HeaderMap, secret: &str) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target {
        Some("secretsmanager.GetSecretValue") => {
            Json(json!({"Name": "secret", "SecretString": secret})).into_response()
        }
        Some("AmazonSQS.SendMessage") => {
            let id = "f4ddf1e5-e6cd-4d0e-8aa5-d8ce1b4d5a0b";
            Json(json!({"MessageId": id, "SequenceNumber": "18849496460467696128"})).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Connections whose handshake is over; none waits for another's.
struct TlsListener {
    address: SocketAddr,
    connections: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    async fn bind(config: Arc<ServerConfig>) -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(config);
        let (ready, connections) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Ok((stream, from)) = listener.accept().await {
                let (acceptor, ready) = (acceptor.clone(), ready.clone());
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = ready.send((stream, from)).await;
                    }
                });
            }
        });
        Ok((Self { address, connections }, address))
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
