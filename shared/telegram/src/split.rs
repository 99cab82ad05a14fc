//! One long text becomes several messages: cut where a reader would pause, with the formatting closed and begun anew.

use bridge::ports::{FlatText, Span, SpanKind};
use std::ops::Range;
use unicode_segmentation::GraphemeCursor;

/// The longest text of a message: <https://core.telegram.org/bots/api#sendmessage>. Telegram counts characters; UTF-16 units are never
/// fewer.
const MAX_UNITS: usize = 4_096;

/// Telegram silently ignores further entities.
const MAX_SPANS: usize = 100;

/// Telegram refuses messages whose entities take more than about 9,500 characters together.
const MAX_SPAN_SIZE: usize = 8_000;

/// What an entity takes beside its address.
const SPAN_SIZE: usize = 20;

/// A formatted stretch of a text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) place: Range<usize>,
    pub(crate) kind: SpanKind,
}

/// Cuts a text. The stretches come by their beginning, and the outer before the inner.
pub(crate) fn split(text: &str, spans: &[Stretch]) -> Vec<FlatText> {
    let mut messages = Vec::new();
    let mut from = next_line_with_text(text, spans, 0);
    while from < text.len() {
        let to = cut(text, from, limit(text, spans, from));
        messages.extend(message(text, spans, from..to));
        from = next_line_with_text(text, spans, to);
    }
    messages
}

/// Where the next message begins: without the white space in front, but with the indentation of code.
fn next_line_with_text(text: &str, spans: &[Stretch], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let begin = text.len() - rest.trim_start().len();
    let code = spans
        .iter()
        .find(|span| matches!(span.kind, SpanKind::Pre { .. }) && span.place.contains(&begin));
    let Some(code) = code else { return begin };
    let blank_from = code.place.start.max(from);
    let blank = text.get(blank_from..begin).unwrap_or_default();
    blank_from + blank.rfind('\n').map_or(0, |line_end| line_end + 1)
}

/// How far a message that begins at `from` may reach at most.
fn limit(text: &str, spans: &[Stretch], from: usize) -> usize {
    let mut units = 0;
    let characters = text.get(from..).unwrap_or_default().char_indices();
    let too_far = characters.into_iter().find(|(_, c)| {
        units += c.len_utf16();
        units > MAX_UNITS
    });
    let end = too_far.map_or(text.len(), |(at, _)| from + at);
    let (mut count, mut size) = (0, 0);
    for span in spans
        .iter()
        .filter(|span| span.place.end > from && span.place.start < end)
    {
        count += 1;
        size += SPAN_SIZE + address(&span.kind).len();
        if (count > MAX_SPANS || size > MAX_SPAN_SIZE) && span.place.start > from {
            return span.place.start;
        }
    }
    end
}

fn address(kind: &SpanKind) -> &str {
    match kind {
        SpanKind::Link { url } => url,
        SpanKind::Pre { language } => language.as_deref().unwrap_or_default(),
        SpanKind::Bold
        | SpanKind::Italic
        | SpanKind::Underline
        | SpanKind::Strike
        | SpanKind::Spoiler
        | SpanKind::Code
        | SpanKind::Quote { .. } => "",
    }
}

/// Where a message ends: after a paragraph, a line, a word, a grapheme, whichever of these comes in its second half; always after `from`.
fn cut(text: &str, from: usize, limit: usize) -> usize {
    if limit == text.len() {
        return limit;
    }
    // A break that begins right at the limit counts.
    let beyond = text
        .get(limit..)
        .unwrap_or_default()
        .char_indices()
        .nth(2)
        .map_or(text.len(), |(at, _)| limit + at);
    let window = text.get(from..beyond).unwrap_or_default();
    let (reach, half) = (limit - from, (limit - from) / 2);
    let fits = |at: &usize| (half.max(1)..=reach).contains(at);
    let paragraph = || {
        window
            .rmatch_indices("\n\n")
            .map(|(at, _)| at)
            .find(|at| *at <= reach)
            .filter(fits)
    };
    let line = || {
        window
            .rmatch_indices('\n')
            .map(|(at, _)| at)
            .find(|at| *at <= reach)
            .filter(fits)
    };
    let word = || {
        window
            .rmatch_indices(char::is_whitespace)
            .map(|(at, _)| at)
            .find(|at| *at <= reach)
            .filter(fits)
    };
    match paragraph().or_else(line).or_else(word) {
        Some(at) => from + at,
        None => grapheme(text, from, limit),
    }
}

/// The last border between graphemes, so that a family of emoji stays together; a grapheme that is longer than a message is cut.
fn grapheme(text: &str, from: usize, limit: usize) -> usize {
    let mut cursor = GraphemeCursor::new(limit, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return limit;
    }
    match cursor.prev_boundary(text, 0) {
        Ok(Some(border)) if border > from => border,
        _ => limit,
    }
}

/// A piece of the text as a message; none if there is nothing to see in it.
fn message(text: &str, spans: &[Stretch], place: Range<usize>) -> Option<FlatText> {
    let piece = text.get(place.clone())?.trim_end();
    if piece.chars().all(is_invisible) {
        return None;
    }
    let end = place.start + piece.len();
    let units = |at: usize| {
        text.get(place.start..at)
            .map_or(0, |before| before.encode_utf16().count())
    };
    let spans = spans.iter().filter_map(|span| {
        let (start, end) = (span.place.start.max(place.start), span.place.end.min(end));
        (start < end).then(|| {
            let offset = units(start);
            Span {
                offset,
                length: units(end) - offset,
                kind: span.kind.clone(),
            }
        })
    });
    Some(FlatText {
        text: piece.to_owned(),
        spans: spans.collect(),
    })
}

/// Characters of which alone Telegram makes no message.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(
            c,
            '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{fffc}'
        )
}
