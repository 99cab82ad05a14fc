//! What the fields of a `Message` tell about it, as of Bot API 10.3: <https://core.telegram.org/bots/api#message>.

use crate::wire::Json;

/// What a message is, by the field that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// The group was upgraded; the field says in which direction the message looks.
    Migration(&'static str),
    /// A service message about a topic.
    Topic(&'static str),
    /// Any other service message.
    Service(&'static str),
    /// Content of a kind that is known.
    Content(&'static str),
    /// Content of a kind that was invented later.
    Unknown(&'a str),
    /// Nothing that Telegram shows to bots.
    Nothing,
}

/// Tells what a message is. What is not known to be a service message is content: a new kind of message must not vanish.
pub(crate) fn shape(message: Json<'_>) -> Shape<'_> {
    let first = |fields: &[&'static str]| fields.iter().copied().find(|field| message.get(field).is_some());
    if let Some(field) = first(MIGRATION) {
        return Shape::Migration(field);
    }
    if let Some(field) = first(CONTENT) {
        return Shape::Content(field);
    }
    if let Some(field) = first(TOPIC) {
        return Shape::Topic(field);
    }
    if let Some(field) = first(SERVICE) {
        return Shape::Service(field);
    }
    let unknown = message.keys().find(|key| !COMMON.contains(key));
    unknown.map_or(Shape::Nothing, Shape::Unknown)
}

const MIGRATION: &[&str] = &["migrate_to_chat_id", "migrate_from_chat_id"];

const TOPIC: &[&str] = &[
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
];

/// In the order in which they are looked for: some messages carry an older field beside the newer one, for bots that do not know it.
const CONTENT: &[&str] = &[
    "text",
    "rich_message",
    "live_photo",
    "photo",
    "paid_media",
    "animation",
    "video",
    "audio",
    "voice",
    "video_note",
    "sticker",
    "document",
    "contact",
    "venue",
    "location",
    "poll",
    "dice",
    "story",
    "checklist",
    "game",
    "invoice",
    "giveaway",
    "giveaway_winners",
    "unique_gift",
    "gift",
    "gift_upgrade_sent",
];

const SERVICE: &[&str] = &[
    "boost_added",
    "channel_chat_created",
    "chat_background_set",
    "chat_owner_changed",
    "chat_owner_left",
    "chat_shared",
    "checklist_tasks_added",
    "checklist_tasks_done",
    "community_chat_added",
    "community_chat_joined",
    "community_chat_removed",
    "connected_website",
    "delete_chat_photo",
    "direct_message_price_changed",
    "giveaway_completed",
    "giveaway_created",
    "group_chat_created",
    "left_chat_member",
    "left_chat_participant",
    "managed_bot_created",
    "message_auto_delete_timer_changed",
    "new_chat_member",
    "new_chat_members",
    "new_chat_participant",
    "new_chat_photo",
    "new_chat_title",
    "paid_message_price_changed",
    "passport_data",
    "pinned_message",
    "poll_option_added",
    "poll_option_deleted",
    "proximity_alert_triggered",
    "refunded_payment",
    "successful_payment",
    "suggested_post_approval_failed",
    "suggested_post_approved",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "supergroup_chat_created",
    "user_shared",
    "users_shared",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "voice_chat_ended",
    "voice_chat_participants_invited",
    "voice_chat_scheduled",
    "voice_chat_started",
    "web_app_data",
    "write_access_allowed",
];

/// What any message may carry, and what goes with content without being it.
const COMMON: &[&str] = &[
    "author_signature",
    "business_connection_id",
    "caption",
    "caption_entities",
    "chat",
    "date",
    "direct_messages_topic",
    "edit_date",
    "effect_id",
    "entities",
    "ephemeral_message_id",
    "external_reply",
    "forward_date",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_origin",
    "forward_sender_name",
    "forward_signature",
    "from",
    "guest_bot_caller_chat",
    "guest_bot_caller_user",
    "guest_query_id",
    "has_media_spoiler",
    "has_protected_content",
    "is_automatic_forward",
    "is_from_offline",
    "is_paid_post",
    "is_topic_message",
    "link_preview_options",
    "media_group_id",
    "message_id",
    "message_thread_id",
    "paid_star_count",
    "quote",
    "receiver_user",
    "reply_markup",
    "reply_to_checklist_task_id",
    "reply_to_message",
    "reply_to_poll_option_id",
    "reply_to_story",
    "sender_boost_count",
    "sender_business_bot",
    "sender_chat",
    "sender_tag",
    "show_caption_above_media",
    "suggested_post_info",
    "thumb",
    "via_bot",
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newer_field_wins_over_the_one_for_older_bots() {
        let cases = [
            (json!({"document": {}, "animation": {}}), "animation"),
            (json!({"location": {}, "venue": {}}), "venue"),
            (json!({"photo": [], "live_photo": {}}), "live_photo"),
            (json!({"photo": [], "new_chat_title": "x"}), "photo"),
        ];
        for (message, field) in cases {
            assert_eq!(shape(Json::new(&message)), Shape::Content(field));
        }
    }

    #[test]
    fn a_field_is_in_one_list_only() {
        let mut all = [MIGRATION, TOPIC, CONTENT, SERVICE, COMMON].concat();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn what_nobody_knows_is_content() {
        let shaped = |message: &serde_json::Value| format!("{:?}", shape(Json::new(message)));
        let unknown = json!({"message_id": 1, "hologram": {"x": 1}, "sender_tag": "vip"});
        assert_eq!(shaped(&unknown), r#"Unknown("hologram")"#);
        let nothing = json!({"message_id": 1, "date": 2, "chat": {}, "text": null});
        assert_eq!(shaped(&nothing), "Nothing");
        let service = json!({"message_id": 1, "new_chat_participant": {}, "hologram": {}});
        assert_eq!(shaped(&service), r#"Service("new_chat_participant")"#);
    }
}
