//! What of a part goes to Telegram in which call: a text that is short enough stands below the files, every other one goes before
//! them; and files that may be an album go together.

use crate::{
    content_words::{self, FileWords},
    intercom_message::{Attachment, Part},
    media::{self, LARGEST_ALBUM, LARGEST_PHOTO, LONGEST_CAPTION, MOST_BYTES, MediaKind},
    ports::FlatText,
    rich_text::{Block, RichText},
    sending::number,
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
        let is_first = self.first_unsent(delivery)? == 0;
        let files = self.together(self.first_unsent(delivery)?);
        let unsent = files
            .into_iter()
            .take_while(|(step, _)| delivery.proof(*step).is_none());
        Some(Call::Files {
            files: unsent.collect(),
            caption: self.messages.first().filter(|_| below && is_first),
        })
    }

    /// How many messages are still to come.
    pub(super) fn left(&self, delivery: &Delivery) -> usize {
        let is_unsent = |at: &usize| delivery.proof(Step::File(number(*at))).is_none();
        let files = (0..self.files.len()).filter(is_unsent).count();
        let is_unsaid = |at: &usize| delivery.proof(Step::Chunk(number(*at))).is_none();
        let messages = (0..self.messages.len()).filter(|at| !self.is_below(delivery) && is_unsaid(at));
        files + messages.count()
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
mod tests {
    use super::*;
    use crate::{
        intercom_message::{AuthorKind, PartAuthor, PartKind},
        rich_text::Run,
    };
    use mapping::{MessageId, PartId, Proof, Receipt, Timestamp};

    const LINK: &str = "https://app.example/1";

    fn part(body: RichText, files: &[(&str, &str, Option<u64>)]) -> Part {
        let attachment = |(name, content_type, size): &(&str, &str, Option<u64>)| Attachment {
            name: (*name).into(),
            url: format!("https://own.example/{name}"),
            content_type: Some((*content_type).into()),
            size: *size,
        };
        Part {
            id: PartId::new("1"),
            kind: PartKind::Comment,
            body,
            body_is_plain: false,
            author: PartAuthor {
                kind: AuthorKind::Admin,
                id: "7".into(),
                name: None,
            },
            created_at: Timestamp::EPOCH,
            redacted: false,
            attachments: files.iter().map(attachment).collect(),
            quick_replies: Vec::new(),
        }
    }

    /// Each line is a message of its own, so that tests can say where a text is cut.
    fn compose(text: &RichText) -> Vec<FlatText> {
        let plain = text.to_plain();
        let lines = plain.split('\u{c}').filter(|line| !line.trim().is_empty());
        lines.map(flat).collect()
    }

    fn flat(text: &str) -> FlatText {
        FlatText {
            text: text.into(),
            spans: Vec::new(),
        }
    }

    fn plan(part: &Part) -> Plan {
        let reader = Reader {
            keeps: &|url| url.starts_with("https://own."),
            compose: &compose,
            link: LINK,
        };
        Plan::new(part, vec![Block::line(vec![Run::bold("Anna")])], &reader)
    }

    fn delivery(receipts: &[Step]) -> Delivery {
        let mut delivery = Delivery::skipped("lane", "", Timestamp::EPOCH);
        delivery.receipts = receipts.iter().copied().map(receipt).collect();
        delivery
    }

    fn receipt(step: Step) -> Receipt {
        Receipt {
            step,
            proof: Proof::Message(MessageId(9)),
            at: Timestamp::EPOCH,
        }
    }

    /// All calls of a delivery with these receipts: `text`, or names of files, the caption in brackets.
    fn calls(part: &Part, receipts: &[Step]) -> Vec<String> {
        let plan = plan(part);
        let mut delivery = delivery(receipts);
        let mut calls = Vec::new();
        let mut left = plan.left(&delivery);
        while let Some(call) = plan.next(&delivery) {
            let (steps, line) = match call {
                Call::Text { step, text } => (vec![step], text.text.clone()),
                Call::Files { files, caption } => {
                    let names: Vec<&str> = files.iter().map(|(_, file)| file.name.as_str()).collect();
                    let caption = caption.map(|text| format!(" [{}]", text.text)).unwrap_or_default();
                    (
                        files.iter().map(|(step, _)| *step).collect(),
                        names.join("+") + &caption,
                    )
                }
            };
            left -= steps.len();
            delivery.receipts.extend(steps.into_iter().map(receipt));
            assert_eq!(plan.left(&delivery), left);
            calls.push(line);
        }
        assert_eq!(left, 0);
        calls
    }

    fn said(text: &str, files: &[(&str, &str, Option<u64>)]) -> Vec<String> {
        calls(&part(RichText::plain(text), files), &[])
    }

    const JPG: (&str, &str, Option<u64>) = ("a.jpg", "image/jpeg", Some(7));
    const PNG: (&str, &str, Option<u64>) = ("b.png", "image/png", Some(7));
    const MP4: (&str, &str, Option<u64>) = ("c.mp4", "video/mp4", Some(7));
    const PDF: (&str, &str, Option<u64>) = ("d.pdf", "application/pdf", Some(7));
    const GIF: (&str, &str, Option<u64>) = ("e.gif", "image/gif", Some(7));
    const MP3: (&str, &str, Option<u64>) = ("f.mp3", "audio/mpeg", Some(7));
    const OGG: (&str, &str, Option<u64>) = ("g.ogg", "audio/ogg", Some(7));

    #[test]
    fn files_go_together_where_they_may_and_the_text_below_one_call() {
        let cases: &[(&[_], &[&str])] = &[
            (&[], &["Anna\nhi"]),
            (&[JPG], &["a.jpg [Anna\nhi]"]),
            (&[PDF], &["d.pdf [Anna\nhi]"]),
            (&[JPG, MP4, PNG], &["a.jpg+c.mp4+b.png [Anna\nhi]"]),
            (&[PDF, PDF], &["d.pdf+d.pdf [Anna\nhi]"]),
            (&[MP3, MP3], &["f.mp3+f.mp3 [Anna\nhi]"]),
            (&[JPG, PDF], &["Anna\nhi", "a.jpg", "d.pdf"]),
            (&[JPG, PDF, PNG], &["Anna\nhi", "a.jpg", "d.pdf", "b.png"]),
            (&[GIF, GIF], &["Anna\nhi", "e.gif", "e.gif"]),
            (&[OGG, MP3], &["Anna\nhi", "g.ogg", "f.mp3"]),
        ];
        for (files, expected) in cases {
            assert_eq!(said("hi", files), *expected, "{files:?}");
        }
    }

    #[test]
    fn a_call_takes_ten_files_and_fifty_megabytes() {
        let lengths = |files: &[(&str, &str, Option<u64>)]| -> Vec<usize> {
            let calls = said("", files);
            calls.iter().map(|call| call.matches('.').count()).collect()
        };
        assert_eq!(lengths(&[JPG; 23]), [10, 10, 3]);
        let large = ("d.pdf", "application/pdf", Some(MOST_BYTES / 2));
        assert_eq!(lengths(&[large; 5]), [2, 2, 1]);
        let unknown = ("d.pdf", "application/pdf", None);
        assert_eq!(lengths(&[PDF, unknown, PDF]), [1, 1, 1]);
        let picture = ("a.jpg", "image/jpeg", None);
        assert_eq!(lengths(&[picture; 11]), [10, 1]);
    }

    #[test]
    fn a_text_of_several_messages_or_too_long_for_a_caption_goes_ahead() {
        assert_eq!(said("one\u{c}two", &[JPG]), ["Anna\none", "two", "a.jpg"]);
        let longest = "w".repeat(LONGEST_CAPTION - 5);
        assert_eq!(said(&longest, &[JPG]).len(), 1);
        assert_eq!(said(&format!("{longest}w"), &[JPG]).len(), 2);
        // An emoji counts twice here and once in Telegram.
        assert_eq!(said(&"😀".repeat(LONGEST_CAPTION / 2 - 2), &[JPG]).len(), 2);
        // A name alone needs no message of its own.
        assert_eq!(said("", &[JPG, PDF]), ["a.jpg [Anna]", "d.pdf"]);
    }

    #[test]
    fn what_has_begun_goes_on_as_it_began() {
        use Step::{Chunk, File};
        let two = part(RichText::plain("hi"), &[JPG, PNG]);
        assert_eq!(calls(&two, &[File(0)]), ["b.png"]);
        assert_eq!(calls(&two, &[File(1)]), ["a.jpg [Anna\nhi]"]);
        assert_eq!(calls(&two, &[Chunk(0)]), ["a.jpg+b.png"]);
        assert_eq!(calls(&two, &[Chunk(0), File(0)]), ["b.png"]);
        let mixed = part(RichText::plain("hi"), &[JPG, PDF, PDF]);
        assert_eq!(calls(&mixed, &[Chunk(0), File(0), File(1)]), ["d.pdf"]);
        assert_eq!(calls(&mixed, &[Chunk(0), File(1)]), ["a.jpg", "d.pdf"]);
    }

    #[test]
    fn what_cannot_be_sent_is_said_in_the_text() {
        let big = ("film.mkv", "video/x-matroska", Some(MOST_BYTES + 1));
        let line = format!("[file] film.mkv (52.4 MB) – not carried over, for it is larger than 50 MB; see {LINK}");
        assert_eq!(said("hi", &[big, PDF]), [format!("d.pdf [Anna\nhi\n{line}]")]);
        let mut elsewhere = part(RichText::plain("hi"), &[PDF]);
        elsewhere.attachments[0].url = "https://other.example/d.pdf".into();
        assert_eq!(
            calls(&elsewhere, &[]),
            ["Anna\nhi\n[file] d.pdf (7 B) (https://other.example/d.pdf)"]
        );
    }

    #[test]
    fn pictures_in_a_text_are_files_or_links() {
        let image = |url: &str| Block::Image {
            url: url.into(),
            alt: "door".into(),
        };
        let line = |text: &str| Block::line(vec![Run::plain(text)]);
        let (own, other) = (image("https://own.example/x"), image("https://gif.example/y"));
        let cases = [
            (vec![line("hi"), own.clone()], vec!["image [Anna\nhi]"]),
            (
                vec![own.clone(), line("hi"), own.clone()],
                vec!["image+image [Anna\nhi]"],
            ),
            (vec![own.clone()], vec!["image [Anna]"]),
            (
                vec![line("hi"), own.clone(), line("ho")],
                vec!["image [Anna\nhi\n\n[image: door]\nho]"],
            ),
            (
                vec![
                    line("hi"),
                    Block::List {
                        start: None,
                        items: vec![vec![own]],
                    },
                ],
                vec!["image [Anna\nhi\n\n• [image: door]]"],
            ),
            (
                vec![line("hi"), other],
                vec!["Anna\nhi\n[image: door] (https://gif.example/y)"],
            ),
            (
                vec![line("hi"), image("data:image/png;base64,AA")],
                vec!["Anna\nhi\n\n[image: door]"],
            ),
        ];
        for (blocks, expected) in cases {
            assert_eq!(calls(&part(RichText(blocks.clone()), &[]), &[]), expected, "{blocks:?}");
        }
    }

    #[test]
    fn the_step_of_a_file_is_its_own_whatever_it_goes_with() {
        let plan = plan(&part(RichText::plain("hi"), &[JPG, PDF]));
        assert_eq!(plan.file(Step::File(1)).map(|file| file.name.as_str()), Some("d.pdf"));
        assert_eq!(plan.file(Step::File(2)), None);
        assert_eq!(plan.file(Step::Chunk(0)), None);
    }
}
