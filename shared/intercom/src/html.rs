//! HTML as Intercom writes it, and as agents paste it → rich text.
//!
//! The tokenizer is that of the HTML standard. What it finds goes straight into the rich text, without a document tree between:
//! no input, however deep, long or broken, costs more than time in proportion to its length.

mod card;
mod line;
mod pre;
mod style;
mod tree;

use bridge::rich_text::{Block, RichText, Run, Style};
use card::Card;
use html5gum::{DefaultEmitter, HtmlString, StartTag, Token, Tokenizer};
use line::{Line, is_space};
use pre::Pre;
use std::{borrow::Cow, mem};
use style::Styles;
use tree::Tree;

pub(crate) use style::link_target;

/// Reads HTML. Unknown tags keep their text; scripts, style sheets and comments have none.
pub fn read(html: &str) -> RichText {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut reader = Reader::default();
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => reader.start(&tag),
            Token::EndTag(tag) => reader.end(&text_of(&tag.name)),
            Token::String(text) => reader.text(&text_of(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    reader.finish()
}

fn text_of(bytes: &HtmlString) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn has_class(tag: &StartTag<()>, class: &str) -> bool {
    attribute(tag, "class").is_some_and(|classes| classes.split_ascii_whitespace().any(|one| one == class))
}

/// What the running text becomes at the next block boundary.
#[derive(Clone, Copy)]
enum Kind {
    Paragraph { tight: bool },
    Heading { level: u8 },
}

impl Default for Kind {
    fn default() -> Self {
        Self::Paragraph { tight: false }
    }
}

#[derive(Default)]
struct Reader {
    tree: Tree,
    line: Line,
    styles: Styles,
    kind: Kind,
    /// Within `<p class="no-margin">`: one for each line that an agent ended with Enter, so an empty one is an empty line.
    in_tight_p: bool,
    /// An empty line was left above what comes next.
    blank_above: bool,
    pre: Option<Pre>,
    card: Option<Card>,
    /// The end tag that ends what has no text.
    skipping: Option<String>,
    /// Quotations and lists that are open but taken as running text, for they are nested too deep or stand in a cell.
    flat_quotes: usize,
    flat_lists: usize,
    flat_tables: usize,
}

impl Reader {
    fn text(&mut self, text: &str) {
        if self.skipping.is_some() {
            return;
        }
        if let Some(card) = &mut self.card {
            card.text(text);
            return;
        }
        if let Some(pre) = &mut self.pre {
            pre.text.push_str(text);
            return;
        }
        if self.tree.between_parts() && !text.chars().all(is_space) {
            self.tree.enter_part();
        }
        self.line.text(text, self.styles.now());
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = text_of(&tag.name);
        if self.skipping.is_some() {
            return;
        }
        if self.pre.is_some() && self.start_in_pre(&name, tag) {
            return;
        }
        if !matches!(&*name, "script" | "style") && self.start_in_card(&name, tag) {
            return;
        }
        match &*name {
            "script" | "style" => self.skipping = Some(name.into_owned()),
            "br" => self.line.break_line(self.styles.now()),
            "p" => {
                let tight = has_class(tag, "no-margin");
                self.boundary(Kind::Paragraph { tight });
                self.in_tight_p = tight;
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.boundary(Kind::Heading {
                level: name.bytes().last().map_or(1, |digit| digit - b'0'),
            }),
            "hr" => self.block(Block::Rule),
            "blockquote" => self.open_quote(),
            "ul" | "menu" | "dir" => self.open_list(None),
            "ol" => self.open_list(Some(
                attribute(tag, "start")
                    .and_then(|start| start.trim().parse().ok())
                    .unwrap_or(1),
            )),
            "li" => self.open_item(),
            "pre" => self.open_pre(tag),
            "table" => self.open_table(),
            "tr" => self.in_table(Tree::open_row),
            "td" | "th" => self.in_table(Tree::open_cell),
            "img" => self.image(tag),
            "iframe" | "video" | "audio" | "source" | "embed" => self.embedded(tag),
            "a" => self.styles.open_link(attribute(tag, "href").as_deref()),
            name if is_block(name) => self.boundary(Kind::Paragraph { tight: true }),
            name => self.styles.open(name),
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(until) = &self.skipping {
            if until == name {
                self.skipping = None;
            }
            return;
        }
        if self.end_in_card(name) || self.pre.is_some() && self.end_in_pre(name) {
            return;
        }
        match name {
            // The standard makes `</br>` a break, and `</p>` without its beginning an empty paragraph.
            "br" => self.line.break_line(self.styles.now()),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.boundary(Kind::default()),
            "blockquote" => self.close_quote(),
            "ul" | "ol" | "menu" | "dir" => self.close_list(),
            "li" => {
                self.boundary(Kind::default());
                self.tree.close_item();
            }
            "table" => self.close_table(),
            "tr" => self.in_table(Tree::close_row),
            "td" | "th" => self.in_table(Tree::close_cell),
            "a" => self.styles.close_link(),
            name if is_block(name) => self.boundary(Kind::Paragraph { tight: true }),
            name => self.styles.close(name),
        }
    }

    /// Ends the running text, and says what the next one is.
    fn boundary(&mut self, next: Kind) {
        let in_tight_p = mem::take(&mut self.in_tight_p);
        let (runs, held_something) = self.line.take();
        if runs.is_empty() {
            self.blank_above |= held_something || in_tight_p;
        } else {
            let block = self.finished_line(runs);
            self.push(block);
        }
        self.kind = next;
    }

    fn finished_line(&self, runs: Vec<Run>) -> Block {
        match self.kind {
            Kind::Paragraph { tight } => Block::Paragraph {
                runs,
                tight: tight && !self.blank_above,
            },
            Kind::Heading { level } => Block::Heading { level, runs },
        }
    }

    fn push(&mut self, block: Block) {
        self.blank_above = false;
        self.tree.push(block);
    }

    /// A block that interrupts the running text, which goes on right below it.
    fn block(&mut self, block: Block) {
        let next = match self.kind {
            Kind::Paragraph { .. } => Kind::Paragraph { tight: true },
            heading @ Kind::Heading { .. } => heading,
        };
        self.boundary(next);
        self.push(block);
    }

    fn open_quote(&mut self) {
        self.boundary(Kind::default());
        if !self.tree.open_quote() {
            self.flat_quotes += 1;
        }
    }

    fn close_quote(&mut self) {
        self.boundary(Kind::default());
        if self.flat_quotes > 0 {
            self.flat_quotes -= 1;
        } else {
            self.tree.close_quote();
        }
    }

    fn open_list(&mut self, start: Option<u64>) {
        self.boundary(Kind::default());
        if self.flat_lists > 0 || !self.tree.open_list(start) {
            self.flat_lists += 1;
        }
    }

    fn close_list(&mut self) {
        self.boundary(Kind::default());
        if self.flat_lists > 0 {
            self.flat_lists -= 1;
        } else {
            self.tree.close_list();
        }
    }

    fn open_item(&mut self) {
        self.boundary(Kind::default());
        if self.flat_lists > 0 || self.tree.in_cell() || !self.tree.open_item() {
            self.kind = Kind::Paragraph { tight: true };
            self.line.text("• ", &Style::default());
        }
    }

    fn open_table(&mut self) {
        self.boundary(Kind::default());
        if self.flat_tables > 0 || !self.tree.open_table() {
            self.flat_tables += 1;
        }
    }

    fn close_table(&mut self) {
        self.boundary(Kind::default());
        if self.flat_tables > 0 {
            self.flat_tables -= 1;
        } else {
            self.tree.close_table();
        }
    }

    fn in_table(&mut self, step: fn(&mut Tree)) {
        self.boundary(Kind::Paragraph { tight: true });
        if self.flat_tables == 0 {
            if self.tree.in_cell() {
                self.flat_quotes = 0;
                self.flat_lists = 0;
            }
            step(&mut self.tree);
        }
    }

    fn image(&mut self, tag: &StartTag<()>) {
        let alt = attribute(tag, "alt").unwrap_or_default();
        let url = attribute(tag, "src").unwrap_or_default().trim().to_owned();
        if url.is_empty() || has_class(tag, "emoji") && !alt.is_empty() {
            self.text(&alt);
        } else {
            self.block(Block::Image {
                url,
                alt: alt.trim().to_owned(),
            });
        }
    }

    /// What cannot stand in a text leaves a link to itself.
    fn embedded(&mut self, tag: &StartTag<()>) {
        let Some(url) = attribute(tag, "src").as_deref().and_then(link_target) else {
            return;
        };
        self.block(Block::line(vec![Run::link(url.clone(), url)]));
    }

    fn finish(mut self) -> RichText {
        self.close_card();
        self.close_pre();
        self.boundary(Kind::default());
        RichText(mem::take(&mut self.tree).finish())
    }
}

/// Elements that stand on lines of their own and mean nothing else here.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "header"
            | "hgroup"
            | "html"
            | "legend"
            | "main"
            | "nav"
            | "option"
            | "section"
            | "summary"
            | "title"
    )
}

#[cfg(test)]
mod tests;
