//! The check of a call against the published description of the Bot API. `table.json` is made by `tables/telegram.py`.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::{
    args::{Args, Raw, RawValue},
    refusal::Refusal,
};

type Fields = BTreeMap<String, Field>;

#[derive(Debug, Deserialize)]
struct Field {
    types: Vec<String>,
    #[serde(default)]
    required: bool,
    /// The closed set of values; empty if any will do.
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Kind {
    Union { subtypes: Vec<String> },
    Object { fields: Fields },
}

#[derive(Debug, Deserialize)]
struct Table {
    methods: BTreeMap<String, Fields>,
    types: BTreeMap<String, Kind>,
}

/// What is wrong with a value: what the server refuses, and what it would pass over in silence.
#[derive(Debug, Default)]
struct Problems {
    fatal: Vec<String>,
    passed_over: Vec<String>,
}

/// A call after its check.
pub(crate) struct Checked {
    pub(crate) args: Args,
    pub(crate) violations: Vec<String>,
    pub(crate) refusal: Option<Refusal>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| serde_json::from_str(include_str!("table.json")).expect("a table that was made by its script"))
}

/// The method's own spelling; names are not case-sensitive.
pub(crate) fn method_name(name: &str) -> Option<&'static str> {
    table()
        .methods
        .keys()
        .find(|method| method.eq_ignore_ascii_case(name))
        .map(String::as_str)
}

pub(crate) fn check(method: &str, raw: Raw) -> Checked {
    let none = Fields::new();
    let fields = table().methods.get(method).unwrap_or(&none);
    let (mut args, mut problems) = (Args::default(), Problems::default());
    for (name, value) in raw.fields {
        match fields.get(&name) {
            None => problems.passed_over.push(format!("unknown parameter `{name}`")),
            Some(_) if matches!(value, RawValue::Json(Value::Null)) => {}
            Some(field) => {
                let value = typed(value, field);
                check_field(&value, field, &name, &mut problems);
                args.values.insert(name, value);
            }
        }
    }
    for (part, upload) in raw.files {
        if fields
            .get(&part)
            .is_some_and(|field| field.types.iter().any(|kind| kind == "InputFile"))
        {
            args.values
                .insert(part.clone(), Value::String(format!("attach://{part}")));
        } else if !mentions(&args.values, &part) {
            problems
                .passed_over
                .push(format!("file `{part}` that no parameter refers to"));
        }
        args.files.insert(part, upload);
    }
    let missing = fields
        .iter()
        .find(|(name, field)| field.required && !args.values.contains_key(*name));
    let refusal = match (problems.fatal.first(), missing) {
        (Some(problem), _) => Some(Refusal::wrong(problem)),
        (None, Some((name, _))) => Some(Refusal::wrong(missing_words(method, name))),
        (None, None) => None,
    };
    let violations = problems
        .passed_over
        .iter()
        .map(|problem| format!("{method}: {problem}"))
        .collect();
    Checked {
        args,
        violations,
        refusal,
    }
}

fn mentions(values: &serde_json::Map<String, Value>, part: &str) -> bool {
    let reference = format!("\"attach://{part}\"");
    values.values().any(|value| value.to_string().contains(&reference))
}

fn missing_words(method: &str, name: &str) -> String {
    match name {
        "chat_id" | "from_chat_id" => format!("{name} is empty"),
        "text" => "message text is empty".to_owned(),
        "name" if method == "createForumTopic" => "name must be non-empty".to_owned(),
        "file_id" => "file_id not specified".to_owned(),
        "photo" | "document" | "video" | "audio" | "voice" | "animation" | "sticker" => {
            format!("there is no {name} in the request")
        }
        _ => format!("parameter \"{name}\" is required"),
    }
}

/// Strings of urlencoded and multipart bodies become what the field's type says, if they can.
fn typed(value: RawValue, field: &Field) -> Value {
    let text = match value {
        RawValue::Json(value) => return value,
        RawValue::Text(text) => text,
    };
    for kind in &field.types {
        let parsed = match kind.as_str() {
            "String" | "InputFile" => Some(Value::String(text.clone())),
            "Integer" => text.parse::<i64>().ok().map(Value::from),
            "Float" => text.parse::<f64>().ok().map(Value::from),
            "Boolean" => text.parse::<bool>().ok().map(Value::from),
            _ => serde_json::from_str(&text).ok(),
        };
        if let Some(parsed) = parsed {
            return parsed;
        }
    }
    Value::String(text)
}

