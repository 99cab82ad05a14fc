//! Records: what items hold. Each is a struct of its own, with its kind and the version of its form.

use crate::{
    store::{Item, Key, StoreError, Version},
    time::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::HashMap;

/// What an item can hold.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Its name, which an operator reads in the table.
    const KIND: &'static str;
    /// The version of its form, counted up when an older program could misread it.
    const FORM: u64 = 1;
}

/// A record as it was read: with the version that whoever changes it must name.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// Which writing it is.
    pub version: Version,
    /// The record.
    pub value: T,
}

/// What one batch read found.
#[derive(Debug, Default)]
pub struct Reading(HashMap<Key, Item>);

impl Reading {
    pub(crate) fn new(items: impl IntoIterator<Item = Item>) -> Self {
        Self(items.into_iter().map(|item| (item.key.clone(), item)).collect())
    }

    /// The record at `key`, if one lies there.
    pub fn get<T: Record>(&self, key: &Key) -> Result<Option<Stored<T>>, StoreError> {
        self.0.get(key).map(decode).transpose()
    }
}

/// Reads a record out of an item.
pub fn decode<T: Record>(item: &Item) -> Result<Stored<T>, StoreError> {
    let malformed = |problem: String| StoreError::Malformed {
        key: item.key.clone(),
        problem,
    };
    let kind = item.body.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind != T::KIND {
        return Err(malformed(format!("a {} was expected, a {kind:?} lies there", T::KIND)));
    }
    let form = item.body.get("form").and_then(Value::as_u64).unwrap_or(0);
    if form == 0 || form > T::FORM {
        return Err(malformed(format!(
            "form {form} of a {kind} is not known to this version of the bridge"
        )));
    }
    // The error's own text would quote values.
    let value = T::deserialize(&item.body).map_err(|error| malformed(format!("{:?}", error.classify())))?;
    Ok(Stored {
        version: item.version.clone(),
        value,
    })
}

/// Makes the item that holds a record.
pub(crate) fn encode<T: Record>(
    key: Key,
    version: Version,
    record: &T,
    expires_at: Option<Timestamp>,
) -> Result<Item, StoreError> {
    let malformed = |problem: &str| StoreError::Malformed {
        key: key.clone(),
        problem: problem.to_owned(),
    };
    let mut body = serde_json::to_value(record).map_err(|_| malformed("it cannot be written as JSON"))?;
    let fields = body.as_object_mut().ok_or_else(|| malformed("it is not an object"))?;
    fields.insert("kind".into(), T::KIND.into());
    fields.insert("form".into(), T::FORM.into());
    Ok(Item {
        key,
        version,
        expires_at,
        body,
    })
}
