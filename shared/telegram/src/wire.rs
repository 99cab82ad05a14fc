//! A look into Telegram's JSON that cannot fail: what is missing, or is not what it should be, is not there.
//!
//! A typed struct refuses a whole update for one field that changed; and an update that is refused is a message that is lost, or a group
//! that stands still.

use serde_json::Value;

/// A JSON value from Telegram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(&'a Value);

impl<'a> Json<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// The value of a key; `null` counts as missing.
    pub(crate) fn get(self, key: &str) -> Option<Json<'a>> {
        self.0.get(key).filter(|value| !value.is_null()).map(Json)
    }

    /// A text that says something.
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text().filter(|text| !text.is_empty())
    }

    /// A whole number, also one that is written as text or with a point.
    pub(crate) fn integer(self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A size or another number that is not below zero.
    pub(crate) fn unsigned(self, key: &str) -> Option<u64> {
        self.integer(key).and_then(|number| u64::try_from(number).ok())
    }

    pub(crate) fn float(self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// Whether a flag is there and set.
    pub(crate) fn is(self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The entries of a list; none where there is no list.
    pub(crate) fn list(self, key: &str) -> impl Iterator<Item = Json<'a>> + use<'a> {
        self.get(key).into_iter().flat_map(Json::entries)
    }

    /// The entries of this list; none if it is no list.
    pub(crate) fn entries(self) -> impl Iterator<Item = Json<'a>> + use<'a> {
        self.0.as_array().into_iter().flatten().map(Json)
    }

    /// The keys of this object that have a value; none if it is no object.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'a str> + use<'a> {
        let object = self.0.as_object().into_iter().flatten();
        object
            .filter(|(_, value)| !value.is_null())
            .map(|(key, _)| key.as_str())
    }

    pub(crate) fn as_text(self) -> Option<&'a str> {
        self.0.as_str()
    }

    pub(crate) fn is_list(self) -> bool {
        self.0.is_array()
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.is_object()
    }
}

/// Beyond 2⁵³ a float stands for more than one whole number.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within 2⁵³")]
    let whole = (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let value = json!({"a": -100_123, "b": "42", "c": 7.0, "d": 7.5, "e": "x", "f": null, "g": 1e300});
        let json = Json::new(&value);
        let read = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|key| json.integer(key));
        assert_eq!(read, [Some(-100_123), Some(42), Some(7), None, None, None, None, None]);
    }

    #[test]
    fn what_is_of_another_kind_is_not_there() {
        let value = json!({"list": 1, "text": [], "flag": "true", "object": "x"});
        let json = Json::new(&value);
        assert_eq!(json.list("list").count(), 0);
        assert_eq!(json.text("text"), None);
        assert!(!json.is("flag"));
        assert!(json.get("object").unwrap().get("key").is_none());
    }
}
