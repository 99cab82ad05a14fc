//! What of a message goes to Intercom in which call: the text first, with as many files as one reply takes, then the rest.

use crate::{
    files::{FileName, MOST_BYTES, MOST_FILES},
    rich_text::{Block, RichText},
    telegram_message::{CustomerMessage, SentFile},
    words::{self, Missing},
};
use mapping::{ChatId, Delivery, MessageId, Step, TopicId};

/// What goes to Intercom in which call.
pub(super) struct Plan<'m> {
    message: &'m CustomerMessage,
    /// Who says it, where that has to be said.
    heading: Option<Block>,
    /// The step in which the text is sent.
    first: Step,
    /// Where the message is in Telegram.
    link: String,
    too_big: Vec<&'m SentFile>,
    bundles: Vec<Vec<Planned<'m>>>,
}

/// A file and what it will be called.
pub(super) struct Planned<'m> {
    pub(super) file: &'m SentFile,
    pub(super) name: FileName,
}

/// One call.
pub(super) struct Call<'p, 'm> {
    pub(super) step: Step,
    pub(super) files: &'p [Planned<'m>],
    /// Which of the bundles it carries, where the text went ahead.
    follows: Option<usize>,
}

/// Where a message stands in Telegram.
#[derive(Clone, Copy)]
pub(super) struct Stand {
    pub(super) chat: ChatId,
    pub(super) topic: Option<TopicId>,
    pub(super) message: MessageId,
}

impl Call<'_, '_> {
    /// Whether it carries the text.
    pub(super) fn is_first(&self) -> bool {
        self.follows.is_none()
    }
}

impl<'m> Plan<'m> {
    /// The plan for a message whose text goes out in the step `first`.
    pub(super) fn new(message: &'m CustomerMessage, stand: Stand, first: Step) -> Self {
        let is_too_big = |file: &&SentFile| file.size.is_some_and(|size| size > MOST_BYTES);
        let (too_big, carried): (Vec<_>, Vec<_>) = message.files.iter().partition(is_too_big);
        let planned = carried.into_iter().enumerate().map(|(at, file)| Planned {
            file,
            name: FileName::of(file, at, stand.message, message.date),
        });
        Self {
            message,
            heading: None,
            first,
            link: words::message_link(stand.chat, stand.topic, stand.message),
            too_big,
            bundles: bundles(planned),
        }
    }

    /// The same, under a heading.
    pub(super) fn headed(self, heading: Block) -> Self {
        Self {
            heading: Some(heading),
            ..self
        }
    }

    /// Where the message is in Telegram.
    pub(super) fn link(&self) -> &str {
        &self.link
    }

    /// The next call of a delivery; `None` if all is there.
    pub(super) fn next<'p>(&'p self, delivery: &Delivery) -> Option<Call<'p, 'm>> {
        let mut calls = self.calls(delivery).into_iter();
        calls.find(|call| delivery.proof(call.step).is_none())
    }

    /// How many replies with files have to follow once the text is there.
    pub(super) fn files_left(&self, delivery: &Delivery) -> u16 {
        let calls = self.calls(delivery).into_iter();
        let left = calls.filter(|call| call.follows.is_some() && delivery.proof(call.step).is_none());
        u16::try_from(left.count()).unwrap_or(u16::MAX)
    }

    /// How many replies with files follow a conversation that opens with the text.
    pub(super) fn files_after_opening(&self) -> u16 {
        u16::try_from(self.bundles.len()).unwrap_or(u16::MAX)
    }

    /// All calls of a delivery, in order. Those that follow the opening of a conversation, where it opened one: that took the text
    /// and no files.
    pub(super) fn calls<'p>(&'p self, delivery: &Delivery) -> Vec<Call<'p, 'm>> {
        let has_opened = delivery.proof(Step::Create).is_some();
        let first = Call {
            step: self.first,
            files: self.bundles.first().map(Vec::as_slice).unwrap_or_default(),
            follows: None,
        };
        let follows = |(at, files): (usize, &'p Vec<Planned<'m>>)| Call {
            step: Step::File(u16::try_from(at).unwrap_or(u16::MAX)),
            files,
            follows: Some(at),
        };
        let following = self
            .bundles
            .iter()
            .enumerate()
            .skip(usize::from(!has_opened))
            .map(follows);
        (!has_opened).then_some(first).into_iter().chain(following).collect()
    }

    /// The text that opens a conversation or goes with the first files.
    pub(super) fn text(&self) -> RichText {
        self.said(Vec::new())
    }

    /// What a call says, now that some of its files are missing.
    pub(super) fn text_of(&self, call: &Call<'_, '_>, missing: &[(usize, Missing)]) -> RichText {
        let missing: Vec<(&SentFile, Missing)> = missing
            .iter()
            .filter_map(|(at, why)| Some((call.files.get(*at)?.file, *why)))
            .collect();
        let Some(at) = call.follows else {
            return self.said(missing);
        };
        let arriving = call.files.iter().map(|planned| planned.file);
        let arriving = arriving.filter(|file| !missing.iter().any(|(gone, _)| std::ptr::eq(*gone, *file)));
        let mut text = RichText(lines(arriving));
        text.extend(self.missing_lines(&missing));
        if self.bundles.len() > 1 {
            text.head(words::files_follow(at + 1, self.bundles.len()));
        }
        self.under_heading(text)
    }

    fn said(&self, missing: Vec<(&SentFile, Missing)>) -> RichText {
        let mut text = self.message.text.clone();
        let mut gone: Vec<(&SentFile, Missing)> = self.too_big.iter().map(|file| (*file, Missing::TooBig)).collect();
        gone.extend(missing);
        if text.is_blank() {
            let is_gone = |file: &&SentFile| gone.iter().any(|(gone, _)| std::ptr::eq(*gone, *file));
            text = RichText(lines(self.message.files.iter().filter(|file| !is_gone(file))));
        }
        text.extend(self.missing_lines(&gone));
        self.under_heading(with_context(text, self.message))
    }

    fn missing_lines(&self, missing: &[(&SentFile, Missing)]) -> Vec<Block> {
        let line = |(file, why): &(&SentFile, Missing)| words::not_carried(&file.line, *why, &self.link);
        missing.iter().map(line).collect()
    }

    fn under_heading(&self, mut text: RichText) -> RichText {
        if let Some(heading) = &self.heading {
            text.head(heading.clone());
        }
        text
    }
}

