//! `parse_mode: HTML`: <https://core.telegram.org/bots/api#html-style>.

use serde_json::{Map, Value};

use super::{entities::utf16_len, refusal::Refusal};

/// A tag that was opened and not closed yet.
struct Open {
    name: String,
    start: i64,
    /// The entity that it makes; none for the second half of `pre` and `code`.
    entity: Option<Map<String, Value>>,
}

struct Parser<'a> {
    html: &'a str,
    at: usize,
    text: String,
    entities: Vec<Value>,
    open: Vec<Open>,
}

/// Text and entities of an HTML text.
pub(crate) fn parse(html: &str) -> Result<(String, Vec<Value>), Refusal> {
    let mut parser = Parser {
        html,
        at: 0,
        text: String::new(),
        entities: Vec::new(),
        open: Vec::new(),
    };
    while let Some(next) = parser.rest().chars().next() {
        match next {
            '<' if parser.rest().starts_with("</") => parser.end_tag()?,
            '<' => parser.start_tag()?,
            '&' => parser.character_reference(),
            _ => {
                parser.text.push(next);
                parser.at += next.len_utf8();
            }
        }
    }
    match parser.open.last() {
        Some(open) => Err(wrong(&format!(
            "Can't find end tag corresponding to start tag \"{}\"",
            open.name
        ))),
        None => Ok((parser.text, parser.entities)),
    }
}

fn wrong(problem: &str) -> Refusal {
    Refusal::wrong(format!("can't parse entities: {problem}"))
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.html.get(self.at..).unwrap_or_default()
    }

    fn character_reference(&mut self) {
        let known = self
            .rest()
            .split_once(';')
            .and_then(|(name, _)| Some((name.len() + 1, character(name)?)));
        let (length, character) = known.unwrap_or((1, '&'));
        self.at += length;
        self.text.push(character);
    }

    /// The inside of the tag that begins here, with the position of its `<`.
    fn tag(&mut self, opener: &str) -> Result<(String, usize), Refusal> {
        let begin = self.at;
        let kind = if opener == "<" { "start" } else { "end" };
        let inside = self.rest().strip_prefix(opener).and_then(|rest| rest.split_once('>'));
        let Some((inside, _)) = inside else {
            return Err(wrong(&format!("Unclosed {kind} tag at byte offset {begin}")));
        };
        let inside = inside.to_owned();
        self.at += opener.len() + inside.len() + 1;
        Ok((inside, begin))
    }

    fn start_tag(&mut self) -> Result<(), Refusal> {
        let (inside, begin) = self.tag("<")?;
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((&inside, ""));
        let name = name.to_ascii_lowercase();
        let unsupported = || wrong(&format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
        let start = utf16_len(&self.text);
        if name == "code"
            && let Some(outer) = self
                .open
                .last_mut()
                .filter(|outer| outer.name == "pre" && outer.start == start)
        {
            if let (Some(language), Some(entity)) = (language(attributes), &mut outer.entity) {
                entity.insert("language".into(), language.into());
            }
            self.open.push(Open {
                name,
                start,
                entity: None,
            });
            return Ok(());
        }
        let entity = entity(&name, attributes).ok_or_else(unsupported)?;
        self.open.push(Open {
            name,
            start,
            entity: Some(entity),
        });
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), Refusal> {
        let (name, begin) = self.tag("</")?;
        let name = name.trim().to_ascii_lowercase();
        let Some(open) = self.open.pop() else {
            return Err(wrong(&format!("Unexpected end tag at byte offset {begin}")));
        };
        if open.name != name {
            let expected = open.name;
            return Err(wrong(&format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{name}>\""
            )));
        }
        let length = utf16_len(&self.text) - open.start;
        if let Some(mut entity) = open.entity.filter(|_| length > 0) {
            entity.insert("offset".into(), open.start.into());
            entity.insert("length".into(), length.into());
            self.entities.push(Value::Object(entity));
        }
        Ok(())
    }
}

fn character(name: &str) -> Option<char> {
    match name {
        "&lt" => Some('<'),
        "&gt" => Some('>'),
        "&amp" => Some('&'),
        "&quot" => Some('"'),
        _ => {
            let number = name.strip_prefix("&#")?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

fn language(attributes: &str) -> Option<String> {
    Some(attribute(attributes, "class")?.strip_prefix("language-")?.to_owned())
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let (_, value) = attributes.split_once(&format!("{name}="))?;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    match quote {
        Some(quote) => Some(
            value
                .get(1..)?
                .split(quote)
                .next()?
                .replace("&amp;", "&")
                .replace("&quot;", "\""),
        ),
        None => Some(value.split(char::is_whitespace).next()?.to_owned()),
    }
}

fn entity(name: &str, attributes: &str) -> Option<Map<String, Value>> {
    let class = attribute(attributes, "class");
    let kind = match name {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "tg-spoiler" => "spoiler",
        "span" if class.as_deref() == Some("tg-spoiler") => "spoiler",
        "code" => "code",
        "pre" => "pre",
        "blockquote" if attributes.contains("expandable") => "expandable_blockquote",
        "blockquote" => "blockquote",
        "a" => "text_link",
        "tg-emoji" => "custom_emoji",
        _ => return None,
    };
    let mut entity = super::post::fields([("type", kind.into())]);
    match name {
        "a" => entity.insert("url".into(), attribute(attributes, "href")?.into()),
        "tg-emoji" => entity.insert("custom_emoji_id".into(), attribute(attributes, "emoji-id")?.into()),
        _ => None,
    };
    Some(entity)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_nested_tags() {
        let (text, entities) = parse("<b>a &lt; <i>😀</i></b><a href=\"https://e.example/?a=1&amp;b\">x</a>").unwrap();
        assert_eq!(text, "a < 😀x");
        let expected = json!([
            { "type": "italic", "offset": 4, "length": 2 },
            { "type": "bold", "offset": 0, "length": 6 },
            { "type": "text_link", "url": "https://e.example/?a=1&b", "offset": 6, "length": 1 },
        ]);
        assert_eq!(Value::from(entities), expected);
    }

    #[test]
    fn refuses_what_the_server_refuses() {
        for (html, problem) in [
            ("<p>x</p>", "Unsupported start tag \"p\" at byte offset 0"),
            ("a<b", "Unclosed start tag at byte offset 1"),
            ("x</b>", "Unexpected end tag at byte offset 1"),
            (
                "<b>x</i>",
                "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\"",
            ),
            ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ] {
            let refusal = parse(html).unwrap_err();
            assert_eq!(
                refusal.description,
                format!("Bad Request: can't parse entities: {problem}")
            );
        }
    }
}
