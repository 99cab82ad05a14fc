//! `bridgectl serve` on two processors: how many messages a second, for how much memory, and what a million links change.

use crate::{
    fill::fill,
    function::{cpu_of_this, most_memory},
    town::Town,
};
use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// So long the program may take to listen, or to carry what it was given.
const PATIENCE: Duration = Duration::from_mins(5);

/// The clock ticks of `/proc/<pid>/stat` on Linux, by second.
const TICKS: f64 = 100.0;

/// What `serve` carried, and what that took.
#[derive(Debug, Serialize)]
pub(crate) struct Served {
    pub(crate) links: u32,
    /// `to Intercom`, `to Telegram`, `both ways`.
    pub(crate) direction: &'static str,
    pub(crate) messages: usize,
    pub(crate) messages_a_second: f64,
    /// Processor time of `serve` by message, and of the simulators with those who write.
    pub(crate) cpu_ms: f64,
    pub(crate) others_cpu_ms: f64,
    pub(crate) peak_mb: u64,
    pub(crate) file_mb: u64,
}

/// The program on one file.
struct Program {
    child: Child,
    url: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Carries so many messages each way, with as many links as there are, and again with each of these numbers of links.
pub(crate) async fn measure(bridgectl: &Path, messages: usize, links: &[u32]) -> anyhow::Result<Vec<Served>> {
    // It runs in a folder of its own.
    let bridgectl = bridgectl.canonicalize();
    let bridgectl = &bridgectl.context("bridgectl is not built")?;
    let folder = tempfile::tempdir()?;
    let town = Town::found().await;
    let program = Program::start(bridgectl, &folder, &town).await?;
    town.everybody_opens(&program.url)
        .await
        .context("the conversations are opened")?;
    drop(program);
    let mut figures = Vec::new();
    for &links in links {
        fill(&data(&folder), links)?;
        let program = Program::start(bridgectl, &folder, &town).await?;
        for direction in [Direction::ToIntercom, Direction::ToTelegram, Direction::Both] {
            figures.push(carry(&program, &town, &folder, direction, messages, links).await?);
        }
    }
    let violations = town.violations();
    ensure!(violations.is_empty(), "the vendors would have refused: {violations:?}");
    Ok(figures)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToIntercom,
    ToTelegram,
    Both,
}

async fn carry(
    program: &Program,
    town: &Town,
    folder: &TempDir,
    direction: Direction,
    messages: usize,
    links: u32,
) -> anyhow::Result<Served> {
    let inbound = if direction == Direction::ToTelegram {
        0
    } else {
        messages
    };
    let outbound = if direction == Direction::ToIntercom {
        0
    } else {
        messages
    };
    let wanted = (town.in_intercom() + inbound, town.in_telegram() + outbound);
    let (before, others_before) = (program.cpu()?, cpu_of_this()?);
    let begun = Instant::now();
    tokio::try_join!(
        town.customers_write(&program.url, inbound),
        town.agents_reply(&program.url, outbound)
    )?;
    while (town.in_intercom(), town.in_telegram()) != wanted {
        if begun.elapsed() > PATIENCE {
            bail!(
                "{:?} arrived instead of {wanted:?}",
                (town.in_intercom(), town.in_telegram())
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = begun.elapsed();
    let total = inbound + outbound;
    let each = |seconds: f64| seconds * 1e3 / total as f64;
    Ok(Served {
        links,
        direction: match direction {
            Direction::ToIntercom => "to Intercom",
            Direction::ToTelegram => "to Telegram",
            Direction::Both => "both ways",
        },
        messages: total,
        messages_a_second: total as f64 / took.as_secs_f64(),
        cpu_ms: each(program.cpu()? - before),
        others_cpu_ms: each(cpu_of_this()?.saturating_sub(others_before).as_secs_f64()),
        peak_mb: most_memory(program.child.id())? / 1_000_000,
        file_mb: fs::metadata(data(folder))?.len() / 1_000_000,
    })
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("bridge.db")
}

impl Program {
    async fn start(bridgectl: &Path, folder: &TempDir, town: &Town) -> anyhow::Result<Self> {
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = File::create(folder.path().join("log"))?;
        let child = Command::new(bridgectl)
            .args(["serve", "--listen", &listen, "--data"])
            .arg(data(folder))
            .current_dir(folder.path())
            .env_clear()
            .envs(town.settings())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", bridgectl.display()))?;
        let program = Self {
            child,
            url: format!("http://{listen}"),
        };
        let begun = Instant::now();
        while reqwest::get(format!("{}/healthz", program.url)).await.is_err() {
            ensure!(begun.elapsed() < PATIENCE, "bridgectl does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(program)
    }

    /// The processor time so far, in seconds.
    fn cpu(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold blanks; user and system time are the 14th and 15th field of all.
        let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
        let ticks: f64 = behind
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum();
        Ok(ticks / TICKS)
    }
}
