//! JSON that nobody would think of: invented fixtures with parts changed, taken away, spliced in from elsewhere, or cut off.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Value, json};
use std::{fmt, fs, path::PathBuf, sync::Arc};

/// The body of a request; it need not be text.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(pub(crate) Vec<u8>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// What inputs begin from.
struct Seeds {
    whole: Vec<Value>,
    /// Every key with every value that it has somewhere.
    fields: Vec<(String, Value)>,
}

/// One thing that is done to JSON, somewhere in it.
#[derive(Clone, Debug)]
enum Change {
    /// Another value is in its place.
    Replace(Value),
    /// A field from elsewhere is in it, or in its place.
    Splice(Index),
    /// A field that nobody knows is in it.
    Invent(String, Value),
    /// One of what is in it is gone.
    Remove(Index),
    /// One of what is in it is there twice, in a list at least.
    Repeat(Index),
    /// It stands in a list, or in an object.
    Wrap(bool),
}

/// Bodies that begin from the fixtures in a folder of `tests/fixtures`; `event` makes the outermost object of a new kind.
pub(crate) fn bodies(folder: &str, event: fn(String, Value) -> Value) -> BoxedStrategy<Body> {
    let seeds = Arc::new(Seeds::read(folder));
    let changed = changed(Arc::clone(&seeds)).boxed();
    let cut = (changed.clone(), any::<Index>(), vec(any::<u8>(), 0..4)).prop_map(|(value, at, noise)| {
        let mut bytes = value.to_string().into_bytes();
        bytes.truncate(at.index(bytes.len() + 1));
        bytes.extend(noise);
        Body(bytes)
    });
    let invented = ("[a-z_]{1,12}", any_json()).prop_map(move |(name, value)| body(&event(name, value)));
    prop_oneof![
        12 => changed.prop_map(|value| body(&value)),
        2 => invented,
        1 => cut,
        1 => any_json().prop_map(|value| body(&value)),
        1 => vec(any::<u8>(), 0..40).prop_map(Body),
    ]
    .boxed()
}

fn body(value: &Value) -> Body {
    Body(value.to_string().into_bytes())
}

impl Seeds {
    fn read(folder: &str) -> Self {
        let whole = texts(&format!("../fixtures/{folder}"));
        let whole: Vec<Value> = whole
            .iter()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect();
        let mut fields = Vec::new();
        for value in &whole {
            collect_fields(value, &mut fields);
        }
        Self { whole, fields }
    }
}

/// The files in a folder beside this crate's manifest, by name.
pub(crate) fn texts(folder: &str) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

fn collect_fields(value: &Value, fields: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                fields.push((key.clone(), value.clone()));
                collect_fields(value, fields);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect_fields(value, fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn changed(seeds: Arc<Seeds>) -> impl Strategy<Value = Value> {
    (any::<Index>(), vec((any::<Index>(), change()), 0..6)).prop_map(move |(seed, changes)| {
        let mut value = seeds
            .whole
            .get(seed.index(seeds.whole.len()))
            .cloned()
            .unwrap_or_default();
        for (at, change) in changes {
            let mut left = at.index(count(&value));
            apply(&mut value, &mut left, &change, &seeds);
        }
        value
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any_json().prop_map(Change::Replace),
        4 => any::<Index>().prop_map(Change::Splice),
        1 => ("[a-z_]{1,12}", any_json()).prop_map(|(key, value)| Change::Invent(key, value)),
        2 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Repeat),
        1 => any::<bool>().prop_map(Change::Wrap),
    ]
}

/// Small values of every kind, those among them that are easily got wrong.
fn any_json() -> impl Strategy<Value = Value> {
    let odd = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("0"),
        json!(" 42 "),
        json!([]),
        json!({}),
        json!([[[{}]]]),
        json!("<p>a &amp; <b>b</p>"),
        json!("\u{0}\u{200b}\u{feff}"),
        json!("👨‍👩‍👧 e\u{301}"),
    ];
    let leaf = prop_oneof![
        4 => proptest::sample::select(odd),
        1 => any::<i64>().prop_map(|number| json!(number)),
        2 => "[a-z👍 <&\\n]{0,12}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec(("[a-z_]{1,8}", inner), 0..3).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// How many values there are, the whole one among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(object) => object.values().map(count).sum(),
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Changes the value that comes after so many others; says whether it was found.
fn apply(value: &mut Value, left: &mut usize, change: &Change, seeds: &Seeds) -> bool {
    if *left == 0 {
        change_here(value, change, seeds);
        return true;
    }
    *left -= 1;
    match value {
        Value::Object(object) => object.values_mut().any(|value| apply(value, left, change, seeds)),
        Value::Array(list) => list.iter_mut().any(|value| apply(value, left, change, seeds)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn change_here(value: &mut Value, change: &Change, seeds: &Seeds) {
    match (change, value) {
        (Change::Replace(other), value) => *value = other.clone(),
        (Change::Splice(from), value) => {
            let Some((key, spliced)) = seeds.fields.get(from.index(seeds.fields.len())) else {
                return;
            };
            match value {
                Value::Object(object) => drop(object.insert(key.clone(), spliced.clone())),
                value => *value = spliced.clone(),
            }
        }
        (Change::Invent(key, invented), Value::Object(object)) => {
            object.insert(key.clone(), invented.clone());
        }
        (Change::Remove(which), Value::Object(object)) => remove(object, *which),
        (Change::Remove(which), Value::Array(list)) if !list.is_empty() => {
            list.remove(which.index(list.len()));
        }
        (Change::Repeat(which), Value::Array(list)) if !list.is_empty() => {
            let again = list.get(which.index(list.len())).cloned();
            list.extend(again);
        }
        (Change::Wrap(true), value) => *value = Value::Array(vec![value.take()]),
        (Change::Wrap(false), value) => *value = json!({ "text": value.take() }),
        (Change::Invent(..) | Change::Remove(_) | Change::Repeat(_), _) => {}
    }
}

fn remove(object: &mut Map<String, Value>, which: Index) {
    if object.is_empty() {
        return;
    }
    if let Some(key) = object.keys().nth(which.index(object.len())).cloned() {
        object.remove(&key);
    }
}
