//! Staff in Telegram, and agents' names.

use super::logs::Log;
use scenarios::{Scene, World};
use simulators::telegram::{Compose, Voice};

#[tokio::test]
async fn what_an_administrator_writes_is_a_note() {
    let scene = Scene::new().await;
    scene.vendors.telegram.promote(scene.sam, scene.forum, false);
    let world = scene.open().await;
    let topic = world.order().await;
    world.writes(world.sam, topic, "I will look into it.");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello"]);
    assert_eq!(
        world.agent_notes("Order 1042"),
        ["Bridge: Sam Hill in Telegram:\nI will look into it."]
    );
    assert_eq!(world.intercom().contacts().len(), 1, "staff are no contacts");
    world.finish().await;
}

#[tokio::test]
async fn what_an_anonymous_administrator_writes_is_a_note() {
    let scene = Scene::new().await;
    scene.vendors.telegram.promote(scene.sam, scene.forum, true);
    scene
        .vendors
        .telegram
        .set_admin_title(scene.sam, scene.forum, "Night shift");
    let world = scene.open().await;
    let topic = world.order().await;
    world.writes(world.sam, topic, "I will look into it.");
    world.settle().await;
    assert_eq!(
        world.agent_notes("Order 1042"),
        ["Bridge: Night shift in Telegram:\nI will look into it."]
    );
    assert_eq!(world.intercom().contacts().len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn staff_who_are_nobody_in_intercom_write_notes() {
    let world = Scene::new().await.with_sam_as_staff().open().await;
    let topic = world.order().await;
    world.writes(world.sam, topic, "I will look into it.");
    world.settle().await;
    assert_eq!(
        world.agent_notes("Order 1042"),
        ["Bridge: Sam Hill in Telegram:\nI will look into it."]
    );
    world.finish().await;
}

#[tokio::test]
async fn staff_who_are_admins_in_intercom_reply_there() {
    let world = Scene::new().await.with_sam_as_admin().open().await;
    let topic = world.order().await;
    world.writes(world.sam, topic, "I will look into it.");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Sam Hill: I will look into it."]
    );
    assert!(world.customer_is_told(topic).is_empty(), "it is in the topic already");
    world.finish().await;
}

#[tokio::test]
async fn in_a_topic_without_conversation_staff_are_not_carried() {
    let world = Scene::new().await.with_sam_as_admin().open().await;
    let topic = world.topic("Team only");
    let (log, guard) = Log::listening();
    world.writes(world.sam, topic, "Just us here.");
    world.settle().await;
    drop(guard);
    assert_eq!(world.conversations(), 0);
    assert_eq!(log.counted("skipped_staff"), 1);
    world.writes(world.maria, topic, "Me too");
    world.writes(world.sam, topic, "Welcome");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Team only"),
        ["Maria Lopez: Me too", "Sam Hill: Welcome"]
    );
    world.finish().await;
}

#[tokio::test]
async fn in_a_topic_with_many_conversations_staff_mean_whom_they_answer() {
    let scene = Scene::new().await.with_sam_as_admin().set("CONVERSATION_PER", "user");
    let world = scene.open().await;
    let topic = world.topic("Ask us");
    world.writes(world.maria, topic, "From Maria");
    let from_ken = world.writes(world.ken, topic, "From Ken");
    world.settle().await;
    world.sends(world.sam, topic, Compose::text("To Ken").reply_to(from_ken));
    world.writes(world.sam, topic, "To nobody");
    world.settle().await;
    let inbox = world.inbox();
    assert_eq!(inbox.len(), 2);
    assert_eq!(inbox[0], ["Maria Lopez: From Maria"]);
    assert_eq!(inbox[1][0], "Ken: From Ken");
    assert!(
        inbox[1][1].starts_with("Sam Hill:") && inbox[1][1].ends_with("To Ken"),
        "{inbox:?}"
    );
    assert_eq!(inbox[1].len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn an_administrator_who_answers_a_customer_means_that_conversation() {
    let scene = Scene::new().await.set("CONVERSATION_PER", "user");
    scene.vendors.telegram.promote(scene.sam, scene.forum, false);
    let world = scene.open().await;
    let topic = world.topic("Ask us");
    let from_maria = world.writes(world.maria, topic, "From Maria");
    world.settle().await;
    world.sends(world.sam, topic, Compose::text("To Maria").reply_to(from_maria));
    world.settle().await;
    let notes = world.agent_notes("Ask us");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("Bridge: Sam Hill in Telegram:"), "{notes:?}");
    world.finish().await;
}

#[tokio::test]
async fn who_writes_as_a_channel_is_a_customer_of_that_name() {
    let world = World::new().await;
    let topic = world.topic("Partners");
    let voice = Voice::Channel {
        id: -1_001_900_000_001,
        title: "Lopez Trading".into(),
    };
    world.sends(world.maria, topic, Compose::text("We have an offer.").voice(voice));
    world.settle().await;
    assert_eq!(world.agent_sees("Partners"), ["Lopez Trading: We have an offer."]);
    world.finish().await;
}

#[tokio::test]
async fn posts_of_the_linked_channel_are_nobodys_messages() {
    let world = World::new().await;
    let voice = Voice::LinkedChannel {
        id: -1_001_900_000_001,
        title: "Acme News".into(),
    };
    world.sends(world.maria, world.general(), Compose::text("Big news!").voice(voice));
    world.settle().await;
    assert_eq!(world.conversations(), 0);
    world.finish().await;
}

#[tokio::test]
async fn a_command_for_another_bot_is_no_content() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "/help@other_bot");
    world.writes(world.maria, topic, "/help@acme_support_bot please");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: /help@acme_support_bot please"]
    );
    world.finish().await;
}

async fn heading(setting: &'static str) -> Vec<String> {
    let world = Scene::new().await.set("AGENT_NAMES", setting).open().await;
    let topic = world.order().await;
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    let told = world.customer_is_told(topic);
    world.finish().await;
    told
}

#[tokio::test]
async fn agents_are_named_as_the_settings_say() {
    assert_eq!(heading("first").await, ["<b>Anna</b>\nOn its way"]);
    assert_eq!(heading("full").await, ["<b>Anna Weber</b>\nOn its way"]);
    assert_eq!(heading("none").await, ["On its way"]);
}

async fn bot_says(setting: &'static str) -> Vec<String> {
    let world = Scene::new().await.set("BOT_REPLIES", setting).open().await;
    let topic = world.order().await;
    world.intercom().bot("Fin the Helper");
    let conversation = world.conversation("Order 1042").id;
    world
        .intercom()
        .bot_replies(&conversation, "<p>Have you tried the FAQ?</p>");
    world.settle().await;
    let told = world.customer_is_told(topic);
    world.finish().await;
    told
}

#[tokio::test]
async fn bots_go_by_the_name_that_the_workspace_gave_them() {
    assert_eq!(bot_says("on").await, ["<b>Fin the Helper</b>\nHave you tried the FAQ?"]);
    assert!(bot_says("off").await.is_empty());
}
