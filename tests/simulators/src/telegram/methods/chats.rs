//! Questions about the bot itself, chats and members.

use serde_json::{Value, json};

use super::{
    super::{refusal::Refusal, world::ChatKind},
    Answer, Context,
};

pub(super) fn me(context: &Context<'_>) -> Value {
    let mut me = context.world.person(context.bot).json();
    let sees_all = context.world.bots.get(&context.bot).is_some_and(|bot| bot.sees_all);
    for (name, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", sees_all),
        ("supports_guest_queries", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
        ("has_topics_enabled", false),
        ("allows_users_to_create_topics", false),
        ("can_manage_bots", false),
        ("supports_join_request_queries", false),
    ] {
        me[name] = value.into();
    }
    me
}

pub(super) fn chat(context: &mut Context<'_>) -> Answer {
    let id = context.chat()?;
    let mut info = context.world.chat_json(id);
    info["accent_color_id"] = 0.into();
    info["max_reaction_count"] = 11.into();
    info["accepted_gift_types"] = json!({
        "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false, "premium_subscription": false,
        "gifts_from_channels": false,
    });
    if context.world.chat(id).kind != ChatKind::Private {
        info["permissions"] = permissions();
    }
    Ok(info)
}

fn permissions() -> Value {
    let mut permissions = json!({});
    for name in [
        "can_send_messages",
        "can_send_audios",
        "can_send_documents",
        "can_send_photos",
        "can_send_videos",
        "can_send_video_notes",
        "can_send_voice_notes",
        "can_send_polls",
        "can_send_other_messages",
        "can_add_web_page_previews",
        "can_invite_users",
    ] {
        permissions[name] = true.into();
    }
    for name in ["can_change_info", "can_pin_messages", "can_manage_topics"] {
        permissions[name] = false.into();
    }
    permissions
}

pub(super) fn member(context: &mut Context<'_>) -> Answer {
    let (chat, user) = (context.chat()?, context.int("user_id"));
    if !context.world.people.contains_key(&user) {
        return Err(Refusal::bad("PARTICIPANT_ID_INVALID"));
    }
    Ok(context.world.member_json(chat, user))
}

pub(super) fn administrators(context: &mut Context<'_>) -> Answer {
    let id = context.chat()?;
    let chat = context.world.chat(id);
    if chat.kind == ChatKind::Private {
        return Err(Refusal::bad("there are no administrators in the private chat"));
    }
    // Other bots are left out; the asking one is not.
    let shown = chat.members.iter().filter(|(_, member)| member.status.is_admin());
    let shown = shown.filter(|(user, _)| **user == context.bot || !context.world.person(**user).is_bot);
    Ok(shown
        .map(|(user, _)| context.world.member_json(id, *user))
        .collect::<Vec<_>>()
        .into())
}

pub(super) fn count(context: &mut Context<'_>) -> Answer {
    let id = context.chat()?;
    Ok(context
        .world
        .chat(id)
        .members
        .values()
        .filter(|member| member.status.is_present())
        .count()
        .into())
}
