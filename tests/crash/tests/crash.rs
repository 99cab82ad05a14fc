//! Every crash point of every scene, and every sabotage.

use crash::{Outcome, SCENES, play, points};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_die_anywhere() {
    crash::be_quiet_about_crashes();
    let mut count = 0;
    let mut failures = Vec::new();
    let only = std::env::var("SCENE").unwrap_or_default();
    for scene in SCENES.iter().filter(|scene| scene.name.contains(&only)) {
        let Outcome { calls, wrong } = play(*scene, None, None).await;
        if !wrong.is_empty() {
            failures.push(format!("{}: without any crash: {wrong:#?}", scene.name));
            continue;
        }
        let points = points(&calls);
        println!("{:5} points: {}", points.len(), scene.name);
        count += points.len();
        let mut running = tokio::task::JoinSet::new();
        for crash in points {
            if running.len() >= 3 {
                collect(&mut running, &mut failures).await;
            }
            let name = calls[crash.at];
            running.spawn(async move { (scene.name, name, crash, play(*scene, Some(crash), None).await) });
        }
        while !running.is_empty() {
            collect(&mut running, &mut failures).await;
        }
    }
    println!("{count} crash points");
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

type Running = tokio::task::JoinSet<(&'static str, &'static str, crash::Crash, Outcome)>;

async fn collect(running: &mut Running, failures: &mut Vec<String>) {
    if let Some(done) = running.join_next().await {
        let (scene, call, crash, outcome) = done.unwrap_or_else(|error| panic!("a scene could not be played: {error}"));
        if !outcome.wrong.is_empty() {
            failures.push(format!(
                "{scene}: {:?} {call} ({}): {:?}",
                crash.mode, crash.at, outcome.wrong
            ));
        }
    }
}
