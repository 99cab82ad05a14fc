//! The store on Amazon DynamoDB.
//!
//! One table with the keys `pk` and `sk` (both strings), `version`, and `expires_at` (a number, seconds: the table's TTL attribute).
//! The fields of a record are attributes of their own beside them, so that an operator can read, filter and query them in the console.

mod failure;
mod items;
mod whole;

use crate::{
    limits::{check_keys, check_writes},
    store::{Expected, Item, Key, Range, Store, StoreError, Write, WriteError},
};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_get_item::BatchGetItemError, put_item::PutItemError, query::QueryError,
        transact_write_items::TransactWriteItemsError,
    },
    types::{AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem},
};
use failure::{incomplete, unavailable};
pub(crate) use items::item_of;
use items::{Attributes, Condition, PK, SK, attributes_of, key_of};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// How often what a batch read left out is asked for again, each time after twice the pause.
const BATCH_ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// A DynamoDB table as the [`Store`].
///
/// Retries of what fails on the way are the client's own: give it the retries and timeouts that the caller has time for.
#[derive(Clone, Debug)]
pub struct DynamoDbStore {
    client: Client,
    table: String,
}

impl DynamoDbStore {
    /// The store in this table, which must exist.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    async fn find(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table);
        let answer = request.set_key(Some(key_of(key))).consistent_read(true).send().await;
        let found = answer.map_err(|error| unavailable("GetItem", &error))?.item;
        found.map(item_of).transpose()
    }

    /// Asks for many keys until all are answered: a batch above 16 MB, or more than the table gives at once, comes in pieces.
    async fn find_all(&self, keys: HashSet<&Key>) -> Result<HashMap<Key, Item>, StoreError> {
        let mut wanted: Vec<Attributes> = keys.into_iter().map(key_of).collect();
        let mut found = HashMap::with_capacity(wanted.len());
        let mut pause = FIRST_PAUSE;
        for _ in 0..BATCH_ATTEMPTS {
            let asked = wanted.len();
            let (items, left) = self.find_batch(wanted).await?;
            for item in items {
                let item = item_of(item)?;
                found.insert(item.key.clone(), item);
            }
            if left.is_empty() {
                return Ok(found);
            }
            if left.len() == asked {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            wanted = left;
        }
        Err(incomplete("BatchGetItem", "the table gave only a part"))
    }

    async fn find_batch(&self, keys: Vec<Attributes>) -> Result<(Vec<Attributes>, Vec<Attributes>), StoreError> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let wanted = wanted.build().map_err(|_| incomplete("BatchGetItem", "no request"))?;
        let request = self.client.batch_get_item().request_items(&self.table, wanted);
        let answer = request.send().await;
        let answer = answer.map_err(|error| unavailable::<BatchGetItemError>("BatchGetItem", &error))?;
        let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
        let left = answer.unprocessed_keys.into_iter().flatten();
        Ok((items.collect(), left.flat_map(|(_, left)| left.keys).collect()))
    }

    async fn put(&self, item: &Item, expected: &Expected) -> Result<(), WriteError> {
        let condition = Condition::of(expected);
        let request = self.client.put_item().table_name(&self.table);
        let answer = request
            .set_item(Some(attributes_of(item)))
            .condition_expression(condition.expression)
            .set_expression_attribute_values(condition.values)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Err(WriteError::Conflict),
                _ => Err(unavailable("PutItem", &error).into()),
            },
        }
    }

    async fn check(&self, key: &Key, expected: &Expected) -> Result<(), WriteError> {
        let found = self.find(key).await?;
        let holds = match expected {
            Expected::Absent => found.is_none(),
            Expected::Version(version) => found.is_some_and(|item| item.version == *version),
        };
        holds.then_some(()).ok_or(WriteError::Conflict)
    }

    /// The client gives each transaction a token, by which DynamoDB knows a repeated attempt and answers it like the first.
    async fn transact(&self, writes: &[Write]) -> Result<(), WriteError> {
        let steps: Option<Vec<_>> = writes.iter().map(|write| self.step(write)).collect();
        let steps = steps.ok_or_else(|| incomplete("TransactWriteItems", "no request"))?;
        let request = self.client.transact_write_items().set_transact_items(Some(steps));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                    if canceled
                        .cancellation_reasons()
                        .iter()
                        .any(|reason| reason.code() == Some("ConditionalCheckFailed")) =>
                {
                    Err(WriteError::Conflict)
                }
                _ => Err(unavailable("TransactWriteItems", &error).into()),
            },
        }
    }

    fn step(&self, write: &Write) -> Option<TransactWriteItem> {
        let condition = Condition::of(write.expected());
        let step = TransactWriteItem::builder();
        let step = match write {
            Write::Put { item, .. } => step.put(
                Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(attributes_of(item)))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_values(condition.values)
                    .build()
                    .ok()?,
            ),
            Write::Delete { key, .. } => step.delete(
                Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(key_of(key)))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_values(condition.values)
                    .build()
                    .ok()?,
            ),
            Write::Check { key, .. } => step.condition_check(
                ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(key_of(key)))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_values(condition.values)
                    .build()
                    .ok()?,
            ),
        };
        Some(step.build())
    }

    async fn page(
        &self,
        range: &Range,
        limit: usize,
        start: Option<Attributes>,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), StoreError> {
        let request = self.client.query().table_name(&self.table).consistent_read(true);
        let request = request
            .expression_attribute_values(":pk", AttributeValue::S(range.pk.clone()))
            .expression_attribute_values(":to", AttributeValue::S(range.to.clone()))
            .scan_index_forward(!range.descending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        // No key is empty, so an empty bound is none; DynamoDB refuses to compare with it.
        let request = if range.from.is_empty() {
            request.key_condition_expression(format!("{PK} = :pk AND {SK} <= :to"))
        } else {
            request
                .key_condition_expression(format!("{PK} = :pk AND {SK} BETWEEN :from AND :to"))
                .expression_attribute_values(":from", AttributeValue::S(range.from.clone()))
        };
        let answer = request.send().await;
        let answer = answer.map_err(|error| unavailable::<QueryError>("Query", &error))?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }
}

#[async_trait]
impl Store for DynamoDbStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        check_keys(keys)?;
        match keys {
            [] => Ok(Vec::new()),
            [key] => Ok(vec![self.find(key).await?]),
            _ => {
                // DynamoDB refuses a batch that names a key twice.
                let found = self.find_all(keys.iter().collect()).await?;
                Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
            }
        }
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        // DynamoDB refuses what cannot hold anything.
        if range.pk.is_empty() || range.to.is_empty() || range.from > range.to {
            return Ok(items);
        }
        let mut start = None;
        while items.len() < range.limit {
            let (found, next) = self.page(range, range.limit - items.len(), start).await?;
            for item in found {
                items.push(item_of(item)?);
            }
            if next.is_none() {
                break;
            }
            start = next;
        }
        Ok(items)
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        check_writes(writes)?;
        match writes {
            [] => Ok(()),
            [Write::Put { item, expected }] => self.put(item, expected).await,
            [Write::Check { key, expected }] => self.check(key, expected).await,
            // A delete leaves no version to know one's own work by, so even a single one goes as a transaction, with its token.
            _ => self.transact(writes).await,
        }
    }
}
