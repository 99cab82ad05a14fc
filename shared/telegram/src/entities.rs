//! Telegram's entities become formatted text: <https://core.telegram.org/bots/api#messageentity>.
//!
//! Entities come in any order, nested, and now and then past the end of the text; whatever they say, the text stays whole.

use crate::wire::Json;
use bridge::rich_text::{Block, RichText, Run, Style};
use std::ops::Range;

/// What an entity makes of its stretch of text.
#[derive(Clone, Debug)]
enum Kind {
    Style(fn(&mut Style)),
    /// Leads where it says; without an address, where its own text says.
    Link(Option<String>),
    Email,
    Pre(Option<String>),
    Quote {
        expandable: bool,
    },
}

/// An entity with its place in the text, in bytes and on the borders of characters.
#[derive(Clone, Debug)]
struct Entity {
    place: Range<usize>,
    kind: Kind,
}

/// The text under `text`, formatted by the entities under `entities`.
pub(crate) fn read(json: Json<'_>, text: &str, entities: &str) -> RichText {
    match json.text(text) {
        Some(words) => format(words, json.list(entities)),
        None => RichText::default(),
    }
}

/// Formats a text.
pub(crate) fn format<'a>(text: &str, entities: impl Iterator<Item = Json<'a>>) -> RichText {
    let units = Units::new(text);
    let mut entities = entities.filter_map(|json| entity(json, &units)).collect::<Vec<_>>();
    entities.sort_by_key(|entity| (entity.place.start, std::cmp::Reverse(entity.place.end)));
    RichText(blocks(&regions(text, &entities), &entities))
}

/// The first characters of a text: as many UTF-16 units, and no half character.
pub(crate) fn beginning(text: &str, units: usize) -> &str {
    let end = Units::new(text).start_of(units);
    text.get(..end).unwrap_or(text)
}

/// The bytes behind UTF-16 offsets.
struct Units {
    /// For each unit, where its character begins.
    starts: Vec<usize>,
    len: usize,
}

impl Units {
    fn new(text: &str) -> Self {
        let starts = text
            .char_indices()
            .flat_map(|(at, c)| std::iter::repeat_n(at, c.len_utf16()));
        Self {
            starts: starts.collect(),
            len: text.len(),
        }
    }

    /// Where the character begins that this unit belongs to.
    fn start_of(&self, unit: usize) -> usize {
        self.starts.get(unit).copied().unwrap_or(self.len)
    }

    /// Where the character ends that the unit before this border belongs to.
    fn end_before(&self, border: usize) -> usize {
        let Some(last) = border.checked_sub(1) else { return 0 };
        let start = self.start_of(last);
        let next = self.starts.iter().skip(border).find(|begin| **begin != start);
        next.copied().unwrap_or(self.len)
    }
}

/// An entity that changes how its text looks or where it leads; the others leave plain text.
fn entity(json: Json<'_>, units: &Units) -> Option<Entity> {
    let offset = usize::try_from(json.integer("offset")?).ok()?;
    let length = usize::try_from(json.integer("length")?)
        .ok()
        .filter(|length| *length > 0)?;
    let place = units.start_of(offset)..units.end_before(offset.saturating_add(length));
    let kind = match json.text("type")? {
        "bold" => Kind::Style(|style| style.bold = true),
        "italic" => Kind::Style(|style| style.italic = true),
        "underline" => Kind::Style(|style| style.underline = true),
        "strikethrough" => Kind::Style(|style| style.strike = true),
        "spoiler" => Kind::Style(|style| style.spoiler = true),
        "code" => Kind::Style(|style| style.code = true),
        "text_link" => Kind::Link(Some(json.text("url")?.to_owned())),
        "url" => Kind::Link(None),
        "email" => Kind::Email,
        "pre" => Kind::Pre(json.text("language").map(str::to_owned)),
        "blockquote" => Kind::Quote { expandable: false },
        "expandable_blockquote" => Kind::Quote { expandable: true },
        _ => return None,
    };
    (place.start < place.end).then_some(Entity { place, kind })
}

/// A stretch of text within the same block, by the entities that make the block.
struct Region {
    quote: Option<usize>,
    pre: Option<usize>,
    runs: Vec<Run>,
}

/// Cuts the text wherever an entity begins or ends, and joins what looks the same.
fn regions(text: &str, entities: &[Entity]) -> Vec<Region> {
    let mut borders = entities
        .iter()
        .flat_map(|entity| [entity.place.start, entity.place.end])
        .collect::<Vec<_>>();
    borders.extend([0, text.len()]);
    borders.sort_unstable();
    borders.dedup();
    let mut regions: Vec<Region> = Vec::new();
    for border in borders.windows(2) {
        let &[start, end] = border else { continue };
        let Some(piece) = text.get(start..end) else { continue };
        let (quote, pre, style) = look(text, entities, start);
        let same = regions.last_mut().filter(|last| last.quote == quote && last.pre == pre);
        match same {
            Some(region) => push(&mut region.runs, piece, style),
            None => regions.push(Region {
                quote,
                pre,
                runs: vec![Run {
                    text: piece.to_owned(),
                    style,
                }],
            }),
        }
    }
    regions
}

