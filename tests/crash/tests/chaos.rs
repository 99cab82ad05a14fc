//! Short chaos runs, and what they notice; the long one is the program of this crate.
#![expect(clippy::print_stdout, reason = "what was played is the point of running it")]

use crash::{Chaos, Report, SABOTAGES, Size, run};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

/// Seeds that decide differently: whether a closed conversation is followed by another, when notifications come.
const SEEDS: [u64; 2] = [1, 5];

const SIZE: Size = Size {
    messages: 300,
    topics: 8,
    delete_topics: true,
};

/// What the run has to notice by itself, without knowing where to look.
const NOTICED: [&str; 1] = ["what may have gone out counts as not sent"];

fn main() {
    crash::be_quiet_about_crashes();
    let sound = SEEDS.map(|seed| Trial::test(format!("seed {seed}"), move || is_sound(seed)));
    let broken = NOTICED.map(|name| Trial::test(format!("noticed: {name}"), move || is_noticed(name)));
    libtest_mimic::run(&Arguments::from_args(), sound.into_iter().chain(broken).collect()).exit();
}

fn is_sound(seed: u64) -> Result<(), Failed> {
    let report = play(seed, None)?;
    println!("{report}");
    if !report.wrong.is_empty() {
        return Err(format!("seed {seed}: {:#?}", report.wrong).into());
    }
    if !report.unexercised.is_empty() {
        return Err(format!("seed {seed} never exercised {:#?}", report.unexercised).into());
    }
    Ok(())
}

fn is_noticed(name: &'static str) -> Result<(), Failed> {
    let report = play(SEEDS[0], Some(name))?;
    let first = report.wrong.first().ok_or("nobody noticed")?;
    println!("noticed: {name}: {first}");
    Ok(())
}

fn play(seed: u64, sabotage: Option<&str>) -> Result<Report, Failed> {
    let chaos = Chaos {
        seed,
        size: SIZE,
        sabotage: SABOTAGES.iter().find(|one| Some(one.name) == sabotage),
    };
    println!("seed {seed}: {} messages over {} topics", SIZE.messages, SIZE.topics);
    Ok(Runtime::new()?.block_on(run(chaos, |_| {}))?)
}
