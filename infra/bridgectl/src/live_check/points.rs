//! The points: what the bridge takes for granted of each vendor, and where its code rests on it. Numbers and sources are those of the
//! vendors' pages as far as they go; what stands here is what they leave open.

/// A function or a constant that would have to change if a point were otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rest {
    /// The file, from the top of the repository.
    pub file: &'static str,
    /// The function or constant in it.
    pub item: &'static str,
}

/// What is known of a point before it is tried.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Which it is.
    pub point: Point,
    /// Its name, the same in every version.
    pub name: &'static str,
    /// What the bridge takes for granted.
    pub granted: &'static str,
    /// What rests on it.
    pub rests: &'static [Rest],
    /// Takes hundreds of calls, or minutes.
    pub is_long: bool,
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// How a contact's reply is read.
    ReplyHtml,
    /// What reading a conversation brings.
    ReadHtml,
    /// What another version of the API brings.
    NewestVersion,
    /// Whether whoever takes no part may reply.
    OutsiderReply,
    /// How many bytes a reply takes.
    AttachmentSize,
    /// How many parts a conversation takes.
    ManyParts,
    /// What a notification says of a message.
    NotificationText,
    /// What tells a part of our own.
    PackageCode,
    /// Which id the second attempt has.
    RetryId,
    /// Where what is said with a click comes.
    OneClick,
    /// Whether workflows see what is made through the API.
    Workflows,
    /// How many entities a message keeps.
    Entities,
    /// Whether the bot may write in a closed topic.
    ClosedTopic,
    /// What refusals are called.
    Words,
    /// What the front end says.
    FrontEnd,
    /// Whether topics whose beginning is archived can be written in.
    OldTopic,
    /// What proves an update.
    WebhookSecret,
    /// When a refused update comes again.
    WebhookRetry,
    /// What an album takes of the pace.
    PaceAlbums,
    /// What an edit takes of the pace.
    PaceEdits,
    /// What a topic takes of the pace.
    PaceTopics,
}

const fn rest(file: &'static str, item: &'static str) -> Rest {
    Rest { file, item }
}

const fn about(point: Point, name: &'static str, granted: &'static str, rests: &'static [Rest]) -> About {
    About {
        point,
        name,
        granted,
        rests,
        is_long: false,
    }
}

const fn long(about: About) -> About {
    About { is_long: true, ..about }
}

