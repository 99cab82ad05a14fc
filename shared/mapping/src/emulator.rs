//! Tables of a DynamoDB that runs beside the tests, at `DYNAMODB_ENDPOINT` (`tests/aws/emulator` sets it).

use crate::{
    dynamodb::{DynamoDbStore, item_of},
    store::Item,
};
use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus},
};
use std::{
    env,
    error::Error,
    time::{Duration, SystemTime},
};

/// Where the emulator is.
#[derive(Clone, Debug)]
pub struct Emulator(String);

impl Emulator {
    /// As the environment says; nothing where it does not.
    pub fn from_env() -> Option<Self> {
        env::var("DYNAMODB_ENDPOINT").ok().map(Self)
    }

    /// Whether tests on it may be left out: not where `CI` is set or `REQUIRE_DYNAMODB` is 1.
    pub fn may_be_missing() -> bool {
        env::var_os("CI").is_none() && env::var_os("REQUIRE_DYNAMODB").is_none_or(|value| value != "1")
    }

    /// A client with a connection of its own.
    pub fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&self.0)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Client::from_conf(config.build())
    }

    /// Creates a table of this bridge's shape, and waits until it can be used.
    pub async fn table(&self) -> Result<Table, Box<dyn Error + Send + Sync>> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let name = format!("test-{}-{}", std::process::id(), since.as_nanos());
        let client = self.client();
        let mut request = client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest);
        for (half, role) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let key = KeySchemaElement::builder().attribute_name(half).key_type(role);
            let attribute = AttributeDefinition::builder().attribute_name(half);
            request = request
                .key_schema(key.build()?)
                .attribute_definitions(attribute.attribute_type(ScalarAttributeType::S).build()?);
        }
        request.send().await?;
        loop {
            let description = client.describe_table().table_name(&name).send().await?.table;
            if description.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return Ok(Table { client, name });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// One table.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The store in it.
    pub fn store(&self) -> DynamoDbStore {
        DynamoDbStore::new(self.client.clone(), &self.name)
    }

    /// Everything in it.
    pub async fn items(&self) -> Result<Vec<Item>, Box<dyn Error + Send + Sync>> {
        let scan = self.client.scan().table_name(&self.name).into_paginator().items();
        let found = scan.send().collect::<Result<Vec<_>, _>>().await?;
        Ok(found.into_iter().map(item_of).collect::<Result<_, _>>()?)
    }

    /// Deletes it.
    pub async fn delete(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.client.delete_table().table_name(&self.name).send().await?;
        Ok(())
    }
}
