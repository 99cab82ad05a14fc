//! Topics are deleted in Telegram, and have to be made anew once, whatever died on the way.

use super::{Expected, World, read};
use simulators::{
    intercom::{ConversationView, PartView},
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

    /// What was said in all conversations, and whether the agents were told once that the topic is another one.
    fn said_and_told(&self) -> anyhow::Result<Vec<Vec<String>>> {
        let conversations = self.stage.vendors.intercom.conversations();
        let parts = conversations.iter().flat_map(ConversationView::messages);
        let told = parts.filter(|part| part.text.contains("created anew")).count();
        anyhow::ensure!(told == 1, "agents were told {told} times");
        let is_said = |part: &&PartView| !part.kind.starts_with("note");
        let said = conversations.iter().map(|one| {
            let said = one.messages().filter(is_said);
            said.skip(1)
                .map(|part| format!("{}: {}", part.author_name, part.text.trim()))
                .collect()
        });
        Ok(said.collect())
    }
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
    let said = world.said_and_told()?;
    anyhow::ensure!(said.len() == 1, "{} conversations where one should be", said.len());
    anyhow::ensure!(
        said.concat()
            .iter()
            .filter(|line| *line == "Maria Lopez: found it")
            .count()
            == 1,
        "agents see {said:?}"
    );
    Ok(Expected {
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
    let mut said = world.said_and_told()?;
    said.sort();
    let expected = [
        ["Anna Weber: for ken", "Ken: ken again"],
        ["Anna Weber: for maria", "Maria Lopez: maria again"],
    ];
    anyhow::ensure!(said == expected, "agents see {said:?}");
    let answers = world.stage.vendors.telegram.messages(anew).into_iter();
    let mut seen: Vec<String> = answers.filter(|seen| seen.from_bot).map(|seen| seen.text).collect();
    let both = read(&["Anna\nfor ken", "Anna\nfor maria"]);
    let texts = read(&["for ken", "maria again"]);
    if seen.len() == both.len() {
        // Between lanes no order is promised.
        seen.sort();
        anyhow::ensure!(seen == both, "customers see {seen:?}");
        return Ok(Expected {
            texts,
            ..Expected::default()
        });
    }
    anyhow::ensure!(both.iter().all(|one| seen.contains(one)), "customers see {seen:?}");
    Ok(Expected {
        // One of them twice is as it should be in the one window alone.
        customers: vec![(anew, Vec::new())],
        strays: both,
        texts,
        ..Expected::default()
    })
}
