//! The table on DynamoDB, whose client is made when it is first needed: a webhook has no use for it, and would make it at each start.

use async_trait::async_trait;
use aws_types::SdkConfig;
use mapping::{Item, Key, Range, Store, StoreError, Write, WriteError, dynamodb::DynamoDbStore};
use std::sync::OnceLock;

/// The table.
pub(crate) struct Table {
    config: SdkConfig,
    name: String,
    made: OnceLock<DynamoDbStore>,
}

impl Table {
    /// The table of this name.
    pub(crate) fn new(config: SdkConfig, name: String) -> Self {
        let made = OnceLock::new();
        Self { config, name, made }
    }

    fn store(&self) -> &DynamoDbStore {
        self.made
            .get_or_init(|| DynamoDbStore::new(aws_sdk_dynamodb::Client::new(&self.config), &self.name))
    }
}

#[async_trait]
impl Store for Table {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        self.store().get(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        self.store().list(range).await
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        self.store().write(writes).await
    }
}
