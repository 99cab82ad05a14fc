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
    let mut left = plan.slots(&delivery);
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
        left -= slots_of(steps.len());
        delivery.receipts.extend(steps.into_iter().map(receipt));
        assert_eq!(plan.slots(&delivery), left);
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
