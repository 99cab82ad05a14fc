//! A rich message, flattened: <https://core.telegram.org/bots/api#richmessage>.
//!
//! Files in it become a line each, and so does what cannot be shown; a kind of block that is not known keeps the text that it holds.

use crate::{content, wire::Json};
use bridge::{
    content_words as words,
    rich_text::{Block, RichText, Run, Style},
};

/// The blocks of a message's `rich_message`.
pub(crate) fn read(message: Json<'_>) -> RichText {
    let rich = message.get("rich_message");
    RichText(rich.map(|rich| blocks(rich, Inside::Message)).unwrap_or_default())
}

/// Whether a quotation may begin here; they do not nest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Message,
    Quote,
}

fn blocks(holder: Json<'_>, inside: Inside) -> Vec<Block> {
    holder.list("blocks").flat_map(|json| block(json, inside)).collect()
}

fn block(json: Json<'_>, inside: Inside) -> Vec<Block> {
    let kind = json.text("type").unwrap_or_default();
    match kind {
        "paragraph" | "footer" | "thinking" => paragraph(runs_of(json, "text")),
        "heading" => vec![heading(json)],
        "pre" => vec![Block::Code {
            language: json.text("language").map(str::to_owned),
            text: plain(&runs_of(json, "text")),
        }],
        "divider" => vec![Block::Rule],
        "anchor" => vec![],
        "mathematical_expression" => paragraph(vec![expression(json)]),
        "list" => vec![list(json, inside)],
        "blockquote" => quote(blocks(json, Inside::Quote), json, inside, false),
        "pullquote" => quote(paragraph(runs_of(json, "text")), json, inside, false),
        "expandable_blockquote" => quote(paragraph(runs_of(json, "text")), json, inside, true),
        "table" => table(json),
        "details" => details(json, inside),
        "buttons" => json
            .list("buttons")
            .map(|json| Block::line(vec![button(json)]))
            .collect(),
        "collage" | "slideshow" => with_caption(blocks(json, inside), json),
        "map" => with_caption(paragraph(vec![content::line("location", json)]), json),
        "animation" | "audio" | "document" | "photo" | "video" | "voice_note" => {
            with_caption(paragraph(vec![content::line(kind, json)]), json)
        }
        unknown => unknown_block(unknown, json, inside),
    }
}

fn unknown_block(kind: &str, json: Json<'_>, inside: Inside) -> Vec<Block> {
    let mut held = paragraph(runs_of(json, "text"));
    held.extend(blocks(json, inside));
    if held.is_empty() {
        held.push(Block::paragraph(vec![Run::plain(words::unknown(kind))]));
    }
    with_caption(held, json)
}

fn paragraph(runs: Vec<Run>) -> Vec<Block> {
    if runs.is_empty() {
        vec![]
    } else {
        vec![Block::paragraph(runs)]
    }
}

fn heading(json: Json<'_>) -> Block {
    let level = json.unsigned("size").and_then(|size| u8::try_from(size).ok());
    Block::Heading {
        level: level.unwrap_or(1).clamp(1, 6),
        runs: runs_of(json, "text"),
    }
}

/// A list is numbered if its first item has a number.
fn list(json: Json<'_>, inside: Inside) -> Block {
    let start = json.list("items").next().and_then(|item| item.unsigned("value"));
    let item = |item: Json<'_>| {
        let mut blocks = blocks(item, inside);
        if item.is("has_checkbox") {
            tick(&mut blocks, item.is("is_checked"));
        }
        blocks
    };
    Block::List {
        start,
        items: json.list("items").map(item).collect(),
    }
}

fn tick(blocks: &mut Vec<Block>, done: bool) {
    let mark = Run::plain(format!("{} ", words::tick(done)));
    match blocks.first_mut() {
        Some(Block::Paragraph { runs, .. }) => runs.insert(0, mark),
        _ => blocks.insert(0, Block::paragraph(vec![mark])),
    }
}