fn check_field(value: &Value, field: &Field, path: &str, problems: &mut Problems) {
    let inner: Option<Vec<&str>> = field.types.iter().map(|kind| kind.strip_prefix("Array of ")).collect();
    if let (Some(inner @ [_, _, ..]), Some(items)) = (inner.as_deref(), value.as_array()) {
        let types = inner.iter().map(|kind| (*kind).to_owned()).collect();
        let mixed = Field {
            types,
            required: false,
            values: Vec::new(),
        };
        for (at, item) in items.iter().enumerate() {
            check_field(item, &mixed, &format!("{path}[{at}]"), problems);
        }
        return;
    }
    let tries = field.types.iter().map(|kind| {
        let mut found = Problems::default();
        check_type(value, kind, path, &mut found);
        found
    });
    if let Some(best) = tries.min_by_key(|found| (found.fatal.len(), found.passed_over.len())) {
        problems.fatal.extend(best.fatal);
        problems.passed_over.extend(best.passed_over);
    }
    if !field.values.is_empty() && !field.values.iter().any(|allowed| value == allowed) {
        problems.fatal.push(match path.rsplit('.').next() {
            Some("emoji") => "REACTION_INVALID".to_owned(),
            Some("action") => "wrong parameter action in request".to_owned(),
            _ => format!("can't parse {path}: value {value} is not allowed"),
        });
    }
}

fn check_type(value: &Value, kind: &str, path: &str, problems: &mut Problems) {
    if let Some(inner) = kind.strip_prefix("Array of ") {
        return check_list(value, inner, path, problems);
    }
    let fits = match kind {
        "Integer" => value.as_i64().is_some(),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "String" | "InputFile" => value.is_string(),
        _ => return check_named(value, kind, path, problems),
    };
    if !fits {
        problems
            .fatal
            .push(format!("can't parse {path}: expected {kind}, got {value}"));
    }
}

fn check_list(value: &Value, inner: &str, path: &str, problems: &mut Problems) {
    let Some(items) = value.as_array() else {
        problems.fatal.push(format!("can't parse {path}: expected an Array"));
        return;
    };
    for (at, item) in items.iter().enumerate() {
        check_type(item, inner, &format!("{path}[{at}]"), problems);
    }
}

fn check_named(value: &Value, kind: &str, path: &str, problems: &mut Problems) {
    match table().types.get(kind) {
        Some(Kind::Union { subtypes }) => {
            let union = Field {
                types: subtypes.clone(),
                required: false,
                values: Vec::new(),
            };
            check_field(value, &union, path, problems);
        }
        Some(Kind::Object { fields }) => check_object(value, kind, fields, path, problems),
        None => problems
            .fatal
            .push(format!("can't parse {path}: {kind} is not simulated")),
    }
}

fn check_object(value: &Value, kind: &str, fields: &Fields, path: &str, problems: &mut Problems) {
    let Some(object) = value.as_object() else {
        problems.fatal.push(format!("can't parse {path}: expected {kind}"));
        return;
    };
    for (name, inner) in object {
        match fields.get(name) {
            Some(field) => check_field(inner, field, &format!("{path}.{name}"), problems),
            None => problems
                .passed_over
                .push(format!("unknown field `{path}.{name}` of {kind}")),
        }
    }
    for (name, field) in fields {
        if field.required && !object.contains_key(name) {
            problems
                .fatal
                .push(format!("can't parse {path}: {kind} has no field \"{name}\""));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(method: &str, params: Value) -> Checked {
        let Value::Object(object) = params else {
            panic!("parameters are an object")
        };
        check(method, Raw::of_json(object))
    }

    #[test]
    fn lists_of_several_media_types_may_be_mixed() {
        let media = json!([{"type": "photo", "media": "a"}, {"type": "video", "media": "b"}]);
        assert!(
            checked("sendMediaGroup", json!({"chat_id": 1, "media": media}))
                .refusal
                .is_none()
        );
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!(method_name("SENDMESSAGE"), Some("sendMessage"));
        assert_eq!(method_name("sendFax"), None);
    }
}
