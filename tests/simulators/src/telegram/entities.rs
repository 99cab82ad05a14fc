//! Text and its entities: what the server refuses, and what clients find by themselves.

use serde_json::{Value, json};

use super::refusal::Refusal;

/// About what all entities together may weigh; the exact measure is not published.
const HEAVIEST_ENTITIES: usize = 9_500;
/// Bytes of raw text.
const LONGEST_RAW: usize = 32_768;

/// Text with entities that fit it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rich {
    pub(crate) text: String,
    pub(crate) entities: Vec<Value>,
}

/// An entity's first and one past its last UTF-16 unit.
fn range(entity: &Value) -> (i64, i64) {
    let offset = entity["offset"].as_i64().unwrap_or_default();
    (offset, offset + entity["length"].as_i64().unwrap_or_default())
}

pub(crate) fn utf16_len(text: &str) -> i64 {
    i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX)
}

impl Rich {
    /// Takes text and entities as a bot sends them, the first `most`; `passed_over` gets what the server would not even mention.
    pub(crate) fn checked(
        text: &str,
        entities: &[Value],
        most: usize,
        passed_over: &mut Vec<String>,
    ) -> Result<Self, Refusal> {
        if text.len() > LONGEST_RAW {
            return Err(Refusal::wrong("text is too long"));
        }
        if entities.len() > most {
            passed_over.push(format!("{} entities, only {most} are kept", entities.len()));
        }
        let mut kept = Vec::new();
        for entity in entities.iter().take(most) {
            if check(text, entity)? {
                kept.push(entity.clone());
            } else {
                passed_over.push(format!("entity that covers nothing: {entity}"));
            }
        }
        kept.sort_by_key(|entity| (range(entity).0, -range(entity).1));
        passed_over.extend(clashes(&kept));
        if kept.iter().map(weight).sum::<usize>() > HEAVIEST_ENTITIES {
            return Err(Refusal::bad("ENTITIES_TOO_LONG"));
        }
        Ok(Self {
            text: text.to_owned(),
            entities: kept,
        }
        .trimmed())
    }

    /// Without blank ends, as the server keeps it.
    fn trimmed(self) -> Self {
        let start = utf16_len(&self.text) - utf16_len(self.text.trim_start());
        let text = self.text.trim().to_owned();
        let length = utf16_len(&text);
        let entities = self.entities.into_iter().filter_map(|mut entity| {
            let (from, to) = range(&entity);
            let (from, to) = ((from - start).clamp(0, length), (to - start).clamp(0, length));
            entity["offset"] = from.into();
            entity["length"] = (to - from).into();
            (to > from).then_some(entity)
        });
        Self {
            entities: entities.collect(),
            text,
        }
    }
}

/// Twelve bytes for kind and range, and the strings that hang on them.
fn weight(entity: &Value) -> usize {
    let strings = ["url", "language", "custom_emoji_id"]
        .iter()
        .filter_map(|name| entity[*name].as_str());
    12 + strings.map(str::len).sum::<usize>()
}

/// Whether an entity covers something; an error if it cannot belong to the text.
fn check(text: &str, entity: &Value) -> Result<bool, Refusal> {
    let (from, to) = range(entity);
    if from < 0 || to <= from {
        return Ok(false);
    }
    let end = utf16_len(text);
    if to > end {
        return Err(Refusal::wrong(format!(
            "entity beginning at UTF-16 offset {from} ends after the end of the text at UTF-16 offset {end}"
        )));
    }
    for (at, verb) in [(from, "begins"), (to, "ends")] {
        if splits_a_character(text, at) {
            return Err(Refusal::wrong(format!(
                "entity beginning at UTF-16 offset {from} {verb} in a middle of a UTF-16 symbol"
            )));
        }
    }
    for (kind, field) in [
        ("text_link", "url"),
        ("text_mention", "user"),
        ("custom_emoji", "custom_emoji_id"),
    ] {
        if entity["type"] == kind && entity.get(field).is_none() {
            return Err(Refusal::wrong(format!(
                "can't parse entities: Can't find field \"{field}\""
            )));
        }
    }
    Ok(true)
}

fn splits_a_character(text: &str, at: i64) -> bool {
    let mut position = 0;
    for character in text.chars() {
        if position >= at {
            break;
        }
        position += i64::try_from(character.len_utf16()).unwrap_or(1);
    }
    position != at
}

/// Entities that cross, stand inside code, or nest where they may not; in the order of their beginnings.
fn clashes(entities: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, outer) in entities.iter().enumerate() {
        let (from, to) = range(outer);
        for inner in entities.iter().skip(at + 1).filter(|inner| range(inner).0 < to) {
            let quotes = [outer, inner].iter().all(|entity| is_quote(entity));
            let code = matches!(outer["type"].as_str(), Some("code" | "pre"));
            let code_inside = matches!(inner["type"].as_str(), Some("code" | "pre")) && !is_quote(outer);
            if range(inner).1 > to
                || code
                || code_inside
                || quotes
                || (range(inner) == (from, to) && same(outer, inner))
            {
                found.push(format!("entities that clash: {outer} and {inner}"));
            }
        }
    }
    found
}

fn same(one: &Value, other: &Value) -> bool {
    one["type"] == other["type"]
}

fn is_quote(entity: &Value) -> bool {
    matches!(entity["type"].as_str(), Some("blockquote" | "expandable_blockquote"))
}

