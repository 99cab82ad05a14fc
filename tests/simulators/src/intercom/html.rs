//! Message bodies: what the server keeps of the HTML it is given, and the plain text it makes of it.

use scraper::{ElementRef, Html, Node};

use super::options::PlaintextImages;

const KEPT: &[&str] = &[
    "p",
    "br",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "a",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "code",
    "pre",
    "blockquote",
    "img",
];
const BLOCKS: &[&str] = &[
    "p",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "blockquote",
    "div",
];
const DROPPED: &[&str] = &["script", "style", "head", "title", "iframe"];

/// Text as HTML that shows it literally.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Plain text as the body that is kept of it, for the operations that take no HTML.
pub(super) fn from_text(text: &str) -> String {
    format!("<p>{}</p>", escaped(text).replace("\r\n", "\n").replace('\n', "<br>"))
}

/// What is kept of the HTML of a reply: known tags without their attributes, of the others the text, all of it in blocks.
pub(super) fn sanitized(html: &str) -> String {
    let tree = Html::parse_fragment(html);
    let mut blocks = Vec::new();
    let mut loose = String::new();
    collect_blocks(tree.root_element(), &mut blocks, &mut loose);
    flush(&mut blocks, &mut loose);
    blocks.join("\n")
}

fn flush(blocks: &mut Vec<String>, loose: &mut String) {
    if !loose.trim().is_empty() {
        blocks.push(format!("<p>{}</p>", loose.trim()));
    }
    loose.clear();
}

fn collect_blocks(parent: ElementRef<'_>, blocks: &mut Vec<String>, loose: &mut String) {
    for child in parent.children() {
        match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(text), _) => loose.push_str(&escaped(text)),
            (_, Some(element)) if is_transparent(element) => collect_blocks(element, blocks, loose),
            (_, Some(element)) if BLOCKS.contains(&element.value().name()) => {
                flush(blocks, loose);
                if KEPT.contains(&element.value().name()) {
                    blocks.push(kept(element));
                } else {
                    collect_blocks(element, blocks, loose);
                    flush(blocks, loose);
                }
            }
            (_, Some(element)) => loose.push_str(&kept(element)),
            _ => {}
        }
    }
}

fn is_transparent(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "html" | "body")
}

/// An element as it is kept.
fn kept(element: ElementRef<'_>) -> String {
    let name = element.value().name();
    if DROPPED.contains(&name) {
        return String::new();
    }
    let attribute = |name: &str| element.value().attr(name).unwrap_or_default();
    match name {
        "br" => "<br>".to_owned(),
        "img" if is_safe(attribute("src")) => format!("<img src=\"{}\">", escaped(attribute("src"))),
        "img" => String::new(),
        "a" if is_safe(attribute("href")) => format!(
            "<a href=\"{}\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">{}</a>",
            escaped(attribute("href")),
            inner(element)
        ),
        known if KEPT.contains(&known) && known != "a" => format!("<{known}>{}</{known}>", inner(element)),
        _ => inner(element),
    }
}

fn inner(element: ElementRef<'_>) -> String {
    element
        .children()
        .map(|child| match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(text), _) => escaped(text),
            (_, Some(element)) => kept(element),
            _ => String::new(),
        })
        .collect()
}

