//! `bridgectl import`: what a file of the map knows and the table does not.

use crate::{
    map_file::{self, Summary},
    place::{Place, PlaceArgs},
    times::moment,
};
use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use local::SystemEntropy;
use mapping::{Expected, Item, StoreError, Version, Write, WriteError};
use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    time::Duration,
};

/// Into which bridge, and where from.
#[derive(Clone, Debug, clap::Args)]
pub struct Import {
    #[command(flatten)]
    place: PlaceArgs,
    /// The file to read, as `export` wrote it.
    #[arg(long)]
    from: PathBuf,
    /// Only says what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// How many items are on their way at a time.
const AT_ONCE: usize = 16;

/// After so many items it is told how far it has come.
const TELL_EVERY: usize = 10_000;

/// A store that is busy is asked so often, each time after a longer pause.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What became of one item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    New,
    There,
    Kept,
}

/// How many items became what.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    new: usize,
    there: usize,
    kept: usize,
}

impl Count {
    fn add(&mut self, became: Became) {
        match became {
            Became::New => self.new += 1,
            Became::There => self.there += 1,
            Became::Kept => self.kept += 1,
        }
    }

    fn all(self) -> usize {
        self.new + self.there + self.kept
    }

    fn told(self, dry_run: bool) -> String {
        let put = if dry_run { "would be put" } else { "were put" };
        format!(
            "{} {put}, {} are there already, {} stay as the table has them, for that is newer",
            self.new, self.there, self.kept
        )
    }
}

/// Puts what the table lacks, and lets the sweep begin anew.
pub async fn run(import: Import, mut tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let place = import.place.open().await?;
    let summary = map_file::check(open(&import.from)?)?;
    tell(format!(
        "{} holds {} items, exported at {}.",
        import.from.display(),
        summary.items,
        summary.exported_at
    ));
    let items = items(&import.from)?;
    let place = &place;
    let mut became = stream::iter(items)
        .map(|item| async move { put(place, item, import.dry_run).await })
        .buffer_unordered(AT_ONCE);
    let mut count = Count::default();
    while let Some(one) = became.try_next().await? {
        count.add(one);
        if count.all().is_multiple_of(TELL_EVERY) {
            tell(format!("So far: {}.", count.told(import.dry_run)));
        }
    }
    tell(format!("That is all: {}.", count.told(import.dry_run)));
    restart(place, &summary, import.dry_run, tell).await
}

/// Nothing that was said before may be found missing: the records of it are not in the file.
async fn restart(
    place: &Place,
    summary: &Summary,
    dry_run: bool,
    mut tell: impl FnMut(String) + Send,
) -> anyhow::Result<()> {
    for workspace in &summary.workspaces {
        let at = if dry_run {
            place.ledger.now()
        } else {
            place.ledger.restart_sweep(workspace).await?
        };
        let is = if dry_run { "would be" } else { "is" };
        tell(format!(
            "The watermark of workspace {workspace} {is} at {}: older replies are not looked for.",
            moment(at)
        ));
    }
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(BufReader::new(file))
}

fn items(path: &Path) -> anyhow::Result<Vec<Item>> {
    let mut items = Vec::new();
    map_file::read(open(path)?, |item| {
        items.push(item);
        Ok(())
    })?;
    Ok(items)
}

async fn put(place: &Place, item: Item, dry_run: bool) -> anyhow::Result<Became> {
    if !dry_run && create(place, &item).await? {
        return Ok(Became::New);
    }
    let lies_there = place.store.get(std::slice::from_ref(&item.key)).await?;
    Ok(match lies_there.into_iter().flatten().next() {
        Some(there) if there.body == item.body => Became::There,
        Some(_) => Became::Kept,
        None => Became::New,
    })
}

/// Puts an item where nothing lies; tells whether nothing did.
async fn create(place: &Place, item: &Item) -> anyhow::Result<bool> {
    let write = [Write::Put {
        item: Item {
            version: Version::fresh(&SystemEntropy),
            ..item.clone()
        },
        expected: Expected::Absent,
    }];
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match place.store.write(&write).await {
            Ok(()) => return Ok(true),
            Err(WriteError::Conflict) => return Ok(false),
            Err(WriteError::Store(StoreError::Unavailable(_))) => tokio::time::sleep(pause).await,
            Err(error) => return Err(error.into()),
        }
        pause *= 2;
    }
    match place.store.write(&write).await {
        Ok(()) => Ok(true),
        Err(WriteError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
