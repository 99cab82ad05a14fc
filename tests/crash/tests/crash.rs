//! Every crash point of every scene: one test a scene.
#![expect(clippy::print_stdout, reason = "what was found is the point of running it")]

use crash::{Crash, Outcome, SCENES, Scene, play, points};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::{runtime::Runtime, task::JoinSet};

/// So many plays run at the same time within one scene's test.
const AT_ONCE: usize = 2;

fn main() {
    crash::be_quiet_about_crashes();
    let trial = |scene: &'static Scene| Trial::test(scene.name, move || Runtime::new()?.block_on(every_point(scene)));
    libtest_mimic::run(&Arguments::from_args(), SCENES.iter().map(trial).collect()).exit();
}

async fn every_point(scene: &'static Scene) -> Result<(), Failed> {
    let recorded = play(*scene, None, None).await;
    if !recorded.wrong.is_empty() {
        return Err(format!("without any crash: {:#?}", recorded.wrong).into());
    }
    let points = points(&recorded.calls);
    println!("{} crash points: {}", points.len(), scene.name);
    let mut failures = Vec::new();
    let mut running = JoinSet::new();
    for crash in points {
        if running.len() >= AT_ONCE {
            collect(&mut running, &mut failures).await;
        }
        let call = recorded.calls.get(crash.at).copied().unwrap_or_default();
        running.spawn(async move { (call, crash, play(*scene, Some(crash), None).await) });
    }
    while !running.is_empty() {
        collect(&mut running, &mut failures).await;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

async fn collect(running: &mut JoinSet<(&'static str, Crash, Outcome)>, failures: &mut Vec<String>) {
    match running.join_next().await {
        Some(Ok((_, _, outcome))) if outcome.wrong.is_empty() => {}
        Some(Ok((call, crash, outcome))) => {
            failures.push(format!("{:?} {call} ({}): {:?}", crash.mode, crash.at, outcome.wrong));
        }
        Some(Err(error)) => failures.push(format!("a play did not come to its end: {error}")),
        None => {}
    }
}
