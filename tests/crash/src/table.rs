//! The table that a scene is played on, of either store.

use bridgectl::stage::Stage;
use mapping::Store;
#[cfg(feature = "dynamodb")]
use mapping::emulator;
use serde_json::Value;
use std::sync::Arc;

/// Where tables are.
#[derive(Clone)]
pub enum Ground {
    /// In `SQLite`, as the stage has it.
    Sqlite,
    /// In DynamoDB, or what stands for it.
    #[cfg(feature = "dynamodb")]
    DynamoDb(emulator::Emulator),
}

/// The table of one play.
pub(crate) enum Table {
    OfTheStage,
    #[cfg(feature = "dynamodb")]
    DynamoDb(emulator::Table),
}

#[cfg(feature = "dynamodb")]
fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> anyhow::Error {
    anyhow::anyhow!(error)
}

impl Table {
    pub(crate) async fn new(ground: &Ground) -> anyhow::Result<Self> {
        match ground {
            Ground::Sqlite => Ok(Self::OfTheStage),
            #[cfg(feature = "dynamodb")]
            Ground::DynamoDb(emulator) => emulator.table().await.map(Self::DynamoDb).map_err(failed),
        }
    }

    /// The store in it; `of_the_stage`, if it is in that.
    pub(crate) fn store(&self, of_the_stage: Arc<dyn Store>) -> Arc<dyn Store> {
        match self {
            Self::OfTheStage => of_the_stage,
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(table) => Arc::new(table.store()),
        }
    }

    /// Everything in it: keys and records.
    pub(crate) async fn records(&self, stage: &Stage) -> anyhow::Result<Vec<(String, Value)>> {
        match self {
            Self::OfTheStage => {
                let rows = stage.database.read(|connection| {
                    let mut statement = connection.prepare("SELECT pk || '/' || sk, record FROM items")?;
                    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
                    rows.collect::<Result<Vec<(String, String)>, _>>()
                });
                let rows = rows.await?.into_iter();
                rows.map(|(key, record)| Ok((key, serde_json::from_str(&record)?)))
                    .collect()
            }
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(table) => {
                let items = table.items().await.map_err(failed)?.into_iter();
                Ok(items.map(|item| (item.key.to_string(), item.body)).collect())
            }
        }
    }

    /// Ends it.
    pub(crate) async fn end(&self) -> anyhow::Result<()> {
        match self {
            Self::OfTheStage => Ok(()),
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(table) => table.delete().await.map_err(failed),
        }
    }
}
