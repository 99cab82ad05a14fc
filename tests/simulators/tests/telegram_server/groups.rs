//! Chats and members: migration, kicks, private chats, pace.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::telegram::{Place, Rights};

use crate::support::World;

#[tokio::test]
async fn a_migrated_group_names_its_successor() {
    let world = World::new().await;
    let group = world.sim.group("Family", &[world.ada]);
    world.sim.promote_bot(&world.bot, group, Rights::all());
    let webhook = world.listen(&[]).await;
    let new = world.sim.enable_topics(group);
    let refused = world
        .call("sendMessage", json!({ "chat_id": group, "text": "x" }))
        .await;
    assert_eq!(
        refused.description(),
        "Bad Request: group chat was upgraded to a supergroup chat"
    );
    assert_eq!(refused.body["parameters"], json!({ "migrate_to_chat_id": new }));
    world
        .call("sendMessage", json!({ "chat_id": new, "text": "x" }))
        .await
        .message_id();
    world.sim.pump().await;
    let [to, from] = &webhook.take()[..] else {
        panic!("two updates")
    };
    assert_eq!(to.body["message"]["migrate_to_chat_id"], new);
    assert_eq!(to.body["message"]["chat"]["type"], "group");
    assert_eq!(from.body["message"]["migrate_from_chat_id"], group);
    assert_eq!(from.body["message"]["message_id"], 1);
    assert_eq!(from.body["message"]["sender_chat"]["id"], new);
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn chats_that_are_out_of_reach_say_why() {
    let world = World::new().await;
    let group = world.sim.group("Family", &[world.ada]);
    let private = world.sim.private_chat(world.ada);
    let send = |chat: i64| json!({ "chat_id": chat, "text": "x" });
    for chat in [group, -1] {
        let refused = world.call("sendMessage", send(chat)).await;
        assert_eq!(
            (refused.status, refused.description()),
            (400, "Bad Request: chat not found")
        );
    }
    world.call("sendMessage", send(private)).await.message_id();
    world.sim.set_blocked(world.ada, true);
    world.sim.kick_bot(&world.bot, world.forum);
    world.sim.kick_bot(&world.bot, group);
    for (chat, words) in [
        (private, "bot was blocked by the user"),
        (world.forum, "bot was kicked from the supergroup chat"),
        (group, "bot was kicked from the group chat"),
    ] {
        let refused = world.call("sendMessage", send(chat)).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.description(), format!("Forbidden: {words}"));
    }
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn membership_changes_are_told() {
    let world = World::new().await;
    let webhook = world.listen(&["message", "my_chat_member", "chat_member"]).await;
    world.sim.add_member(world.forum, world.ada);
    world.sim.promote(world.ada, world.forum, true);
    world.sim.kick_bot(&world.bot, world.forum);
    world.sim.pump().await;
    let kinds: Vec<String> = webhook.take().iter().map(|got| kind(&got.body)).collect();
    assert_eq!(kinds, ["chat_member", "message", "chat_member", "my_chat_member"]);
}

fn kind(update: &Value) -> String {
    let fields = update.as_object().expect("an update");
    fields.keys().find(|name| *name != "update_id").expect("a kind").clone()
}

#[tokio::test]
async fn members_are_shown_with_their_rights() {
    let world = World::new().await;
    world.sim.promote(world.ada, world.forum, true);
    world.sim.set_admin_title(world.ada, world.forum, "Desk");
    let member = |user: i64| json!({ "chat_id": world.forum, "user_id": user });
    let bot = world.call("getChatMember", member(world.bot.id)).await;
    assert_eq!(bot.result()["status"], "administrator");
    assert_eq!(bot.result()["can_manage_topics"], true);
    let ada = world.call("getChatMember", member(world.ada.0)).await;
    assert_eq!(
        (&ada.result()["is_anonymous"], &ada.result()["custom_title"]),
        (&json!(true), &json!("Desk"))
    );
    let chat = json!({ "chat_id": world.forum });
    let admins = world.call("getChatAdministrators", chat.clone()).await;
    assert_eq!(admins.result().as_array().map(Vec::len), Some(3));
    assert_eq!(world.call("getChatMemberCount", chat.clone()).await.result(), 3);
    let info = world.call("getChat", chat).await;
    assert_eq!(info.result()["is_forum"], true);
    let stranger = world.sim.user("Eve", None, None);
    assert_eq!(
        world.call("getChatMember", member(stranger.0)).await.result()["status"],
        "left"
    );
}

#[tokio::test]
async fn a_plain_member_sees_only_what_is_meant_for_it() {
    let world = World::new().await;
    let group = world.sim.supergroup("Chat", false);
    world.sim.add_bot(&world.bot, group);
    let place = Place::chat(group);
    world.call("getUpdates", json!({ "offset": i32::MAX })).await;
    let sent = world
        .call("sendMessage", json!({ "chat_id": group, "text": "ask me" }))
        .await
        .message_id();
    world.sim.say(world.ada, place, "among people");
    world.sim.say(world.ada, place, "/help");
    world.sim.say_with(
        world.ada,
        place,
        simulators::telegram::Compose::text("to you").reply_to(sent),
    );
    world.sim.set_privacy(&world.bot, false);
    world.sim.say(world.ada, place, "all of it");
    let updates = world.updates().await;
    let texts: Vec<&str> = updates
        .iter()
        .filter_map(|update| update["message"]["text"].as_str())
        .collect();
    assert_eq!(texts, ["/help", "to you", "all of it"]);
}

#[tokio::test]
async fn pace_is_limited_when_asked_for() {
    let world = World::new().await;
    world.sim.enforce_pace(true);
    world.send(None, "1").await.message_id();
    let refused = world.send(None, "2").await;
    assert_eq!(refused.description(), "Too Many Requests: retry after 1");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.body["parameters"], json!({ "retry_after": 1 }));
    for _ in 0..19 {
        world.clock.advance(Duration::from_secs(1));
        world.send(None, "x").await.message_id();
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        world.send(None, "x").await.description(),
        "Too Many Requests: retry after 40"
    );
    world.clock.advance(Duration::from_secs(40));
    world.send(None, "x").await.message_id();
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}
