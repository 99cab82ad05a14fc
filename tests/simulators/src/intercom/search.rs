//! Contact and conversation search: queries, the lag of the index, and pages.

use std::{cmp::Ordering, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    answer::{Outcome, Refusal},
    call::Request,
    model::{Fate, Index, World},
    render::{Parts, Shown},
    schema::{Searchable, TABLES},
};

const MOST_FILTERS: usize = 15;
const MOST_NESTING: usize = 2;
const MOST_PER_PAGE: i64 = 150;
const DAY_S: i64 = 86_400;
const OPERATORS: &[&str] = &["=", "!=", "IN", "NIN", "<", "<=", ">", ">=", "~", "!~", "^", "$"];

/// What a search looks in.
struct Scope<'a> {
    fields: &'a BTreeMap<String, Searchable>,
    /// Contacts are found by the day of a time, conversations by the second.
    is_by_day: bool,
}

impl World {
    pub(super) fn search_contacts(&mut self, request: &Request) -> Outcome {
        let lag = self.options.contact_search_lag;
        let now_ms = self.clock.now_ms();
        let scope = Scope {
            fields: &TABLES.contact_fields,
            is_by_day: true,
        };
        let live = |fate: &Fate| *fate == Fate::Live;
        let known = self
            .contacts
            .values_mut()
            .map(|one| (one.id.clone(), live(&one.fate), &mut one.index));
        let known: Vec<_> = known
            .filter_map(|(id, is_live, index)| Some((id, index.at(now_ms, lag)?, is_live)))
            .filter(|(_, _, is_live)| *is_live)
            .map(|(id, known, _)| (id, known))
            .collect();
        let page = page(&scope, request, known, (50, self.options.longest_page))?;
        let found = page
            .ids
            .iter()
            .filter_map(|id| self.contacts.get(id))
            .map(|one| self.contact_json(one));
        Ok(json!({"type": "list", "data": found.collect::<Vec<_>>(), "total_count": page.total, "pages": page.pages}))
    }

    pub(super) fn search_conversations(&mut self, request: &Request) -> Outcome {
        let (lag, longest) = (self.options.conversation_search_lag, self.options.longest_page);
        let now_ms = self.clock.now_ms();
        let scope = Scope {
            fields: &TABLES.conversation_fields,
            is_by_day: false,
        };
        let workspace = self.workspace_of_token();
        let known = self
            .conversations
            .values_mut()
            .filter(|one| one.workspace == workspace)
            .filter_map(|one| Some((one.id.to_string(), one.index.at(now_ms, lag)?)));
        let page = page(&scope, request, known.collect(), (20, longest))?;
        let shown = Shown {
            parts: Parts::Absent,
            is_plaintext: false,
            is_216: request.is_216(),
            has_text_times: false,
        };
        let ids = page.ids.iter().filter_map(|id| id.parse::<u64>().ok());
        let found = ids
            .filter_map(|id| self.conversations.get(&id))
            .map(|one| self.conversation_json(one, shown));
        Ok(json!({
            "type": "conversation.list", "conversations": found.collect::<Vec<_>>(), "total_count": page.total,
            "pages": page.pages,
        }))
    }
}

impl Index {
    /// What a search knows now.
    fn at(&mut self, now_ms: i64, lag: std::time::Duration) -> Option<Value> {
        let lag = i64::try_from(lag.as_millis()).unwrap_or(i64::MAX);
        while self
            .coming
            .front()
            .is_some_and(|(at_ms, _)| at_ms.saturating_add(lag) <= now_ms)
        {
            self.known = self.coming.pop_front().map(|(_, known)| known);
        }
        self.known.clone()
    }
}

struct Page {
    ids: Vec<String>,
    total: usize,
    pages: Value,
}

