//! Which part of a conversation a call has made.

use bridge::{
    intercom_message::{Part, PartKind},
    rich_text::RichText,
};
use mapping::{PartId, Timestamp};

/// The part that a call must have made.
pub(crate) struct Wanted<'a> {
    pub(crate) author: &'a str,
    pub(crate) text: &'a RichText,
    pub(crate) is_note: bool,
}

impl Wanted<'_> {
    /// The newest part of this author with this text. Intercom may have rewritten the text beyond recognition; then the newest
    /// one of this author that says anything, for the call did succeed.
    pub(crate) fn find(&self, parts: &[Part]) -> Option<PartId> {
        let text = self.text.fingerprint_text();
        let by_author = || parts.iter().filter(|part| self.may_be(part));
        let same_text = by_author().filter(|part| part.body.fingerprint_text() == text);
        let newest = same_text.max_by_key(|part| age(part));
        newest
            .or_else(|| by_author().max_by_key(|part| age(part)))
            .map(|part| part.id.clone())
    }

    fn may_be(&self, part: &Part) -> bool {
        let says_something = !part.body.is_blank() || !part.attachments.is_empty();
        part.author.id == self.author && is_note(&part.kind) == self.is_note && says_something && !part.redacted
    }
}

fn age(part: &Part) -> (Option<u64>, Timestamp) {
    (part.id.number(), part.created_at)
}

fn is_note(kind: &PartKind) -> bool {
    match kind {
        PartKind::Other(name) => name.contains("note"),
        PartKind::Comment | PartKind::QuickReply | PartKind::Assignment | PartKind::Open | PartKind::Close => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::intercom_message::{AuthorKind, PartAuthor};

    fn part(id: &str, kind: PartKind, author: &str, text: &str) -> Part {
        Part {
            id: PartId::new(id),
            kind,
            body: RichText::plain(text),
            body_is_plain: false,
            author: PartAuthor {
                kind: AuthorKind::Contact,
                id: author.into(),
                name: None,
            },
            created_at: Timestamp::EPOCH,
            redacted: false,
            attachments: vec![],
            quick_replies: vec![],
        }
    }

    fn found(parts: &[Part], text: &str, is_note: bool) -> Option<String> {
        let text = &RichText::plain(text);
        let wanted = Wanted {
            author: "ann",
            text,
            is_note,
        };
        wanted.find(parts).map(|id| id.as_str().to_owned())
    }

    #[test]
    fn the_part_of_a_call_is_the_newest_that_fits() {
        let note = || PartKind::Other("note".into());
        let parts = [
            part("9", PartKind::Comment, "ann", "ok"),
            part("10", PartKind::Open, "ann", "OK!"),
            part("11", PartKind::Comment, "ann", "something else"),
            part("12", PartKind::Comment, "bob", "ok"),
            part("13", note(), "ann", "ok"),
            part("14", PartKind::Close, "ann", ""),
        ];
        assert_eq!(found(&parts, "ok", false).as_deref(), Some("10"));
        assert_eq!(found(&parts, "ok", true).as_deref(), Some("13"));
        assert_eq!(found(&parts, "rewritten", false).as_deref(), Some("11"));
        assert_eq!(found(&parts[..2], "?", false).as_deref(), Some("10"));
        assert_eq!(found(&parts[3..4], "ok", false), None);
        assert_eq!(found(&parts[5..], "", false), None);
    }
}
