//! The bridge as something that runs and can be killed.

use crate::stage::{Setting, Stage, Vendors};
use mapping::Timestamp;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    time::sleep,
};

/// How often what Intercom did not deliver is searched: more often than in earnest, for somebody is looking on.
const SWEEP_EVERY: Duration = Duration::from_secs(20);

/// The bridge, running or not. What it knows is in its database file, which outlives it.
pub(super) struct Bridge {
    setting: Setting,
    running: Option<Running>,
    // Where the vendors know it to be since it first ran: it starts without asking them.
    known_at: Option<SocketAddr>,
    comes_back: bool,
}

struct Running {
    // Everything that the bridge does runs here, so that it ends wherever it stands when this is shut down.
    runtime: Option<Runtime>,
    since: Timestamp,
    _stage: Stage,
    _stop: watch::Sender<bool>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Bridge {
    /// A bridge that does not run yet.
    pub(super) fn new(setting: Setting) -> Self {
        Self {
            setting,
            running: None,
            known_at: None,
            comes_back: false,
        }
    }

    /// Since when it runs, if it does.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.running.as_ref().map(|running| running.since)
    }

    /// Whether it has crashed and is started again by itself.
    pub(super) fn comes_back(&self) -> bool {
        self.comes_back
    }

    /// Ends it at once: no task of its comes to its end, no record is written any more. It stays dead.
    pub(super) fn kill(&mut self) {
        self.running = None;
        self.comes_back = false;
    }

    /// Ends it as `kill` does, but for what starts it again after a while.
    pub(super) fn crash(&mut self) {
        self.comes_back = self.running.take().is_some();
    }

    /// Starts it after a crash, unless somebody has started or killed it meanwhile.
    pub(super) async fn come_back(&mut self, vendors: &Vendors) -> anyhow::Result<()> {
        if self.comes_back {
            self.start(vendors).await?;
        }
        Ok(())
    }

    /// Starts it on its database file.
    pub(super) async fn start(&mut self, vendors: &Vendors) -> anyhow::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        // The versions of records come from chance: it must never begin again from where it began before.
        let setting = Setting {
            seed: rand::random(),
            known_at: self.known_at,
            ..self.setting.clone()
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("bridge")
            .enable_all()
            .build()?;
        let since = Timestamp::from_millis(vendors.clock.now_ms());
        let vendors = vendors.clone();
        let set = runtime.spawn(async move { Stage::set(vendors, &setting).await });
        let stage = match set.await {
            Ok(Ok(stage)) => stage,
            failed => {
                runtime.shutdown_background();
                failed??;
                anyhow::bail!("the bridge did not start");
            }
        };
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(Arc::clone(&stage.machine).run(stopped));
        let machine = Arc::clone(&stage.machine);
        runtime.spawn(async move {
            loop {
                sleep(SWEEP_EVERY).await;
                // A sweep that stopped is tried again; the page shows what is still missing.
                let _ = machine.sweep().await;
            }
        });
        self.known_at = Some(stage.address);
        self.comes_back = false;
        self.running = Some(Running {
            runtime: Some(runtime),
            since,
            _stage: stage,
            _stop: stop,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulators::{Fault, SimClock};

    async fn started() -> (Vendors, Bridge) {
        let vendors = Vendors::start(SimClock::real()).await;
        let mut bridge = Bridge::new(Setting {
            variables: vec![("TELEGRAM_CHATS", "-1001".into())],
            ..Setting::default()
        });
        bridge.start(&vendors).await.unwrap();
        (vendors, bridge)
    }

    #[tokio::test]
    async fn it_starts_again_while_a_vendor_is_down() {
        let (vendors, mut bridge) = started().await;
        vendors.telegram.faults().arm("*", Fault::CutBefore, 100);
        bridge.kill();
        bridge.start(&vendors).await.unwrap();
        assert!(bridge.since().is_some());
    }

    #[tokio::test]
    async fn after_a_crash_it_comes_back_unless_it_is_killed() {
        let (vendors, mut bridge) = started().await;
        bridge.crash();
        bridge.come_back(&vendors).await.unwrap();
        assert!(bridge.since().is_some());
        bridge.crash();
        bridge.kill();
        bridge.come_back(&vendors).await.unwrap();
        assert!(bridge.since().is_none());
    }
}
