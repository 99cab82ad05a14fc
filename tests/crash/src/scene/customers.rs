//! Customers write, in one topic, together and again.

use super::{Expected, World, read, said};
use simulators::telegram::{Compose, Media};

pub(super) async fn opens(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "first words");
    world.say(world.maria, topic, "second words");
    world.settle().await?;
    world.answer("first words", "<p>answer one</p>")?;
    world.say(world.maria, topic, "third words");
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "first words"),
                ("Maria Lopez", "second words"),
                ("Anna Weber", "answer one"),
                ("Maria Lopez", "third words"),
            ]),
        )],
        customers: vec![(topic, read(&["Anna\nanswer one"]))],
        texts: read(&["first words", "second words", "answer one", "third words"]),
        ..Expected::default()
    })
}

pub(super) async fn two_customers(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.settle().await?;
    world.say(world.ken, topic, "from ken again");
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "from maria"),
                ("Ken", "from ken"),
                ("Ken", "from ken again"),
            ]),
        )],
        customers: vec![(topic, Vec::new())],
        texts: read(&["from maria", "from ken"]),
        ..Expected::default()
    })
}

pub(super) async fn same_word(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "begin");
    for _ in 0..4 {
        world.say(world.maria, topic, "okey");
    }
    world.settle().await?;
    world.say(world.maria, topic, "okey");
    world.settle().await?;
    let okey = ("Maria Lopez", "okey");
    Ok(Expected {
        agents: vec![("Order", said(&[("Maria Lopez", "begin"), okey, okey, okey, okey, okey]))],
        customers: vec![(topic, Vec::new())],
        texts: read(&["okey"]),
        ..Expected::default()
    })
}

pub(super) async fn corrected(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    let wrong = world.say(world.maria, topic, "at five");
    world.stage.vendors.telegram.edit(world.forum, wrong, "at nine");
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Maria Lopez", "at five"),
                ("Maria Lopez", "Correction:\nat nine"),
            ]),
        )],
        customers: vec![(topic, Vec::new())],
        texts: read(&["at five", "at nine"]),
        ..Expected::default()
    })
}

pub(super) async fn per_user(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.settle().await?;
    world.answer("from ken", "<p>for ken</p>")?;
    // Between lanes no order is promised, so there is only one at a time.
    world.settle().await?;
    world.answer("from maria", "<p>for maria</p>")?;
    world.settle().await?;
    Ok(Expected {
        inbox: vec![
            said(&[("Maria Lopez", "from maria"), ("Anna Weber", "for maria")]),
            said(&[("Ken", "from ken"), ("Anna Weber", "for ken")]),
        ],
        customers: vec![(topic, read(&["Anna\nfor ken", "Anna\nfor maria"]))],
        texts: read(&["from maria", "for ken"]),
        ..Expected::default()
    })
}

/// Photos that look alike; the first one opens the conversation.
pub(super) async fn photos(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    let photo = || {
        let photo = Compose::media(Media::photo(b"\xff\xd8\xff a picture".as_slice()));
        world.stage.vendors.telegram.say_with(world.maria, topic, photo)
    };
    let first = photo();
    world.say(world.maria, topic, "and two more");
    let (second, third) = (photo(), photo());
    world.settle().await?;
    let shown = |id: i64| ("Maria Lopez", format!("[photo] + {id}.jpg"));
    Ok(Expected {
        agents: vec![(
            "Order",
            vec![
                ("Maria Lopez", "[photo]".to_owned()),
                shown(first),
                ("Maria Lopez", "and two more".to_owned()),
                shown(second),
                shown(third),
            ],
        )],
        customers: vec![(topic, Vec::new())],
        texts: read(&["and two more"]),
        ..Expected::default()
    })
}
