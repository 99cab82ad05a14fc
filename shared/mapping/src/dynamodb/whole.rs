//! The whole table, for whoever looks after it; the functions have no right to that.

use super::{DynamoDbStore, failure::unavailable, items};
use crate::store::{Item, Key, StoreError};

impl DynamoDbStore {
    /// A part of all items, in an order of the database's own, and where the next part begins.
    pub async fn part(&self, from: Option<&Key>) -> Result<(Vec<Item>, Option<Key>), StoreError> {
        let request = self.client.scan().table_name(&self.table).consistent_read(true);
        let answer = request.set_exclusive_start_key(from.map(items::key_of)).send().await;
        let answer = answer.map_err(|error| unavailable("Scan", &error))?;
        let found = answer.items.unwrap_or_default().into_iter();
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((
            found.map(items::item_of).collect::<Result<_, _>>()?,
            next.map(items::read_key),
        ))
    }
}
