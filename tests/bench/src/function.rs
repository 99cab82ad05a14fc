//! One process of a function, started as Lambda starts it.

use crate::{
    runtime_api::{Answered, RuntimeApi},
    share::Share,
};
use anyhow::Context as _;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;
use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// What a function finds in its environment, beside Lambda's own.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// How a function is deployed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deployed {
    /// Its memory, in MB.
    pub(crate) memory: u32,
    /// Its timeout.
    pub(crate) timeout: Duration,
}

/// A process that serves events.
pub(crate) struct Function {
    /// When it was started.
    pub(crate) started: Instant,
    api: RuntimeApi,
    child: Child,
    _share: Option<Share>,
}

/// What a process took until its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    /// Processor time.
    pub(crate) cpu: Duration,
    /// The most memory that it had, in bytes.
    pub(crate) memory: u64,
}

impl Function {
    /// Starts a process. `share` is what it may use of a processor from its first event on: before, Lambda gives it a whole one.
    pub(crate) async fn start(
        binary: &Path,
        environment: &Environment,
        deployed: Deployed,
        share: Option<Share>,
        log: Option<File>,
    ) -> anyhow::Result<Self> {
        let (api, first_asked) = RuntimeApi::open(deployed.timeout).await?;
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "stack-function-with-a-usual-name")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", deployed.memory.to_string())
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .stdout(log.map_or_else(Stdio::null, Stdio::from))
            .stdin(Stdio::null());
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let function = Self {
            started,
            api,
            child,
            _share: share.clone(),
        };
        if let Some(share) = share {
            let _ = first_asked.await;
            share.take_in(function.child.id())?;
        }
        Ok(function)
    }

    /// Asks it one thing.
    pub(crate) async fn ask(&mut self, event: &Value) -> anyhow::Result<Answered> {
        self.api.hand_out(event)?;
        self.api.answer().await
    }

    /// Ends the process.
    pub(crate) fn end(mut self) -> anyhow::Result<Took> {
        let memory = most_memory(self.child.id())?;
        let before = cpu_of_children()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(Took {
            cpu: cpu_of_children()?.saturating_sub(before),
            memory,
        })
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process had so far, in bytes.
pub(crate) fn most_memory(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kilobytes.context("no VmHWM")? * 1024)
}

/// The processor time of all processes that were waited for.
pub(crate) fn cpu_of_children() -> anyhow::Result<Duration> {
    cpu(UsageWho::RUSAGE_CHILDREN)
}

/// The processor time of this process.
pub(crate) fn cpu_of_this() -> anyhow::Result<Duration> {
    cpu(UsageWho::RUSAGE_SELF)
}

fn cpu(whose: UsageWho) -> anyhow::Result<Duration> {
    let usage = getrusage(whose)?;
    let total = usage.user_time() + usage.system_time();
    let seconds = u64::try_from(total.tv_sec())?;
    let micros = u64::try_from(total.tv_usec())?;
    Ok(Duration::from_secs(seconds) + Duration::from_micros(micros))
}