fn page(
    scope: &Scope<'_>,
    request: &Request,
    known: Vec<(String, Value)>,
    (per_page, longest): (i64, usize),
) -> Result<Page, Refusal> {
    let query = request.body.get("query").cloned().unwrap_or_default();
    check_fields(scope, &query)?;
    let paging = request.body.get("pagination").cloned().unwrap_or_default();
    let per_page = paging.get("per_page").and_then(Value::as_i64).unwrap_or(per_page);
    if !(1..=MOST_PER_PAGE).contains(&per_page) {
        return Err(Refusal::invalid(format!(
            "per_page must be between 1 and {MOST_PER_PAGE}"
        )));
    }
    let sort = request.body.get("sort").cloned().unwrap_or_default();
    let field = sort.get("field").and_then(Value::as_str).unwrap_or("updated_at");
    if !scope.fields.contains_key(field) {
        return Err(Refusal::invalid(format!("cannot sort by {field}")));
    }
    let is_ascending = sort.get("order").and_then(Value::as_str) == Some("ascending");
    let mut found: Vec<(Value, String)> = known
        .into_iter()
        .filter(|(_, known)| matches(scope, &query, known))
        .map(|(id, known)| (known.get(field).cloned().unwrap_or_default(), id))
        .collect();
    let order = |a: &(Value, String), b: &(Value, String)| {
        let order = compare(&a.0, &b.0).then_with(|| a.1.cmp(&b.1));
        if is_ascending { order } else { order.reverse() }
    };
    found.sort_by(order);
    let total = found.len();
    let start = match paging.get("starting_after").and_then(Value::as_str) {
        Some(cursor) => {
            let last = read_cursor(cursor).ok_or_else(|| Refusal::invalid("starting_after is not a cursor"))?;
            found.partition_point(|one| order(one, &last) != Ordering::Greater)
        }
        None => 0,
    };
    let size = usize::try_from(per_page).unwrap_or_default().min(longest);
    let shown: Vec<_> = found.iter().skip(start).take(size).collect();
    let mut pages = json!({
        "type": "pages", "page": start / size + 1, "per_page": per_page, "total_pages": total.div_ceil(size),
    });
    if let (Some(last), true) = (shown.last(), start + shown.len() < total) {
        pages["next"] = json!({"page": start / size + 2, "starting_after": cursor(last)});
    }
    Ok(Page {
        ids: shown.into_iter().map(|(_, id)| id.clone()).collect(),
        total,
        pages,
    })
}

/// A place in the order of the results, so that what changes meanwhile moves as it does in the real index.
fn cursor((value, id): &(Value, String)) -> String {
    STANDARD.encode(json!([value, id]).to_string())
}

fn read_cursor(cursor: &str) -> Option<(Value, String)> {
    serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()
}

/// Checks the form of a query: filters, groups, their size and depth.
pub(super) fn check_form(query: &Value) -> Result<(), Refusal> {
    check_group(query, 0)
}

fn check_group(query: &Value, depth: usize) -> Result<(), Refusal> {
    let fields = query
        .as_object()
        .ok_or_else(|| Refusal::invalid("a filter must be an object"))?;
    let known = |name: &&String| !matches!(name.as_str(), "field" | "operator" | "value");
    if let Some(name) = fields.keys().find(known) {
        return Err(Refusal::invalid(format!("unknown parameter {name} in query")));
    }
    let operator = query.get("operator").and_then(Value::as_str).unwrap_or_default();
    if fields.contains_key("field") {
        let is_whole = query["field"].is_string() && OPERATORS.contains(&operator) && fields.contains_key("value");
        return if is_whole {
            Ok(())
        } else {
            Err(Refusal::invalid("a filter is not valid"))
        };
    }
    let filters = query.get("value").and_then(Value::as_array);
    let (Some(filters), "AND" | "OR") = (filters, operator) else {
        return Err(Refusal::invalid(
            "a group needs the operator AND or OR and a list of filters",
        ));
    };
    if filters.is_empty() || filters.len() > MOST_FILTERS {
        return Err(Refusal::invalid(format!("a group takes 1 to {MOST_FILTERS} filters")));
    }
    if depth == MOST_NESTING {
        return Err(Refusal::invalid(format!("filters nest at most {MOST_NESTING} levels")));
    }
    filters.iter().try_for_each(|filter| check_group(filter, depth + 1))
}

/// Checks fields, operators and values against what can be searched for.
fn check_fields(scope: &Scope<'_>, query: &Value) -> Result<(), Refusal> {
    let Some(field) = query.get("field").and_then(Value::as_str) else {
        let filters = query["value"].as_array().map(Vec::as_slice).unwrap_or_default();
        return filters.iter().try_for_each(|filter| check_fields(scope, filter));
    };
    let kind = kind_of(scope, field).ok_or_else(|| Refusal::invalid(format!("cannot search by {field}")))?;
    let operator = query["operator"].as_str().unwrap_or_default();
    let is_allowed = match (kind, operator) {
        (Searchable::Date, "=" | "<" | ">") | (_, "=" | "!=" | "IN" | "NIN") => {
            !(scope.is_by_day && kind == Searchable::Date && matches!(operator, "!=" | "IN" | "NIN"))
        }
        (Searchable::Integer, "<" | ">") | (Searchable::String, "~" | "!~" | "^" | "$") => true,
        (Searchable::Integer, "<=" | ">=") => scope.is_by_day,
        _ => false,
    };
    if !is_allowed {
        return Err(Refusal::invalid(format!(
            "operator {operator} cannot be used with {field}"
        )));
    }
    let values = match (&query["value"], operator) {
        (Value::Array(values), "IN" | "NIN") => values.clone(),
        (_, "IN" | "NIN") | (Value::Array(_), _) => {
            return Err(Refusal::new(400, "type_mismatch", format!("value of {field} has the wrong form")).violation());
        }
        (one, _) => vec![one.clone()],
    };
    let mismatch = || Refusal::new(400, "type_mismatch", format!("value of {field} has the wrong type")).violation();
    if values.iter().all(|value| value.is_null() || fits(kind, value)) {
        Ok(())
    } else {
        Err(mismatch())
    }
}

