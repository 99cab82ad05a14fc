//! A share of one processor, as Lambda gives it by memory, through a control group of Linux.

use anyhow::Context as _;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// The memory that a whole processor comes with: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>.
const MEMORY_OF_ONE: u32 = 1_769;

/// In which the share is given anew; Lambda's own is not documented, and seen to be this.
const PERIOD_MICROS: u32 = 20_000;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A group of processes that share a part of a processor. It is removed with the last clone, after its processes.
#[derive(Clone, Debug)]
pub(crate) struct Share(Arc<Group>);

#[derive(Debug)]
struct Group(PathBuf);

impl Share {
    /// The share of a function of so many MB; nothing where this machine does not let us make groups.
    pub(crate) fn of(memory: u32) -> Option<Self> {
        let name = format!("bench-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let micros = PERIOD_MICROS * memory / MEMORY_OF_ONE;
        let first = Path::new("/sys/fs/cgroup/cpu").join(&name);
        if fs::create_dir(&first).is_ok() {
            let group = Self(Arc::new(Group(first)));
            let set = group.set("cpu.cfs_period_us", PERIOD_MICROS);
            return set
                .and_then(|()| group.set("cpu.cfs_quota_us", micros))
                .ok()
                .map(|()| group);
        }
        let second = Path::new("/sys/fs/cgroup").join(&name);
        fs::create_dir(&second).ok()?;
        let group = Self(Arc::new(Group(second)));
        group
            .set("cpu.max", format!("{micros} {PERIOD_MICROS}"))
            .ok()
            .map(|()| group)
    }

    /// From now on this process has no more than the share.
    pub(crate) fn take_in(&self, process: u32) -> anyhow::Result<()> {
        self.set("cgroup.procs", process)
    }

    fn set(&self, file: &str, value: impl std::fmt::Display) -> anyhow::Result<()> {
        let path = self.0.0.join(file);
        fs::write(&path, value.to_string()).with_context(|| format!("{} cannot be set", path.display()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
