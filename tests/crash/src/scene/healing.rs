//! What was known is gone, elsewhere, or busy; and takes its old place, whatever died on the way.

use super::{Expected, World, read, said};
use simulators::telegram::{Place, Rights};
use std::time::Duration;

/// So long after its opening, what is not found in Intercom is gone.
const LATER: Duration = Duration::from_mins(10);

impl World {
    /// The id of the contact of this name.
    fn contact(&self, name: &str) -> anyhow::Result<String> {
        let contacts = self.stage.vendors.intercom.contacts();
        let found = contacts.into_iter().find(|one| one.name.as_deref() == Some(name));
        found
            .map(|one| one.id)
            .ok_or_else(|| anyhow::anyhow!("{name} is no contact"))
    }
}

pub(super) async fn contact_deleted(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "from maria");
    world.say(world.ken, topic, "from ken");
    world.settle().await?;
    world.stage.vendors.clock.advance(LATER);
    world.stage.vendors.intercom.delete_contact(&world.contact("Ken")?);
    world.say(world.ken, topic, "found out");
    world.say(world.ken, topic, "after");
    world.settle().await?;
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "from maria"),
                ("Ken", "from ken"),
                ("Ken", "found out"),
                ("Ken", "after"),
            ]),
        )],
        customers: vec![(topic, Vec::new())],
        texts: read(&["from ken", "found out"]),
        ..Expected::default()
    })
}

pub(super) async fn contact_merged(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "before");
    world.settle().await?;
    world.stage.vendors.clock.advance(LATER);
    let intercom = &world.stage.vendors.intercom;
    let known = intercom.add_contact("user", "Maria of the CRM", Some("crm-17"));
    intercom.merge_contacts(&world.contact("Maria Lopez")?, &known);
    world.say(world.maria, topic, "found out");
    world.say(world.maria, topic, "after");
    world.settle().await?;
    anyhow::ensure!(intercom.contacts().len() == 1, "somebody was made anew");
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "before"),
                ("Maria of the CRM", "found out"),
                ("Maria of the CRM", "after"),
            ]),
        )],
        customers: vec![(topic, Vec::new())],
        texts: read(&["found out"]),
        ..Expected::default()
    })
}

pub(super) async fn contact_archived(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "before");
    world.settle().await?;
    world.stage.vendors.clock.advance(LATER);
    let intercom = &world.stage.vendors.intercom;
    intercom.archive_contact(&world.contact("Maria Lopez")?);
    world.say(world.maria, topic, "found out");
    world.say(world.maria, topic, "after");
    world.settle().await?;
    anyhow::ensure!(intercom.contacts().len() == 1, "somebody was made anew");
    Ok(Expected {
        agents: vec![(
            "Order",
            said(&[
                ("Maria Lopez", "before"),
                ("Maria Lopez", "found out"),
                ("Maria Lopez", "after"),
            ]),
        )],
        customers: vec![(topic, Vec::new())],
        texts: read(&["found out"]),
        ..Expected::default()
    })
}

/// A basic group becomes a supergroup while what was said in it is under way, and so is an answer.
pub(super) async fn moved(world: &World) -> anyhow::Result<Expected> {
    let vendors = &world.stage.vendors;
    let telegram = &vendors.telegram;
    telegram.promote_bot(&vendors.bot, world.group, Rights::all());
    world.settle().await?;
    let first = world.say(world.maria, Place::chat(world.group), "before");
    world.settle().await?;
    world.say(world.maria, Place::chat(world.group), "okey");
    world.say(world.maria, Place::chat(world.group), "okey");
    let supergroup = telegram.migrate(world.group);
    world.answer("before", "<p>under way</p>")?;
    world.settle().await?;
    world.say(world.maria, Place::chat(supergroup), "okey");
    world.settle().await?;
    world.answer("before", "<p>and after it</p>")?;
    world.settle().await?;
    let opening = format!("before (Telegram message {first} in chat {})", world.group);
    let okey = || ("Maria Lopez", "okey".to_owned());
    Ok(Expected {
        inbox: vec![vec![
            ("Maria Lopez", opening),
            ("Anna Weber", "under way".to_owned()),
            okey(),
            okey(),
            okey(),
            ("Anna Weber", "and after it".to_owned()),
        ]],
        customers: vec![(
            Place::chat(supergroup),
            read(&["Anna\nunder way", "Anna\nand after it"]),
        )],
        texts: read(&["okey", "under way"]),
        ..Expected::default()
    })
}
