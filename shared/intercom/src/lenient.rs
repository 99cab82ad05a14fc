//! Reads JSON that changes its types between versions: what has the wrong form counts as missing, never as an error.

use jiff::Timestamp as Iso;
use mapping::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A field that may be missing, null, or of another form than expected.
pub(crate) fn field<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(one(Value::deserialize(deserializer)?))
}

/// A list; elements that cannot be read are left out.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items.into_iter().filter_map(one).collect(),
        _ => Vec::new(),
    })
}

/// A list is never one thing: it would be taken for a structure's fields in their order.
pub(crate) fn one<T: DeserializeOwned>(value: Value) -> Option<T> {
    if value.is_array() {
        None
    } else {
        T::deserialize(value).ok()
    }
}

/// An id: a string here, a number there. Neither an empty string nor 0, which stands for null since version 2.16, is one.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(id_of(&Value::deserialize(deserializer)?))
}

/// An id as it stands in a JSON value.
pub(crate) fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!id.is_empty() && id != "0").then_some(id)
}

/// A moment: Unix seconds, as a number or a string, or ISO 8601. 0 is no moment.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(time_of(&Value::deserialize(deserializer)?))
}

fn time_of(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::Number(number) => seconds(number)?,
        Value::String(text) => text
            .trim()
            .parse()
            .map(Timestamp::from_seconds)
            .ok()
            .or_else(|| iso(text))?,
        _ => return None,
    };
    (time > Timestamp::EPOCH).then_some(time)
}

fn seconds(number: &serde_json::Number) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from a float saturates, and no moment is that far away"
    )]
    let whole = || number.as_f64().map(|seconds| seconds as i64);
    number.as_i64().or_else(whole).map(Timestamp::from_seconds)
}

fn iso(text: &str) -> Option<Timestamp> {
    let parsed: Iso = text.trim().parse().ok()?;
    Some(Timestamp::from_millis(parsed.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_strings_or_numbers() {
        assert_eq!(id_of(&json!("  42 ")), Some("42".into()));
        assert_eq!(id_of(&json!(215_472_621_305_755_u64)), Some("215472621305755".into()));
        for none in [
            json!(null),
            json!(0),
            json!("0"),
            json!(""),
            json!(-1),
            json!(1.5),
            json!({}),
        ] {
            assert_eq!(id_of(&none), None, "{none}");
        }
    }

    #[test]
    fn times_are_numbers_or_iso() {
        let time = Some(Timestamp::from_seconds(1_768_031_789));
        assert_eq!(time_of(&json!(1_768_031_789)), time);
        assert_eq!(time_of(&json!(1_768_031_789.7)), time);
        assert_eq!(time_of(&json!("1768031789")), time);
        assert_eq!(time_of(&json!("2026-01-10T07:56:29.000Z")), time);
        for none in [json!(null), json!(0), json!("soon"), json!([])] {
            assert_eq!(time_of(&none), None, "{none}");
        }
    }
}
