//! Faults of calls: what the caller sees, and what was done.

use std::time::Duration;

use serde_json::json;
use simulators::{
    Fault,
    telegram::{Outcome, Place},
};

use crate::support::World;

fn written(world: &World) -> usize {
    world.sim.messages(Place::chat(world.forum)).len()
}

#[tokio::test]
async fn answers_that_say_no() {
    let world = World::new().await;
    let faults = world.sim.faults();
    for (fault, status, done) in [
        (Fault::Refuse(403), 403, 0),
        (Fault::TooManyRequests(Duration::from_secs(7)), 429, 0),
        (Fault::FailAfter(500), 500, 1),
    ] {
        faults.arm("sendMessage", fault, 1);
        let answer = world.send(None, "x").await;
        assert_eq!((answer.status, written(&world)), (status, done));
        assert!(answer.description().len() > 5);
        if status == 429 {
            assert_eq!(
                (
                    &answer.body["parameters"]["retry_after"],
                    &answer.headers["retry-after"]
                ),
                (&json!(7), &"7".parse().expect("a header"))
            );
        }
    }
    assert_eq!((faults.armed(), world.sim.calls_of("sendMessage")), (0, 3));
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn connections_that_break() {
    let world = World::new().await;
    for (fault, done) in [(Fault::CutBefore, 0), (Fault::LoseAnswer, 1)] {
        world.sim.faults().arm("*", fault.clone(), 1);
        let params = json!({ "chat_id": world.forum, "text": "x" });
        let error = world.try_call("sendMessage", params).await.expect_err("no answer");
        assert!(!error.is_timeout() && !error.is_decode(), "{error:?}");
        assert_eq!(written(&world), done);
        assert_eq!(
            world.sim.calls().last().and_then(|call| call.fault.clone()),
            Some(fault)
        );
    }
    world.send(None, "fine again").await.message_id();
}

#[tokio::test]
async fn answers_that_are_no_answers() {
    let world = World::new().await;
    world.sim.faults().arm("sendMessage", Fault::Garble, 1);
    let params = json!({ "chat_id": world.forum, "text": "x" });
    assert!(
        world
            .try_call("sendMessage", params.clone())
            .await
            .expect_err("garbage")
            .is_decode()
    );
    world.sim.faults().arm("sendMessage", Fault::Refuse(502), 1);
    assert!(
        world
            .try_call("sendMessage", params)
            .await
            .expect_err("a web page")
            .is_decode()
    );
    assert_eq!(written(&world), 1);
}

#[tokio::test]
async fn calls_that_hang() {
    let world = World::new().await;
    let patience = Duration::from_millis(200);
    let params = json!({ "chat_id": world.forum, "text": "x" });
    for (fault, done) in [(Fault::Hang, 0), (Fault::CommitLate, 1)] {
        world.sim.faults().arm("sendMessage", fault, 1);
        let call = world.try_call("sendMessage", params.clone());
        assert!(tokio::time::timeout(patience, call).await.is_err());
        let committed = async {
            while written(&world) < done {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), committed)
            .await
            .expect("the late work");
        assert_eq!(written(&world), done);
    }
    assert_eq!(world.sim.calls()[0].outcome, Outcome::Ignored);
    assert!(matches!(world.sim.calls()[1].outcome, Outcome::Done(_)));
    world
        .sim
        .faults()
        .arm("sendMessage", Fault::Slow(Duration::from_millis(20)), 1);
    world.call("sendMessage", params).await.message_id();
}
