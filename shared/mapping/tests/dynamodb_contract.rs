//! The contract suite on `DynamoDB`, or what stands for it at `DYNAMODB_ENDPOINT`: one table a run, a client of its own for each
//! connection. Without the variable all cases are skipped, but where `CI` is set or `REQUIRE_DYNAMODB` is 1: there they fail.

#![expect(clippy::expect_used, reason = "a test without the harness that the lint knows")]

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus},
};
use libtest_mimic::{Arguments, Trial};
use mapping::{
    Store,
    contract::{Fixture, cases},
    dynamodb::DynamoDbStore,
};
use std::{
    env,
    error::Error,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{runtime::Runtime, sync::OnceCell};

struct Table {
    endpoint: String,
    name: OnceCell<String>,
}

impl Table {
    fn at(endpoint: String) -> Self {
        Self {
            endpoint,
            name: OnceCell::new(),
        }
    }

    fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&self.endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Client::from_conf(config.build())
    }

    /// Creates the table, and waits until it can be used.
    async fn create(&self) -> Result<String, Box<dyn Error>> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let name = format!("contract-{}-{}", std::process::id(), since.as_nanos());
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
                return Ok(name);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[async_trait]
impl Fixture for Table {
    async fn connect(&self) -> Arc<dyn Store> {
        let name = self.name.get_or_try_init(|| self.create()).await.expect("a table");
        Arc::new(DynamoDbStore::new(self.client(), name))
    }
}

fn main() -> ExitCode {
    let endpoint = env::var("DYNAMODB_ENDPOINT").ok();
    let required = env::var_os("CI").is_some() || env::var_os("REQUIRE_DYNAMODB").is_some_and(|value| value == "1");
    let skipped = endpoint.is_none() && !required;
    let table = endpoint.map(|endpoint| Arc::new(Table::at(endpoint)));
    let tests = cases().into_iter().map(|case| {
        let fixture = table.clone();
        let test = Trial::test(case.name(), move || {
            let fixture = fixture.ok_or("DYNAMODB_ENDPOINT is not set (see tests/aws/emulator)")?;
            Runtime::new()?.block_on(case.run(fixture));
            Ok(())
        });
        let kind = if skipped { "needs DYNAMODB_ENDPOINT" } else { "" };
        test.with_kind(kind).with_ignored_flag(skipped)
    });
    libtest_mimic::run(&Arguments::from_args(), tests.collect()).exit_code()
}
