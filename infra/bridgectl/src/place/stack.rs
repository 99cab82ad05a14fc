//! A bridge in an AWS account.

use super::{Found, Kind, Place, Walk, Walks, WholeTable};
use crate::{
    aws::{Parts, Stack, refusal},
    settings::Settings,
};
use anyhow::Context as _;
use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName},
};
use bridge::{
    Queues, Received,
    config::Config,
    ports::{Queue as _, QueueMessage},
};
use host::SqsQueue;
use local::{QueueName, SystemClock};
use mapping::{Item, Key, StoreError, dynamodb::DynamoDbStore};
use std::sync::Arc;

/// So long what was looked at is out of others' reach, should this program die.
const HIDDEN_FOR_S: i32 = 120;

/// The most that SQS gives at once.
const AT_ONCE: i32 = 10;

/// A short wait asks all of SQS's servers: without it, some messages are not seen.
const WAIT_S: i32 = 1;

/// The attribute that tells which giving-up a message is a copy of.
const GAVE_UP: &str = "gave_up";

pub(super) fn open(stack: Stack) -> Place {
    let store = DynamoDbStore::new(stack.dynamodb(), &stack.parts.table);
    let sqs = stack.sqs();
    let queue = |url: &str| Arc::new(SqsQueue::new(sqs.clone(), url));
    let queues = Queues {
        inbound: queue(&stack.parts.inbound_queue),
        outbound: queue(&stack.parts.outbound_queue),
        inbound_dead: queue(&stack.parts.inbound_dead),
        outbound_dead: queue(&stack.parts.outbound_dead),
    };
    let walks = StackQueues {
        client: sqs.clone(),
        parts: stack.parts.clone(),
    };
    Place::new(
        format!("the stack {}", stack.name),
        Arc::new(store.clone()),
        Box::new(store),
        Box::new(walks),
        queues,
        Kind::Stack(Box::new(stack)),
    )
}

/// The settings as the functions have them.
pub(super) async fn settings(stack: &Stack) -> anyhow::Result<Settings> {
    let name = &stack.parts.outbound_worker.name;
    let asked = stack.lambda().get_function_configuration().function_name(name).send();
    let answer = asked.await.map_err(refusal);
    let answer = answer.with_context(|| format!("the settings of {name} cannot be read"))?;
    let environment = answer.environment.and_then(|environment| environment.variables);
    let environment = environment.unwrap_or_default();
    let config = Config::parse(|variable| environment.get(variable).cloned());
    let secrets = host::secrets_in(
        stack.secrets_manager(),
        stack.parts.secret.clone(),
        Arc::new(SystemClock),
    );
    Ok(Settings {
        config: config.context("a setting of the functions is missing or wrong")?,
        secrets,
    })
}

#[async_trait]
impl WholeTable for DynamoDbStore {
    async fn part(&self, from: Option<Key>) -> Result<(Vec<Item>, Option<Key>), StoreError> {
        DynamoDbStore::part(self, from.as_ref()).await
    }
}

struct StackQueues {
    client: Client,
    parts: Parts,
}

impl Walks for StackQueues {
    fn begin(&self, queue: QueueName) -> Box<dyn Walk> {
        let parts = &self.parts;
        let (url, home) = match queue {
            QueueName::Inbound => (&parts.inbound_queue, &parts.inbound_queue),
            QueueName::Outbound => (&parts.outbound_queue, &parts.outbound_queue),
            QueueName::InboundDead => (&parts.inbound_dead, &parts.inbound_queue),
            QueueName::OutboundDead => (&parts.outbound_dead, &parts.outbound_queue),
        };
        Box::new(SqsWalk {
            client: self.client.clone(),
            url: url.clone(),
            home: SqsQueue::new(self.client.clone(), home),
            seen: Vec::new(),
        })
    }
}

struct SqsWalk {
    client: Client,
    url: String,
    home: SqsQueue,
    seen: Vec<Seen>,
}

/// A message that was received, and with what it is settled.
struct Seen {
    id: String,
    receipt: String,
    is_settled: bool,
}

impl SqsWalk {
    fn seen(&self, found: &Found) -> anyhow::Result<&Seen> {
        self.seen.get(found.at).context("a message of another queue")
    }

    fn take_in(&mut self, message: Message) -> Option<Found> {
        let system = message.attributes.unwrap_or_default();
        let own = message.message_attributes.unwrap_or_default();
        let count = system.get(&MessageSystemAttributeName::ApproximateReceiveCount);
        let id = message.message_id?;
        let received = Received {
            id: id.clone(),
            lane: system.get(&MessageSystemAttributeName::MessageGroupId)?.clone(),
            body: message.body?,
            gave_up: own.get(GAVE_UP).and_then(|value| value.string_value()?.parse().ok()),
            receives: count.and_then(|count| count.parse().ok()).unwrap_or(1),
        };
        self.seen.push(Seen {
            id,
            receipt: message.receipt_handle?,
            is_settled: false,
        });
        Some(Found {
            at: self.seen.len() - 1,
            received,
        })
    }
}

#[async_trait]
impl Walk for SqsWalk {
    async fn len(&self) -> anyhow::Result<u64> {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.set_attribute_names(Some(wanted.to_vec())).send().await;
        let counts = answer.map_err(refusal)?.attributes.unwrap_or_default();
        Ok(counts.values().filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    async fn next(&mut self) -> anyhow::Result<Vec<Found>> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(AT_ONCE)
            .visibility_timeout(HIDDEN_FOR_S)
            .wait_time_seconds(WAIT_S)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names(GAVE_UP);
        let received = request.send().await.map_err(refusal)?.messages.unwrap_or_default();
        Ok(received
            .into_iter()
            .filter_map(|message| self.take_in(message))
            .collect())
    }

    async fn put_back(&mut self, found: &Found) -> anyhow::Result<()> {
        let Received {
            lane, body, gave_up, ..
        } = found.received.clone();
        let copy = QueueMessage {
            lane,
            dedupe: format!("redrive-{}", self.seen(found)?.id),
            body,
            gave_up,
        };
        self.home.send(copy).await?;
        self.remove(found).await
    }

    async fn remove(&mut self, found: &Found) -> anyhow::Result<()> {
        let request = self.client.delete_message().queue_url(&self.url);
        let request = request.receipt_handle(&self.seen(found)?.receipt);
        request.send().await.map_err(refusal)?;
        if let Some(seen) = self.seen.get_mut(found.at) {
            seen.is_settled = true;
        }
        Ok(())
    }

    async fn end(self: Box<Self>) -> anyhow::Result<()> {
        let left: Vec<&Seen> = self.seen.iter().filter(|seen| !seen.is_settled).collect();
        for some in left.chunks(10) {
            let entries = some.iter().enumerate().map(|(at, seen)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(at.to_string())
                    .receipt_handle(&seen.receipt)
                    .visibility_timeout(0)
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            request.set_entries(Some(entries)).send().await.map_err(refusal)?;
        }
        Ok(())
    }
}
