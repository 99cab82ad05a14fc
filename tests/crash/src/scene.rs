//! The scenes: what people do, and what everybody has to see in the end, whatever died on the way.

mod topics;

use bridgectl::stage::{Setting, Stage, Vendors};
use local::QueueName;
use simulators::{
    SimClock,
    telegram::{Compose, Media, Place, Rights, UserId},
};
use std::{future::Future, pin::Pin};

/// What has to be seen in the end.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// For each conversation by title: who said what, in order, notes left out. An opening message's link is left out.
    pub(crate) agents: Vec<(&'static str, Vec<(&'static str, String)>)>,
    /// For each topic: what the bot wrote there, in order.
    pub(crate) customers: Vec<(Place, Vec<String>)>,
    /// What a customer may still see if a worker ended in the one window: a second copy whose message nobody knows.
    pub(crate) strays: Vec<String>,
    /// Pieces of text that must not stand in the table.
    pub(crate) texts: Vec<String>,
}

/// The people of a scene, and where they are.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) forum: i64,
    pub(crate) maria: UserId,
    pub(crate) ken: UserId,
    pub(crate) sam: UserId,
    pub(crate) anna: String,
}

type Played<'w> = Pin<Box<dyn Future<Output = anyhow::Result<Expected>> + Send + 'w>>;

/// One scene.
#[derive(Clone, Copy)]
pub struct Scene {
    /// What happens in it.
    pub name: &'static str,
    pub(crate) variables: &'static [(&'static str, &'static str)],
    pub(crate) play: for<'w> fn(&'w World) -> Played<'w>,
}

/// All scenes.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "a customer opens a conversation and goes on",
        variables: &[],
        play: |world| Box::pin(opens(world)),
    },
    Scene {
        name: "two customers in one topic",
        variables: &[],
        play: |world| Box::pin(two_customers(world)),
    },
    Scene {
        name: "the same word again and again",
        variables: &[],
        play: |world| Box::pin(same_word(world)),
    },
    Scene {
        name: "an agent answers, in three messages",
        variables: &[],
        play: |world| Box::pin(long_answer(world)),
    },
    Scene {
        name: "staff and agent say the same",
        variables: &[],
        play: |world| Box::pin(staff(world)),
    },
    Scene {
        name: "a message is corrected",
        variables: &[],
        play: |world| Box::pin(corrected(world)),
    },
    Scene {
        name: "an answer is taken back",
        variables: &[],
        play: |world| Box::pin(redacted(world)),
    },
    Scene {
        name: "each customer has a conversation",
        variables: &[("CONVERSATION_PER", "user")],
        play: |world| Box::pin(per_user(world)),
    },
    Scene {
        name: "notifications are lost and swept up",
        variables: &[],
        play: |world| Box::pin(swept(world)),
    },
    Scene {
        name: "a closed conversation is followed by another",
        variables: &[("NEW_CONVERSATION", "after_close")],
        play: |world| Box::pin(after_close(world)),
    },
    Scene {
        name: "an answer is given up and put back",
        variables: &[("GIVE_UP_AFTER", "20m")],
        play: |world| Box::pin(redriven(world)),
    },
    Scene {
        name: "a conversation is deleted",
        variables: &[],
        play: |world| Box::pin(deleted(world)),
    },
    Scene {
        name: "a topic is deleted",
        variables: &[],
        play: |world| Box::pin(topics::deleted(world)),
    },
    Scene {
        name: "a topic with a conversation for each customer is deleted",
        variables: &[("CONVERSATION_PER", "user")],
        play: |world| Box::pin(topics::deleted_under_two(world)),
    },
    Scene {
        name: "a customer sends photos",
        variables: &[],
        play: |world| Box::pin(photos(world)),
    },
];

/// 2026-01-15 09:00 UTC.
pub(crate) const MORNING_MS: i64 = 1_768_467_600_000;

