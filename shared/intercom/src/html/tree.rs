//! Blocks within blocks, while they are being read.

use bridge::rich_text::{Block, RichText, Run, Style};

/// How deep blocks stand in each other. What is nested deeper keeps its text and goes on at this depth: everything that walks
/// the finished text calls itself once a level.
const DEEPEST: usize = 16;

/// What is open, innermost last, and what is finished.
#[derive(Default)]
pub(super) struct Tree {
    finished: Vec<Block>,
    open: Vec<Frame>,
}

enum Frame {
    Quote(Vec<Block>),
    List {
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Item(Vec<Block>),
    Table(Vec<Vec<Vec<Run>>>),
    Row(Vec<Vec<Run>>),
    /// Cells hold running text only, so nothing is ever open within one.
    Cell(Vec<Run>),
}

impl Tree {
    /// Whether blocks are taken as running text here.
    pub(super) fn in_cell(&self) -> bool {
        matches!(self.open.last(), Some(Frame::Cell(_)))
    }

    /// Whether text right here would stand between the parts of a list or a table.
    pub(super) fn between_parts(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Frame::List { .. } | Frame::Table(_) | Frame::Row(_))
        )
    }

    /// Puts a finished block where it belongs; in a cell, as a line of its own.
    pub(super) fn push(&mut self, block: Block) {
        self.enter_part();
        match self.open.last_mut() {
            Some(Frame::Cell(cell)) => {
                if !cell.is_empty() {
                    cell.push(Run::plain("\n"));
                }
                cell.extend(running(block));
            }
            Some(Frame::Quote(blocks) | Frame::Item(blocks)) => blocks.push(block),
            _ => self.finished.push(block),
        }
    }

    /// Opens the item or the cell that was not opened by a tag.
    pub(super) fn enter_part(&mut self) {
        match self.open.last() {
            Some(Frame::List { .. }) => self.open.push(Frame::Item(Vec::new())),
            Some(Frame::Table(_)) => self.open.extend([Frame::Row(Vec::new()), Frame::Cell(Vec::new())]),
            Some(Frame::Row(_)) => self.open.push(Frame::Cell(Vec::new())),
            Some(Frame::Quote(_) | Frame::Item(_) | Frame::Cell(_)) | None => {}
        }
    }

    /// Opens a quotation, unless it would stand in another one.
    pub(super) fn open_quote(&mut self) -> bool {
        let quoted = self.open.iter().any(|frame| matches!(frame, Frame::Quote(_)));
        !quoted && self.open_frame(Frame::Quote(Vec::new()))
    }

    /// Opens a list. One that stands right in another list belongs to that one's last item.
    pub(super) fn open_list(&mut self, start: Option<u64>) -> bool {
        if let Some(Frame::List { items, .. }) = self.open.last_mut()
            && let Some(last) = items.pop()
        {
            self.open.push(Frame::Item(last));
        }
        let items = Vec::new();
        self.open_frame(Frame::List { start, items })
    }

    /// Opens a table.
    pub(super) fn open_table(&mut self) -> bool {
        self.open_frame(Frame::Table(Vec::new()))
    }

    fn open_frame(&mut self, frame: Frame) -> bool {
        self.enter_part();
        let fits = !self.in_cell() && self.open.len() < DEEPEST;
        if fits {
            self.open.push(frame);
        }
        fits
    }

    /// Opens an item in the innermost list, closing the one before it. Without a list there is none.
    pub(super) fn open_item(&mut self) -> bool {
        self.close_item();
        let in_list = matches!(self.open.last(), Some(Frame::List { .. }));
        if in_list {
            self.open.push(Frame::Item(Vec::new()));
        }
        in_list
    }

    /// Opens a row in the innermost table.
    pub(super) fn open_row(&mut self) {
        self.close_row();
        if matches!(self.open.last(), Some(Frame::Table(_))) {
            self.open.push(Frame::Row(Vec::new()));
        }
    }

    /// Opens a cell in the innermost table.
    pub(super) fn open_cell(&mut self) {
        self.close_cell();
        self.enter_part_of_table();
    }

    fn enter_part_of_table(&mut self) {
        if matches!(self.open.last(), Some(Frame::Table(_) | Frame::Row(_))) {
            self.enter_part();
        }
    }

    pub(super) fn close_quote(&mut self) {
        self.close_down_to(|frame| matches!(frame, Frame::Quote(_)), |_| false);
    }

    pub(super) fn close_list(&mut self) {
        self.close_down_to(|frame| matches!(frame, Frame::List { .. }), |_| false);
    }

    pub(super) fn close_item(&mut self) {
        self.close_down_to(
            |frame| matches!(frame, Frame::Item(_)),
            |frame| matches!(frame, Frame::List { .. }),
        );
    }

    pub(super) fn close_cell(&mut self) {
        if self.in_cell() {
            self.close();
        }
    }

    pub(super) fn close_row(&mut self) {
        self.close_cell();
        if matches!(self.open.last(), Some(Frame::Row(_))) {
            self.close();
        }
    }

    pub(super) fn close_table(&mut self) {
        self.close_row();
        if matches!(self.open.last(), Some(Frame::Table(_))) {
            self.close();
        }
    }

    /// Closes the innermost frame of a kind with all that is open in it. A cell, and whatever `bars`, is never closed by it.
    fn close_down_to(&mut self, is_kind: impl Fn(&Frame) -> bool, bars: impl Fn(&Frame) -> bool) {
        let within_reach = |frame: &&Frame| !matches!(frame, Frame::Cell(_)) && !bars(frame);
        let Some(above) = self.open.iter().rev().take_while(within_reach).position(&is_kind) else {
            return;
        };
        for _ in 0..=above {
            self.close();
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        match frame {
            Frame::Quote(blocks) if !blocks.is_empty() => self.push(Block::Quote {
                blocks,
                expandable: false,
            }),
            Frame::List { start, items } if !items.is_empty() => self.push(Block::List { start, items }),
            Frame::Table(rows) if rows.iter().flatten().any(|cell| !cell.is_empty()) => self.push(Block::Table(rows)),
            Frame::Quote(_) | Frame::List { .. } | Frame::Table(_) => {}
            Frame::Item(blocks) => {
                if let Some(Frame::List { items, .. }) = self.open.last_mut() {
                    items.push(blocks);
                }
            }
            Frame::Row(cells) => {
                if let Some(Frame::Table(rows)) = self.open.last_mut() {
                    rows.push(cells);
                }
            }
            Frame::Cell(runs) => {
                if let Some(Frame::Row(cells)) = self.open.last_mut() {
                    cells.push(runs);
                }
            }
        }
    }

    /// Closes everything.
    pub(super) fn finish(mut self) -> Vec<Block> {
        while !self.open.is_empty() {
            self.close();
        }
        self.finished
    }
}

/// A block as running text.
fn running(block: Block) -> Vec<Run> {
    let words = |block: Block| RichText(vec![block]).to_plain();
    match block {
        Block::Paragraph { runs, .. } | Block::Heading { runs, .. } => runs,
        Block::Code { text, .. } => vec![Run {
            text,
            style: Style {
                code: true,
                ..Style::default()
            },
        }],
        Block::Image { ref url, .. } => vec![Run::link(words(block.clone()), url)],
        Block::Quote { .. } | Block::List { .. } | Block::Table(_) | Block::Rule => vec![Run::plain(words(block))],
    }
}
