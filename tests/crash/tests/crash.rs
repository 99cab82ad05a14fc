//! Every crash point of every scene on SQLite: one test a scene.
#![expect(clippy::print_stdout, reason = "what was found is the point of running it")]

use crash::{Ground, Played, SCENES, Scene, every_point};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

fn main() {
    crash::be_quiet_about_crashes();
    let trial = |scene: &'static Scene| Trial::test(scene.name, move || survive(scene));
    libtest_mimic::run(&Arguments::from_args(), SCENES.iter().map(trial).collect()).exit();
}

fn survive(scene: &'static Scene) -> Result<(), Failed> {
    let Played { points, plays } = Runtime::new()?.block_on(every_point(&Ground::Sqlite, scene))?;
    println!("{points} crash points in {plays} plays: {}", scene.name);
    Ok(())
}
