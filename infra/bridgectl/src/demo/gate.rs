//! What stands before a vendor, so that the vendor can be out of reach: while the gate is shut, nobody listens there.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// An address of its own behind which a vendor is reached, unless the gate is shut.
pub(super) struct Gate {
    address: SocketAddr,
    vendor: String,
    open: Mutex<Option<AbortHandle>>,
}

/// How soon a port is tried again that somebody else has not left yet.
const PORT_TAKEN: Duration = Duration::from_millis(50);

impl Gate {
    /// Opens a gate before a vendor's base URL.
    pub(super) async fn before(base_url: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let gate = Self {
            address: listener.local_addr()?,
            vendor: base_url.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            open: Mutex::new(None),
        };
        let task = tokio::spawn(pass(listener, gate.vendor.clone()));
        gate.keep(Some(task.abort_handle()));
        Ok(gate)
    }

    /// What replaces the vendor's base URL.
    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Shuts it, which ends every connection through it, or opens it again.
    pub(super) fn shut(&self, shut: bool) {
        if shut {
            self.keep(None);
            return;
        }
        let (address, vendor) = (self.address, self.vendor.clone());
        let task = tokio::spawn(async move {
            let listener = loop {
                match TcpListener::bind(address).await {
                    Ok(listener) => break listener,
                    Err(_) => tokio::time::sleep(PORT_TAKEN).await,
                }
            };
            pass(listener, vendor).await;
        });
        self.keep(Some(task.abort_handle()));
    }

    fn keep(&self, task: Option<AbortHandle>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = std::mem::replace(&mut *open, task) {
            former.abort();
        }
    }
}

/// The connections live in a set of this task and end with it.
async fn pass(listener: TcpListener, vendor: String) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((mut caller, _)) = accepted else { continue };
                let vendor = vendor.clone();
                connections.spawn(async move {
                    if let Ok(mut called) = TcpStream::connect(vendor).await {
                        let _ = copy_bidirectional(&mut caller, &mut called).await;
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
