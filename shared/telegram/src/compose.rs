//! Formatted text becomes the plain text and the entities that Telegram takes.
//!
//! Entities rather than `parse_mode`: no message can be refused for its markup then. They nest as Telegram wants them to:
//! <https://core.telegram.org/bots/api#formatting-options>.

use crate::split::{self, Stretch};
use bridge::{
    content_words as words,
    ports::{FlatText, SpanKind},
    rich_text::{Block, RichText, Run, Style, says_where},
};
use std::cmp::Reverse;

/// The longest address that a link may have; a longer one is spelled out, for all entities of a message together have a size limit.
const LONGEST_LINK: usize = 2_048;

/// What is between the cells of a table.
const BETWEEN_CELLS: &str = " | ";

/// Cuts a text into the messages that Telegram takes, none of them blank or too long.
pub fn compose(text: &RichText) -> Vec<FlatText> {
    let mut writer = Writer::default();
    writer.blocks(&text.0, "");
    let Writer { text, mut spans, .. } = writer;
    // What ends at the same place was noted from the inside out.
    spans.reverse();
    spans.sort_by_key(|span| (span.place.start, Reverse(span.place.end)));
    split::split(&text, &spans)
}

/// Writes text and notes what begins and ends in it.
#[derive(Default)]
struct Writer {
    text: String,
    spans: Vec<Stretch>,
    /// What has begun and not ended, the outermost first.
    open: Vec<(SpanKind, usize)>,
}

impl Writer {
    fn blocks(&mut self, blocks: &[Block], indent: &str) {
        for (at, block) in blocks.iter().enumerate() {
            if let Some(above) = at.checked_sub(1).and_then(|above| blocks.get(above)) {
                self.text.push_str(gap(above, block));
                // Code and quotations are drawn as boxes: they begin at the margin.
                if !is_box(block) {
                    self.text.push_str(indent);
                }
            }
            self.block(block, indent);
        }
    }

    fn block(&mut self, block: &Block, indent: &str) {
        match block {
            Block::Paragraph { runs, .. } => self.runs(runs, indent),
            Block::Heading { runs, .. } => self.runs(&bold(runs), indent),
            Block::Quote { blocks, expandable } => self.quote(blocks, *expandable),
            Block::Code { language, text } => self.code(language.as_deref(), text),
            Block::List { start, items } => self.list(*start, items, indent),
            Block::Table(rows) => self.table(rows, indent),
            Block::Rule => self.text.push_str("———"),
            Block::Image { alt, .. } => self.text.push_str(&words::image(alt)),
        }
    }

    fn quote(&mut self, blocks: &[Block], expandable: bool) {
        let nested = self.open.iter().any(|(kind, _)| matches!(kind, SpanKind::Quote { .. }));
        if nested {
            return self.blocks(blocks, "");
        }
        self.begin_line();
        self.begin(SpanKind::Quote { expandable });
        self.blocks(blocks, "");
        self.end_down_to(self.open.len().saturating_sub(1));
    }

    fn code(&mut self, language: Option<&str>, text: &str) {
        self.begin_line();
        self.begin(SpanKind::Pre {
            language: language.map(str::to_owned),
        });
        self.write(text, "");
        self.end_down_to(self.open.len().saturating_sub(1));
    }

