//! Rich text → what Intercom takes: HTML for replies and notes, plain text for the message that opens a conversation.

use crate::html::link_target;
use bridge::rich_text::{Block, RichText, Run};
use std::fmt::Write as _;

/// The body of a reply in a contact's name. That it may be HTML is not documented, only known from use: without escaping, a
/// customer's `<` would be lost.
pub fn contact_reply(text: &RichText) -> String {
    html(text)
}

/// The body of a reply or a note in an admin's name.
pub fn admin_reply(text: &RichText) -> String {
    html(text)
}

/// The body of the message that opens a conversation: HTML is not supported there, so nothing is escaped.
pub fn opening(text: &RichText) -> String {
    text.to_plain()
}

fn html(text: &RichText) -> String {
    let mut out = String::new();
    blocks(&text.0, &mut out);
    out
}

fn blocks(blocks: &[Block], out: &mut String) {
    let mut at = 0;
    while let Some(block) = blocks.get(at) {
        let more = blocks.iter().skip(at + 1).take_while(|next| is_tight(next)).count();
        if matches!(block, Block::Paragraph { .. }) {
            out.push_str("<p>");
            lines(blocks.iter().skip(at).take(more + 1), out);
            out.push_str("</p>");
            at += more;
        } else {
            single(block, out);
        }
        at += 1;
    }
}

fn is_tight(block: &Block) -> bool {
    matches!(block, Block::Paragraph { tight: true, .. })
}

/// Paragraphs right below each other are lines of one: nothing says that Intercom keeps the class that it uses for them itself.
fn lines<'b>(paragraphs: impl Iterator<Item = &'b Block>, out: &mut String) {
    let runs = paragraphs.filter_map(|block| match block {
        Block::Paragraph { runs, .. } => Some(runs),
        _ => None,
    });
    for (at, runs) in runs.enumerate() {
        if at > 0 {
            out.push_str("<br>");
        }
        running(runs, out);
    }
}

fn single(block: &Block, out: &mut String) {
    match block {
        Block::Paragraph { runs, .. } => wrapped("p", out, |out| running(runs, out)),
        // Of headings, only this one is known to be accepted.
        Block::Heading { runs, .. } => wrapped("h2", out, |out| running(runs, out)),
        Block::Quote { blocks: quoted, .. } => wrapped("blockquote", out, |out| blocks(quoted, out)),
        Block::Code { text, .. } => wrapped("pre", out, |out| {
            wrapped("code", out, |out| code(text, out));
        }),
        Block::List { start, items } => list(*start, items, out),
        Block::Table(rows) => wrapped("p", out, |out| table(rows, out)),
        Block::Rule | Block::Image { .. } => wrapped("p", out, |out| {
            let words = RichText(vec![block.clone()]).to_plain();
            running(&[picture_link(block, words)], out);
        }),
    }
}

fn wrapped(tag: &str, out: &mut String, content: impl FnOnce(&mut String)) {
    let _ = write!(out, "<{tag}>");
    content(out);
    let _ = write!(out, "</{tag}>");
}

/// A picture is a link to itself: Intercom would fetch it by its address, which may be ours alone.
fn picture_link(block: &Block, words: String) -> Run {
    match block {
        Block::Image { url, .. } => Run::link(words, url),
        _ => Run::plain(words),
    }
}

fn list(start: Option<u64>, items: &[Vec<Block>], out: &mut String) {
    let tag = if start.is_some() { "ol" } else { "ul" };
    match start {
        Some(first) if first != 1 => {
            let _ = write!(out, "<ol start=\"{first}\">");
        }
        _ => {
            let _ = write!(out, "<{tag}>");
        }
    }
    for one in items {
        wrapped("li", out, |out| item(one, out));
    }
    let _ = write!(out, "</{tag}>");
}

/// The first line of an item stands right behind its mark.
fn item(blocks_of_item: &[Block], out: &mut String) {
    let first = blocks_of_item
        .first()
        .filter(|block| matches!(block, Block::Paragraph { .. }));
    let tight = blocks_of_item.iter().skip(1).take_while(|next| is_tight(next)).count();
    let inline = if first.is_some() { tight + 1 } else { 0 };
    lines(blocks_of_item.iter().take(inline), out);
    blocks(blocks_of_item.get(inline..).unwrap_or_default(), out);
}

/// Tables are not known to be accepted.
fn table(rows: &[Vec<Vec<Run>>], out: &mut String) {
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push_str("<br>");
        }
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push_str(" | ");
            }
            running(cell, out);
        }
    }
}

/// Line breaks in code are tags, so that the lines stay apart should `pre` be taken away.
fn code(text: &str, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str("<br>");
        }
        escape(line, out);
    }
}

fn running(runs: &[Run], out: &mut String) {
    let mut link: Option<String> = None;
    let mut after_space = true;
    for run in runs {
        let target = run.style.link.as_deref().and_then(link_target);
        if target != link {
            close_link(link.as_ref(), out);
            open_link(target.as_ref(), out);
            link = target;
        }
        styled(run, &mut after_space, out);
    }
    close_link(link.as_ref(), out);
}

fn open_link(target: Option<&String>, out: &mut String) {
    if let Some(target) = target {
        out.push_str("<a href=\"");
        escape(target, out);
        out.push_str("\">");
    }
}

fn close_link(target: Option<&String>, out: &mut String) {
    if target.is_some() {
        out.push_str("</a>");
    }
}

fn styled(run: &Run, after_space: &mut bool, out: &mut String) {
    let style = &run.style;
    let tags: Vec<_> = [
        (style.bold, "b"),
        (style.italic, "i"),
        (style.underline, "u"),
        (style.strike, "s"),
        (style.code, "code"),
    ]
    .into_iter()
    .filter_map(|(on, tag)| on.then_some(tag))
    .collect();
    for tag in &tags {
        let _ = write!(out, "<{tag}>");
    }
    spaced(&run.text, after_space, out);
    for tag in tags.iter().rev() {
        let _ = write!(out, "</{tag}>");
    }
}

/// Line breaks become tags, and of several spaces all but the first are kept from collapsing.
fn spaced(text: &str, after_space: &mut bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            ' ' if *after_space => out.push_str("&nbsp;"),
            _ => escape_char(c, out),
        }
        *after_space = matches!(c, '\n' | ' ');
    }
}

fn escape(text: &str, out: &mut String) {
    text.chars().for_each(|c| escape_char(c, out));
}

fn escape_char(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        // HTML has no way to say it.
        '\0' => out.push('\u{fffd}'),
        _ => out.push(c),
    }
}

#[cfg(test)]
mod tests;
