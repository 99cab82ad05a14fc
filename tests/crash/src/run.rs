//! Playing a scene: recorded without a crash, then once for every point at which a worker may end.

use crate::{
    judge::{Verdict, judge},
    sabotage::Sabotage,
    scene::{MORNING_MS, Scene, World},
    tap::{Crash, MAY_BE_LATE, Mode, SEND, Tap},
};
use bridgectl::stage::{Setting, Wrap};
use simulators::SimClock;
use std::sync::Arc;

/// How a scene ended.
#[derive(Debug)]
pub struct Outcome {
    /// The calls that were made, by name.
    pub calls: Vec<&'static str>,
    /// What is wrong in the end.
    pub wrong: Verdict,
}

/// Plays a scene with a crash or without, on a sound bridge or on a sabotaged one.
pub async fn play(scene: Scene, crash: Option<Crash>, sabotage: Option<&Sabotage>) -> Outcome {
    let clock = SimClock::manual(MORNING_MS);
    let tap = Tap::new(clock.clone(), crash);
    let (tapping, breaking) = (Arc::clone(&tap), sabotage.map(|sabotage| sabotage.wrap));
    let wrap: Wrap = Arc::new(move |ports| {
        let broken = breaking.map_or_else(|| ports.clone(), |wrap| wrap(ports.clone()));
        tapping.around(broken)
    });
    let setting = Setting {
        wrap: Some(wrap),
        look_after: sabotage.and_then(|sabotage| sabotage.look_after),
        ..Setting::default()
    };
    let wrong = tokio::select! {
        wrong = act(scene, clock, setting, &tap, crash) => wrong.unwrap_or_else(|error| vec![format!("{error:#}")]),
        () = tap.out_of_hand() => vec!["it does not come to an end".to_owned()],
    };
    Outcome {
        calls: tap.calls(),
        wrong,
    }
}

async fn act(
    scene: Scene,
    clock: SimClock,
    setting: Setting,
    tap: &Tap,
    crash: Option<Crash>,
) -> anyhow::Result<Verdict> {
    let world = World::new(scene, clock, setting).await?;
    let expected = (scene.play)(&world).await?;
    tap.catch_up(i64::MAX).await;
    let may_repeat = crash.is_some_and(|crash| is_in_the_window(&tap.calls(), crash));
    judge(&world, &expected, may_repeat).await
}

/// The one window: between Telegram's acceptance and our record of it.
fn is_in_the_window(calls: &[&str], crash: Crash) -> bool {
    let call = |at: Option<usize>| at.and_then(|at| calls.get(at)).copied();
    match crash.mode {
        Mode::After | Mode::AnswerLost | Mode::Late => call(Some(crash.at)) == Some(SEND),
        Mode::Before => call(crash.at.checked_sub(1)) == Some(SEND) && call(Some(crash.at)) == Some("store write"),
    }
}

/// Every point of a recorded run.
pub fn points(calls: &[&str]) -> Vec<Crash> {
    let points = |(at, call): (usize, &&str)| {
        let late = MAY_BE_LATE.contains(call).then_some(Mode::Late);
        let modes = [Mode::Before, Mode::After, Mode::AnswerLost].into_iter().chain(late);
        modes.map(move |mode| Crash { at, mode })
    };
    calls.iter().enumerate().flat_map(points).collect()
}
