//! The request tables and the check of a request against them.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{answer::Refusal, search};

/// The tables that `tables/intercom.py` makes.
#[derive(Deserialize)]
pub(super) struct Tables {
    pub(super) contact_fields: BTreeMap<String, Searchable>,
    pub(super) conversation_fields: BTreeMap<String, Searchable>,
    operations: BTreeMap<String, Operation>,
}

/// What one operation accepts.
#[derive(Deserialize)]
pub(super) struct Operation {
    /// Types of the placeholders of the path, in order.
    path: Vec<String>,
    query: BTreeMap<String, Kind>,
    /// The body is one of these; without any, there is none.
    body: Vec<Shape>,
}

/// Fields by name: `!` after the name means required, `?` that null is allowed; the empty name lists fields of which one is needed.
type Shape = Map<String, Value>;

/// The type of a field that can be searched for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Searchable {
    String,
    Integer,
    Boolean,
    Date,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    /// A string that the examples also give as an integer.
    Id,
    Uuid,
    Integer,
    Boolean,
    Map,
    Query,
    Choice(Vec<String>),
    Length(usize),
    Object(Vec<Shape>),
    #[serde(untagged)]
    List {
        list: Box<Kind>,
        most: Option<usize>,
    },
}

/// The tables, read once.
#[expect(
    clippy::expect_used,
    reason = "the tables are part of the source and read by every test"
)]
pub(super) static TABLES: LazyLock<Tables> =
    LazyLock::new(|| serde_json::from_str(include_str!("tables.json")).expect("tables as the script writes them"));

/// The operation that a request means, and the values of the placeholders in its path.
pub(super) fn route(method: &str, path: &str) -> Option<(&'static str, &'static Operation, Vec<String>)> {
    let mut found: Vec<_> = TABLES
        .operations
        .iter()
        .filter_map(|(name, operation)| {
            let (verb, template) = name.split_once(' ')?;
            let values = placeholders(template, path)?;
            (verb == method).then_some((name.as_str(), operation, values))
        })
        .collect();
    // `/contacts/search` also reads as `/contacts/{id}`: the template with fewer placeholders is meant.
    found.sort_by_key(|(_, _, values)| values.len());
    found.into_iter().next()
}

fn placeholders(template: &str, path: &str) -> Option<Vec<String>> {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let mut values = Vec::new();
    for (expected, given) in template.iter().zip(&path) {
        match *expected {
            "{id}" if !given.is_empty() => values.push(percent_decoded(given)),
            fixed if fixed == *given => {}
            _ => return None,
        }
    }
    (template.len() == path.len()).then_some(values)
}

