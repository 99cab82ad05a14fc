//! Where people write: topics, General, groups without topics, private chats.

use scenarios::{Scene, World};
use simulators::telegram::{Place, Rights};

#[tokio::test]
async fn per_user_each_customer_of_a_topic_has_a_conversation() {
    let world = Scene::new().await.set("CONVERSATION_PER", "user").open().await;
    let topic = world.topic("Ask us");
    let maria_asks = world.writes(world.maria, topic, "First question");
    world.writes(world.ken, topic, "Another question");
    world.settle().await;
    let last = world.writes(world.maria, topic, "And one more");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [
            vec!["Maria Lopez: First question", "Maria Lopez: And one more"],
            vec!["Ken: Another question"]
        ]
    );
    let conversations = world.intercom().conversations();
    world
        .intercom()
        .agent_replies(&conversations[0].id, &world.anna, "<p>To Maria</p>");
    world
        .intercom()
        .agent_replies(&conversations[1].id, &world.anna, "<p>To Ken</p>");
    world.settle().await;
    let told = world.telegram().messages(topic);
    let to_maria = told.iter().find(|message| message.text.contains("To Maria")).unwrap();
    assert_eq!(
        to_maria.reply_to,
        Some(last),
        "an answer replies to the customer's last message"
    );
    assert_ne!(to_maria.reply_to, Some(maria_asks));
    let to_ken = told.iter().find(|message| message.text.contains("To Ken")).unwrap();
    assert!(to_ken.reply_to.is_some());
    world.finish().await;
}

#[tokio::test]
async fn an_answer_arrives_though_the_message_that_it_answers_is_gone() {
    let world = Scene::new().await.set("CONVERSATION_PER", "user").open().await;
    let topic = world.topic("Ask us");
    let asked = world.writes(world.maria, topic, "A question");
    world.settle().await;
    world.telegram().delete_message(world.forum, asked);
    world.agent_replies("Ask us", "<p>An answer</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nAn answer"]);
    world.finish().await;
}

#[tokio::test]
async fn in_general_each_customer_has_a_conversation() {
    let world = World::new().await;
    world.writes(world.maria, world.general(), "Hello from Maria");
    world.writes(world.ken, world.general(), "Hello from Ken");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [["Maria Lopez: Hello from Maria"], ["Ken: Hello from Ken"]]
    );
    let conversation = world.intercom().conversations().remove(1);
    assert_eq!(conversation.title.as_deref(), Some("Acme Support"));
    world
        .intercom()
        .agent_replies(&conversation.id, &world.anna, "<p>Hello Ken</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(world.general()), ["<b>Anna</b>\nHello Ken"]);
    world.finish().await;
}

#[tokio::test]
async fn general_can_be_one_conversation() {
    let world = Scene::new().await.set("GENERAL_TOPIC", "topic").open().await;
    world.writes(world.maria, world.general(), "Hello from Maria");
    world.writes(world.ken, world.general(), "Hello from Ken");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Acme Support"),
        ["Maria Lopez: Hello from Maria", "Ken: Hello from Ken"]
    );
    world.agent_replies("Acme Support", "<p>Hello both</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(world.general()), ["<b>Anna</b>\nHello both"]);
    world.finish().await;
}

#[tokio::test]
async fn general_can_be_off() {
    let world = Scene::new().await.set("GENERAL_TOPIC", "off").open().await;
    world.writes(world.maria, world.general(), "Hello");
    world.order().await;
    assert_eq!(world.inbox(), [["Maria Lopez: Hello"]]);
    world.finish().await;
}

#[tokio::test]
async fn in_a_group_without_topics_each_customer_has_a_conversation() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.supergroup("Acme Friends", false);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    let place = Place::chat(group);
    let first = world.writes(world.maria, place, "Hello from Maria");
    world.writes(world.ken, place, "Hello from Ken");
    world.settle().await;
    // A chain of replies has a thread id here, which is no topic.
    let reply = simulators::telegram::Compose::text("Is anybody there?").reply_to(first);
    world.sends(world.maria, place, reply);
    world.settle().await;
    let inbox = world.inbox();
    assert_eq!(inbox.len(), 2);
    assert_eq!(inbox[0][0], "Maria Lopez: Hello from Maria");
    assert!(inbox[0][1].ends_with("Is anybody there?"), "{inbox:?}");
    assert_eq!(inbox[1], ["Ken: Hello from Ken"]);
    let conversation = world.intercom().conversations().remove(0);
    world
        .intercom()
        .agent_replies(&conversation.id, &world.anna, "<p>Yes</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(place), ["<b>Anna</b>\nYes"]);
    world.finish().await;
}

