//! The neutral form of a formatted text, between what Telegram calls entities and what Intercom calls HTML.

use std::fmt::Write as _;

/// A formatted text: blocks one below the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RichText(pub Vec<Block>);

/// One block of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Lines of running text; `\n` in a run is a line break. `tight` has no blank line above it.
    Paragraph {
        /// What stands in it.
        runs: Vec<Run>,
        /// Follows the block above without a blank line.
        tight: bool,
    },
    /// A heading, level 1 to 6.
    Heading {
        /// 1 is the highest.
        level: u8,
        /// What stands in it.
        runs: Vec<Run>,
    },
    /// A quotation. Quotations do not nest: a quotation within one is part of it.
    Quote {
        /// What is quoted; no [`Block::Quote`] among it.
        blocks: Vec<Block>,
        /// Shown folded until the reader opens it.
        expandable: bool,
    },
    /// Preformatted text, taken to the letter.
    Code {
        /// The programming language, if it was named.
        language: Option<String>,
        /// The text, without a line break at its end.
        text: String,
    },
    /// A list.
    List {
        /// The first number of a numbered list; bullets without it.
        start: Option<u64>,
        /// Its items, each made of blocks.
        items: Vec<Vec<Block>>,
    },
    /// A table: rows of cells.
    Table(Vec<Vec<Vec<Run>>>),
    /// A line across.
    Rule,
    /// A picture that stands in the text.
    Image {
        /// Where it is.
        url: String,
        /// What it shows, in words.
        alt: String,
    },
}

/// A stretch of text of one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The text; `\n` is a line break.
    pub text: String,
    /// How it looks.
    pub style: Style,
}

/// How a stretch of text looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own that any other may go with"
)]
pub struct Style {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// Hidden until the reader touches it.
    pub spoiler: bool,
    /// Monospace.
    pub code: bool,
    /// Where it leads.
    pub link: Option<String>,
}

impl Run {
    /// A run without any style.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style: Style::default(),
        }
    }

    /// A bold run.
    pub fn bold(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style: Style {
                bold: true,
                ..Style::default()
            },
        }
    }

    /// A run that leads somewhere.
    pub fn link(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style: Style {
                link: Some(url.into()),
                ..Style::default()
            },
        }
    }
}

impl Block {
    /// A paragraph with a blank line above it.
    pub fn paragraph(runs: Vec<Run>) -> Self {
        Self::Paragraph { runs, tight: false }
    }

    /// A paragraph right below the block above it.
    pub fn line(runs: Vec<Run>) -> Self {
        Self::Paragraph { runs, tight: true }
    }
}

impl RichText {
    /// One paragraph without any style.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::default()
        } else {
            Self(vec![Block::paragraph(vec![Run::plain(text)])])
        }
    }

    /// Whether there is nothing to see in it: no picture, and no character but white space.
    pub fn is_blank(&self) -> bool {
        !self.has_image() && self.to_plain().trim().is_empty()
    }

    /// Whether a picture stands in the text.
    pub fn has_image(&self) -> bool {
        self.images().next().is_some()
    }

    /// The pictures that stand in the text, in order: where each is.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        fn collect<'t>(blocks: &'t [Block], into: &mut Vec<&'t str>) {
            for block in blocks {
                match block {
                    Block::Image { url, .. } => into.push(url),
                    Block::Quote { blocks, .. } => collect(blocks, into),
                    Block::List { items, .. } => items.iter().for_each(|item| collect(item, into)),
                    Block::Paragraph { .. }
                    | Block::Heading { .. }
                    | Block::Code { .. }
                    | Block::Table(_)
                    | Block::Rule => {}
                }
            }
        }
        let mut images = Vec::new();
        collect(&self.0, &mut images);
        images.into_iter()
    }

    /// Puts a line above the text, without a blank line between them.
    pub fn head(&mut self, line: Block) {
        if let Some(Block::Paragraph { tight, .. }) = self.0.first_mut() {
            *tight = true;
        }
        self.0.insert(0, line);
    }

    /// Adds blocks at the end.
    pub fn extend(&mut self, blocks: impl IntoIterator<Item = Block>) {
        self.0.extend(blocks);
    }

    /// The same text without formatting, for a reader: lists with bullets and numbers, quotations marked, links spelled out where
    /// their text does not already say where they lead.
    pub fn to_plain(&self) -> String {
        let mut out = String::new();
        plain_blocks(&self.0, "", &mut out);
        out
    }

    /// The text as it is compared with what another system made of it: letters and digits only, lower case, without links' targets.
    /// Systems wrap, trim, escape and re-flow what they are given, so nothing finer survives.
    pub fn fingerprint_text(&self) -> String {
        let mut bare = self.clone();
        strip_links(&mut bare.0);
        let plain = bare.to_plain();
        let says = |c: &char| c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace();
        let fingerprint: String = plain.chars().filter(says).flat_map(char::to_lowercase).collect();
        // A lone "?" says something, too; the ASCII marks of quotations and of tables' cells do not.
        if fingerprint.is_empty() {
            let written = |c: &char| !c.is_whitespace() && !matches!(c, '>' | '|');
            plain.chars().filter(written).collect()
        } else {
            fingerprint
        }
    }
}