    fn list(&mut self, start: Option<u64>, items: &[Vec<Block>], indent: &str) {
        let deeper = format!("{indent}   ");
        let mut number = start;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push('\n');
                self.text.push_str(indent);
            }
            let mark = number.map_or_else(|| "• ".to_owned(), |number| format!("{number}. "));
            number = number.map(|number| number.saturating_add(1));
            self.text.push_str(&mark);
            self.blocks(item, &deeper);
        }
    }

    fn table(&mut self, rows: &[Vec<Vec<Run>>], indent: &str) {
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                self.text.push('\n');
                self.text.push_str(indent);
            }
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    self.text.push_str(BETWEEN_CELLS);
                }
                self.runs(&on_one_line(cell), indent);
            }
        }
    }

    fn runs(&mut self, runs: &[Run], indent: &str) {
        let base = self.open.len();
        for group in runs.chunk_by(|a, b| a.style.link == b.style.link) {
            for run in group.iter().filter(|run| !run.text.is_empty()) {
                self.style(base, look(&run.style));
                self.write(&run.text, indent);
            }
            if let Some(target) = spelled_out(group) {
                self.end_down_to(base);
                self.write(&format!(" ({target})"), indent);
            }
        }
        self.end_down_to(base);
    }

    /// Ends what the next run is not, and begins what it is. What is inside of what ends, ends with it and begins anew, so that entities
    /// never overlap but nest.
    fn style(&mut self, base: usize, wanted: Vec<SpanKind>) {
        let kept = self
            .open
            .iter()
            .skip(base)
            .take_while(|(kind, _)| wanted.contains(kind))
            .count();
        self.end_down_to(base + kept);
        for kind in wanted {
            if !self.open.iter().skip(base).any(|(open, _)| *open == kind) {
                self.begin(kind);
            }
        }
    }

    fn begin(&mut self, kind: SpanKind) {
        self.open.push((kind, self.text.len()));
    }

    fn end_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some((kind, start)) = self.open.pop() else { return };
            if start < self.text.len() {
                self.spans.push(Stretch {
                    place: start..self.text.len(),
                    kind,
                });
            }
        }
    }

    /// Breaks the line, unless nothing stands in it yet.
    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Writes text, its further lines indented. Telegram drops carriage returns, and would count offsets without them.
    fn write(&mut self, text: &str, indent: &str) {
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let c = match c {
                '\r' if characters.peek() == Some(&'\n') => continue,
                '\r' => '\n',
                c => c,
            };
            self.text.push(c);
            if c == '\n' {
                self.text.push_str(indent);
            }
        }
    }
}

/// What is between two blocks.
fn gap(above: &Block, block: &Block) -> &'static str {
    match block {
        Block::Paragraph { tight: true, .. } | Block::Quote { .. } | Block::Code { .. } => "\n",
        _ if matches!(above, Block::Code { .. }) => "\n",
        _ => "\n\n",
    }
}

fn is_box(block: &Block) -> bool {
    matches!(block, Block::Quote { .. } | Block::Code { .. })
}

fn bold(runs: &[Run]) -> Vec<Run> {
    let bold = runs.iter().cloned().map(|mut run| {
        run.style.bold = true;
        run
    });
    bold.collect()
}

fn on_one_line(cell: &[Run]) -> Vec<Run> {
    let line = cell.iter().map(|run| Run {
        text: run.text.replace(['\n', '\r'], " "),
        style: run.style.clone(),
    });
    line.collect()
}

/// The entities of a style, the outermost first. Code takes no other entity, and a link takes no code.
fn look(style: &Style) -> Vec<SpanKind> {
    let link = style.link.as_ref().filter(|url| is_web(url));
    if style.code && link.is_none() {
        return vec![SpanKind::Code];
    }
    let flags = [
        (style.bold, SpanKind::Bold),
        (style.italic, SpanKind::Italic),
        (style.underline, SpanKind::Underline),
        (style.strike, SpanKind::Strike),
        (style.spoiler, SpanKind::Spoiler),
    ];
    let link = link.map(|url| SpanKind::Link { url: url.clone() });
    link.into_iter()
        .chain(flags.into_iter().filter_map(|(set, kind)| set.then_some(kind)))
        .collect()
}

/// Telegram silently drops links that do not lead to the web, or into itself.
fn is_web(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    url.len() <= LONGEST_LINK && scheme.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "tg"))
}

/// Where a link leads that cannot be a link in Telegram, unless its text says so already.
fn spelled_out(group: &[Run]) -> Option<&str> {
    let target = group.first()?.style.link.as_deref().map(str::trim)?;
    let text: String = group.iter().map(|run| run.text.as_str()).collect();
    let says_it = target.is_empty() || is_web(target) || says_where(target, &text);
    (!says_it).then_some(target)
}
