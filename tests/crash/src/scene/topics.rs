//! Topics are deleted in Telegram, and have to be made anew once; or closed, and their conversations with them.

use super::{Expected, World, read, said};
use simulators::{
    intercom::{ConversationView, Reply},
    telegram::Place,
};
use std::time::Duration;

impl World {
    fn delete(&self, topic: Place) {
        if let Some(id) = topic.topic {
            self.stage.vendors.telegram.delete_topic(topic.chat, id);
        }
    }

    /// The topic in the place of the one that is gone: there has to be exactly one.
    fn topic_anew(&self) -> anyhow::Result<Place> {
        let topics = self.stage.vendors.telegram.topics(self.forum);
        let there: Vec<_> = topics.iter().filter(|topic| !topic.deleted).collect();
        match there.as_slice() {
            [topic] if topic.name == "Order" => Ok(Place::topic(self.forum, topic.id)),
            _ => anyhow::bail!("{} topics where one should be: {there:?}", there.len()),
        }
    }

    /// The agents have to be told exactly once that the topic is another one.
    fn told_once_of_the_topic(&self) -> anyhow::Result<()> {
        let conversations = self.stage.vendors.intercom.conversations();
        let parts = conversations.iter().flat_map(ConversationView::messages);
        let told = parts.filter(|part| part.text.contains("created anew")).count();
        anyhow::ensure!(told == 1, "agents were told {told} times");
        Ok(())
    }

    /// Whether the one topic is closed; its conversation has to be what it is.
    fn is_closed(&self, topic: Place) -> anyhow::Result<bool> {
        let conversations = self.stage.vendors.intercom.conversations();
        let closed: Vec<bool> = conversations.iter().map(|one| one.state == "closed").collect();
        let topics = self.stage.vendors.telegram.topics(self.forum);
        let own = topics.iter().find(|one| Some(one.id) == topic.topic);
        let own = own.map(|own| own.closed);
        anyhow::ensure!(
            closed.iter().copied().eq(own),
            "conversations: {closed:?}, topic: {own:?}"
        );
        Ok(own == Some(true))
    }
}

/// The agent closes the conversation, staff open the topic and close it again, and the agent opens the conversation.
pub(super) async fn closed(world: &World) -> anyhow::Result<Expected> {
    let telegram = &world.stage.vendors.telegram;
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    let answer = Reply {
        close: true,
        ..Reply::html("<p>an answer</p>")
    };
    world.answer_with("a question", answer)?;
    world.settle().await?;
    anyhow::ensure!(world.is_closed(topic)?, "the topic is still open");
    telegram.reopen_topic(world.sam, topic);
    world.settle().await?;
    anyhow::ensure!(!world.is_closed(topic)?, "the conversation is still closed");
    world.say(world.maria, topic, "thank you");
    telegram.close_topic(world.sam, topic);
    world.settle().await?;
    anyhow::ensure!(world.is_closed(topic)?, "the conversation is still open");
    if let Some(conversation) = world.conversation("a question") {
        world.stage.vendors.intercom.agent_opens(&conversation, &world.anna);
    }
    world.settle().await?;
    anyhow::ensure!(!world.is_closed(topic)?, "the topic is still closed");
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "a question"),
                ("Anna Weber", "an answer"),
                ("Maria Lopez", "thank you"),
            ]),
        )],
        customers: vec![(topic, read(&["Anna\nan answer"]))],
        texts: read(&["an answer", "thank you"]),
        ..Expected::default()
    })
}

/// The agent's answer finds out; customer and agent go on in the new topic.
pub(super) async fn deleted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "a question");
    world.settle().await?;
    world.stage.vendors.clock.advance(Duration::from_mins(10));
    world.delete(topic);
    world.answer("a question", "<p>into the void</p>")?;
    // What a dying webhook missed comes again a minute later, behind what was said meanwhile.
    world.settle().await?;
    world.answer("a question", "<p>and after it</p>")?;
    world.settle().await?;
    let anew = world.topic_anew()?;
    world.say(world.maria, anew, "found it");
    world.settle().await?;
    world.answer("a question", "<p>good</p>")?;
    world.settle().await?;
    world.told_once_of_the_topic()?;
    Ok(Expected {
        inbox: vec![said(&[
            ("Maria Lopez", "a question"),
            ("Anna Weber", "into the void"),
            ("Anna Weber", "and after it"),
            ("Maria Lopez", "found it"),
            ("Anna Weber", "good"),
        ])],
        customers: vec![(anew, read(&["Anna\ninto the void", "Anna\nand after it", "Anna\ngood"]))],
        texts: read(&["into the void", "found it"]),
        ..Expected::default()
    })
}

/// Two customers have a conversation each, and both answers find out at the same time.
pub(super) async fn deleted_under_two(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.settle().await?;
    world.stage.vendors.clock.advance(Duration::from_mins(10));
    world.delete(topic);
    world.answer("from maria", "<p>for maria</p>")?;
    world.answer("from ken", "<p>for ken</p>")?;
    world.settle().await?;
    let anew = world.topic_anew()?;
    world.say(world.ken, anew, "ken again");
    world.say(world.maria, anew, "maria again");
    world.settle().await?;
    world.told_once_of_the_topic()?;
    let inbox = vec![
        said(&[
            ("Maria Lopez", "from maria"),
            ("Anna Weber", "for maria"),
            ("Maria Lopez", "maria again"),
        ]),
        said(&[("Ken", "from ken"), ("Anna Weber", "for ken"), ("Ken", "ken again")]),
    ];
    let answers = world.stage.vendors.telegram.messages(anew).into_iter();
    let mut seen: Vec<String> = answers.filter(|seen| seen.from_bot).map(|seen| seen.text).collect();
    let both = read(&["Anna\nfor ken", "Anna\nfor maria"]);
    let texts = read(&["for ken", "maria again"]);
    if seen.len() == both.len() {
        // Between lanes no order is promised.
        seen.sort();
        anyhow::ensure!(seen == both, "customers see {seen:?}");
        return Ok(Expected {
            inbox,
            texts,
            ..Expected::default()
        });
    }
    anyhow::ensure!(both.iter().all(|one| seen.contains(one)), "customers see {seen:?}");
    Ok(Expected {
        inbox,
        // One of them twice is as it should be in the one window alone.
        customers: vec![(anew, Vec::new())],
        strays: both,
        texts,
        ..Expected::default()
    })
}