fn strip_links(blocks: &mut [Block]) {
    let bare = |runs: &mut Vec<Run>| runs.iter_mut().for_each(|run| run.style.link = None);
    for block in blocks {
        match block {
            Block::Paragraph { runs, .. } | Block::Heading { runs, .. } => bare(runs),
            Block::Quote { blocks, .. } => strip_links(blocks),
            Block::List { items, .. } => items.iter_mut().for_each(|item| strip_links(item)),
            Block::Table(rows) => rows.iter_mut().flatten().for_each(bare),
            Block::Code { .. } | Block::Rule | Block::Image { .. } => {}
        }
    }
}

fn plain_blocks(blocks: &[Block], indent: &str, out: &mut String) {
    for (at, block) in blocks.iter().enumerate() {
        if at > 0 {
            let tight = matches!(block, Block::Paragraph { tight: true, .. });
            out.push_str(if tight { "\n" } else { "\n\n" });
            out.push_str(indent);
        }
        plain_block(block, indent, out);
    }
}

fn plain_block(block: &Block, indent: &str, out: &mut String) {
    match block {
        Block::Paragraph { runs, .. } | Block::Heading { runs, .. } => plain_runs(runs, indent, out),
        Block::Quote { blocks, .. } => {
            let inner = RichText(blocks.clone()).to_plain();
            push_lines(inner.lines().map(|line| format!("> {line}")), indent, out);
        }
        Block::Code { text, .. } => push_lines(text.split('\n').map(str::to_owned), indent, out),
        Block::List { start, items } => plain_list(*start, items, indent, out),
        Block::Table(rows) => push_lines(
            rows.iter().map(|row| {
                let cell = |runs: &Vec<Run>| {
                    let mut text = String::new();
                    plain_runs(runs, "", &mut text);
                    text.replace('\n', " ")
                };
                row.iter().map(cell).collect::<Vec<_>>().join(" | ")
            }),
            indent,
            out,
        ),
        Block::Rule => out.push_str("———"),
        Block::Image { alt, .. } if alt.is_empty() => out.push_str("[image]"),
        Block::Image { alt, .. } => {
            let _ = write!(out, "[image: {alt}]");
        }
    }
}

fn plain_list(start: Option<u64>, items: &[Vec<Block>], indent: &str, out: &mut String) {
    let mut number = start;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push('\n');
            out.push_str(indent);
        }
        let mark = number.map_or_else(|| "• ".to_owned(), |n| format!("{n}. "));
        number = number.map(|n| n.saturating_add(1));
        out.push_str(&mark);
        plain_blocks(item, &format!("{indent}   "), out);
    }
}

fn push_lines(lines: impl Iterator<Item = String>, indent: &str, out: &mut String) {
    for (at, line) in lines.enumerate() {
        if at > 0 {
            out.push('\n');
            out.push_str(indent);
        }
        out.push_str(&line);
    }
}

fn plain_runs(runs: &[Run], indent: &str, out: &mut String) {
    for (at, run) in runs.iter().enumerate() {
        if indent.is_empty() {
            out.push_str(&run.text);
        } else {
            out.push_str(&run.text.replace('\n', &format!("\n{indent}")));
        }
        let Some(link) = &run.style.link else { continue };
        let goes_on = runs
            .get(at + 1)
            .is_some_and(|next| next.style.link.as_ref() == Some(link));
        if !goes_on && !says_where(link, &run.text) {
            let _ = write!(out, " ({link})");
        }
    }
}

/// Whether a link's text already says where it leads.
pub fn says_where(link: &str, text: &str) -> bool {
    let bare = |url: &str| {
        let url = url.trim().trim_end_matches('/');
        let url = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .unwrap_or(url);
        url.strip_prefix("mailto:")
            .or_else(|| url.strip_prefix("tel:"))
            .unwrap_or(url)
            .to_lowercase()
    };
    bare(link) == bare(text)
}

#[cfg(test)]
mod tests;
