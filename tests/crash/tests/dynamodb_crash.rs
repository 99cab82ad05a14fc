//! Every crash point of every scene on DynamoDB, or what stands for it at `DYNAMODB_ENDPOINT`. Without the variable all scenes are
//! skipped, but where `CI` is set or `REQUIRE_DYNAMODB` is 1: there they fail.
#![expect(clippy::print_stdout, reason = "what was found is the point of running it")]

use crash::{Ground, Played, SCENES, Scene, every_point};
use libtest_mimic::{Arguments, Failed, Trial};
use mapping::emulator::Emulator;
use tokio::runtime::Runtime;

fn main() {
    crash::be_quiet_about_crashes();
    let emulator = Emulator::from_env();
    let skipped = emulator.is_none() && Emulator::may_be_missing();
    let trial = |scene: &'static Scene| {
        let emulator = emulator.clone();
        let kind = if skipped { "needs DYNAMODB_ENDPOINT" } else { "" };
        Trial::test(scene.name, move || survive(emulator, scene))
            .with_kind(kind)
            .with_ignored_flag(skipped)
    };
    libtest_mimic::run(&Arguments::from_args(), SCENES.iter().map(trial).collect()).exit();
}

fn survive(emulator: Option<Emulator>, scene: &'static Scene) -> Result<(), Failed> {
    let emulator = emulator.ok_or("DYNAMODB_ENDPOINT is not set (see tests/aws/emulator)")?;
    let Played { points, plays } = Runtime::new()?.block_on(every_point(&Ground::DynamoDb(emulator), scene))?;
    println!("{points} crash points in {plays} plays on DynamoDB: {}", scene.name);
    Ok(())
}