/// The entities that clients find in what people write.
pub(crate) fn found(text: &str) -> Vec<Value> {
    let mut entities = Vec::new();
    let mut offset = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word =
            piece.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | '!' | '?' | ')' | ';'));
        if let Some(kind) = kind_of(word) {
            let length = utf16_len(word);
            entities.push(json!({ "type": kind, "offset": offset, "length": length }));
        }
        offset += utf16_len(piece);
    }
    entities
}

fn kind_of(word: &str) -> Option<&'static str> {
    let named = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '@');
    if word.strip_prefix('/').is_some_and(named) {
        Some("bot_command")
    } else if word.strip_prefix('#').is_some_and(named) {
        Some("hashtag")
    } else if word
        .strip_prefix('@')
        .is_some_and(|rest| rest.len() >= 4 && named(rest))
    {
        Some("mention")
    } else if ["http://", "https://"]
        .iter()
        .any(|scheme| word.len() > scheme.len() && word.starts_with(scheme))
    {
        Some("url")
    } else if word
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    {
        Some("email")
    } else {
        None
    }
}

/// Text and entities as simple HTML, the way a person sees them.
pub(crate) fn html(text: &str, entities: &[Value]) -> String {
    let mut out = String::new();
    let mut position = 0;
    let mut open: Vec<&Value> = Vec::new();
    let mut waiting = entities.iter().peekable();
    for character in text.chars() {
        close_until(&mut open, position, &mut out);
        while let Some(entity) = waiting.next_if(|entity| range(entity).0 <= position) {
            out.push_str(&tags(entity).0);
            open.push(entity);
        }
        push_escaped(&mut out, character);
        position += i64::try_from(character.len_utf16()).unwrap_or(1);
    }
    close_until(&mut open, i64::MAX, &mut out);
    out
}

fn close_until(open: &mut Vec<&Value>, position: i64, out: &mut String) {
    while let Some(entity) = open.pop_if(|entity| range(entity).1 <= position) {
        out.push_str(tags(entity).1);
    }
}

fn push_escaped(out: &mut String, character: char) {
    match character {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        _ => out.push(character),
    }
}

fn tags(entity: &Value) -> (String, &'static str) {
    let plain = |name: &str, close| (format!("<{name}>"), close);
    match entity["type"].as_str().unwrap_or_default() {
        "bold" => plain("b", "</b>"),
        "italic" => plain("i", "</i>"),
        "underline" => plain("u", "</u>"),
        "strikethrough" => plain("s", "</s>"),
        "spoiler" => plain("tg-spoiler", "</tg-spoiler>"),
        "code" => plain("code", "</code>"),
        "blockquote" => plain("blockquote", "</blockquote>"),
        "expandable_blockquote" => plain("blockquote expandable", "</blockquote>"),
        "pre" => match entity["language"].as_str() {
            Some(language) => (format!("<pre><code class=\"language-{language}\">"), "</code></pre>"),
            None => plain("pre", "</pre>"),
        },
        "text_link" => {
            let mut tag = String::from("<a href=\"");
            entity["url"]
                .as_str()
                .unwrap_or_default()
                .chars()
                .for_each(|c| push_escaped(&mut tag, c));
            (tag + "\">", "</a>")
        }
        _ => (String::new(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(kind: &str, offset: i64, length: i64) -> Value {
        json!({ "type": kind, "offset": offset, "length": length })
    }

    #[test]
    fn offsets_count_utf16_units() {
        let mut passed = Vec::new();
        assert!(Rich::checked("😀x", &[entity("bold", 2, 1)], 100, &mut passed).is_ok());
        for wrong in [entity("bold", 1, 1), entity("bold", 0, 1), entity("bold", 2, 2)] {
            assert!(Rich::checked("😀x", &[wrong], 100, &mut passed).is_err());
        }
        assert_eq!(passed, Vec::<String>::new());
    }

    #[test]
    fn blank_ends_are_cut_and_entities_follow() {
        let rich = Rich::checked("  ab ", &[entity("bold", 0, 5)], 100, &mut Vec::new()).unwrap();
        assert_eq!(
            rich,
            Rich {
                text: "ab".to_owned(),
                entities: vec![entity("bold", 0, 2)]
            }
        );
    }

    #[test]
    fn crossing_entities_are_noticed() {
        for (one, other) in [
            (entity("bold", 0, 3), entity("italic", 2, 3)),
            (entity("code", 0, 3), entity("bold", 1, 1)),
            (entity("blockquote", 0, 3), entity("blockquote", 1, 1)),
        ] {
            let mut passed = Vec::new();
            Rich::checked("abcdef", &[one, other], 100, &mut passed).unwrap();
            assert_eq!(passed.len(), 1, "{passed:?}");
        }
    }

    #[test]
    fn html_nests() {
        let entities = [entity("bold", 0, 4), entity("italic", 2, 2)];
        assert_eq!(html("a<bc d", &entities), "<b>a&lt;<i>bc</i></b> d");
    }

    #[test]
    fn clients_find_commands_and_links() {
        let kinds: Vec<Value> = found("/start see https://example.com, @someone")
            .iter()
            .map(|e| e["type"].clone())
            .collect();
        assert_eq!(kinds, ["bot_command", "url", "mention"]);
    }
}
