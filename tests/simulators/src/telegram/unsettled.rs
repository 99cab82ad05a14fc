//! What nobody has established about the real service.

use std::collections::BTreeSet;

use super::{methods::is_about_topics, refusal::Refusal, sim::TelegramSim};

/// What nobody has established about the real service: the default is what the bridge takes for granted, the other answer what a live
/// check has to notice.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a knob of its own")]
pub struct Unsettled {
    /// A webhook that asks to be called later is; otherwise it is called again at once.
    pub honours_retry_after: bool,
    /// Webhooks are shown the secret token.
    pub shows_secret: bool,
    /// So many entities of a message are kept.
    pub most_entities: usize,
    /// The front end answers 502 and 504 in the Bot API's JSON; otherwise with a page.
    pub front_end_speaks_json: bool,
    /// Topics of which the beginning was archived: people see them, and whoever writes there is told that there is none.
    pub archived_topics: BTreeSet<i64>,
    /// Bots may write in a closed topic of somebody else's if they manage topics.
    pub managers_write_in_closed: bool,
    /// An album takes of the pace of a group what its items take; otherwise what one message takes.
    pub albums_count_by_item: bool,
    /// An edit takes of the pace of a group what a message takes.
    pub edits_count: bool,
    /// Making and renaming a topic takes of the pace of a group what a message takes.
    pub topic_methods_count: bool,
    /// Refusals have the words that are known.
    pub words_are_known: bool,
}

impl Default for Unsettled {
    fn default() -> Self {
        Self {
            honours_retry_after: true,
            shows_secret: true,
            most_entities: 100,
            front_end_speaks_json: false,
            archived_topics: BTreeSet::new(),
            managers_write_in_closed: true,
            albums_count_by_item: true,
            edits_count: false,
            topic_methods_count: false,
            words_are_known: true,
        }
    }
}

impl Unsettled {
    /// Whether a method that sends no message takes of a group's pace all the same.
    pub(crate) fn counts(&self, method: &str) -> bool {
        (self.edits_count && method == "editMessageText") || (self.topic_methods_count && is_about_topics(method))
    }

    /// A refusal in words that nobody has heard before, where they are not the known ones.
    pub(crate) fn worded(&self, refusal: Refusal) -> Refusal {
        if self.words_are_known || refusal.code != 400 || refusal.parameters.is_some() {
            return refusal;
        }
        Refusal {
            description: "Bad Request: REQUEST_NOT_POSSIBLE".to_owned(),
            ..refusal
        }
    }
}

impl TelegramSim {
    /// Changes what nobody has established.
    pub fn unsettle(&self, change: impl FnOnce(&mut Unsettled)) {
        change(&mut self.shared.world().unsettled);
    }
}
