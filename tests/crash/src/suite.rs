//! Every crash point of a scene.

use crate::{
    run::{Outcome, is_played_elsewhere, play, points},
    scene::Scene,
    table::Ground,
    tap::Crash,
};
use tokio::task::JoinSet;

/// So many plays run at the same time.
const AT_ONCE: usize = 2;

/// What was played of a scene.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    /// Its crash points.
    pub points: usize,
    /// How often it was played for them: once for those that leave the same.
    pub plays: usize,
}

/// Plays a scene for all of its crash points; gives how many there were, or what was wrong.
pub async fn every_point(ground: &Ground, scene: &'static Scene) -> Result<Played, String> {
    let recorded = play(ground, *scene, None, None).await;
    if !recorded.wrong.is_empty() {
        return Err(format!("without any crash: {:#?}", recorded.wrong));
    }
    let mut points = points(&recorded.calls);
    let count = points.len();
    points.retain(|point| !is_played_elsewhere(&recorded.calls, *point));
    let played = Played {
        points: count,
        plays: points.len(),
    };
    let mut failures = Vec::new();
    let mut running = JoinSet::new();
    for crash in points {
        if running.len() >= AT_ONCE {
            collect(&mut running, &mut failures).await;
        }
        let call = recorded.calls.get(crash.at).map_or("", |call| call.name);
        let ground = ground.clone();
        running.spawn(async move { (call, crash, play(&ground, *scene, Some(crash), None).await) });
    }
    while !running.is_empty() {
        collect(&mut running, &mut failures).await;
    }
    if failures.is_empty() {
        Ok(played)
    } else {
        Err(failures.join("\n"))
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
