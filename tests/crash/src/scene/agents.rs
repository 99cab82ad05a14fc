//! Agents and colleagues answer, take back, and are not heard.

use super::{Expected, MORNING_MS, World, read, said};
use local::QueueName;
use simulators::{
    Fault,
    intercom::{File, Reply},
    telegram::{Compose, Rights},
};
use std::time::Duration;

pub(super) async fn long_answer(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let lines: Vec<String> = ["alpha", "beta", "gamma"]
        .iter()
        .map(|word| vec![*word; 600].join(" "))
        .collect();
    let html = format!("<p>{}</p>", lines.join("</p><p>"));
    let part = world.answer("a question", &html)?;
    // What a dying webhook missed comes again a minute later, behind what was said meanwhile.
    world.settle().await?;
    world.answer("a question", "<p>and one more</p>")?;
    world.settle().await?;
    let view = world.stage.vendors.intercom.conversations();
    let whole = view
        .iter()
        .flat_map(|one| &one.parts)
        .find(|one| one.id == part)
        .map(|one| one.text.clone());
    Ok(Expected {
        agents: vec![(
            "Order",
            vec![
                ("Maria Lopez", "a question".to_owned()),
                ("Anna Weber", whole.unwrap_or_default()),
                ("Anna Weber", "and one more".to_owned()),
            ],
        )],
        customers: vec![(
            topic,
            read(&["Anna\nalpha alpha", "beta beta", "gamma gamma", "Anna\nand one more"]),
        )],
        texts: read(&["alpha alpha", "and one more"]),
        ..Expected::default()
    })
}

fn photo(name: &str) -> File {
    File::new(name, "image/jpeg", b"\xff\xd8\xff\xe0 a picture".as_slice())
}

/// A text, two pictures that go together, and a bill that does not: three calls. A text ahead shows their order.
pub(super) async fn files(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let bill = File::new("the-bill.pdf", "application/pdf", b"%PDF".as_slice());
    let reply = Reply::html("<p>as you see</p>").with_image(photo("a.jpg"));
    world.answer_with("a question", reply.with_file(photo("b.jpg")).with_file(bill))?;
    world.settle().await?;
    world.answer("a question", "<p>and one more</p>")?;
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Anna Weber", "as you see [Image] + b.jpg + bill.pdf + a.jpg"),
                ("Anna Weber", "and one more"),
            ]),
        )],
        customers: vec![(
            topic,
            read(&[
                "Anna\nas you see",
                " + image.jpg + b.jpg",
                " + the-bill.pdf",
                "Anna\nand one more",
            ]),
        )],
        texts: read(&["as you see", "the-bill", "downloads"]),
        ..Expected::default()
    })
}

/// An album with its text below, which is taken back: all of it goes, but for a copy that nobody knows.
pub(super) async fn album(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let album = |text: &str| Reply::html(text).with_file(photo("a.jpg")).with_file(photo("b.jpg"));
    world.answer_with("a question", album("<p>look here</p>"))?;
    let part = world.answer_with("a question", album("<p>oh no</p>"))?;
    world.settle().await?;
    world.stage.vendors.intercom.agent_redacts(&part);
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Anna Weber", "look here + a.jpg + b.jpg"),
                ("Anna Weber", "This message was deleted"),
            ]),
        )],
        customers: vec![(topic, read(&["Anna\nlook here + a.jpg + b.jpg"]))],
        strays: read(&["Anna\noh no"]),
        texts: read(&["look here", "oh no"]),
        ..Expected::default()
    })
}

pub(super) async fn staff(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    world.say(world.sam, topic, "will do");
    world.say(world.sam, topic, "will do");
    world.settle().await?;
    world.answer("a question", "<p>will do</p>")?;
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Sam Hill", "will do"),
                ("Sam Hill", "will do"),
                ("Anna Weber", "will do"),
            ]),
        )],
        customers: vec![(topic, read(&["Anna\nwill do"]))],
        texts: read(&["will do"]),
        ..Expected::default()
    })
}

pub(super) async fn redacted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let part = world.answer("a question", "<p>oh no</p>")?;
    world.settle().await?;
    world.stage.vendors.intercom.agent_redacts(&part);
    world.answer("a question", "<p>much better</p>")?;
    world.settle().await?;
    Ok(Expected {
        inbox: vec![said(&[
            ("Maria Lopez", "a question"),
            ("Anna Weber", "This message was deleted"),
            ("Anna Weber", "much better"),
        ])],
        customers: vec![(topic, read(&["Anna\nmuch better"]))],
        strays: read(&["Anna\noh no"]),
        texts: read(&["oh no", "much better"]),
        ..Expected::default()
    })
}

