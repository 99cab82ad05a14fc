//! The bridge is broken on purpose, one rule at a time, and each time the suite has to notice: one test a sabotage.
#![expect(clippy::print_stdout, reason = "what was found is the point of running it")]

use crash::{Ground, Outcome, SABOTAGES, SCENES, Sabotage, is_played_elsewhere, play, points};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

fn main() {
    crash::be_quiet_about_crashes();
    let trial =
        |sabotage: &'static Sabotage| Trial::test(sabotage.name, move || Runtime::new()?.block_on(noticed(sabotage)));
    libtest_mimic::run(&Arguments::from_args(), SABOTAGES.iter().map(trial).collect()).exit();
}

/// Noticed by its scene without any crash, or by the first crash point that shows it.
async fn noticed(sabotage: &'static Sabotage) -> Result<(), Failed> {
    let scene = SCENES.iter().find(|scene| scene.name == sabotage.scene);
    let scene = scene.ok_or("there is no such scene")?;
    let Outcome { calls, wrong } = play(&Ground::Sqlite, *scene, None, Some(sabotage)).await;
    if !wrong.is_empty() {
        println!("noticed: {}, in: {}", sabotage.name, scene.name);
        return Ok(());
    }
    for crash in points(&calls) {
        if is_played_elsewhere(&calls, crash) {
            continue;
        }
        if !play(&Ground::Sqlite, *scene, Some(crash), Some(sabotage))
            .await
            .wrong
            .is_empty()
        {
            let call = calls.get(crash.at).map_or("", |call| call.name);
            println!(
                "noticed: {}, in: {}, {:?} {call}",
                sabotage.name, scene.name, crash.mode
            );
            return Ok(());
        }
    }
    Err("nobody noticed".into())
}
