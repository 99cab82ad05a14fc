//! `bridgectl erase`: all that the bridge holds of one person.

mod traces;

use crate::{
    place::{Found, Place, PlaceArgs, Walk},
    redrive::Direction,
    serve::Clients,
};
use anyhow::Context as _;
use bridge::letter::Letter;
use clap::ValueEnum;
use intercom::IntercomClient;
use local::QueueName;
use mapping::{BotId, Contact, ContactId, CustomerId, Key, Transaction, Version, WriteError, keys};
use std::collections::BTreeSet;
use traces::{Person, Traces};

/// Whom to forget.
#[derive(Clone, Debug, clap::Args)]
pub struct Erase {
    #[command(flatten)]
    place: PlaceArgs,
    /// The person's id in Telegram: a number.
    #[arg(long, allow_hyphen_values = true)]
    customer: i64,
    /// What becomes of the contact in Intercom.
    #[arg(long, default_value = "keep")]
    contact: Fate,
    /// Only says what would be cleared.
    #[arg(long)]
    dry_run: bool,
}

/// What becomes of a contact in Intercom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fate {
    /// It stays as it is.
    Keep,
    /// It is archived: out of sight, and back with the person's next message.
    Archive,
    /// It is deleted for good.
    Delete,
}

/// What was cleared, or would be.
#[derive(Clone, Copy, Debug, Default)]
struct Cleared {
    letters: u64,
    unseen: u64,
    records: usize,
    changed: usize,
}

/// Forgets a person, in an order in which it can stop anywhere and be begun again: what all else is found by goes last.
pub async fn run(erase: Erase, mut tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let place = erase.place.open().await?;
    let settings = place.settings().await?;
    let secrets = settings.secrets.current().await.context("the bot is not known")?;
    let clients = Clients::new(&settings.config, &settings.secrets)?;
    let customer = CustomerId(erase.customer);
    let known = place.ledger.find::<Contact>(&keys::contact(customer)).await?;
    let contact = match &known {
        Some(known) => Some(known.value.contact.clone()),
        None => clients.intercom.contact_of(&format!("telegram:{customer}")).await?,
    };
    let erasure = Erasure {
        erase: &erase,
        place: &place,
        bot: secrets.bot(),
        person: Person { customer, contact },
    };
    let mut traces = Traces::default();
    place.each_item(|item| traces.learn(&erasure.person, &item)).await?;
    let mut cleared = Cleared::default();
    let letters = erasure.clear_queues(&traces, &mut cleared, &mut tell).await?;
    place
        .each_item(|item| traces.find(&erasure.person, &letters, item))
        .await?;
    traces.finish();
    erasure.clear_records(&traces, &mut cleared, &mut tell).await?;
    erasure.clear_contact(&clients.intercom, &mut tell).await?;
    if let Some(known) = known {
        erasure
            .forget(
                |forget| forget.delete(keys::contact(customer), &known.version),
                &mut cleared,
            )
            .await?;
        tell(format!("1 record of who they are in Intercom: {}.", erasure.done()));
    }
    erasure.summary(&traces, cleared).into_iter().for_each(&mut tell);
    anyhow::ensure!(
        cleared.changed == 0 && traces.opening.is_empty(),
        "something changed meanwhile, or is being opened now: run it again in a few minutes"
    );
    Ok(())
}

struct Erasure<'e> {
    erase: &'e Erase,
    place: &'e Place,
    bot: BotId,
    person: Person,
}

