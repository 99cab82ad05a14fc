//! Files on their way while something goes wrong: once, in order, and no token with them.

use super::{
    files::{JPEG, parts, photo},
    logs::Log,
};
use scenarios::{Scene, World};
use simulators::{
    Fault,
    telegram::{Compose, Media},
};
use std::time::Duration;

/// So short a (real) time a call may take where one is never answered.
const SHORT: Duration = Duration::from_secs(1);

fn faults() -> Vec<Fault> {
    vec![
        Fault::Refuse(500),
        Fault::TooManyRequests(Duration::from_secs(7)),
        Fault::FailAfter(502),
        Fault::LoseAnswer,
        Fault::CutBefore,
        Fault::Hang,
        Fault::CommitLate,
        Fault::Garble,
    ]
}

async fn scene(fault: &Fault) -> Scene {
    let scene = Scene::new().await;
    match fault {
        Fault::Hang | Fault::CommitLate => scene.with_calls_of(SHORT),
        _ => scene,
    }
}

/// Three photos that look alike, the first of which opens the conversation, arrive once each and in order.
async fn photos_arrive_once(fault: Fault, arm: impl Fn(&World)) {
    let world = scene(&fault).await.open().await;
    arm(&world);
    let topic = world.topic("Order 1042");
    let ids: Vec<i64> = (0..3)
        .map(|_| world.sends(world.maria, topic, Compose::media(photo())))
        .collect();
    world.writes(world.maria, topic, "That is all");
    world.settle().await;
    let parts = parts(&world);
    let names: Vec<&str> = parts
        .iter()
        .flat_map(|part| &part.attachments)
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(names.len(), 3, "{fault:?}: {names:?}");
    for (name, id) in names.iter().zip(&ids) {
        assert!(name.ends_with(&format!("-{id}.jpg")), "{fault:?}: {names:?}");
    }
    assert!(
        parts
            .iter()
            .flat_map(|part| &part.attachments)
            .all(|file| file.bytes == JPEG)
    );
    assert_eq!(parts.len(), 5, "{fault:?}");
    assert!(parts[4].text.ends_with("That is all"), "{fault:?}");
    world.intercom().faults().clear();
    world.telegram().faults().clear();
    world.finish().await;
}

#[tokio::test]
async fn a_file_whose_answer_was_lost_is_found_again() {
    for fault in faults() {
        let call = "POST /conversations/{id}/reply";
        photos_arrive_once(fault.clone(), |world| {
            world.intercom().faults().arm(call, fault.clone(), 3);
        })
        .await;
    }
}

#[tokio::test]
async fn a_file_waits_while_telegram_does_not_answer() {
    for fault in faults() {
        for call in ["getFile", "file"] {
            photos_arrive_once(fault.clone(), |world| {
                world.telegram().faults().arm(call, fault.clone(), 2);
            })
            .await;
        }
    }
}

/// The address of a file holds the bot's token: no request to Intercom, no log and no record may hold it, whatever goes wrong.
#[tokio::test]
async fn no_token_leaves_by_way_of_a_file() {
    let (log, _guard) = Log::listening();
    let world = Scene::new()
        .await
        .with_calls_of(Duration::from_millis(300))
        .open()
        .await;
    let topic = world.topic("Order 1042");
    for fault in faults()
        .into_iter()
        .chain([Fault::Refuse(400), Fault::Refuse(404), Fault::Refuse(403)])
    {
        for call in ["getFile", "file"] {
            world.telegram().faults().arm(call, fault.clone(), 1);
            world.sends(world.maria, topic, Compose::media(photo()));
            world.settle().await;
        }
        world.telegram().faults().clear();
    }
    let too_long = Media::document("a.bin", "application/octet-stream", vec![0; 21 << 20]).sized(5);
    world.sends(world.maria, topic, Compose::media(too_long));
    world.settle().await;

    let secret = world.stage.vendors.bot.token.split_once(':').unwrap().1.to_owned();
    let held = |text: &str| text.contains(&secret);
    assert!(log.text().contains("a delivery stopped on its way"));
    if let Some(line) = log.text().lines().find(|line| held(line)) {
        panic!("the token is in the log: {line}");
    }
    for call in world.intercom().calls() {
        let whole = format!("{} {:?} {:?} {}", call.name, call.ids, call.headers, call.body);
        assert!(!held(&whole), "{whole}");
    }
    for part in parts(&world) {
        let holds = |bytes: &[u8]| held(&String::from_utf8_lossy(bytes));
        assert!(!held(&part.html) && !part.attachments.iter().any(|file| holds(&file.bytes)));
    }
    for item in world.store.items().await {
        assert!(!held(&item.body.to_string()), "{}", item.key);
    }
    world.finish().await;
}