/// All points, in the order in which they are tried.
pub static POINTS: [About; 21] = [
    about(
        Point::ReplyHtml,
        "intercom.reply_html",
        "a contact's reply is read as HTML: what was escaped shows as it was written, and line breaks stay",
        &[rest("shared/intercom/src/render.rs", "fn contact_reply")],
    ),
    about(
        Point::ReadHtml,
        "intercom.read_html",
        "a conversation that is read has its formatting, whatever the app's own version is",
        &[
            rest("shared/intercom/src/conversations.rs", "fn read_conversation"),
            rest("shared/bridge/src/outbound/relay.rs", "fn read_and_relay"),
        ],
    ),
    about(
        Point::NewestVersion,
        "intercom.newest_version",
        "version 2.17 of the API shows a conversation as 2.16 does",
        &[
            rest("shared/intercom/src/api.rs", "const VERSION"),
            rest("shared/intercom/src/decode.rs", "fn conversation"),
        ],
    ),
    about(
        Point::OutsiderReply,
        "intercom.outsider_reply",
        "a contact who takes no part in a conversation cannot reply in it, so each is attached first",
        &[rest("shared/bridge/src/inbound/conversation.rs", "fn try_reply")],
    ),
    about(
        Point::AttachmentSize,
        "intercom.attachment_size",
        "a reply takes files of 20 MB together",
        &[rest("shared/bridge/src/files.rs", "const MOST_BYTES")],
    ),
    long(about(
        Point::ManyParts,
        "intercom.many_parts",
        "a conversation with more than 500 parts goes on taking replies",
        &[rest("shared/bridge/src/inbound/conversation.rs", "fn reply")],
    )),
    about(
        Point::NotificationText,
        "intercom.notification_text",
        "a notification says what the message says, as HTML or as plain text, with its line breaks",
        &[rest("shared/intercom/src/body.rs", "fn read")],
    ),
    about(
        Point::PackageCode,
        "intercom.package_code",
        "parts that the app makes bear no app_package_code, so an echo is told by its id and by what was reserved",
        &[rest("shared/bridge/src/outbound/part.rs", "fn may_be_echo")],
    ),
    about(
        Point::RetryId,
        "intercom.retry_id",
        "the second attempt at a notification has the id of the first",
        &[rest("shared/bridge/src/outbound/webhook.rs", "fn take")],
    ),
    about(
        Point::OneClick,
        "intercom.one_click",
        "what is said with a click that closes, snoozes or assigns comes on an event that is ticked, in a part that is carried",
        &[
            rest("infra/bridgectl/src/setup/hub.rs", "const EVENTS"),
            rest("shared/bridge/src/outbound/relay.rs", "fn is_relayable"),
        ],
    ),
    about(
        Point::Workflows,
        "intercom.workflows",
        "workflows do not see conversations that are opened through the API, so the bridge assigns",
        &[rest("shared/bridge/src/inbound/opening.rs", "async fn dress")],
    ),
    about(
        Point::Entities,
        "telegram.entities",
        "a message keeps its first 100 entities and loses the others in silence",
        &[rest("shared/telegram/src/split.rs", "fn limit")],
    ),
    about(
        Point::ClosedTopic,
        "telegram.closed_topic",
        "a bot that manages topics may write in one that somebody closed",
        &[rest("shared/bridge/src/delivering.rs", "MessengerError::TopicClosed")],
    ),
    about(
        Point::Words,
        "telegram.words",
        "refusals have the words by which they are told apart",
        &[
            rest("shared/telegram/src/classify.rs", "fn meaning"),
            rest("shared/bridge/src/topic_state.rs", "async fn fulfil"),
        ],
    ),
    about(
        Point::FrontEnd,
        "telegram.front_end",
        "502 and 504 come as a page, not as the Bot API's JSON",
        &[rest("shared/telegram/src/classify.rs", "fn foreign")],
    ),
    about(
        Point::OldTopic,
        "telegram.old_topic",
        "a topic with a million messages above its beginning still takes some",
        &[rest("shared/bridge/src/topics.rs", "fn make_anew")],
    ),
    about(
        Point::WebhookSecret,
        "telegram.webhook_secret",
        "each update bears the secret token",
        &[rest("shared/telegram/src/webhook.rs", "fn verify")],
    ),
    about(
        Point::WebhookRetry,
        "telegram.webhook_retry",
        "an update that is answered 503 comes again, the same, and not before the time that Retry-After names",
        &[rest("shared/bridge/src/webhook.rs", "TryLater")],
    ),
    long(about(
        Point::PaceAlbums,
        "telegram.pace_albums",
        "an album takes of a group's pace what its items take",
        &[rest("shared/bridge/src/sending.rs", "fn slots_of")],
    )),
    long(about(
        Point::PaceEdits,
        "telegram.pace_edits",
        "edits take nothing of a group's pace (the bridge makes none)",
        &[rest("shared/bridge/src/sending.rs", "fn wait_for_slots")],
    )),
    long(about(
        Point::PaceTopics,
        "telegram.pace_topics",
        "making and renaming a topic takes nothing of a group's pace",
        &[rest("shared/bridge/src/topics.rs", "fn make_anew")],
    )),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, path::Path};

    /// A point that names what is no more would send its reader nowhere.
    #[test]
    fn what_rests_on_a_point_is_there() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for about in &POINTS {
            assert!(!about.rests.is_empty(), "{}", about.name);
            for rest in about.rests {
                let text = std::fs::read_to_string(top.join(rest.file)).unwrap();
                assert!(
                    text.contains(rest.item),
                    "{}: no {} in {}",
                    about.name,
                    rest.item,
                    rest.file
                );
            }
        }
    }

    #[test]
    fn each_point_stands_there_once() {
        let names: BTreeSet<_> = POINTS.iter().map(|about| about.name).collect();
        let points: BTreeSet<_> = POINTS.iter().map(|about| about.point).collect();
        assert_eq!((names.len(), points.len()), (POINTS.len(), POINTS.len()));
    }
}