impl World {
    pub(crate) async fn new(scene: Scene, clock: SimClock, setting: Setting) -> anyhow::Result<Self> {
        let vendors = Vendors::start(clock).await;
        let telegram = &vendors.telegram;
        let forum = telegram.supergroup("Acme Support", true);
        telegram.promote_bot(&vendors.bot, forum, Rights::all());
        let maria = telegram.user("Maria", Some("Lopez"), None);
        let ken = telegram.user("Ken", None, None);
        let sam = telegram.user("Sam", Some("Hill"), None);
        for user in [maria, ken, sam] {
            telegram.add_member(forum, user);
        }
        let anna = vendors.intercom.admin("Anna Weber");
        let colleague = vendors.intercom.admin("Sam Hill");
        let mut setting = setting;
        setting.variables = vec![
            ("TELEGRAM_CHATS", forum.to_string()),
            ("STAFF", format!("{}={colleague}", sam.0)),
        ];
        setting
            .variables
            .extend(scene.variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let stage = Stage::set(vendors, &setting).await?;
        Ok(Self {
            stage,
            forum,
            maria,
            ken,
            sam,
            anna,
        })
    }

    fn topic(&self, name: &str) -> Place {
        Place::topic(
            self.forum,
            self.stage.vendors.telegram.create_topic(self.maria, self.forum, name),
        )
    }

    fn say(&self, user: UserId, place: Place, text: &str) -> i64 {
        self.stage.vendors.telegram.say(user, place, text)
    }

    /// The conversation that opened with this text.
    fn conversation(&self, opening: &str) -> Option<String> {
        let conversations = self.stage.vendors.intercom.conversations();
        let opened = |part: &simulators::intercom::PartView| part.text.contains(opening);
        conversations
            .into_iter()
            .find(|one| one.parts.first().is_some_and(opened))
            .map(|one| one.id)
    }

    /// The agent answers in the conversation that opened with this text; it has to be there.
    fn answer(&self, opening: &str, html: &str) -> anyhow::Result<String> {
        let conversation = self
            .conversation(opening)
            .ok_or_else(|| anyhow::anyhow!("nothing opened with {opening:?}"))?;
        Ok(self
            .stage
            .vendors
            .intercom
            .agent_replies(&conversation, &self.anna, html))
    }
}

fn said(lines: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    lines.iter().map(|(who, what)| (*who, (*what).to_owned())).collect()
}

fn read(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

async fn opens(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "first words");
    world.say(world.maria, topic, "second words");
    world.stage.settle().await?;
    world.answer("first words", "<p>answer one</p>")?;
    world.say(world.maria, topic, "third words");
    world.stage.settle().await?;
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

async fn two_customers(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.stage.settle().await?;
    world.say(world.ken, topic, "from ken again");
    world.stage.settle().await?;
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

async fn same_word(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "begin");
    for _ in 0..4 {
        world.say(world.maria, topic, "okey");
    }
    world.stage.settle().await?;
    world.say(world.maria, topic, "okey");
    world.stage.settle().await?;
    let okey = ("Maria Lopez", "okey");
    Ok(Expected {
        agents: vec![("Order", said(&[("Maria Lopez", "begin"), okey, okey, okey, okey, okey]))],
        customers: vec![(topic, Vec::new())],
        texts: read(&["okey"]),
        ..Expected::default()
    })
}

async fn long_answer(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.stage.settle().await?;
    let lines: Vec<String> = ["alpha", "beta", "gamma"]
        .iter()
        .map(|word| vec![*word; 600].join(" "))
        .collect();
    let html = format!("<p>{}</p>", lines.join("</p><p>"));
    let part = world.answer("a question", &html)?;
    // What a dying webhook missed comes again a minute later, behind what was said meanwhile.
    world.stage.settle().await?;
    world.answer("a question", "<p>and one more</p>")?;
    world.stage.settle().await?;
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

async fn staff(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.stage.settle().await?;
    world.say(world.sam, topic, "will do");
    world.say(world.sam, topic, "will do");
    world.stage.settle().await?;
    world.answer("a question", "<p>will do</p>")?;
    world.stage.settle().await?;
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

async fn corrected(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    let wrong = world.say(world.maria, topic, "at five");
    world.stage.vendors.telegram.edit(world.forum, wrong, "at nine");
    world.stage.settle().await?;
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

async fn redacted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.stage.settle().await?;
    let part = world.answer("a question", "<p>oh no</p>")?;
    world.stage.settle().await?;
    world.stage.vendors.intercom.agent_redacts(&part);
    world.answer("a question", "<p>much better</p>")?;
    world.stage.settle().await?;
    Ok(Expected {
        agents: Vec::new(),
        customers: vec![(topic, read(&["Anna\nmuch better"]))],
        strays: read(&["Anna\noh no"]),
        texts: read(&["oh no", "much better"]),
    })
}

async fn per_user(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.stage.settle().await?;
    world.answer("from ken", "<p>for ken</p>")?;
    // Between lanes no order is promised, so there is only one at a time.
    world.stage.settle().await?;
    world.answer("from maria", "<p>for maria</p>")?;
    world.stage.settle().await?;
    // Both conversations have the topic's title, so what is in them is looked at through the customers' side.
    Ok(Expected {
        agents: Vec::new(),
        customers: vec![(topic, read(&["Anna\nfor ken", "Anna\nfor maria"]))],
        texts: read(&["from maria", "for ken"]),
        ..Expected::default()
    })
}

async fn swept(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.stage.settle().await?;
    sweep(world).await;
    world.stage.vendors.intercom.lose_notifications(true);
    // Nobody sweeps for so long that it is too old to be sent.
    world.answer("a question", "<p>long ago</p>")?;
    world.stage.settle().await?;
    world
        .stage
        .vendors
        .clock
        .advance(std::time::Duration::from_hours(15 * 24));
    world.answer("a question", "<p>first lost</p>")?;
    world.answer("a question", "<p>second lost</p>")?;
    world.stage.settle().await?;
    world.stage.vendors.intercom.lose_notifications(false);
    for _ in 0..4 {
        world.stage.vendors.clock.advance(std::time::Duration::from_mins(5));
        sweep(world).await;
        world.stage.settle().await?;
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

async fn after_close(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "old matter");
    world.stage.settle().await?;
    if let Some(old) = world.conversation("old matter") {
        world.stage.vendors.intercom.agent_closes(&old, &world.anna);
    }
    world.stage.settle().await?;
    world.say(world.maria, topic, "new matter");
    world.say(world.maria, topic, "more of it");
    world.stage.settle().await?;
    world.answer("old matter", "<p>late answer</p>")?;
    world.stage.settle().await?;
    world.answer("new matter", "<p>new answer</p>")?;
    world.stage.settle().await?;
    Ok(Expected {
        agents: Vec::new(),
        customers: vec![(topic, read(&["Anna\nlate answer", "Anna\nnew answer"]))],
        texts: read(&["old matter", "new matter"]),
        ..Expected::default()
    })
}

/// The bot is thrown out for two hours: the answer is given up, and put back when the bot is back.
async fn redriven(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.stage.settle().await?;
    let vendors = &world.stage.vendors;
    // The answer is headed by its time, which must not depend on how long the rest took.
    vendors.clock.advance_to(MORNING_MS + 60 * 60 * 1000);
    vendors.telegram.kick_bot(&vendors.bot, world.forum);
    world.answer("a question", "<p>at last</p>")?;
    world.stage.settle_within(std::time::Duration::from_hours(2)).await?;
    vendors.telegram.promote_bot(&vendors.bot, world.forum, Rights::all());
    world.stage.settle().await?;
    // The console's button, which somebody may press twice.
    for _ in 0..2 {
        world
            .stage
            .machine
            .lanes()
            .redrive(QueueName::OutboundDead, QueueName::Outbound)
            .await?;
        world.stage.settle().await?;
    }
    let written = "Written 2026-01-15 10:00 UTC:\nAnna\nat last".to_owned();
    Ok(Expected {
        customers: vec![(topic, vec![written])],
        texts: read(&["at last"]),
        ..Expected::default()
    })
}

async fn deleted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "before");
    world.stage.settle().await?;
    world.stage.vendors.clock.advance(std::time::Duration::from_mins(10));
    if let Some(old) = world.conversation("before") {
        world.stage.vendors.intercom.delete_conversation(&old);
    }
    world.say(world.maria, topic, "found out");
    world.say(world.maria, topic, "after");
    world.stage.settle().await?;
    Ok(Expected {
        agents: vec![("Order", said(&[("Maria Lopez", "found out"), ("Maria Lopez", "after")]))],
        customers: vec![(topic, Vec::new())],
        texts: read(&["found out"]),
        ..Expected::default()
    })
}

/// Photos that look alike; the first one opens the conversation.
async fn photos(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    let photo = || {
        let photo = Compose::media(Media::photo(b"\xff\xd8\xff a picture".as_slice()));
        world.stage.vendors.telegram.say_with(world.maria, topic, photo)
    };
    let first = photo();
    world.say(world.maria, topic, "and two more");
    let (second, third) = (photo(), photo());
    world.stage.settle().await?;
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
