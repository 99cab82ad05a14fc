//! Files that do not go the usual way: too big, or waiting for longer than their addresses last.

use super::{Expected, World, read, said};
use simulators::{
    Fault,
    intercom::{File, Reply},
    telegram::{Compose, Media},
};
use std::time::Duration;

/// What is too big leaves a line, and what comes with it arrives.
pub(super) async fn too_big(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    let film = Media::document("film.mkv", "video/x-matroska", b"x".as_slice()).sized(30_000_000);
    let film = Compose::media(film).with_text("the film");
    world.stage.vendors.telegram.say_with(world.maria, topic, film);
    world.settle().await?;
    let big = File::new("big.mkv", "video/x-matroska", *b"x").stated(60_000_000);
    let reply = Reply::html("<p>mine is bigger</p>").with_file(big);
    let bill = File::new("the-bill.pdf", "application/pdf", b"%PDF".as_slice());
    world.answer_with("a question", reply.with_file(bill))?;
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                (
                    "Maria Lopez",
                    "the film [file] film.mkv (30.0 MB) – not carried over, for it is larger than 20 MB; see",
                ),
                ("Anna Weber", "mine is bigger + big.mkv + bill.pdf"),
            ]),
        )],
        customers: vec![(
            topic,
            read(&["Anna\nmine is bigger\n[file] big.mkv (60.0 MB) – not carried over"]),
        )],
        texts: read(&["the film", "mine is bigger", "the-bill"]),
        ..Expected::default()
    })
}

/// Telegram has the text wait for longer than the addresses of the files last, so that they are asked for anew.
pub(super) async fn address_has_ended(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let wait = Fault::TooManyRequests(Duration::from_mins(45));
    world.stage.vendors.telegram.faults().arm("sendMessage", wait, 1);
    let bill = File::new("the-bill.pdf", "application/pdf", b"%PDF".as_slice());
    let label = File::new("label.jpg", "image/jpeg", b"\xff\xd8\xff\xe0 a picture".as_slice());
    world.answer_with(
        "a question",
        Reply::html("<p>as you see</p>").with_file(bill).with_file(label),
    )?;
    world.settle().await?;
    Ok(Expected {
        inbox: vec![said(&[
            ("Maria Lopez", "a question"),
            ("Anna Weber", "as you see + bill.pdf + label.jpg"),
        ])],
        customers: vec![(topic, read(&["Anna\nas you see", " + the-bill.pdf", " + label.jpg"]))],
        texts: read(&["as you see", "the-bill", "downloads"]),
        ..Expected::default()
    })
}