fn push(runs: &mut Vec<Run>, text: &str, style: Style) {
    match runs.last_mut().filter(|last| last.style == style) {
        Some(last) => last.text.push_str(text),
        None => runs.push(Run {
            text: text.to_owned(),
            style,
        }),
    }
}

/// How the text looks at a place, and which quotation and which code it stands in. Of several links the innermost counts.
fn look(text: &str, entities: &[Entity], at: usize) -> (Option<usize>, Option<usize>, Style) {
    let (mut quote, mut pre, mut style) = (None, None, Style::default());
    for (index, entity) in entities
        .iter()
        .enumerate()
        .take_while(|(_, entity)| entity.place.start <= at)
    {
        if entity.place.end <= at {
            continue;
        }
        match &entity.kind {
            Kind::Style(set) => set(&mut style),
            Kind::Quote { .. } => quote = quote.or(Some(index)),
            Kind::Pre(_) => pre = pre.or(Some(index)),
            Kind::Link(Some(url)) => style.link = Some(url.clone()),
            Kind::Link(None) => style.link = text.get(entity.place.clone()).map(with_scheme),
            Kind::Email => style.link = text.get(entity.place.clone()).map(|mail| format!("mailto:{mail}")),
        }
    }
    (quote, pre, style)
}

/// Telegram opens an address that was written without a scheme over HTTP.
fn with_scheme(url: &str) -> String {
    if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    }
}

fn blocks(regions: &[Region], entities: &[Entity]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut flow = Flow::default();
    for group in regions.chunk_by(|a, b| a.quote == b.quote) {
        let quote = group
            .first()
            .and_then(|region| region.quote)
            .and_then(|index| entities.get(index));
        if let Some(Entity {
            kind: Kind::Quote { expandable },
            ..
        }) = quote
        {
            let mut inside = Flow::default();
            let quoted = Block::Quote {
                blocks: inside.blocks(group, entities),
                expandable: *expandable,
            };
            flow.add(&mut blocks, quoted);
        } else {
            let plain = flow.blocks(group, entities);
            blocks.extend(plain);
        }
    }
    blocks
}

/// Where in the run of blocks the text stands: the line break that ends a block is not a line of what comes after it.
#[derive(Default)]
struct Flow {
    after_block: bool,
}

impl Flow {
    fn add(&mut self, blocks: &mut Vec<Block>, block: Block) {
        blocks.push(block);
        self.after_block = true;
    }

    fn blocks(&mut self, regions: &[Region], entities: &[Entity]) -> Vec<Block> {
        let mut blocks = Vec::new();
        for region in regions {
            let pre = region.pre.and_then(|index| entities.get(index));
            if let Some(Entity {
                kind: Kind::Pre(language),
                ..
            }) = pre
            {
                let code: String = region.runs.iter().map(|run| run.text.as_str()).collect();
                let text = code.strip_suffix('\n').map_or(code.as_str(), |text| text).to_owned();
                self.add(
                    &mut blocks,
                    Block::Code {
                        language: language.clone(),
                        text,
                    },
                );
            } else {
                self.paragraphs(&mut blocks, &region.runs);
            }
        }
        blocks
    }

    /// An empty line parts paragraphs; more of them part them no further.
    fn paragraphs(&mut self, blocks: &mut Vec<Block>, runs: &[Run]) {
        let text: String = runs.iter().map(|run| run.text.as_str()).collect();
        let mut tight = self.after_block && !text.starts_with("\n\n");
        for place in paragraph_places(&text) {
            blocks.push(Block::Paragraph {
                runs: slice(runs, &place),
                tight,
            });
            tight = false;
            self.after_block = false;
        }
    }
}

/// Where paragraphs stand, without the line breaks around them.
fn paragraph_places(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut from = 0;
    for part in text.split("\n\n") {
        let end = from + part.len();
        let start = end - part.trim_start_matches('\n').len();
        let stop = start + part.trim_matches('\n').len();
        if text.get(start..stop).is_some_and(|words| !words.trim().is_empty()) {
            places.push(start..stop);
        }
        from = end + 2;
    }
    places
}

/// The part of some runs that covers a stretch of their joined text.
fn slice(runs: &[Run], place: &Range<usize>) -> Vec<Run> {
    let mut from = 0;
    let mut sliced = Vec::new();
    for run in runs {
        let to = from + run.text.len();
        let (start, end) = (place.start.max(from), place.end.min(to));
        if let Some(text) = (start < end).then(|| run.text.get(start - from..end - from)).flatten() {
            sliced.push(Run {
                text: text.to_owned(),
                style: run.style.clone(),
            });
        }
        from = to;
    }
    sliced
}
