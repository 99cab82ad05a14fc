//! Everything behind the page: the vendors, the bridge between them, and what can go wrong.

use super::{
    actions::{self, Action, Refusal},
    bridge::Bridge,
    cast::Cast,
    faults::{Trouble, Troubles},
    records::Records,
    scene, snapshot,
};
use crate::stage::{Setting, Vendors};
use mapping::Timestamp;
use simulators::SimClock;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    sync::{Mutex, Notify, watch},
    time::sleep,
};

/// How often the page is looked at anew.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How soon a fault that has struck is noticed; a crash has to come before the call gives up.
const STRIKE_EVERY: Duration = Duration::from_millis(40);

/// How long the bridge stays dead after a crash.
const DEAD_FOR: Duration = Duration::from_millis(2500);

/// Everything behind the page.
pub(super) struct World {
    pub(super) vendors: Vendors,
    pub(super) cast: Cast,
    pub(super) troubles: Troubles,
    pub(super) records: Records,
    pub(super) bridge: Mutex<Bridge>,
    /// When the page could first be looked at.
    pub(super) began: Timestamp,
    shown: watch::Sender<Arc<str>>,
    changed: Notify,
    // The bridge's database file is removed with it.
    _directory: TempDir,
}

impl World {
    /// Starts the vendors and the bridge, and begins with what happened before the page can be looked at.
    pub(super) async fn start() -> anyhow::Result<Arc<Self>> {
        let vendors = Vendors::start(SimClock::behind(scene::LASTS)).await;
        let began = Timestamp::from_millis(SimClock::real().now_ms());
        let cast = Cast::gather(&vendors);
        let troubles = Troubles::before(&vendors).await?;
        let directory = TempDir::new()?;
        let file = directory.path().join("bridge.db");
        let workspace = vendors.intercom.workspace_id();
        let records = Records::open(&file, vendors.bot.id, cast.forum, &workspace)?;
        let [telegram, intercom] = troubles.addresses();
        // The bridge fetches files from the vendor that it knows only.
        let host = Some(intercom.1.clone());
        vendors.intercom.configure(|options| options.download_host = host);
        let chats = ("TELEGRAM_CHATS", cast.forum.to_string());
        let bridge = Bridge::new(Setting {
            variables: vec![telegram, intercom, chats, ("STAFF", cast.staff(&vendors))],
            data: Some(file),
            ..Setting::default()
        });
        let world = Arc::new(Self {
            vendors,
            cast,
            troubles,
            records,
            bridge: Mutex::new(bridge),
            began,
            shown: watch::Sender::new(Arc::from("")),
            changed: Notify::new(),
            _directory: directory,
        });
        world.vendors.telegram.run_in_background();
        world.vendors.intercom.run_in_background();
        world.bridge.lock().await.start(&world.vendors).await?;
        tokio::spawn(Arc::clone(&world).strike());
        tokio::spawn(Arc::clone(&world).open());
        Ok(world)
    }

    /// What the page shows, and every change of it.
    pub(super) fn shown(&self) -> watch::Receiver<Arc<str>> {
        let shown = self.shown.subscribe();
        self.changed.notify_one();
        shown
    }

    /// Does what somebody at the page does.
    pub(super) async fn act(&self, action: Action) -> Result<(), Refusal> {
        let done = actions::perform(self, action).await;
        self.changed.notify_one();
        done
    }

    async fn open(self: Arc<Self>) {
        scene::play(&self).await;
        self.look().await;
    }

    async fn look(&self) {
        loop {
            if self.shown.receiver_count() > 0
                && let Ok(snapshot) = snapshot::take(self).await
            {
                self.show(snapshot);
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    fn show(&self, snapshot: String) {
        self.shown.send_if_modified(|shown| {
            let is_new = **shown != *snapshot;
            if is_new {
                *shown = snapshot.into();
            }
            is_new
        });
    }

    async fn strike(self: Arc<Self>) {
        loop {
            sleep(STRIKE_EVERY).await;
            let struck = self.troubles.struck();
            if struck.contains(&Trouble::Crash) {
                self.bridge.lock().await.crash();
                tokio::spawn(Arc::clone(&self).come_back());
            }
        }
    }

    /// Starts the bridge again after a crash, as whatever looks after a service does: until it runs.
    async fn come_back(self: Arc<Self>) {
        loop {
            sleep(DEAD_FOR).await;
            let mut bridge = self.bridge.lock().await;
            // One that does not start is tried again; the page shows that it does not run.
            if bridge.come_back(&self.vendors).await.is_ok() {
                return;
            }
        }
    }
}
