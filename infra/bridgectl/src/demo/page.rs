//! The page's server.

use super::{
    actions::{Action, Refusal},
    picture::{self, Side},
    snapshot,
    world::World,
};
use crate::serve::asked_to_stop;
use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures::stream::{self, Stream};
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

/// The demo, ready to be looked at.
pub struct Demo {
    listener: TcpListener,
    world: Arc<World>,
}

/// What the page is made of.
const ASSETS: [(&str, &str, &str); 13] = [
    ("/", "text/html; charset=utf-8", include_str!("assets/index.html")),
    ("/base.css", CSS, include_str!("assets/base.css")),
    ("/panes.css", CSS, include_str!("assets/panes.css")),
    ("/messages.css", CSS, include_str!("assets/messages.css")),
    ("/main.js", JS, include_str!("assets/main.js")),
    ("/dom.js", JS, include_str!("assets/dom.js")),
    ("/rich.js", JS, include_str!("assets/rich.js")),
    ("/thread.js", JS, include_str!("assets/thread.js")),
    ("/reading.js", JS, include_str!("assets/reading.js")),
    ("/list.js", JS, include_str!("assets/list.js")),
    ("/composer.js", JS, include_str!("assets/composer.js")),
    ("/lab.js", JS, include_str!("assets/lab.js")),
    ("/icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];
/// What the page's writers can send.
const PICTURES: [(&str, &[u8]); 2] = [
    ("/parcel.jpg", picture::OF_CUSTOMERS),
    ("/shelf.jpg", picture::OF_AGENTS),
];
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl Demo {
    /// Starts both vendors and the bridge, and takes the page's address.
    pub async fn start(listen: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("{listen} cannot be listened on"))?;
        let world = World::start().await?;
        Ok(Self { listener, world })
    }

    /// Where the page is.
    pub fn url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// Serves the page until the program is told to stop.
    pub async fn serve(self) -> anyhow::Result<()> {
        let served = axum::serve(self.listener, router(self.world));
        tokio::select! {
            served = served => Ok(served?),
            stopped = asked_to_stop() => stopped,
        }
    }
}

fn router(world: Arc<World>) -> Router {
    let mut router = Router::new()
        .route("/events", get(events))
        .route("/act", post(act))
        .route("/picture/{side}/{message}/{at}", get(picture));
    for (path, kind, text) in ASSETS {
        router = router.route(path, get(move || async move { asset(kind, text) }));
    }
    for (path, picture) in PICTURES {
        router = router.route(path, get(move || async move { asset("image/jpeg", picture) }));
    }
    router.with_state(world)
}

fn asset(kind: &'static str, content: impl IntoResponse) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, content).into_response()
}

/// A picture of either side.
async fn picture(State(world): State<Arc<World>>, Path((side, message, at)): Path<(Side, String, usize)>) -> Response {
    match picture::find(&world, side, &message, at) {
        Some((kind, bytes)) => asset(kind, bytes),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Only JSON is taken, which no other site can send here without being asked for permission first.
async fn act(State(world): State<Arc<World>>, Json(action): Json<Action>) -> Response {
    match world.act(action).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(Refusal(words)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(snapshot::refused(&words))).into_response(),
    }
}

/// The whole page's state, at once and at every change.
async fn events(State(world): State<Arc<World>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut shown = world.shown();
    shown.mark_changed();
    let stream = stream::unfold((world, shown), next);
    Sse::new(stream).keep_alive(KeepAlive::default())
}

type Looking = (Arc<World>, watch::Receiver<Arc<str>>);

async fn next((world, mut shown): Looking) -> Option<(Result<Event, Infallible>, Looking)> {
    shown.changed().await.ok()?;
    let data = {
        let snapshot = shown.borrow_and_update();
        snapshot::stamped(&snapshot, world.vendors.clock.now_ms())
    };
    Some((Ok(Event::default().data(data)), (world, shown)))
}
