//! Items as DynamoDB's attributes, and back.

use crate::{
    limits::RESERVED_FIELDS,
    store::{Expected, Item, Key, StoreError, Version},
    time::Timestamp,
};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

pub(crate) type Attributes = HashMap<String, AttributeValue>;

pub(super) const PK: &str = RESERVED_FIELDS[0];
pub(super) const SK: &str = RESERVED_FIELDS[1];
const VERSION: &str = RESERVED_FIELDS[2];
const EXPIRES_AT: &str = RESERVED_FIELDS[3];

/// A condition in DynamoDB's language.
pub(super) struct Condition {
    pub(super) expression: &'static str,
    pub(super) values: Option<Attributes>,
}

impl Condition {
    pub(super) fn of(expected: &Expected) -> Self {
        match expected {
            Expected::Absent => Self {
                expression: "attribute_not_exists(pk)",
                values: None,
            },
            Expected::Version(version) => Self {
                expression: "version = :version",
                values: Some(HashMap::from([(
                    ":version".to_owned(),
                    AttributeValue::S(version.as_str().to_owned()),
                )])),
            },
        }
    }
}

pub(super) fn key_of(key: &Key) -> Attributes {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk.clone())),
        (SK.to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

/// The key in attributes that a scan gives to go on from.
pub(super) fn read_key(mut attributes: Attributes) -> Key {
    let mut half = |name| match attributes.remove(name) {
        Some(AttributeValue::S(half)) => half,
        _ => String::new(),
    };
    Key::new(half(PK), half(SK))
}

pub(super) fn attributes_of(item: &Item) -> Attributes {
    let mut attributes = key_of(&item.key);
    let version = AttributeValue::S(item.version.as_str().to_owned());
    attributes.insert(VERSION.to_owned(), version);
    if let Some(expires_at) = item.expires_at {
        let seconds = AttributeValue::N(expires_at.as_seconds_up().to_string());
        attributes.insert(EXPIRES_AT.to_owned(), seconds);
    }
    let fields = item.body.as_object().into_iter().flatten();
    attributes.extend(fields.map(|(name, value)| (name.clone(), attribute_of(value))));
    attributes
}

fn attribute_of(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(bool) => AttributeValue::Bool(*bool),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(attribute_of).collect()),
        Value::Object(fields) => AttributeValue::M(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), attribute_of(value)))
                .collect(),
        ),
    }
}

pub(crate) fn item_of(mut attributes: Attributes) -> Result<Item, StoreError> {
    let mut text = |name| match attributes.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    let key = Key::new(text(PK).unwrap_or_default(), text(SK).unwrap_or_default());
    let version = text(VERSION);
    let malformed = |problem: String| StoreError::Malformed {
        key: key.clone(),
        problem,
    };
    let version = version.ok_or_else(|| malformed(format!("{VERSION} is missing or no string")))?;
    let expires_at = match attributes.remove(EXPIRES_AT) {
        None => None,
        Some(AttributeValue::N(seconds)) if let Ok(seconds) = seconds.parse() => Some(Timestamp::from_seconds(seconds)),
        Some(_) => return Err(malformed(format!("{EXPIRES_AT} is no whole number of seconds"))),
    };
    let mut fields = Map::with_capacity(attributes.len());
    for (name, attribute) in attributes {
        let Some(value) = value_of(attribute) else {
            return Err(malformed(format!("{name} has a type that JSON does not have")));
        };
        fields.insert(name, value);
    }
    Ok(Item {
        version: Version::stored(version),
        expires_at,
        body: Value::Object(fields),
        key,
    })
}

/// The JSON value, unless somebody else wrote a set, bytes or a fraction.
fn value_of(attribute: AttributeValue) -> Option<Value> {
    match attribute {
        AttributeValue::Null(_) => Some(Value::Null),
        AttributeValue::Bool(bool) => Some(Value::Bool(bool)),
        AttributeValue::N(number) => number_of(&number).map(Value::Number),
        AttributeValue::S(text) => Some(Value::String(text)),
        AttributeValue::L(values) => values.into_iter().map(value_of).collect(),
        AttributeValue::M(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Some((name, value_of(value)?)));
            fields.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        _ => None,
    }
}

fn number_of(number: &str) -> Option<Number> {
    let positive = number.parse::<u64>().ok().map(Number::from);
    positive.or_else(|| number.parse::<i64>().ok().map(Number::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item() -> Item {
        Item {
            key: Key::new("chat#1#-100", "topic#7"),
            version: Version::stored("v1"),
            expires_at: Some(Timestamp::from_millis(1_001)),
            body: json!({"kind": "link", "generation": 1, "participants": ["5", null], "state": {"open": true}}),
        }
    }

    #[test]
    fn the_fields_of_a_record_are_attributes_of_their_own() {
        let attributes = attributes_of(&item());
        assert_eq!(attributes["pk"], AttributeValue::S("chat#1#-100".into()));
        assert_eq!(attributes["expires_at"], AttributeValue::N("2".into()));
        assert_eq!(attributes["generation"], AttributeValue::N("1".into()));
        let read = item_of(attributes).unwrap();
        assert_eq!(read.body, item().body);
        assert_eq!(read.expires_at, Some(Timestamp::from_seconds(2)));
    }

    #[test]
    fn what_others_wrote_is_refused_and_not_quoted() {
        let strange = [
            ("version", AttributeValue::N("3".into())),
            ("expires_at", AttributeValue::S("secret".into())),
            ("kind", AttributeValue::Ss(vec!["secret".into()])),
            ("generation", AttributeValue::N("1.5".into())),
        ];
        for (name, value) in strange {
            let mut attributes = attributes_of(&item());
            attributes.insert(name.to_owned(), value);
            let text = item_of(attributes).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains("chat#1#-100"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
