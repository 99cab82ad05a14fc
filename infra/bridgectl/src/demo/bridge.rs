//! The bridge as something that runs and can be killed.

use crate::stage::{Setting, Stage, Vendors};
use mapping::Timestamp;
use std::{sync::Arc, time::Duration};
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
        Self { setting, running: None }
    }

    /// Since when it runs, if it does.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.running.as_ref().map(|running| running.since)
    }

    /// Ends it at once: no task of its comes to its end, no record is written any more.
    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it on its database file.
    pub(super) async fn start(&mut self, vendors: &Vendors) -> anyhow::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        // The versions of records come from chance: it must never begin again from where it began before.
        let setting = Setting {
            seed: rand::random(),
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
        self.running = Some(Running {
            runtime: Some(runtime),
            since,
            _stage: stage,
            _stop: stop,
        });
        Ok(())
    }
}