fn is_safe(url: &str) -> bool {
    ["https://", "http://", "mailto:", "tg://", "upload:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

/// A body as plain text: links as `label (url)`, one line for each block.
pub(super) fn plaintext(html: &str, images: PlaintextImages) -> String {
    let tree = Html::parse_fragment(html);
    let mut text = String::new();
    write_text(tree.root_element(), images, false, &mut text);
    text.trim_matches('\n').to_owned()
}

/// The words of a body, as the search for `source.body` knows them.
pub(super) fn words(html: &str) -> Vec<String> {
    let text = plaintext(html, PlaintextImages::Dropped);
    let words = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Whether a reader would see nothing.
pub(super) fn is_blank(html: &str) -> bool {
    plaintext(html, PlaintextImages::Marker).trim().is_empty()
}

fn write_text(parent: ElementRef<'_>, images: PlaintextImages, is_literal: bool, out: &mut String) {
    for child in parent.children() {
        match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(text), _) if is_literal => out.push_str(text),
            (Node::Text(text), _) => write_collapsed(text, out),
            (_, Some(element)) => write_element(element, images, is_literal, out),
            _ => {}
        }
    }
}

fn write_element(element: ElementRef<'_>, images: PlaintextImages, is_literal: bool, out: &mut String) {
    let name = element.value().name();
    match name {
        "br" => out.push('\n'),
        "img" if images == PlaintextImages::Marker => out.push_str("[Image]"),
        "img" => {}
        "a" => write_link(element, images, is_literal, out),
        block if BLOCKS.contains(&block) => {
            start_line(out);
            if block == "li" {
                out.push_str("- ");
            }
            write_text(element, images, is_literal || block == "pre", out);
            // An empty paragraph is a blank line.
            if block == "p" || !start_of_line(out) {
                out.push('\n');
            }
        }
        dropped if DROPPED.contains(&dropped) => {}
        _ => write_text(element, images, is_literal, out),
    }
}

fn write_link(element: ElementRef<'_>, images: PlaintextImages, is_literal: bool, out: &mut String) {
    let before = out.len();
    write_text(element, images, is_literal, out);
    let label = out.get(before..).unwrap_or_default();
    if let Some(url) = element.value().attr("href")
        && label.trim() != url
    {
        out.extend([" (", url, ")"]);
    }
}

/// White space as a browser shows it: one space, none at the start of a line.
fn write_collapsed(text: &str, out: &mut String) {
    for letter in text.chars() {
        if !letter.is_ascii_whitespace() {
            out.push(letter);
        } else if !start_of_line(out) && !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

fn start_of_line(out: &str) -> bool {
    out.is_empty() || out.ends_with('\n')
}

fn start_line(out: &mut String) {
    while out.ends_with(' ') {
        out.pop();
    }
    if !start_of_line(out) {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_kept_in_blocks_without_what_is_not_allowed() {
        for (given, kept) in [
            ("hi", "<p>hi</p>"),
            ("a < b &amp; c", "<p>a &lt; b &amp; c</p>"),
            ("<b onclick='x()'>bold</b> plain", "<p><b>bold</b> plain</p>"),
            ("<p class='x'>one</p><p>two</p>", "<p>one</p>\n<p>two</p>"),
            ("<blink>text</blink><script>alert(1)</script>", "<p>text</p>"),
            ("<a href='javascript:x()'>label</a>", "<p>label</p>"),
            ("<div>in <i>div</i></div>", "<p>in <i>div</i></p>"),
            (
                "<html><body><ul><li>one</li></ul></body></html>",
                "<ul><li>one</li></ul>",
            ),
        ] {
            assert_eq!(sanitized(given), kept, "of {given}");
        }
    }

    #[test]
    fn plain_text_shows_links_and_lines() {
        for (html, text) in [
            ("<p>one<br>two</p><p>three</p>", "one\ntwo\nthree"),
            (
                "<p>see <a href=\"https://example.com/?a=1&amp;b=2\">this</a></p>",
                "see this (https://example.com/?a=1&b=2)",
            ),
            (
                "<p>1 &lt; 2 &amp; 3</p>\n<ul><li>a</li><li>b</li></ul>",
                "1 < 2 & 3\n- a\n- b",
            ),
            ("<p>line\nbreak is a space</p>", "line break is a space"),
            ("<p>a</p><p></p><p>b</p>", "a\n\nb"),
            ("<p><img src=\"https://example.com/x.png\"></p>", "[Image]"),
        ] {
            assert_eq!(plaintext(html, PlaintextImages::Marker), text, "of {html}");
        }
    }

    #[test]
    fn text_is_shown_literally() {
        assert_eq!(
            from_text("<b>\"x\" & y</b>\nz"),
            "<p>&lt;b&gt;&quot;x&quot; &amp; y&lt;/b&gt;<br>z</p>"
        );
    }
}
