//! A wire between the bridge and a vendor: it keeps every byte that the bridge sends, and may be bad.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What is wrong with one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadWire {
    /// It is closed as soon as it is open.
    Closed,
    /// Somebody answers that what is asked for is elsewhere, and repeats where it was asked: with a bot's token, if that is in it.
    Redirects,
    /// What answers is no HTTP, and repeats what it was asked.
    Echoes,
    /// The answer ends in its middle.
    CutShort,
}

impl BadWire {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Redirects, Self::Echoes, Self::CutShort];
}

/// The wire.
#[derive(Clone)]
pub struct Wire {
    /// Where the bridge reaches the vendor.
    pub url: String,
    shared: Arc<Shared>,
    _listener: Arc<Listener>,
}

struct Shared {
    vendor: String,
    said: Mutex<Vec<u8>>,
    bad: Mutex<VecDeque<BadWire>>,
    /// Connections end when this changes.
    turn: watch::Sender<usize>,
}

struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// A wire to the vendor that listens at this address.
    pub async fn to(vendor: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("the port"));
        let shared = Arc::new(Shared {
            vendor: vendor.trim_start_matches("http://").to_owned(),
            said: Mutex::default(),
            bad: Mutex::default(),
            turn: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            url,
            shared,
            _listener: Arc::new(Listener(accepting)),
        }
    }

    /// Everything that the bridge has sent, byte by byte.
    pub fn said(&self) -> Vec<u8> {
        lock(&self.shared.said).clone()
    }

    /// Ends every connection; so many new ones are bad.
    pub fn is_bad(&self, how: BadWire, times: usize) {
        lock(&self.shared.bad).extend(std::iter::repeat_n(how, times));
        self.shared.turn.send_modify(|turn| *turn += 1);
    }

    /// How many more connections will be bad.
    pub fn still_bad(&self) -> usize {
        lock(&self.shared.bad).len()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let bad = lock(&shared.bad).pop_front();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut turn = shared.turn.subscribe();
            turn.mark_unchanged();
            tokio::select! {
                _ = turn.changed() => {}
                _ = carry(client, bad, &shared) => {}
            }
        });
    }
}

async fn carry(client: TcpStream, bad: Option<BadWire>, shared: &Shared) -> std::io::Result<()> {
    let Some(bad) = bad else {
        return forward(client, shared).await;
    };
    if bad == BadWire::Closed {
        return Ok(());
    }
    let mut client = client;
    let asked = request(&mut client, shared).await?;
    client.write_all(answer(bad, &asked).as_bytes()).await?;
    client.shutdown().await
}

async fn forward(client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let vendor = TcpStream::connect(&shared.vendor).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_vendor, mut to_vendor) = vendor.into_split();
    let out = async {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let read = from_client.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            let some = bytes.get(..read).unwrap_or_default();
            lock(&shared.said).extend_from_slice(some);
            to_vendor.write_all(some).await?;
        }
    };
    // Whoever ends it first ends it for both: a vendor notices that its caller has gone.
    tokio::select! {
        ended = out => ended,
        ended = tokio::io::copy(&mut from_vendor, &mut to_client) => ended.map(drop),
    }
}

/// Reads a whole request; gives its head.
async fn request(client: &mut TcpStream, shared: &Shared) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return Ok(head.to_owned());
            }
        }
        let mut chunk = [0; 4_096];
        let read = client.read(&mut chunk).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let some = chunk.get(..read).unwrap_or_default();
        lock(&shared.said).extend_from_slice(some);
        bytes.extend_from_slice(some);
    }
}

fn answer(bad: BadWire, asked: &str) -> String {
    let path = asked.split(' ').nth(1).unwrap_or_default();
    match bad {
        BadWire::Closed => String::new(),
        BadWire::Redirects => {
            format!("HTTP/1.1 302 Found\r\nlocation: {path}?again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        BadWire::Echoes => format!("what is {asked}?"),
        BadWire::CutShort => format!("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{{\"ok\": \"{path}"),
    }
}
