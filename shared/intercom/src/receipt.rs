//! Which part of a conversation a call has made.

use bridge::{
    intercom_message::{Part, PartKind},
    ports::Reply,
};
use mapping::{PartId, Timestamp};

/// The part that a call must have made.
pub(crate) struct Wanted<'a> {
    pub(crate) author: &'a str,
    pub(crate) reply: &'a Reply,
    pub(crate) is_note: bool,
}

impl Wanted<'_> {
    /// The newest part of this author with these files and this text. Intercom may have rewritten either beyond recognition; then the
    /// newest one of this author that says anything, for the call did succeed.
    pub(crate) fn find(&self, parts: &[Part]) -> Option<PartId> {
        let text = self.reply.body.fingerprint_text();
        let says_the_same = |part: &Part| part.body.fingerprint_text() == text;
        let best = |part: &&Part| (self.has_files(part), says_the_same(part), age(part));
        let by_author = parts.iter().filter(|part| self.may_be(part));
        by_author.max_by_key(best).map(|part| part.id.clone())
    }

    /// Whether a part has the files of the reply, and none if that has none.
    fn has_files(&self, part: &Part) -> bool {
        let files = &self.reply.files;
        let mut sent = files.iter().map(|file| file.name.as_str());
        files.len() == part.attachments.len() && sent.all(|name| part.attachments.iter().any(|file| file.name == name))
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
    use bridge::{
        intercom_message::{Attachment, AuthorKind, PartAuthor},
        ports::Upload,
        rich_text::RichText,
    };

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
        found_with(parts, text, is_note, &[])
    }

    fn found_with(parts: &[Part], text: &str, is_note: bool, files: &[&str]) -> Option<String> {
        let upload = |name: &&str| Upload {
            name: (*name).to_owned(),
            content_type: "image/png".into(),
            bytes: bytes::Bytes::new(),
        };
        let reply = &Reply {
            body: RichText::plain(text),
            created_at: None,
            files: files.iter().map(upload).collect(),
        };
        let wanted = Wanted {
            author: "ann",
            reply,
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
    #[test]
    fn of_equal_texts_the_one_with_the_files_is_meant() {
        let with_file = |id, name: &str| Part {
            attachments: vec![Attachment {
                name: name.into(),
                url: "https://downloads.intercomcdn.com/1".into(),
                content_type: None,
                size: None,
            }],
            ..part(id, PartKind::Comment, "ann", "[photo]")
        };
        let parts = [
            with_file("1", "photo-41.jpg"),
            with_file("2", "photo-42.jpg"),
            part("3", PartKind::Comment, "ann", "[photo]"),
            with_file("4", "photo-43.jpg"),
        ];
        let found = |files: &[&str]| found_with(&parts, "[photo]", false, files);
        assert_eq!(found(&["photo-42.jpg"]).as_deref(), Some("2"));
        assert_eq!(found(&[]).as_deref(), Some("3"));
        assert_eq!(found(&["renamed.jpg"]).as_deref(), Some("4"));
    }
}
