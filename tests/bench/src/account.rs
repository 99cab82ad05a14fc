//! An account on the emulator that has what the template makes, and the part of Lambda that takes messages out of queues.

use crate::{function::Environment, meter::Meter};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

/// How long a poll of a queue waits for a message, as Lambda's do.
const WAIT_SECONDS: u32 = 20;

/// The account behind the meter.
pub(crate) struct Account {
    pub(crate) meter: Meter,
    http: reqwest::Client,
    queues: Vec<(&'static str, String)>,
}

/// The queues that are emptied.
pub(crate) const INBOUND: usize = 0;
pub(crate) const OUTBOUND: usize = 1;

/// A message that was received.
pub(crate) struct Received {
    /// As Lambda hands it to a function.
    pub(crate) event: Value,
    handle: String,
}

const QUEUES: [(&str, &str); 4] = [
    ("INBOUND_QUEUE_URL", "inbound.fifo"),
    ("OUTBOUND_QUEUE_URL", "outbound.fifo"),
    ("INBOUND_DEAD_LETTERS_URL", "inbound-dead.fifo"),
    ("OUTBOUND_DEAD_LETTERS_URL", "outbound-dead.fifo"),
];

impl Account {
    /// A new account, with this secret; whatever the emulator held is forgotten.
    pub(crate) async fn open(emulator: &str, secret: &Value) -> anyhow::Result<Self> {
        let forget = reqwest::Client::builder().no_proxy().build()?;
        forget
            .post(format!("{emulator}/_ministack/reset"))
            .send()
            .await?
            .error_for_status()?;
        let mut account = Self {
            meter: Meter::before(emulator).await?,
            http: reqwest::Client::builder().no_proxy().build()?,
            queues: Vec::new(),
        };
        let secret = json!({"Name": "secret", "SecretString": secret.to_string(), "ClientRequestToken": "8476a536-e9f4-11e8-9739-2dfe598c3fcd"});
        account.call("secretsmanager.CreateSecret", &secret).await?;
        let keys = ["pk", "sk"];
        let attributes: Vec<Value> = keys
            .iter()
            .map(|key| json!({"AttributeName": key, "AttributeType": "S"}))
            .collect();
        let table = json!({
            "TableName": "table",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        });
        account.call("DynamoDB_20120810.CreateTable", &table).await?;
        for (variable, name) in QUEUES {
            let attributes = json!({"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId", "VisibilityTimeout": "130"});
            let queue = json!({"QueueName": name, "Attributes": attributes});
            let made = account.call("AmazonSQS.CreateQueue", &queue).await?;
            let url = made["QueueUrl"].as_str().context("a queue without a URL")?;
            account.queues.push((variable, url.to_owned()));
        }
        Ok(account)
    }

    /// What the template sets.
    pub(crate) fn environment(&self) -> Environment {
        self.environment_at(&self.meter.url)
    }

    /// The same, past the meter.
    pub(crate) fn environment_at(&self, endpoint: &str) -> Environment {
        let mut environment = self.queues.clone();
        environment.extend([
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("SECRET_ID", "secret".to_owned()),
            ("TABLE_NAME", "table".to_owned()),
            ("METRICS_NAMESPACE", "bridge".to_owned()),
            ("RUST_LOG", "info".to_owned()),
        ]);
        environment
    }

    /// How many messages were sent to a queue since the meter was last read.
    pub(crate) fn sent(&self, queue: usize) -> u64 {
        self.meter.sent(QUEUES[queue].1)
    }

    /// Sends a message with nothing around it: not signed, past the meter.
    pub(crate) async fn send_bare(&self, queue: usize, emulator: &str, dedupe: &str) -> anyhow::Result<()> {
        let ask = json!({
            "QueueUrl": self.queues[queue].1,
            "MessageGroupId": "bare",
            "MessageDeduplicationId": dedupe,
            "MessageBody": "x".repeat(500),
        });
        self.call_at(emulator, "AmazonSQS.SendMessage", &ask).await.map(drop)
    }

    /// Waits for a message, as Lambda does.
    pub(crate) async fn receive(&self, queue: usize) -> anyhow::Result<Option<Received>> {
        let ask = json!({
            "QueueUrl": self.queues[queue].1,
            "MaxNumberOfMessages": 1,
            "WaitTimeSeconds": WAIT_SECONDS,
            "AttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let answer = self.call("AmazonSQS.ReceiveMessage", &ask).await?;
        let Some(message) = answer["Messages"].get(0) else {
            return Ok(None);
        };
        let handle = message["ReceiptHandle"]
            .as_str()
            .context("a message without a handle")?;
        let record = json!({
            "messageId": message["MessageId"],
            "receiptHandle": handle,
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{}", QUEUES[queue].1),
            "awsRegion": "us-east-1",
        });
        Ok(Some(Received {
            event: json!({"Records": [record]}),
            handle: handle.to_owned(),
        }))
    }

    /// Removes a message that a function has dealt with.
    pub(crate) async fn delete(&self, queue: usize, received: &Received) -> anyhow::Result<()> {
        let ask = json!({"QueueUrl": self.queues[queue].1, "ReceiptHandle": received.handle});
        self.call("AmazonSQS.DeleteMessage", &ask).await.map(drop)
    }

    async fn call(&self, target: &str, body: &Value) -> anyhow::Result<Value> {
        self.call_at(&self.meter.url, target, body).await
    }

    async fn call_at(&self, endpoint: &str, target: &str, body: &Value) -> anyhow::Result<Value> {
        let service = target.split_once('.').map_or("", |(service, _)| service);
        let (service, version) = match service {
            "secretsmanager" => ("secretsmanager", "1.1"),
            "AmazonSQS" => ("sqs", "1.0"),
            _ => ("dynamodb", "1.0"),
        };
        let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
        let request = self.http.post(endpoint).header("x-amz-target", target);
        let request = request
            .header("content-type", format!("application/x-amz-json-{version}"))
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
            );
        let answer = request.body(body.to_string()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{target}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
