//! What of a part goes to Telegram in which call: a text that is short enough stands below the files, every other one goes before
//! them; and files that may be an album go together.

use crate::{
    content_words::{self, FileWords},
    intercom_message::{Attachment, Part},
    media::{self, LARGEST_ALBUM, LARGEST_PHOTO, LONGEST_CAPTION, MOST_BYTES, MediaKind},
    ports::FlatText,
    rich_text::{Block, RichText, Run},
    sending::{number, slots_of},
    words::{self, Unsent},
};
use mapping::{Delivery, Step};

/// What goes to Telegram in which call.
pub(super) struct Plan {
    messages: Vec<FlatText>,
    files: Vec<Planned>,
    /// Whether the text stands below the first files, if nothing has been sent.
    below: bool,
}

/// A file of a part, as Intercom describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) url: String,
    pub(super) name: String,
    /// What it is said to be.
    pub(super) content_type: Option<String>,
    size: Option<u64>,
    /// How it is to be shown.
    pub(super) kind: MediaKind,
    /// The line that stands for it where it is not sent.
    pub(super) line: String,
}

/// One call.
#[derive(Debug, PartialEq)]
pub(super) enum Call<'p> {
    /// A message with text.
    Text { step: Step, text: &'p FlatText },
    /// Files, each with its step: one, or several that may be an album; the text below them, if there is one.
    Files {
        files: Vec<(Step, &'p Planned)>,
        caption: Option<&'p FlatText>,
    },
}

/// How a part is read: what only others know.
pub(super) struct Reader<'r> {
    /// Whether Intercom keeps what lies there.
    pub(super) keeps: &'r (dyn Fn(&str) -> bool + Sync),
    /// Cuts a text into messages.
    pub(super) compose: &'r (dyn Fn(&RichText) -> Vec<FlatText> + Sync),
    /// Where the conversation is in Intercom.
    pub(super) link: &'r str,
}

impl Plan {
    /// The plan for a part under these lines.
    pub(super) fn new(part: &Part, heads: Vec<Block>, reader: &Reader<'_>) -> Self {
        let mut text = part.body.clone();
        let mut files = pictures_of(&mut text, reader.keeps);
        let mut lines = Vec::new();
        for attachment in &part.attachments {
            let file = Planned::attached(attachment);
            if !(reader.keeps)(&file.url) {
                lines.push(words::elsewhere(&file.line, &file.url));
            } else if file.size.is_some_and(|size| size > MOST_BYTES) {
                lines.push(words::not_sent(&file.line, Unsent::TooBig, reader.link));
            } else {
                files.push(file);
            }
        }
        text.extend(lines);
        if !part.quick_replies.is_empty() {
            text.extend([words::quick_replies(&part.quick_replies)]);
        }
        if text.is_blank() && files.is_empty() {
            text.extend([Block::line(vec![Run::plain(content_words::unseen())])]);
        }
        let says_nothing = text.is_blank();
        heads.into_iter().rev().for_each(|head| text.head(head));
        let mut plan = Self {
            messages: (reader.compose)(&text),
            files,
            below: false,
        };
        plan.below = plan.fits_below() && (says_nothing || plan.together(0).len() == plan.files.len());
        plan
    }

