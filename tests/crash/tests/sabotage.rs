//! The bridge is broken on purpose, one rule at a time, and each time the suite has to notice: one test a sabotage.
#![expect(clippy::print_stdout, reason = "what was found is the point of running it")]

use crash::{Mode, Outcome, SABOTAGES, SCENES, Sabotage, play, points};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

fn main() {
    crash::be_quiet_about_crashes();
    let trial =
        |sabotage: &'static Sabotage| Trial::test(sabotage.name, move || Runtime::new()?.block_on(noticed(sabotage)));
    libtest_mimic::run(&Arguments::from_args(), SABOTAGES.iter().map(trial).collect()).exit();
}

/// Noticed by a scene without any crash, or by the first crash point that shows it.
async fn noticed(sabotage: &'static Sabotage) -> Result<(), Failed> {
    let mut recorded = Vec::new();
    for scene in SCENES {
        let Outcome { calls, wrong } = play(*scene, None, Some(sabotage)).await;
        if !wrong.is_empty() {
            println!("noticed: {}, in: {}", sabotage.name, scene.name);
            return Ok(());
        }
        recorded.push((scene, calls));
    }
    for (scene, calls) in recorded {
        // Calls that change something are where a broken rule shows.
        let call = |at: usize| calls.get(at).copied().unwrap_or_default();
        let changes = points(&calls)
            .into_iter()
            .filter(|crash| crash.mode != Mode::Before && !matches!(call(crash.at), "store get" | "store list"));
        for crash in changes {
            if !play(*scene, Some(crash), Some(sabotage)).await.wrong.is_empty() {
                println!(
                    "noticed: {}, in: {}, {:?} {}",
                    sabotage.name,
                    scene.name,
                    crash.mode,
                    call(crash.at)
                );
                return Ok(());
            }
        }
    }
    Err("nobody noticed".into())
}