/// Telegram has the answer wait, and its author takes it back meanwhile.
pub(super) async fn redacted_in_time(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let wait = Fault::TooManyRequests(Duration::from_secs(40));
    world.stage.vendors.telegram.faults().arm("sendMessage", wait, 1);
    let part = world.answer("a question", "<p>oh no</p>")?;
    world.stage.settle_within(Duration::from_secs(10)).await?;
    world.stage.vendors.intercom.agent_redacts(&part);
    world.settle().await?;
    world.answer("a question", "<p>much better</p>")?;
    world.settle().await?;
    Ok(Expected {
        inbox: vec![said(&[
            ("Maria Lopez", "a question"),
            ("Anna Weber", "This message was deleted"),
            ("Anna Weber", "much better"),
        ])],
        customers: vec![(topic, read(&["Anna\nmuch better"]))],
        texts: read(&["oh no", "much better"]),
        ..Expected::default()
    })
}

/// A colleague in Telegram answers what the bot brought: to the customer that it was for.
pub(super) async fn staff_answer_the_bot(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.settle().await?;
    world.answer("from ken", "<p>for ken</p>")?;
    world.settle().await?;
    let telegram = &world.stage.vendors.telegram;
    // Of two copies, in the one window, the bridge knows the second.
    let seen = telegram.messages(topic).into_iter().rfind(|seen| seen.from_bot);
    let answered = seen.ok_or_else(|| anyhow::anyhow!("nothing came for ken"))?;
    telegram.say_with(world.sam, topic, Compose::text("me too").reply_to(answered.id));
    world.settle().await?;
    Ok(Expected {
        inbox: vec![
            said(&[("Maria Lopez", "from maria")]),
            said(&[
                ("Ken", "from ken"),
                ("Anna Weber", "for ken"),
                ("Sam Hill", "Support wrote: Anna for ken me too"),
            ]),
        ],
        customers: vec![(topic, read(&["Anna\nfor ken"]))],
        texts: read(&["for ken", "me too"]),
        ..Expected::default()
    })
}

pub(super) async fn swept(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    sweep(world).await;
    world.stage.vendors.intercom.lose_notifications(true);
    // Nobody sweeps for so long that it is too old to be sent.
    world.answer("a question", "<p>long ago</p>")?;
    world.settle().await?;
    world.stage.vendors.clock.advance(Duration::from_hours(15 * 24));
    world.answer("a question", "<p>first lost</p>")?;
    world.answer("a question", "<p>second lost</p>")?;
    world.settle().await?;
    world.stage.vendors.intercom.lose_notifications(false);
    for _ in 0..4 {
        world.stage.vendors.clock.advance(Duration::from_mins(5));
        sweep(world).await;
        world.settle().await?;
    }
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Anna Weber", "long ago"),
                ("Anna Weber", "first lost"),
                ("Anna Weber", "second lost"),
            ]),
        )],
        customers: vec![(topic, read(&["Anna\nfirst lost", "Anna\nsecond lost"]))],
        texts: read(&["first lost"]),
        ..Expected::default()
    })
}

/// A sweep that dies or stops is followed by the next.
async fn sweep(world: &World) {
    let machine = std::sync::Arc::clone(&world.stage.machine);
    let _ = tokio::spawn(async move { machine.sweep().await.is_ok() }).await;
}

/// The bot is thrown out for two hours: the answer is given up, and put back when the bot is back.
pub(super) async fn redriven(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let vendors = &world.stage.vendors;
    // The answer is headed by its time, which must not depend on how long the rest took.
    vendors.clock.advance_to(MORNING_MS + 60 * 60 * 1000);
    vendors.telegram.kick_bot(&vendors.bot, world.forum);
    world.answer("a question", "<p>at last</p>")?;
    world.stage.settle_within(Duration::from_hours(2)).await?;
    vendors.telegram.promote_bot(&vendors.bot, world.forum, Rights::all());
    world.settle().await?;
    world.put_back(QueueName::OutboundDead, QueueName::Outbound).await?;
    let written = "Written 2026-01-15 10:00 UTC:\nAnna\nat last".to_owned();
    Ok(Expected {
        inbox: vec![said(&[("Maria Lopez", "a question"), ("Anna Weber", "at last")])],
        customers: vec![(topic, vec![written])],
        texts: read(&["at last"]),
        ..Expected::default()
    })
}
