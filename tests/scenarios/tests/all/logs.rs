//! What is logged holds no text, no name, no secret.

use scenarios::{Left, Scene, WEBHOOK_SECRET};
use serde_json::Value;
use simulators::Fault;
use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::subscriber::DefaultGuard;

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// From here on all of this thread goes to it, until the guard is dropped.
    pub(crate) fn listening() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_env_filter(FILTER)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// What its lines say in this field.
    pub(crate) fn fields(&self, name: &str) -> Vec<u64> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["fields"][name].as_u64()).collect()
    }

    /// How much of a metric its lines count.
    pub(crate) fn counted(&self, metric: &str) -> u64 {
        self.fields(&format!("metric.{metric}")).iter().sum()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Ours alone: the simulators know no discretion, and they are not shipped. With the HTTP client's own words, which are.
pub(crate) const FILTER: &str = "trace,simulators=off,axum=off";

#[tokio::test]
async fn no_text_no_name_and_no_secret_is_logged() {
    let (log, _guard) = Log::listening();
    let scene = Scene::new().await.with_sam_as_admin();
    let world = scene.with_calls_of(Duration::from_millis(300)).open().await;
    let topic = world.topic("Salamander orders");
    for fault in [
        Fault::Refuse(500),
        Fault::LoseAnswer,
        Fault::Garble,
        Fault::Hang,
        Fault::TooManyRequests(Duration::from_secs(3)),
        Fault::Refuse(422),
    ] {
        for call in [
            "POST /conversations",
            "POST /conversations/{id}/reply",
            "GET /conversations/{id}",
        ] {
            world.intercom().faults().arm(call, fault.clone(), 1);
        }
        world.telegram().faults().arm("sendMessage", fault, 1);
    }
    for text in ["A platypus came.", "Two platypuses came.", "Three platypuses came."] {
        world.writes(world.maria, topic, text);
        world.writes(world.sam, topic, "Our wombat says platypus.");
        world.settle().await;
    }
    for conversation in world.intercom().conversations() {
        for _ in 0..3 {
            world
                .intercom()
                .agent_replies(&conversation.id, &world.anna, "<p>The echidna will answer.</p>");
            world.settle().await;
        }
    }
    let forged = r#"{"message": "a forged numbat"}"#;
    world.intercom().inject_raw(forged, Some("sha1=00"));
    let signature = world.intercom().sign(b"{ an unreadable quokka");
    world.intercom().inject_raw("{ an unreadable quokka", Some(&signature));
    world.settle().await;

    let text = log.text();
    assert!(
        text.contains("a delivery stopped on its way"),
        "something went wrong, and it is logged"
    );
    assert!(text.contains("an authentic notification cannot be read"));
    let bot_secret = world.stage.vendors.bot.token.split_once(':').unwrap().1.to_owned();
    let secrets = [
        bot_secret,
        world.intercom().access_token(),
        world.intercom().client_secret(),
        WEBHOOK_SECRET.to_owned(),
    ];
    let words = [
        "platypus",
        "wombat",
        "echidna",
        "numbat",
        "quokka",
        "Salamander",
        "Maria",
        "Lopez",
        "maria_l",
        "Sam Hill",
        "Anna",
        "Weber",
        "Acme",
    ];
    for never in words.into_iter().chain(secrets.iter().map(String::as_str)) {
        if let Some(line) = text.lines().find(|line| line.contains(never)) {
            panic!("{never:?} is in the log: {line}");
        }
    }
    world.telegram().faults().clear();
    world.intercom().faults().clear();
    let lanes = world.stage.machine.lanes();
    let dead = lanes.len(local::QueueName::InboundDead).await.unwrap()
        + lanes.len(local::QueueName::OutboundDead).await.unwrap();
    let undeliverable = usize::try_from(dead).unwrap();
    world
        .finish_but(Left {
            dead_letters: dead,
            undeliverable,
            lost_notifications: true,
            ..Left::default()
        })
        .await;
}