impl Erasure<'_> {
    fn done(&self) -> &'static str {
        if self.erase.dry_run {
            "would be removed"
        } else {
            "removed"
        }
    }

    /// Removes messages of theirs from every queue; gives the deliveries of those.
    async fn clear_queues(
        &self,
        traces: &Traces,
        cleared: &mut Cleared,
        tell: &mut (impl FnMut(String) + Send),
    ) -> anyhow::Result<BTreeSet<Key>> {
        let mut deliveries = BTreeSet::new();
        for (direction, queue, name) in [
            (Direction::Inbound, QueueName::Inbound, "waiting, to Intercom"),
            (Direction::Outbound, QueueName::Outbound, "waiting, to Telegram"),
            (Direction::Inbound, QueueName::InboundDead, "dead letters, to Intercom"),
            (
                Direction::Outbound,
                QueueName::OutboundDead,
                "dead letters, to Telegram",
            ),
        ] {
            let mut walk = self.place.walks.begin(queue);
            let all = walk.len().await?;
            let walked = self.clear_queue(traces, direction, walk.as_mut()).await;
            walk.end().await?;
            let (seen, theirs, found) = walked?;
            deliveries.extend(found);
            cleared.letters += theirs;
            cleared.unseen += all.saturating_sub(seen);
            tell(format!(
                "{theirs} of {seen} messages in the queue ({name}): {}.",
                self.done()
            ));
        }
        Ok(deliveries)
    }

    async fn clear_queue(
        &self,
        traces: &Traces,
        direction: Direction,
        walk: &mut dyn Walk,
    ) -> anyhow::Result<(u64, u64, BTreeSet<Key>)> {
        let (mut seen, mut theirs, mut deliveries) = (0, 0, BTreeSet::new());
        loop {
            let some = walk.next().await?;
            if some.is_empty() {
                return Ok((seen, theirs, deliveries));
            }
            for found in some {
                seen += 1;
                let Some(letter) = self.theirs(traces, direction, &found) else {
                    continue;
                };
                theirs += 1;
                deliveries.extend(letter.deliveries);
                if !self.erase.dry_run {
                    walk.remove(&found).await?;
                }
            }
        }
    }

    /// What they wrote, or what is said in a conversation that is theirs alone.
    fn theirs(&self, traces: &Traces, direction: Direction, found: &Found) -> Option<Letter> {
        let letter = direction.read(self.bot, &found.received.body).ok()?;
        let wrote = letter.sender == Some(self.person.customer);
        let concerns = letter
            .conversation
            .as_ref()
            .is_some_and(|conversation| traces.has(conversation));
        (wrote || concerns || traces.is_theirs(&found.received.lane)).then_some(letter)
    }

    async fn clear_records(
        &self,
        traces: &Traces,
        cleared: &mut Cleared,
        tell: &mut (impl FnMut(String) + Send),
    ) -> anyhow::Result<()> {
        let others = &traces.others;
        self.remove_all(others.iter(), cleared).await?;
        tell(format!(
            "{} records of messages and notices: {}.",
            others.len(),
            self.done()
        ));
        self.remove_all(traces.reverses.iter(), cleared).await?;
        let links = traces.links.iter().map(|(key, (_, version))| (key, version));
        self.remove_all(links, cleared).await?;
        tell(format!(
            "{} links of theirs alone: {}.",
            traces.links.len(),
            self.done()
        ));
        if let Some(contact) = &self.person.contact {
            for (link, read) in &traces.shared {
                if self.erase.dry_run {
                    continue;
                }
                let forgotten = self.place.ledger.forget_participant(*link, read, contact).await;
                cleared.count(forgotten)?;
            }
        }
        let out = if self.erase.dry_run {
            "would be taken out"
        } else {
            "taken out"
        };
        tell(format!(
            "{} links that they share with others: {out} of them.",
            traces.shared.len()
        ));
        Ok(())
    }

    async fn remove_all(
        &self,
        items: impl Iterator<Item = (&Key, &Version)>,
        cleared: &mut Cleared,
    ) -> anyhow::Result<()> {
        for (key, version) in items {
            self.forget(|forget| forget.delete(key.clone(), version), cleared)
                .await?;
        }
        Ok(())
    }

    async fn forget(&self, what: impl FnOnce(Transaction) -> Transaction, cleared: &mut Cleared) -> anyhow::Result<()> {
        if self.erase.dry_run {
            cleared.records += 1;
            return Ok(());
        }
        let ledger = &self.place.ledger;
        cleared.count(ledger.commit(what(ledger.transaction())).await.map(drop))
    }

    async fn clear_contact(
        &self,
        intercom: &IntercomClient,
        tell: &mut (impl FnMut(String) + Send),
    ) -> anyhow::Result<()> {
        let Some(contact) = &self.person.contact else {
            tell("Intercom: no contact of theirs is known.".into());
            return Ok(());
        };
        let done = self.fate_of(intercom, contact).await?;
        let would_be = if self.erase.dry_run && self.erase.contact != Fate::Keep {
            "would be "
        } else {
            ""
        };
        tell(format!("Intercom: the contact {contact} {would_be}{done}."));
        Ok(())
    }

    async fn fate_of(&self, intercom: &IntercomClient, contact: &ContactId) -> anyhow::Result<&'static str> {
        let acts = !self.erase.dry_run;
        match self.erase.contact {
            Fate::Keep => Ok("stays as it is"),
            Fate::Archive => {
                if acts {
                    intercom.archive_contact(contact).await?;
                }
                Ok("archived")
            }
            Fate::Delete => {
                if acts {
                    intercom.delete_contact(contact).await?;
                }
                Ok("deleted")
            }
        }
    }

    /// What is told in the end, and what this cannot reach.
    fn summary(&self, traces: &Traces, cleared: Cleared) -> Vec<String> {
        let Cleared {
            letters,
            unseen,
            records,
            changed,
        } = cleared;
        let customer = self.person.customer;
        let mut lines = vec![if self.erase.dry_run {
            format!(
                "Of customer {customer}, {letters} messages and {records} records would be removed. Nothing was changed."
            )
        } else {
            format!("Of customer {customer}, {letters} messages and {records} records were removed.")
        }];
        if changed > 0 {
            lines.push(format!("{changed} records changed meanwhile and are still there."));
        }
        if !traces.opening.is_empty() {
            lines.push(format!(
                "{} conversations of theirs are being opened now.",
                traces.opening.len()
            ));
        }
        lines.push("What is left:".into());
        if unseen > 0 {
            lines.push(format!(
                "  {unseen} messages in queues that could not be looked at: hidden until they are tried again, or behind others of their \
                 lane. Queues hold what people wrote for up to 14 days; run it again then."
            ));
        }
        lines.extend(LEFT.iter().map(|line| format!("  {line}")));
        lines
    }
}

/// What nobody can clear from here.
const LEFT: [&str; 4] = [
    "In topics with other customers: records of single messages. They name nobody, hold ids and keyed hashes, and expire after 90 days.",
    "Backups of the table and files of `export` that were made before.",
    "Intercom: their conversations, and what agents wrote in others. Delete them there.",
    "Telegram: their messages. Whoever may delete messages in the group deletes them there.",
];

impl Cleared {
    fn count(&mut self, removed: Result<(), WriteError>) -> anyhow::Result<()> {
        match removed {
            Ok(()) => self.records += 1,
            Err(WriteError::Conflict) => self.changed += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
