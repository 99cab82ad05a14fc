//! What a store takes. The rules are DynamoDB's, and every adapter keeps them, so that no record works on one store and fails on
//! another.

use crate::store::{Item, Key, StoreError, Write};
use serde_json::Value;
use std::collections::HashSet;

/// The attributes that an adapter needs for itself; no field of a record may have such a name.
pub const RESERVED_FIELDS: [&str; 4] = ["pk", "sk", "version", "expires_at"];

/// The most keys of one read, and the most writes of one transaction.
pub const MAX_BATCH: usize = 100;

/// The most that an item may weigh, in bytes, names and values together.
pub const MAX_ITEM: usize = 400 * 1024;

/// The most that a transaction may weigh, in bytes.
pub const MAX_TRANSACTION: usize = 4 * 1024 * 1024;

const MAX_PARTITION_KEY: usize = 2048;
const MAX_SORT_KEY: usize = 1024;
const MAX_DEPTH: usize = 32;

/// Refuses keys that no store reads: too many, empty or too long.
pub fn check_keys(keys: &[Key]) -> Result<(), StoreError> {
    if let Some(key) = keys.get(MAX_BATCH) {
        return Err(malformed(key, "it is one key too many for one read"));
    }
    keys.iter().try_for_each(check_key)
}

/// Refuses writes that no store does: too many, two to one item, or an item that it cannot hold.
pub fn check_writes(writes: &[Write]) -> Result<(), StoreError> {
    if let Some(write) = writes.get(MAX_BATCH) {
        return Err(malformed(write.key(), "it is one write too many for one transaction"));
    }
    let mut seen = HashSet::with_capacity(writes.len());
    let mut weight = 0_usize;
    for write in writes {
        check_key(write.key())?;
        if !seen.insert(write.key()) {
            return Err(malformed(write.key(), "one transaction writes it twice"));
        }
        if let Write::Put { item, .. } = write {
            weight = weight.saturating_add(check_item(item).map_err(|problem| malformed(&item.key, problem))?);
        }
        if weight > MAX_TRANSACTION {
            return Err(malformed(write.key(), "with it the transaction is larger than 4 MB"));
        }
    }
    Ok(())
}

fn malformed(key: &Key, problem: &str) -> StoreError {
    StoreError::Malformed {
        key: key.clone(),
        problem: problem.to_owned(),
    }
}

fn check_key(key: &Key) -> Result<(), StoreError> {
    if key.pk.is_empty() || key.sk.is_empty() {
        return Err(malformed(key, "half of the key is empty"));
    }
    if key.pk.len() > MAX_PARTITION_KEY || key.sk.len() > MAX_SORT_KEY {
        return Err(malformed(key, "the key is too long"));
    }
    Ok(())
}

fn check_item(item: &Item) -> Result<usize, &'static str> {
    let fields = item.body.as_object().ok_or("its body is not an object")?;
    if fields.keys().any(|name| RESERVED_FIELDS.contains(&name.as_str())) {
        return Err("a field has a name that the store needs for itself");
    }
    let own: usize = RESERVED_FIELDS.iter().map(|name| name.len()).sum();
    let weight = own
        .saturating_add(item.key.pk.len())
        .saturating_add(item.key.sk.len())
        .saturating_add(item.version.as_str().len())
        .saturating_add(NUMBER)
        .saturating_add(weigh(&item.body, 0)?);
    if weight > MAX_ITEM {
        return Err("it is larger than 400 KB");
    }
    Ok(weight)
}

/// What a number weighs at most.
const NUMBER: usize = 21;

/// What a value weighs, by the sizes in <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.
fn weigh(value: &Value, depth: usize) -> Result<usize, &'static str> {
    if depth > MAX_DEPTH {
        return Err("it is nested more than 32 levels deep");
    }
    match value {
        Value::Null | Value::Bool(_) => Ok(1),
        // A store is free to write 1.0 as 1, so fractions do not come back as they went.
        Value::Number(number) if number.is_f64() => Err("a number is not a whole number of 64 bits"),
        Value::Number(_) => Ok(NUMBER),
        Value::String(text) => Ok(text.len()),
        Value::Array(values) => values.iter().try_fold(3_usize, |sum, value| {
            Ok(sum.saturating_add(1).saturating_add(weigh(value, depth + 1)?))
        }),
        Value::Object(fields) => fields.iter().try_fold(3_usize, |sum, (name, value)| {
            if name.is_empty() {
                return Err("a field has no name");
            }
            let field = name.len().saturating_add(weigh(value, depth + 1)?);
            Ok(sum.saturating_add(1).saturating_add(field))
        }),
    }
}
