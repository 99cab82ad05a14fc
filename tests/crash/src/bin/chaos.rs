//! The chaos run, with a line of progress: `cargo run --profile tool -p crash`.
#![expect(clippy::print_stdout, reason = "it talks to a person in a terminal")]

use clap::Parser;
use crash::{Chaos, Size, be_quiet_about_crashes, run};
use std::{
    cell::Cell,
    process::ExitCode,
    time::{Duration, Instant},
};

/// Sends many messages both ways while everything goes wrong, and judges what everybody sees in the end.
#[derive(Debug, Parser)]
struct Arguments {
    /// What chance begins from; any, without it.
    #[arg(long)]
    seed: Option<u64>,
    /// Messages, both ways together.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// Topics, five to a group.
    #[arg(long, default_value_t = 50)]
    topics: usize,
    /// Deletes no topics on the way.
    #[arg(long)]
    keep_topics: bool,
}

/// How often the line of progress is written.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    anyhow::ensure!(
        cfg!(panic = "unwind"),
        "a worker that dies here would take everything with it: cargo run --profile tool -p crash"
    );
    let chaos = Chaos {
        seed: arguments.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
        size: Size {
            messages: arguments.messages,
            topics: arguments.topics,
            delete_topics: !arguments.keep_topics,
        },
        sabotage: None,
    };
    println!(
        "seed {}: {} messages over {} topics",
        chaos.seed, chaos.size.messages, chaos.size.topics
    );
    be_quiet_about_crashes();
    let began = Instant::now();
    let told = Cell::new(began);
    let report = run(chaos, |messages| {
        if told.get().elapsed() > PROGRESS_EVERY {
            told.set(Instant::now());
            println!("{messages} messages after {} s", began.elapsed().as_secs());
        }
    })
    .await?;
    println!("{report}, {} s by the clock on the wall", began.elapsed().as_secs());
    if !report.unexercised.is_empty() {
        println!(
            "Never exercised (seed {}): {}",
            report.seed,
            report.unexercised.join(", ")
        );
    } else if report.wrong.is_empty() {
        println!("Nothing lost, nothing doubled, nothing overtaken.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} things are wrong (seed {}):", report.wrong.len(), report.seed);
    for wrong in &report.wrong {
        println!("  {wrong}");
    }
    Ok(ExitCode::FAILURE)
}