fn kind_of(scope: &Scope<'_>, field: &str) -> Option<Searchable> {
    let custom = scope.is_by_day && field.starts_with("custom_attributes.");
    scope
        .fields
        .get(field)
        .copied()
        .or(custom.then_some(Searchable::String))
}

fn fits(kind: Searchable, value: &Value) -> bool {
    match kind {
        Searchable::String => value.is_string() || value.is_number(),
        Searchable::Boolean => value.is_boolean() || matches!(value.as_str(), Some("true" | "false")),
        Searchable::Integer | Searchable::Date => number(value).is_some(),
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn matches(scope: &Scope<'_>, query: &Value, known: &Value) -> bool {
    let Some(field) = query.get("field").and_then(Value::as_str) else {
        let filters = query["value"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut results = filters.iter().map(|filter| matches(scope, filter, known));
        return if query["operator"] == "OR" {
            results.any(|one| one)
        } else {
            results.all(|one| one)
        };
    };
    let kind = kind_of(scope, field).unwrap_or(Searchable::String);
    let has = |wanted: &Value, test: &dyn Fn(&Value, &Value) -> bool| match known.get(field) {
        Some(Value::Array(elements)) => elements.iter().any(|element| test(element, wanted)),
        Some(element) => test(element, wanted),
        None => test(&Value::Null, wanted),
    };
    let is_by_day = scope.is_by_day && kind == Searchable::Date;
    let same = |element: &Value, wanted: &Value| equal(kind, is_by_day, element, wanted);
    let text = |test: fn(&str, &str) -> bool| {
        move |element: &Value, wanted: &Value| test(&plain(element).to_lowercase(), &plain(wanted).to_lowercase())
    };
    let order = |orders: &'static [Ordering]| {
        move |element: &Value, wanted: &Value| match (number(element), number(wanted)) {
            (Some(a), Some(b)) if is_by_day => orders.contains(&a.div_euclid(DAY_S).cmp(&b.div_euclid(DAY_S))),
            (Some(a), Some(b)) => orders.contains(&a.cmp(&b)),
            _ => false,
        }
    };
    let wanted = &query["value"];
    let any = || {
        wanted
            .as_array()
            .is_some_and(|values| values.iter().any(|value| has(value, &same)))
    };
    match query["operator"].as_str().unwrap_or_default() {
        "=" => has(wanted, &same),
        "!=" => !has(wanted, &same),
        "IN" => any(),
        "NIN" => !any(),
        "~" => has(wanted, &text(|element, wanted| element.contains(wanted))),
        "!~" => !has(wanted, &text(|element, wanted| element.contains(wanted))),
        "^" => has(wanted, &text(|element, wanted| element.starts_with(wanted))),
        "$" => has(wanted, &text(|element, wanted| element.ends_with(wanted))),
        ">" => has(wanted, &order(&[Ordering::Greater])),
        "<" => has(wanted, &order(&[Ordering::Less])),
        ">=" => has(wanted, &order(&[Ordering::Greater, Ordering::Equal])),
        _ => has(wanted, &order(&[Ordering::Less, Ordering::Equal])),
    }
}

fn equal(kind: Searchable, is_by_day: bool, element: &Value, wanted: &Value) -> bool {
    if wanted.is_null() || element.is_null() {
        return wanted.is_null() && element.is_null();
    }
    match kind {
        Searchable::String => plain(element).eq_ignore_ascii_case(&plain(wanted)),
        Searchable::Boolean => plain(element) == plain(wanted),
        Searchable::Integer | Searchable::Date => match (number(element), number(wanted)) {
            (Some(a), Some(b)) if is_by_day => a.div_euclid(DAY_S) == b.div_euclid(DAY_S),
            (a, b) => a == b,
        },
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => plain(a).cmp(&plain(b)),
    }
}
