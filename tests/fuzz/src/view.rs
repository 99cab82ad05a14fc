//! What a browser shows of HTML, by a parser that is not ours.

use proptest::test_runner::TestCaseError;
use scraper::{Html, Node, node::Element};

/// What Intercom is known to take, and the attribute that each may have.
const TAGS: &[(&str, Option<&str>)] = &[
    ("a", Some("href")),
    ("b", None),
    ("blockquote", None),
    ("br", None),
    ("code", None),
    ("h2", None),
    ("i", None),
    ("li", None),
    ("ol", Some("start")),
    ("p", None),
    ("pre", None),
    ("s", None),
    ("u", None),
    ("ul", None),
];

/// Where a link may lead.
const SCHEMES: &[&str] = &["http:", "https:", "mailto:", "tel:"];

/// What the parser puts around a piece of HTML.
const AROUND: &[&str] = &["html", "head", "body"];

/// Elements whose text is none, or is what a browser that runs scripts does not show.
const UNSHOWN: &[&str] = &["script", "style", "noscript", "noembed", "noframes", "iframe", "xmp"];

/// The text that HTML of ours shows. It has to be free of errors, and of what Intercom is not known to take.
pub(crate) fn of_ours(html: &str) -> Result<String, TestCaseError> {
    let parsed = Html::parse_fragment(html);
    if let Some(error) = parsed.errors.first() {
        return Err(TestCaseError::fail(format!("{error}: {html}")));
    }
    for element in parsed.tree.values().filter_map(Node::as_element) {
        if !AROUND.contains(&element.name()) {
            check_element(element).map_err(|what| TestCaseError::fail(format!("{what}: {html}")))?;
        }
    }
    Ok(shown(&parsed))
}

/// The text that any HTML shows.
pub(crate) fn of_theirs(html: &str) -> String {
    shown(&Html::parse_fragment(html))
}

fn check_element(element: &Element) -> Result<(), String> {
    let name = element.name();
    let Some((_, allowed)) = TAGS.iter().find(|(tag, _)| *tag == name) else {
        return Err(format!("<{name}> is not taken"));
    };
    for (attribute, value) in element.attrs() {
        let leads = SCHEMES
            .iter()
            .any(|scheme| value.to_ascii_lowercase().starts_with(scheme));
        if *allowed != Some(attribute) || attribute == "href" && !leads {
            return Err(format!("<{name} {attribute}={value:?}> is not taken"));
        }
    }
    Ok(())
}

fn shown(parsed: &Html) -> String {
    let texts = parsed.tree.nodes().filter_map(|node| {
        let hidden = node.parent().and_then(|parent| parent.value().as_element());
        let is_shown = hidden.is_none_or(|element| !UNSHOWN.contains(&element.name()));
        node.value().as_text().filter(|_| is_shown)
    });
    // The nodes come in the order in which they were made: that of the text, but for what a table throws out of itself.
    texts.map(|text| &**text).collect()
}