/// What a message says where its files do not: its text, or the lines that say what they are.
pub(super) fn said(message: &CustomerMessage) -> RichText {
    if message.text.is_blank() {
        RichText(lines(&message.files))
    } else {
        message.text.clone()
    }
}

/// The lines of files, equal ones that follow each other once.
fn lines<'f>(files: impl IntoIterator<Item = &'f SentFile>) -> Vec<Block> {
    let mut lines: Vec<&str> = files.into_iter().map(|file| file.line.as_str()).collect();
    lines.dedup();
    let block = |line: &str| Block::line(vec![crate::rich_text::Run::plain(line)]);
    lines.into_iter().map(block).collect()
}

/// As many files in each as one reply takes, in order. What is of unknown size may be as large as any.
fn bundles<'m>(planned: impl Iterator<Item = Planned<'m>>) -> Vec<Vec<Planned<'m>>> {
    let mut bundles: Vec<Vec<Planned<'m>>> = Vec::new();
    let mut bytes = 0;
    for one in planned {
        let size = one.file.size.unwrap_or(MOST_BYTES);
        match bundles.last_mut() {
            Some(last) if last.len() < MOST_FILES && bytes + size <= MOST_BYTES => last.push(one),
            _ => {
                bundles.push(vec![one]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    bundles
}

/// What an agent reads of a message: from whom it was forwarded and what it answers, then what it says.
fn with_context(mut text: RichText, message: &CustomerMessage) -> RichText {
    if let Some(quote) = &message.quote {
        text.0.insert(
            0,
            Block::Quote {
                blocks: without_quotes(&quote.text.0),
                expandable: false,
            },
        );
        text.0.splice(0..0, quote.author.as_deref().map(words::quoted_author));
    }
    let heads = [
        message.via_bot.as_deref().map(words::via_bot),
        message.forwarded_from.as_deref().map(words::forwarded_from),
    ];
    for line in heads.into_iter().flatten() {
        text.head(line);
    }
    text
}

/// Quotations do not nest.
fn without_quotes(blocks: &[Block]) -> Vec<Block> {
    let flat = blocks.iter().flat_map(|block| match block {
        Block::Quote { blocks, .. } => blocks.clone(),
        block => vec![block.clone()],
    });
    flat.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rich_text::Run,
        telegram_message::{Author, FileKind},
    };
    use mapping::{ConversationId, FileId, PartId, Proof, Receipt, Timestamp};

    const STAND: Stand = Stand {
        chat: ChatId(-1_001_234_567_890),
        topic: Some(TopicId(7)),
        message: MessageId(42),
    };

    fn message(text: &str, sizes: &[Option<u64>]) -> CustomerMessage {
        let file = |(at, size): (usize, &Option<u64>)| SentFile {
            id: FileId::new(at.to_string()),
            unique_id: None,
            kind: FileKind::Video,
            line: format!("[video] {at}"),
            name: None,
            content_type: None,
            size: *size,
            message: None,
        };
        CustomerMessage {
            chat_title: String::new(),
            chat_username: None,
            topic_title: None,
            topic_creator: None,
            author: Author::default(),
            date: Timestamp::EPOCH,
            text: RichText::plain(text),
            files: sizes.iter().enumerate().map(file).collect(),
            quote: None,
            forwarded_from: None,
            via_bot: None,
            for_another_bot: false,
        }
    }

    /// How many files go in which step, for a delivery with these receipts.
    fn calls(message: &CustomerMessage, receipts: &[Step]) -> Vec<(Step, usize)> {
        let plan = Plan::new(message, STAND, Step::Text);
        let mut delivery = delivery(receipts);
        let mut calls = Vec::new();
        while let Some(call) = plan.next(&delivery) {
            calls.push((call.step, call.files.len()));
            assert!(calls.len() < 50);
            delivery.receipts.push(receipt(call.step));
        }
        assert_eq!(plan.files_left(&delivery), 0);
        calls
    }

    fn delivery(receipts: &[Step]) -> Delivery {
        let mut delivery = Delivery::skipped("lane", "", Timestamp::EPOCH);
        delivery.receipts = receipts.iter().copied().map(receipt).collect();
        delivery
    }

    fn receipt(step: Step) -> Receipt {
        let proof = match step {
            Step::Create => Proof::Conversation(ConversationId::new("1")),
            _ => Proof::Part(PartId::new("2")),
        };
        Receipt {
            step,
            proof,
            at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn files_go_with_the_text_as_far_as_one_reply_takes_them() {
        use Step::{Create, File, Text};
        let small = Some(1);
        let half = Some(MOST_BYTES / 2);
        let whole = Some(MOST_BYTES);
        let cases = [
            (vec![], vec![(Text, 0)]),
            (vec![small], vec![(Text, 1)]),
            (vec![None, None], vec![(Text, 1), (File(1), 1)]),
            (vec![half, half, small], vec![(Text, 2), (File(1), 1)]),
            (vec![whole, small, half], vec![(Text, 1), (File(1), 2)]),
            (vec![Some(MOST_BYTES + 1)], vec![(Text, 0)]),
            (vec![small; 21], vec![(Text, 10), (File(1), 10), (File(2), 1)]),
        ];
        for (sizes, expected) in cases {
            assert_eq!(calls(&message("look", &sizes), &[]), expected, "{sizes:?}");
        }
        let two = message("look", &[whole, whole]);
        assert_eq!(calls(&two, &[Create]), [(File(0), 1), (File(1), 1)]);
        assert_eq!(calls(&two, &[Create, File(0)]), [(File(1), 1)]);
        assert_eq!(calls(&two, &[Text]), [(File(1), 1)]);
        assert_eq!(calls(&message("look", &[]), &[Create]), []);
    }

    #[test]
    fn what_is_not_carried_is_said_where_it_would_have_been() {
        let link = "https://t.me/c/1234567890/7/42";
        let too_big = format!("[video] 1 – not carried over, for it is larger than 20 MB; see {link}");
        let message = message("", &[Some(1), Some(MOST_BYTES + 1)]);
        let plan = Plan::new(&message, STAND, Step::Text);
        assert_eq!(plan.text().to_plain(), format!("[video] 0\n{too_big}"));
        let call = plan.next(&delivery(&[])).unwrap();
        let gone = format!("[video] 0 – not carried over, for Telegram does not give it out; see {link}");
        let text = plan.text_of(&call, &[(0, Missing::Unavailable)]);
        assert_eq!(text.to_plain(), format!("{too_big}\n{gone}"));
        let call = plan.next(&delivery(&[Step::Create])).unwrap();
        assert_eq!(plan.text_of(&call, &[]).to_plain(), "[video] 0");
        assert_eq!(plan.text_of(&call, &[(0, Missing::Unavailable)]).to_plain(), gone);
    }

    #[test]
    fn a_heading_stands_above_every_call() {
        let message = message("look", &[None, None]);
        let heading = Block::line(vec![Run::plain("Ann:")]);
        let plan = Plan::new(&message, STAND, Step::Note).headed(heading);
        assert_eq!(plan.text().to_plain(), "Ann:\nlook");
        let call = plan.next(&delivery(&[Step::Note])).unwrap();
        assert_eq!(plan.text_of(&call, &[]).to_plain(), "Ann:\nFiles, 2 of 2:\n[video] 1");
    }
}
