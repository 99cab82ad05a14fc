//! What is true of whatever is sent to Telegram: <https://core.telegram.org/bots/api#formatting-options>.

use bridge::{
    ports::{FlatText, Span, SpanKind},
    rich_text::{Block, RichText},
};
use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};
use std::collections::BTreeSet;
use telegram::compose;

const MOST_UNITS: usize = 4_096;
const MOST_SPANS: usize = 100;

/// A text becomes messages that Telegram takes, and they show all of it.
pub(crate) fn check(text: &RichText) -> Result<(), TestCaseError> {
    compose(text).iter().try_for_each(check_message)?;
    let mut bare = text.clone();
    strip_links(&mut bare.0);
    let pieces: String = compose(&bare).into_iter().map(|message| message.text + "\n").collect();
    prop_assert_eq!(seen(&pieces), seen(&bare.to_plain()), "{:?}", text);
    Ok(())
}

/// What can be seen of a text, but for the signs of ASCII: plain text marks with them what Telegram shows by entities.
pub(crate) fn seen(text: &str) -> String {
    let is_seen = |c: &char| c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace() && !is_invisible(*c);
    text.chars().filter(is_seen).collect()
}

/// Whether all of `needle` comes in `hay`, in order.
pub(crate) fn comes_in_order(needle: &str, hay: &str) -> bool {
    let mut hay = hay.chars();
    needle.chars().all(|c| hay.any(|other| other == c))
}

/// What has no looks of its own, so that a message of nothing else is none.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(
            c,
            '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{fffc}'
        )
}

fn check_message(message: &FlatText) -> Result<(), TestCaseError> {
    let borders: BTreeSet<usize> = message
        .text
        .chars()
        .scan(0, |end, c| {
            *end += c.len_utf16();
            Some(*end)
        })
        .chain([0])
        .collect();
    let units = borders.last().copied().unwrap_or_default();
    prop_assert!((1..=MOST_UNITS).contains(&units), "{} units", units);
    prop_assert!(!message.text.chars().all(|c| c.is_whitespace() || is_invisible(c)));
    prop_assert_eq!(message.text.trim_end(), &message.text);
    prop_assert!(message.spans.len() <= MOST_SPANS, "{} entities", message.spans.len());
    for (at, span) in message.spans.iter().enumerate() {
        let end = span.offset + span.length;
        prop_assert!(
            span.length > 0 && borders.contains(&span.offset) && borders.contains(&end),
            "{:?}",
            message
        );
        for inner in message.spans.iter().skip(at + 1) {
            prop_assert!(may_meet(span, inner), "{:?} {:?} in {:?}", span, inner, message.text);
        }
    }
    Ok(())
}

/// Whether two entities, the outer one first, may stand as they do.
fn may_meet(outer: &Span, inner: &Span) -> bool {
    use SpanKind::{Code, Link, Pre, Quote};
    let end = outer.offset + outer.length;
    if inner.offset >= end {
        return true;
    }
    inner.offset >= outer.offset
        && inner.offset + inner.length <= end
        && match (&outer.kind, &inner.kind) {
            // Neither code nor a link stands in code or in a link, nor a quotation in anything.
            (Code | Pre { .. }, _) | (Link { .. }, Code | Pre { .. } | Link { .. }) | (_, Quote { .. }) => false,
            (Quote { .. }, _) => true,
            (_, Code | Pre { .. }) => false,
            (outer, inner) => outer != inner,
        }
}

fn strip_links(blocks: &mut [Block]) {
    for block in blocks {
        match block {
            Block::Paragraph { runs, .. } | Block::Heading { runs, .. } => {
                for run in runs {
                    run.style.link = None;
                }
            }
            Block::Quote { blocks, .. } => strip_links(blocks),
            Block::List { items, .. } => items.iter_mut().for_each(|item| strip_links(item)),
            Block::Table(rows) => {
                let cells = rows.iter_mut().flatten();
                cells.flatten().for_each(|run| run.style.link = None);
            }
            Block::Code { .. } | Block::Rule | Block::Image { .. } => {}
        }
    }
}
