//! The bridge is broken on purpose, one rule at a time, and each time the suite has to notice.

use crash::{Mode, Outcome, SABOTAGES, SCENES, Sabotage, play, points};

/// What found a sabotage: a scene without any crash, or the first of its crash points.
async fn found(sabotage: &'static Sabotage) -> Option<String> {
    for scene in SCENES {
        let Outcome { calls, wrong } = play(*scene, None, Some(sabotage)).await;
        if !wrong.is_empty() {
            return Some(scene.name.to_owned());
        }
        // Calls that change something are where a broken rule shows; in the first scenes it shows soonest.
        let changes = points(&calls).into_iter().filter(|crash| {
            !matches!(crash.mode, Mode::Before) && !calls[crash.at].contains("get") && !calls[crash.at].contains("list")
        });
        for crash in changes {
            if !play(*scene, Some(crash), Some(sabotage)).await.wrong.is_empty() {
                return Some(format!("{}, {:?} {}", scene.name, crash.mode, calls[crash.at]));
            }
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sabotage_is_noticed() {
    crash::be_quiet_about_crashes();
    let mut unnoticed = Vec::new();
    for sabotage in SABOTAGES {
        match found(sabotage).await {
            Some(by) => println!("noticed: {:50} by {by}", sabotage.name),
            None => unnoticed.push(sabotage.name),
        }
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}
