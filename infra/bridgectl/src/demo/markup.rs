//! The few marks that the page's writers know: `**bold**`, `__italic__`, `` `code` ``, `[link](https://…)`.

use serde_json::{Value, json};

/// A stretch of text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    text: String,
    style: Style,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    italic: bool,
    code: bool,
    link: Option<String>,
}

/// Text and entities as a Telegram app sends them; offsets count UTF-16 units.
pub(super) fn to_telegram(marked: &str) -> (String, Vec<Value>) {
    let (mut text, mut entities) = (String::new(), Vec::new());
    let mut offset = 0;
    for run in parsed(marked) {
        let length = run.text.encode_utf16().count();
        for mut entity in kinds(&run.style) {
            entity["offset"] = offset.into();
            entity["length"] = length.into();
            entities.push(entity);
        }
        offset += length;
        text.push_str(&run.text);
    }
    (text, entities)
}

fn kinds(style: &Style) -> Vec<Value> {
    let flags = [(style.bold, "bold"), (style.italic, "italic"), (style.code, "code")];
    let flagged = flags
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, kind)| json!({ "type": kind }));
    let link = style.link.iter().map(|url| json!({ "type": "text_link", "url": url }));
    flagged.chain(link).collect()
}

/// HTML as Intercom's composer makes it: a paragraph for each line.
pub(super) fn to_intercom(marked: &str) -> String {
    let mut html = String::from("<p class=\"no-margin\">");
    for run in parsed(marked) {
        let (open, close) = tags(&run.style);
        for (at, line) in run.text.split('\n').enumerate() {
            if at > 0 {
                html.push_str("</p><p class=\"no-margin\">");
            }
            if !line.is_empty() {
                html.extend([open.as_str(), &escaped(line), close.as_str()]);
            }
        }
    }
    html.push_str("</p>");
    html
}

fn tags(style: &Style) -> (String, String) {
    let mut open = String::new();
    let mut close = String::new();
    if let Some(url) = &style.link {
        open.extend(["<a href=\"", &escaped(url), "\">"]);
        close.insert_str(0, "</a>");
    }
    for (on, tag) in [(style.bold, "b"), (style.italic, "i"), (style.code, "code")] {
        if on {
            open.extend(["<", tag, ">"]);
            close.insert_str(0, &format!("</{tag}>"));
        }
    }
    (open, close)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn parsed(marked: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    parse(marked, &Style::default(), &mut runs);
    runs
}

/// A mark that has no partner, or nothing in between, is text.
fn parse(marked: &str, style: &Style, runs: &mut Vec<Run>) {
    let mut rest = marked;
    let mut plain = String::new();
    while let Some(next) = rest.chars().next() {
        let Some((inside, styled, after)) = span(rest, style) else {
            plain.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
            continue;
        };
        push(&mut plain, style, runs);
        if styled.code {
            push(&mut inside.to_owned(), &styled, runs);
        } else {
            parse(inside, &styled, runs);
        }
        rest = after;
    }
    push(&mut plain, style, runs);
}

fn push(text: &mut String, style: &Style, runs: &mut Vec<Run>) {
    if !text.is_empty() {
        let (text, style) = (std::mem::take(text), style.clone());
        runs.push(Run { text, style });
    }
}

/// The marked span that the text begins with: what is inside, its style, and what comes after it.
fn span<'t>(text: &'t str, style: &Style) -> Option<(&'t str, Style, &'t str)> {
    let mut styled = style.clone();
    if let Some((inside, after)) = between(text, "**") {
        styled.bold = true;
        return Some((inside, styled, after));
    }
    if let Some((inside, after)) = between(text, "__") {
        styled.italic = true;
        return Some((inside, styled, after));
    }
    if let Some((inside, after)) = between(text, "`") {
        // Telegram's code goes with no other style.
        let code = Style {
            code: true,
            ..Style::default()
        };
        return Some((inside, code, after));
    }
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, after) = rest.split_once(')')?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if !is_web || words.is_empty() || words.contains(['[', ']', '\n']) || url.contains(char::is_whitespace) {
        return None;
    }
    styled.link = Some(url.to_owned());
    Some((words, styled, after))
}

fn between<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let (inside, after) = text.strip_prefix(mark)?.split_once(mark)?;
    (!inside.trim().is_empty()).then_some((inside, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_entities_that_count_utf_16() {
        let (text, entities) = to_telegram("😀 **b __i__** `*c*` [l](https://example.com/?a=1)");
        assert_eq!(text, "😀 b i *c* l");
        let expected = json!([
            {"type": "bold", "offset": 3, "length": 2},
            {"type": "bold", "offset": 5, "length": 1},
            {"type": "italic", "offset": 5, "length": 1},
            {"type": "code", "offset": 7, "length": 3},
            {"type": "text_link", "url": "https://example.com/?a=1", "offset": 11, "length": 1},
        ]);
        assert_eq!(Value::from(entities), expected);
    }

    #[test]
    fn marks_become_html_in_which_nothing_typed_is_a_tag() {
        for (marked, html) in [
            ("a <b> & c", "<p class=\"no-margin\">a &lt;b&gt; &amp; c</p>"),
            (
                "**x\ny**",
                "<p class=\"no-margin\"><b>x</b></p><p class=\"no-margin\"><b>y</b></p>",
            ),
            (
                "[**l**](https://e.example/\"x)",
                "<p class=\"no-margin\"><a href=\"https://e.example/&quot;x\"><b>l</b></a></p>",
            ),
        ] {
            assert_eq!(to_intercom(marked), html);
        }
    }

    #[test]
    fn a_mark_without_a_partner_is_text() {
        for text in [
            "2 ** 3",
            "** **",
            "__init",
            "`",
            "[x](javascript:alert)",
            "[x](https://a b)",
        ] {
            assert_eq!(to_telegram(text), (text.to_owned(), Vec::new()));
        }
    }
}