#[tokio::test]
async fn a_private_chat_is_bridged_where_private_chats_are_on() {
    let scene = Scene::new().await.set("PRIVATE_CHATS", "on");
    let chat = Place::chat(scene.vendors.telegram.private_chat(scene.maria));
    let world = scene.open().await;
    world.writes(world.maria, chat, "Psst");
    world.settle().await;
    assert_eq!(world.inbox().len(), 1);
    let conversation = world.intercom().conversations().remove(0);
    assert_eq!(conversation.title.as_deref(), Some("Maria Lopez"));
    assert_eq!(conversation.tags, ["telegram"]);
    world.agent_replies("Maria Lopez", "<p>I am all ears.</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(chat), ["<b>Anna</b>\nI am all ears."]);
    world.finish().await;
}

#[tokio::test]
async fn a_private_chat_is_not_bridged_by_default() {
    let scene = Scene::new().await;
    let chat = Place::chat(scene.vendors.telegram.private_chat(scene.maria));
    let world = scene.open().await;
    world.writes(world.maria, chat, "Psst");
    world.settle().await;
    assert_eq!(world.conversations(), 0);
    world.finish().await;
}

#[tokio::test]
async fn a_private_chat_that_is_listed_is_bridged() {
    let scene = Scene::new().await;
    let chat = scene.vendors.telegram.private_chat(scene.maria);
    let other = scene.vendors.telegram.private_chat(scene.ken);
    let world = scene.bridging(chat).open().await;
    world.writes(world.maria, Place::chat(chat), "Psst");
    world.writes(world.ken, Place::chat(other), "Me too");
    world.settle().await;
    assert_eq!(world.inbox().len(), 1);
    assert!(world.inbox()[0][0].starts_with("Maria Lopez: Psst"));
    world.finish().await;
}

#[tokio::test]
async fn a_chat_that_is_not_on_the_list_is_not_bridged() {
    let scene = Scene::new().await;
    let elsewhere = scene.vendors.telegram.supergroup("Elsewhere", true);
    scene
        .vendors
        .telegram
        .promote_bot(&scene.vendors.bot, elsewhere, Rights::all());
    let world = scene.open().await;
    world.writes(world.maria, Place::chat(elsewhere), "Hello");
    world.order().await;
    assert_eq!(world.inbox(), [["Maria Lopez: Hello"]]);
    world.finish().await;
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_goes_on_with_its_conversations() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    world.writes(world.maria, Place::chat(group), "Before the move");
    world.settle().await;
    let conversation = world.intercom().conversations().remove(0);
    // A reply that is under way, and a message that was not carried, while the group moves.
    world.writes(world.maria, Place::chat(group), "During the move");
    let supergroup = world.telegram().migrate(group);
    world
        .intercom()
        .agent_replies(&conversation.id, &world.anna, "<p>Also during the move</p>");
    world.settle().await;
    world.writes(world.maria, Place::chat(supergroup), "After the move");
    world.settle().await;
    world
        .intercom()
        .agent_replies(&conversation.id, &world.anna, "<p>Also after the move</p>");
    world.settle().await;
    let inbox = world.inbox();
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    let said: Vec<&str> = inbox[0].iter().map(|line| line.lines().next().unwrap()).collect();
    assert_eq!(
        said,
        [
            "Maria Lopez: Before the move",
            "Anna Weber: Also during the move",
            "Maria Lopez: During the move",
            "Maria Lopez: After the move",
            "Anna Weber: Also after the move"
        ]
    );
    assert_eq!(
        world.customer_is_told(Place::chat(supergroup)),
        ["<b>Anna</b>\nAlso during the move", "<b>Anna</b>\nAlso after the move"]
    );
    world.finish().await;
}

/// The call for the last message before the move is lost, and the same is said again after it.
#[tokio::test]
async fn what_was_lost_before_a_move_is_told_from_what_was_said_after_it() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    world.writes(world.maria, Place::chat(group), "Before the move");
    world.settle().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, simulators::Fault::Refuse(503), 1);
    world.writes(world.maria, Place::chat(group), "ok");
    world.stage.settle_now().await.unwrap();
    let supergroup = world.telegram().migrate(group);
    world.stage.settle_now().await.unwrap();
    world.writes(world.maria, Place::chat(supergroup), "ok");
    world.settle().await;
    let inbox = world.inbox();
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    assert_eq!(inbox[0][1..], ["Maria Lopez: ok", "Maria Lopez: ok"]);
    world.finish().await;
}

/// Topics are switched on in a basic group: it becomes a supergroup by that, and its conversations go on in General.
#[tokio::test]
async fn a_group_that_gets_topics_goes_on_with_its_conversations() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    world.writes(world.maria, Place::chat(group), "Before the move");
    world.settle().await;
    let forum = world.telegram().enable_topics(group);
    world.settle().await;
    world.writes(world.maria, Place::chat(forum), "In General");
    let topic = Place::topic(forum, world.telegram().create_topic(world.maria, forum, "New"));
    world.writes(world.maria, topic, "In a topic");
    world.settle().await;
    assert_eq!(world.conversations(), 2);
    let general = world.intercom().conversations()[0].clone();
    world
        .intercom()
        .agent_replies(&general.id, &world.anna, "<p>Found you</p>");
    world.agent_replies("New", "<p>Here, too</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(Place::chat(forum)), ["<b>Anna</b>\nFound you"]);
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nHere, too"]);
    world.finish().await;
}

/// Nobody wrote in the group since it moved: Telegram itself tells the new id when the answer is sent.
#[tokio::test]
async fn an_answer_finds_a_group_that_moved_unnoticed() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    world.writes(world.maria, Place::chat(group), "Before the move");
    world.settle().await;
    let conversation = world.intercom().conversations().remove(0);
    let supergroup = world.telegram().migrate(group);
    // The notification is quicker than the update.
    world
        .intercom()
        .agent_replies(&conversation.id, &world.anna, "<p>First</p>");
    world.intercom().pump().await;
    while world.stage.machine.step().await.unwrap() {}
    world.settle().await;
    world.writes(world.maria, Place::chat(supergroup), "After the move");
    world.settle().await;
    assert_eq!(world.customer_is_told(Place::chat(supergroup)), ["<b>Anna</b>\nFirst"]);
    assert_eq!(world.conversations(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_changed_setting_leaves_old_conversations_answering() {
    let mut world = Scene::new().await.with_file().open().await;
    let topic = world.order().await;
    world.restart_with("CONVERSATION_PER", "user").await;
    world.agent_replies("Order 1042", "<p>To all</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nTo all"]);
    world.writes(world.maria, topic, "On my own now");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [
            vec!["Maria Lopez: Hello", "Anna Weber: To all"],
            vec!["Maria Lopez: On my own now"]
        ]
    );
    world.finish().await;
}
