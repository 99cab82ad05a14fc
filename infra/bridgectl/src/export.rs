//! `bridgectl export`: the map of topics and conversations as a file.

use crate::{
    map_file::{Writer, is_of_map},
    place::{Place, PlaceArgs},
    times::moment,
};
use anyhow::Context as _;
use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

/// Of which bridge, and where to.
#[derive(Clone, Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    place: PlaceArgs,
    /// The file to write, such as map.jsonl. One that is there already is left alone.
    #[arg(long)]
    to: PathBuf,
    /// Another table than the stack's own: one that was restored from a backup.
    #[cfg(feature = "aws")]
    #[arg(long, requires = "stack")]
    table: Option<String>,
}

impl Export {
    async fn open(&self) -> anyhow::Result<Place> {
        #[cfg(feature = "aws")]
        if let Some(table) = &self.table {
            return self.place.open_with(table).await;
        }
        self.place.open().await
    }
}

/// Writes the map into a file.
pub async fn run(export: Export, mut tell: impl FnMut(String) + Send) -> anyhow::Result<()> {
    let place = export.open().await?;
    let file = create(&export.to).with_context(|| format!("{} cannot be made", export.to.display()))?;
    let mut writer = Writer::begin(BufWriter::new(file), moment(place.ledger.now()))?;
    place
        .each_item(|item| if is_of_map(&item) { writer.put(item) } else { Ok(()) })
        .await?;
    let (written, count) = writer.end()?;
    written.into_inner()?.sync_all()?;
    tell(format!(
        "{count} items of {} are in {}.",
        place.name,
        export.to.display()
    ));
    tell("It holds ids and the titles of topics. Deliveries are not in it: they are of this table's own past.".into());
    Ok(())
}

/// Only its owner reads it: ids and titles are people's, too.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
