//! The body of a part: HTML, or plain text where the app's webhook version is 2.15 or newer.

use crate::html;
use bridge::rich_text::RichText;

/// The tags that tell HTML from a text that merely has angle brackets in it (`a < b`, `<your name>`, `<a@example.com>`).
const TAGS: &[&str] = &[
    "a",
    "article",
    "b",
    "blockquote",
    "body",
    "br",
    "code",
    "del",
    "div",
    "em",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "section",
    "span",
    "strike",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "video",
];

/// What Intercom writes where only a file was sent: `[Image]`, or `[Image "name.png"]`.
const STAND_IN: &str = "[Image";

/// Reads a body, and says whether it was plain text.
pub fn read(body: &str) -> (RichText, bool) {
    if body.trim().is_empty() {
        (RichText::default(), false)
    } else if is_html(body) {
        (html::read(body), false)
    } else {
        (RichText::plain(said_once(body.trim())), true)
    }
}

/// Takes away the words that stand in for a picture where the picture itself is attached. Where it is not, they stay, and the
/// body counts as one that lacks pictures.
pub(crate) fn without_stand_in((body, is_plain): (RichText, bool), has_attachments: bool) -> (RichText, bool) {
    match (is_stand_in(&body), has_attachments) {
        (true, true) => (RichText::default(), is_plain),
        (true, false) => (body, true),
        (false, _) => (body, is_plain),
    }
}

fn is_stand_in(body: &RichText) -> bool {
    let text = body.to_plain();
    let Some(rest) = text.trim().strip_prefix(STAND_IN) else {
        return false;
    };
    let Some(name) = rest.strip_suffix(']') else {
        return false;
    };
    name.is_empty() || name.starts_with(" \"") && name.ends_with('"') && !name.contains('\n')
}

fn is_html(body: &str) -> bool {
    body.split('<').skip(1).any(begins_with_tag)
}

/// Whether the text behind a `<` is the rest of a known tag.
fn begins_with_tag(rest: &str) -> bool {
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if !TAGS.contains(&name.to_ascii_lowercase().as_str()) {
        return false;
    }
    // `if a <b and c> d` is no tag: what stands between name and bracket has to be attributes.
    rest.split_once('>').is_some_and(|(attributes, _)| {
        let attributes = attributes.trim().trim_end_matches('/');
        attributes.is_empty() || attributes.contains('=')
    })
}

/// Plain text spells a link as `label (url)`. Where the label is the url itself it is said once; else nobody can tell where the
/// label begins, and the text stays as it is.
fn said_once(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(" (") {
        let (before, behind) = rest.split_at(at);
        kept.push_str(before);
        if let Some(url) = parenthesised(&behind[2..]).filter(|url| repeats(before, url)) {
            rest = &behind[" ()".len() + url.len()..];
        } else {
            kept.push_str(" (");
            rest = &behind[2..];
        }
    }
    kept + rest
}

/// What stands up to the closing parenthesis; a url has no white space in it.
fn parenthesised(text: &str) -> Option<&str> {
    let end = text.find(|c: char| c == ')' || c.is_whitespace())?;
    text[end..].starts_with(')').then_some(&text[..end])
}

fn repeats(before: &str, url: &str) -> bool {
    let label = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let target = url.strip_prefix("mailto:").or(url.strip_prefix("tel:")).unwrap_or(url);
    let is_link = target.len() < url.len() || url.starts_with("http://") || url.starts_with("https://");
    is_link && !label.is_empty() && label == target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_html_from_plain_text() {
        for html in [
            "<p>Hi</p>",
            "<p class=\"no-margin\">Hi</p>",
            "Hi<br>there",
            "Hi<br/>there",
            "<IMG SRC='x'>",
            "<b>1 &lt; 2</b>",
            "x</p>",
        ] {
            assert!(is_html(html), "{html}");
        }
        for plain in [
            "1 < 2 & 3 > 2",
            "Hi, <your name>!",
            "<ann@example.com>",
            "if a <b and c> d",
            "a<b",
            "<p",
            "&lt;p&gt;",
            "<",
            "",
        ] {
            assert!(!is_html(plain), "{plain}");
        }
    }

    #[test]
    fn plain_text_is_taken_to_the_letter() {
        let (text, is_plain) = read("Try this:\nlink (https://example.com/a?b=1&c=2)\n1 < 2 &amp; 3 > 2");
        assert!(is_plain);
        assert_eq!(
            text.to_plain(),
            "Try this:\nlink (https://example.com/a?b=1&c=2)\n1 < 2 &amp; 3 > 2"
        );
    }

    #[test]
    fn a_bare_link_is_said_once() {
        let cases = [
            (
                "see https://example.com (https://example.com) now",
                "see https://example.com now",
            ),
            ("ann@example.com (mailto:ann@example.com)", "ann@example.com"),
            ("(a) (https://example.com) (b", "(a) (https://example.com) (b"),
            ("ok (ok) ()", "ok (ok) ()"),
            ("é (é) (https://é", "é (é) (https://é"),
        ];
        for (sent, read_as) in cases {
            assert_eq!(said_once(sent), read_as);
        }
    }

    #[test]
    fn words_that_stand_in_for_a_picture_go_only_when_it_is_there() {
        for words in ["[Image]", "<p>[Image \"cat.png\"]</p>"] {
            let (body, _) = without_stand_in(read(words), true);
            assert!(body.is_blank(), "{words}");
            let (body, lacks_pictures) = without_stand_in(read(words), false);
            assert!(!body.is_blank() && lacks_pictures, "{words}");
        }
        let (body, lacks_pictures) = without_stand_in(read("<p>[Image] and words</p>"), true);
        assert!(!body.is_blank() && !lacks_pictures);
    }
}
