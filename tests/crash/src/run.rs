//! Playing a scene: recorded without a crash, then once for every point at which a worker may end.

use crate::{
    judge::{Verdict, judge},
    sabotage::Sabotage,
    scene::{MORNING_MS, Scene, World},
    table::{Ground, Table},
    tap::{Call, Crash, MAY_BE_LATE, Mode, SEND, Tap},
};
use bridgectl::stage::{Ports, Setting, Wrap};
use simulators::SimClock;
use std::sync::Arc;

/// How a scene ended.
#[derive(Debug)]
pub struct Outcome {
    /// The calls that were made.
    pub calls: Vec<Call>,
    /// What is wrong in the end.
    pub wrong: Verdict,
}

/// Plays a scene on this ground with a crash or without, on a sound bridge or on a sabotaged one.
pub async fn play(ground: &Ground, scene: Scene, crash: Option<Crash>, sabotage: Option<&Sabotage>) -> Outcome {
    let clock = SimClock::manual(MORNING_MS);
    let tap = Tap::new(clock.clone(), crash, sabotage.and_then(|sabotage| sabotage.reading));
    let wrong = tokio::select! {
        wrong = act(ground, scene, clock, &tap, crash, sabotage) => wrong.unwrap_or_else(|error| vec![format!("{error:#}")]),
        () = tap.out_of_hand() => vec!["it does not come to an end".to_owned()],
    };
    Outcome {
        calls: tap.calls(),
        wrong,
    }
}

async fn act(
    ground: &Ground,
    scene: Scene,
    clock: SimClock,
    tap: &Arc<Tap>,
    crash: Option<Crash>,
    sabotage: Option<&Sabotage>,
) -> anyhow::Result<Verdict> {
    let table = Arc::new(Table::new(ground).await?);
    let setting = Setting {
        wrap: Some(wrap(Arc::clone(&table), Arc::clone(tap), sabotage)),
        look_after: sabotage.and_then(|sabotage| sabotage.look_after),
        ..Setting::default()
    };
    let world = World::new(scene, clock, setting, Arc::clone(tap)).await?;
    let expected = (scene.play)(&world).await?;
    let may_repeat = crash.is_some_and(|crash| is_in_the_window(&tap.calls(), crash));
    let wrong = judge(&world, &table, &expected, may_repeat).await?;
    table.end().await?;
    Ok(wrong)
}

/// What stands between the handlers and the outside: what is sabotaged, and behind it, before the table of this play, the tap.
fn wrap(table: Arc<Table>, tap: Arc<Tap>, sabotage: Option<&Sabotage>) -> Wrap {
    let breaking = sabotage.map(|sabotage| sabotage.wrap);
    Arc::new(move |ports| {
        let tapped = tap.around(Ports {
            store: table.store(ports.store),
            ..ports
        });
        match breaking {
            Some(breaking) => breaking(tapped),
            None => tapped,
        }
    })
}

/// The one window: between Telegram's acceptance and our record of it.
pub(crate) fn is_in_the_window(calls: &[Call], crash: Crash) -> bool {
    let call = |at: Option<usize>| at.and_then(|at| calls.get(at)).map(|call| call.name);
    match crash.mode {
        Mode::After | Mode::AnswerLost | Mode::Late => call(Some(crash.at)) == Some(SEND),
        Mode::Before => call(crash.at.checked_sub(1)) == Some(SEND) && call(Some(crash.at)) == Some("store write"),
    }
}

/// Every point of a recorded run.
pub fn points(calls: &[Call]) -> Vec<Crash> {
    let points = |(at, call): (usize, &Call)| {
        let late = MAY_BE_LATE.contains(&call.name).then_some(Mode::Late);
        let modes = [Mode::Before, Mode::After, Mode::AnswerLost].into_iter().chain(late);
        modes.map(move |mode| Crash { at, mode })
    };
    calls.iter().enumerate().flat_map(points).collect()
}

/// Whether another point leaves everything as this one does, and is played for both: a worker that dies before its next call has died
/// after its last one; and before a call that only reads, or after it, is the same.
pub fn is_played_elsewhere(calls: &[Call], point: Crash) -> bool {
    calls.get(point.at).is_some_and(|call| match point.mode {
        Mode::Before => call.goes_on,
        Mode::After => call.reads(),
        Mode::AnswerLost | Mode::Late => false,
    })
}
