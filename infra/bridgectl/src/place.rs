//! Where the bridge is that a command looks after, a database file or a stack in an AWS account, and what both can be asked for.

mod file;
#[cfg(feature = "aws")]
mod stack;

#[cfg(feature = "aws")]
use crate::aws::StackArgs;
use crate::{
    serve::Clients,
    settings::{self, Settings},
};
use async_trait::async_trait;
use bridge::{Context, Known, Queues, Received};
use local::{QueueName, SystemClock, SystemEntropy};
use mapping::{Clock, Item, Key, Ledger, Store, StoreError};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Which bridge.
#[derive(Clone, Debug, clap::Args)]
pub struct PlaceArgs {
    /// The database file.
    #[arg(long, default_value = "bridge.db")]
    #[cfg_attr(feature = "aws", arg(conflicts_with = "stack"))]
    data: PathBuf,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    stack: StackArgs,
}

/// A bridge that is looked after.
pub(crate) struct Place {
    /// What it is called, for a reader.
    pub(crate) name: String,
    /// Its table.
    pub(crate) store: Arc<dyn Store>,
    /// What is known in it.
    pub(crate) ledger: Ledger,
    /// The same table, to be read from end to end.
    pub(crate) whole: Box<dyn WholeTable>,
    /// Its queues, to be looked through.
    pub(crate) walks: Box<dyn Walks>,
    /// Its queues, to be sent to.
    queues: Queues,
    kind: Kind,
}

enum Kind {
    File,
    #[cfg(feature = "aws")]
    Stack(Box<crate::aws::Stack>),
}

/// A table, read from end to end: no function may do that.
#[async_trait]
pub(crate) trait WholeTable: Send + Sync {
    /// A part of all items, and where the next part begins; nothing after the last.
    async fn part(&self, from: Option<Key>) -> Result<(Vec<Item>, Option<Key>), StoreError>;
}

/// The queues, to be looked through.
pub(crate) trait Walks: Send + Sync {
    /// Begins to look through a queue.
    fn begin(&self, queue: QueueName) -> Box<dyn Walk>;
}

/// One way through a queue. What was looked at is out of others' reach until the end of it.
#[async_trait]
pub(crate) trait Walk: Send {
    /// How many messages the queue holds, hidden ones included.
    async fn len(&self) -> anyhow::Result<u64>;

    /// The next messages, those of one lane in their order; none at the end. A message may stand behind others of its lane, out of
    /// reach.
    async fn next(&mut self) -> anyhow::Result<Vec<Found>>;

    /// Puts a dead letter to the tail of its lane in the queue that it came from, and only then takes it out of this one.
    async fn put_back(&mut self, found: &Found) -> anyhow::Result<()>;

    /// Removes a message for good.
    async fn remove(&mut self, found: &Found) -> anyhow::Result<()>;

    /// Ends it: what was only looked at is as before.
    async fn end(self: Box<Self>) -> anyhow::Result<()>;
}

/// A message on the way through a queue.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its number on this way.
    at: usize,
    /// The message.
    pub(crate) received: Received,
}

impl PlaceArgs {
    /// Opens it.
    pub(crate) async fn open(&self) -> anyhow::Result<Place> {
        #[cfg(feature = "aws")]
        if let Some(stack) = self.stack.find().await? {
            return Ok(stack::open(stack));
        }
        file::open(&self.data)
    }

    /// Opens it with another table than its own.
    #[cfg(feature = "aws")]
    pub(crate) async fn open_with(&self, table: &str) -> anyhow::Result<Place> {
        use anyhow::Context as _;
        let stack = self.stack.find().await?;
        let mut stack = stack.context("only a stack has another table")?;
        table.clone_into(&mut stack.parts.table);
        Ok(stack::open(stack))
    }
}

/// The bridge in this database file.
pub(crate) fn in_file(data: &Path) -> anyhow::Result<Place> {
    file::open(data)
}

/// The bridge in this stack.
#[cfg(feature = "aws")]
pub(crate) fn in_stack(stack: crate::aws::Stack) -> Place {
    stack::open(stack)
}

impl Place {
    fn new(
        name: String,
        store: Arc<dyn Store>,
        whole: Box<dyn WholeTable>,
        walks: Box<dyn Walks>,
        queues: Queues,
        kind: Kind,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            name,
            ledger: Ledger::new(Arc::clone(&store), clock, Arc::new(SystemEntropy)),
            store,
            whole,
            walks,
            queues,
            kind,
        }
    }

    /// What its processes run with.
    pub(crate) async fn settings(&self) -> anyhow::Result<Settings> {
        match &self.kind {
            Kind::File => settings::here(),
            #[cfg(feature = "aws")]
            Kind::Stack(stack) => stack::settings(stack).await,
        }
    }

    /// What its workers stand on.
    pub(crate) fn context(&self, settings: &Settings, clients: &Clients) -> Arc<Context> {
        Arc::new(Context {
            config: settings.config.clone(),
            secrets: Arc::clone(&settings.secrets),
            ledger: self.ledger.clone(),
            helpdesk: Arc::clone(&clients.intercom) as _,
            messenger: Arc::clone(&clients.telegram) as _,
            queues: self.queues.clone(),
            known: Known::default(),
        })
    }

    /// Reads the table from end to end.
    pub(crate) async fn each_item(&self, mut look: impl FnMut(Item) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut from = None;
        loop {
            let (items, next) = self.whole.part(from).await?;
            items.into_iter().try_for_each(&mut look)?;
            from = next;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}