/// Text with its `%xx` undone.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%')
            .then(|| tail.get(..2).and_then(|two| hex::decode(two).ok()))
            .flatten();
        let skipped = if code.is_some() { 2 } else { 0 };
        bytes.extend(code.unwrap_or_else(|| vec![*first]));
        rest = tail.get(skipped..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One thing that is wrong with a request.
struct Wrong {
    /// How sure it is that another variant was meant.
    weight: u32,
    refusal: Refusal,
}

fn wrong(code: &'static str, message: String) -> Wrong {
    Wrong {
        weight: 1,
        refusal: Refusal::new(400, code, message).violation(),
    }
}

impl Operation {
    /// Checks a request; the answer to a wrong one is a refusal that counts as a violation.
    pub(super) fn check(&self, path: &[String], query: &[(String, String)], body: &Value) -> Result<(), Refusal> {
        for (kind, value) in self.path.iter().zip(path) {
            if kind == "integer" && value.parse::<u64>().is_err() {
                return Err(Refusal::new(404, "not_found", "Resource Not Found").violation());
            }
        }
        for (name, value) in query {
            let kind = self.query.get(name).ok_or_else(|| unknown(name).refusal)?;
            let fits = match kind {
                Kind::Boolean => matches!(value.as_str(), "true" | "false"),
                Kind::Choice(choices) => choices.contains(value),
                _ => true,
            };
            if !fits {
                return Err(wrong("parameter_invalid", format!("{name} is invalid")).refusal);
            }
        }
        if self.body.is_empty() {
            let empty = body.is_null() || body.as_object().is_some_and(Map::is_empty);
            return if empty {
                Ok(())
            } else {
                Err(wrong("parameter_invalid", "no body is taken".to_owned()).refusal)
            };
        }
        one_of("body", &self.body, body).map_err(|wrong| wrong.refusal)
    }
}

fn unknown(name: &str) -> Wrong {
    wrong("parameter_invalid", format!("unknown parameter {name}"))
}

/// Checks an object against its variants; the complaint is about the one that was probably meant.
fn one_of(name: &str, shapes: &[Shape], value: &Value) -> Result<(), Wrong> {
    let Some(fields) = value.as_object() else {
        return Err(wrong("type_mismatch", format!("{name} must be an object")));
    };
    let mut nearest: Option<(u32, Wrong)> = None;
    for shape in shapes {
        let complaints = complaints(shape, fields);
        let total = complaints.iter().map(|wrong| wrong.weight).sum();
        match complaints.into_iter().next() {
            None => return Ok(()),
            Some(first) if nearest.as_ref().is_none_or(|(least, _)| total < *least) => nearest = Some((total, first)),
            Some(_) => {}
        }
    }
    nearest.map_or(Ok(()), |(_, wrong)| Err(wrong))
}

fn complaints(shape: &Shape, fields: &Map<String, Value>) -> Vec<Wrong> {
    let mut found = Vec::new();
    for (marked, kind) in shape.iter().filter(|(name, _)| !name.is_empty()) {
        let name = marked.trim_end_matches(['!', '?']);
        match fields.get(name) {
            None if marked.contains('!') => found.push(wrong("parameter_not_found", format!("{name} not specified"))),
            None => {}
            Some(Value::Null) if marked.ends_with('?') => {}
            Some(value) => found.extend(field(name, kind, value).err()),
        }
    }
    let known = |name: &String| {
        ["", "!", "?", "!?"]
            .iter()
            .any(|mark| shape.contains_key(&format!("{name}{mark}")))
    };
    found.extend(fields.keys().filter(|name| !known(name)).map(|name| unknown(name)));
    if let Some(any) = shape.get("").and_then(Value::as_array)
        && !any
            .iter()
            .filter_map(Value::as_str)
            .any(|name| fields.contains_key(name))
    {
        found.push(wrong(
            "parameter_not_found",
            format!("one of {any:?} must be specified"),
        ));
    }
    found
}

fn field(name: &str, kind: &Value, value: &Value) -> Result<(), Wrong> {
    let Ok(kind) = Kind::deserialize(kind) else {
        return Err(wrong("server_error", format!("no such kind: {kind}")));
    };
    matching(name, &kind, value)
}

fn matching(name: &str, kind: &Kind, value: &Value) -> Result<(), Wrong> {
    let of_type = match kind {
        Kind::Text | Kind::Uuid | Kind::Length(_) | Kind::Choice(_) => value.is_string(),
        Kind::Id => value.is_string() || value.is_u64(),
        Kind::Integer => value.is_i64(),
        Kind::Boolean => value.is_boolean(),
        Kind::List { .. } => value.is_array(),
        Kind::Map | Kind::Query | Kind::Object(_) => value.is_object(),
    };
    if !of_type {
        return Err(wrong("type_mismatch", format!("{name} has the wrong type")));
    }
    let text = value.as_str().unwrap_or_default();
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match kind {
        Kind::Uuid if Uuid::parse_str(text).is_err() => {
            Err(wrong("parameter_invalid", format!("{name} must be a UUID")))
        }
        Kind::Length(length) if text.len() != *length => Err(wrong(
            "parameter_invalid",
            format!("{name} must have {length} characters"),
        )),
        Kind::Choice(choices) if !choices.iter().any(|choice| choice == text) => Err(Wrong {
            weight: 10,
            ..wrong(
                "parameter_invalid",
                format!("{name} must be one of {}", choices.join(", ")),
            )
        }),
        Kind::List { most: Some(most), .. } if items.len() > *most => Err(wrong(
            "parameter_invalid",
            format!("{name} may have at most {most} items"),
        )),
        Kind::List { list, .. } => items.iter().try_for_each(|item| matching(name, list, item)),
        Kind::Object(shapes) => one_of(name, shapes, value),
        Kind::Query => search::check_form(value).map_err(|refusal| Wrong { weight: 1, refusal }),
        _ => Ok(()),
    }
}