fn quote(mut quoted: Vec<Block>, json: Json<'_>, inside: Inside, expandable: bool) -> Vec<Block> {
    quoted.extend(credit(json));
    match inside {
        _ if quoted.is_empty() => vec![],
        Inside::Message => vec![Block::Quote {
            blocks: quoted,
            expandable,
        }],
        Inside::Quote => quoted,
    }
}

fn credit(json: Json<'_>) -> Option<Block> {
    let mut runs = runs_of(json, "credit");
    (!runs.is_empty()).then(|| {
        runs.insert(0, Run::plain(words::credit()));
        Block::line(runs)
    })
}

fn table(json: Json<'_>) -> Vec<Block> {
    let cell = |cell: Json<'_>| {
        let runs = runs_of(cell, "text");
        if cell.is("is_header") { bold(runs) } else { runs }
    };
    let rows = json
        .list("cells")
        .map(|row| row.entries().map(cell).collect())
        .collect();
    let mut blocks = vec![Block::Table(rows)];
    blocks.extend(paragraph(runs_of(json, "caption")));
    blocks
}

fn details(json: Json<'_>, inside: Inside) -> Vec<Block> {
    let mut shown = paragraph(bold(runs_of(json, "summary")));
    shown.extend(blocks(json, inside));
    shown
}

fn bold(mut runs: Vec<Run>) -> Vec<Run> {
    for run in &mut runs {
        run.style.bold = true;
    }
    runs
}

fn with_caption(mut blocks: Vec<Block>, json: Json<'_>) -> Vec<Block> {
    let Some(caption) = json.get("caption") else {
        return blocks;
    };
    let runs = runs_of(caption, "text");
    if !runs.is_empty() {
        blocks.push(Block::line(runs));
    }
    blocks.extend(credit(caption));
    blocks
}

fn button(json: Json<'_>) -> Run {
    let label = words::button(&plain(&runs_of(json, "text")));
    match json.text("url") {
        Some(url) => Run::link(label, url),
        None => Run::plain(label),
    }
}

fn expression(json: Json<'_>) -> Run {
    let style = Style {
        code: true,
        ..Style::default()
    };
    Run {
        text: json.text("expression").unwrap_or_default().to_owned(),
        style,
    }
}

fn plain(runs: &[Run]) -> String {
    runs.iter().map(|run| run.text.as_str()).collect()
}

fn runs_of(holder: Json<'_>, key: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    if let Some(text) = holder.get(key) {
        collect(text, &Style::default(), &mut runs);
    }
    runs
}

/// A rich text is a string, a list of rich texts, or an object with a rich text in it.
fn collect(text: Json<'_>, style: &Style, runs: &mut Vec<Run>) {
    if let Some(words) = text.as_text() {
        if !words.is_empty() {
            runs.push(Run {
                text: words.to_owned(),
                style: style.clone(),
            });
        }
        return;
    }
    if text.is_list() {
        text.entries().for_each(|part| collect(part, style, runs));
        return;
    }
    let mut style = style.clone();
    let instead = match text.text("type").unwrap_or_default() {
        "custom_emoji" => text.text("alternative_text"),
        "mathematical_expression" => {
            style.code = true;
            text.text("expression")
        }
        "button" => {
            runs.extend(text.get("button").map(button));
            return;
        }
        kind => {
            apply(kind, text, &mut style);
            None
        }
    };
    match (instead, text.get("text")) {
        (Some(words), _) => runs.push(Run {
            text: words.to_owned(),
            style,
        }),
        (None, Some(inner)) => collect(inner, &style, runs),
        (None, None) => {}
    }
}

fn apply(kind: &str, text: Json<'_>, style: &mut Style) {
    match kind {
        "bold" | "marked" => style.bold = true,
        "italic" => style.italic = true,
        "underline" => style.underline = true,
        "strikethrough" => style.strike = true,
        "spoiler" => style.spoiler = true,
        "code" => style.code = true,
        "url" => style.link = text.text("url").map(str::to_owned),
        "email_address" => style.link = text.text("email_address").map(|mail| format!("mailto:{mail}")),
        _ => {}
    }
}
