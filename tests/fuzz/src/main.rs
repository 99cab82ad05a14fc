//! `cargo run -p fuzz`: every target, so many executions each.

use clap::Parser;
use fuzz::{Entities, Html, Multipart, Notification, Ran, Signature, Target, Update, run};
use std::{process::ExitCode, sync::mpsc, thread};

/// What `tests/run` gives each target at least.
const EXECUTIONS: u32 = 200_000;

/// Gives the parsers what nobody would think of.
#[derive(Parser)]
struct Arguments {
    /// How many inputs each target is given.
    #[arg(long, default_value_t = EXECUTIONS)]
    executions: u32,
    /// What chance begins from.
    #[arg(long, default_value_t = 20_261_127)]
    seed: u64,
    /// Which targets; all of them by default.
    targets: Vec<String>,
}

/// A target that can be run.
type Entry = (&'static str, fn(u32, u64) -> Ran);

const TARGETS: [Entry; 6] = [
    entry::<Update>(),
    entry::<Notification>(),
    entry::<Html>(),
    entry::<Entities>(),
    entry::<Signature>(),
    entry::<Multipart>(),
];

const fn entry<T: Target>() -> Entry {
    (T::NAME, run::<T>)
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let chosen = chosen(&arguments.targets)?;
    println!("seed {}", arguments.seed);
    let mut failed = 0;
    for ran in run_all(&chosen, &arguments) {
        let (name, executions, seconds) = (ran.name, ran.executions, ran.time.as_secs_f32());
        println!("{name}: {executions} executions in {seconds:.1} s");
        if let Some(failure) = ran.failure {
            failed += 1;
            println!("{name} FAILED: {failure}");
        }
    }
    println!("{} passed, {failed} failed", chosen.len() - failed);
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Entry>> {
    if names.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    let find = |name: &String| {
        let found = TARGETS.into_iter().find(|(target, _)| target == name);
        found.ok_or_else(|| anyhow::anyhow!("there is no target {name}"))
    };
    names.iter().map(find).collect()
}

/// Runs the targets side by side; each is told of as it ends.
fn run_all(targets: &[Entry], arguments: &Arguments) -> mpsc::IntoIter<Ran> {
    let (ends, ended) = mpsc::channel();
    for (_, run) in targets.iter().copied() {
        let ends = ends.clone();
        let (executions, seed) = (arguments.executions, arguments.seed);
        thread::spawn(move || ends.send(run(executions, seed)));
    }
    ended.into_iter()
}