    /// The next call of a delivery; `None` if all is there.
    pub(super) fn next(&self, delivery: &Delivery) -> Option<Call<'_>> {
        let below = self.is_below(delivery);
        if let Some(at) = self.unsent_message(delivery).filter(|_| !below) {
            let (step, text) = (Step::Chunk(number(at)), self.messages.get(at)?);
            return Some(Call::Text { step, text });
        }
        let first = self.first_unsent(delivery)?;
        Some(Call::Files {
            files: self.unsent_together(first, delivery),
            caption: self.messages.first().filter(|_| below && first == 0),
        })
    }

    /// How many slots of the chat's pace what is still to come takes.
    pub(super) fn slots(&self, delivery: &Delivery) -> usize {
        let is_unsaid = |at: &usize| delivery.proof(Step::Chunk(number(*at))).is_none();
        let messages = (0..self.messages.len()).filter(|at| !self.is_below(delivery) && is_unsaid(at));
        let mut slots = messages.count();
        let mut at = 0;
        while at < self.files.len() {
            let call = self.unsent_together(at, delivery).len();
            slots += slots_of(call);
            at += call.max(1);
        }
        slots
    }

    /// The file of a step.
    pub(super) fn file(&self, step: Step) -> Option<&Planned> {
        (0..self.files.len())
            .find(|at| Step::File(number(*at)) == step)
            .and_then(|at| self.files.get(at))
    }

    /// Whether the text stands below the files: what has begun to arrive goes on as it began.
    fn is_below(&self, delivery: &Delivery) -> bool {
        let has_text_ahead = delivery.proof(Step::Chunk(0)).is_some();
        let has_files = delivery
            .receipts
            .iter()
            .any(|receipt| matches!(receipt.step, Step::File(_)));
        !has_text_ahead && (has_files || self.below)
    }

    fn fits_below(&self) -> bool {
        let fits = |text: &FlatText| text.text.encode_utf16().count() <= LONGEST_CAPTION;
        !self.files.is_empty() && self.messages.len() == 1 && self.messages.iter().all(fits)
    }

    fn unsent_message(&self, delivery: &Delivery) -> Option<usize> {
        (0..self.messages.len()).find(|at| delivery.proof(Step::Chunk(number(*at))).is_none())
    }

    fn first_unsent(&self, delivery: &Delivery) -> Option<usize> {
        (0..self.files.len()).find(|at| delivery.proof(Step::File(number(*at))).is_none())
    }

    fn unsent_together(&self, from: usize, delivery: &Delivery) -> Vec<(Step, &Planned)> {
        let files = self.together(from).into_iter();
        files.take_while(|(step, _)| delivery.proof(*step).is_none()).collect()
    }

    /// The files that may go in one call with the one at `from`, which is the first of them.
    fn together(&self, from: usize) -> Vec<(Step, &Planned)> {
        let mut together: Vec<(Step, &Planned)> = Vec::new();
        let mut bytes = 0;
        for (at, file) in self.files.iter().enumerate().skip(from).take(LARGEST_ALBUM) {
            bytes += file.most_bytes();
            let fits = |(_, first): &(Step, &Planned)| first.kind.goes_with(file.kind) && bytes <= MOST_BYTES;
            if !together.first().is_none_or(fits) {
                break;
            }
            together.push((Step::File(number(at)), file));
        }
        together
    }
}

impl Planned {
    fn attached(attachment: &Attachment) -> Self {
        let content_type = media::declared(attachment.content_type.as_deref(), &attachment.name);
        let kind = content_type.as_deref().map_or(MediaKind::Document, MediaKind::of_type);
        let is_large = attachment.size.is_some_and(|size| size > LARGEST_PHOTO);
        Self {
            url: attachment.url.clone(),
            name: attachment.name.clone(),
            kind: match kind {
                MediaKind::Photo if is_large => MediaKind::Document,
                kind => kind,
            },
            content_type,
            size: attachment.size,
            line: content_words::file(FileWords {
                name: Some(&attachment.name),
                size: attachment.size,
                duration: None,
            }),
        }
    }

    fn picture(url: &str, alt: &str) -> Self {
        Self {
            url: url.to_owned(),
            name: "image".into(),
            content_type: None,
            size: None,
            kind: MediaKind::Photo,
            line: content_words::image(alt),
        }
    }

    /// What it may take of a call. What is of unknown size may be as large as any; but ten pictures in a text are to be an album,
    /// and one that is larger than a tenth ends it when it is fetched.
    fn most_bytes(&self) -> u64 {
        match (self.size, self.kind) {
            (Some(size), _) => size,
            (None, MediaKind::Photo) => MOST_BYTES / LARGEST_ALBUM as u64,
            (None, _) => MOST_BYTES,
        }
    }
}

/// The pictures in a text that Intercom keeps, in order. Where the text begins or ends with them they leave no mark in it, in its
/// middle they do; those of others become links.
fn pictures_of(text: &mut RichText, keeps: &dyn Fn(&str) -> bool) -> Vec<Planned> {
    let mut files = Vec::new();
    take_pictures(&mut text.0, keeps, &mut files);
    let is_kept = |block: &Block| matches!(block, Block::Image { url, .. } if keeps(url));
    let begins_at = text.0.iter().position(|block| !is_kept(block)).unwrap_or(text.0.len());
    text.0.drain(..begins_at);
    let ends_at = text
        .0
        .iter()
        .rposition(|block| !is_kept(block))
        .map_or(0, |last| last + 1);
    text.0.truncate(ends_at);
    files
}

fn take_pictures(blocks: &mut [Block], keeps: &dyn Fn(&str) -> bool, files: &mut Vec<Planned>) {
    for block in blocks {
        match block {
            Block::Image { url, alt } if keeps(url) => files.push(Planned::picture(url, alt)),
            Block::Image { url, alt } if is_web(url) => *block = words::elsewhere(&content_words::image(alt), url),
            Block::Quote { blocks, .. } => take_pictures(blocks, keeps, files),
            Block::List { items, .. } => items.iter_mut().for_each(|item| take_pictures(item, keeps, files)),
            Block::Image { .. }
            | Block::Paragraph { .. }
            | Block::Heading { .. }
            | Block::Code { .. }
            | Block::Table(_)
            | Block::Rule => {}
        }
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The line for a file that is not sent.
pub(super) fn line_for(file: &Planned, why: Unsent, link: &str) -> RichText {
    RichText(vec![words::not_sent(&file.line, why, link)])
}

#[cfg(test)]
mod tests;
