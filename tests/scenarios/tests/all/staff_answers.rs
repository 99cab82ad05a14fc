//! What staff answer where each customer has a conversation: it goes to that of the message that they answer.

use super::{files::JPEG, logs::Log};
use scenarios::{Left, Scene, World};
use simulators::{
    intercom::{File, Reply},
    telegram::{Compose, Media, Place, Rights},
};
use std::time::Duration;

/// A topic in which Maria and Ken have a conversation each, and what they wrote.
async fn two_customers(world: &World) -> (Place, [i64; 2]) {
    let topic = world.topic("Ask us");
    let wrote = [
        world.writes(world.maria, topic, "From Maria"),
        world.writes(world.ken, topic, "From Ken"),
    ];
    world.settle().await;
    (topic, wrote)
}

async fn agent_answers(world: &World, nth: usize, reply: Reply) {
    let conversation = world.intercom().conversations().remove(nth).id;
    world.intercom().agent_replies_with(&conversation, &world.anna, reply);
    world.settle().await;
}

/// The newest message of the bot in which this stands.
fn of_the_bot(world: &World, place: Place, text: &str) -> i64 {
    let messages = world.telegram().messages(place).into_iter();
    let mut found = messages.filter(|message| message.from_bot && !message.deleted && message.text.contains(text));
    found.next_back().unwrap().id
}

fn last_of(conversation: &[String]) -> &str {
    conversation.last().unwrap()
}

fn per_user(scene: Scene) -> Scene {
    scene.set("CONVERSATION_PER", "user")
}

#[tokio::test]
async fn who_answers_an_agents_reply_means_whom_that_was_for() {
    let world = per_user(Scene::new().await.with_sam_as_admin()).open().await;
    let (topic, _) = two_customers(&world).await;
    agent_answers(&world, 0, Reply::html("<p>Anna to Maria</p>")).await;
    agent_answers(&world, 1, Reply::html("<p>Anna to Ken</p>")).await;
    for whom in ["Ken", "Maria"] {
        let answered = of_the_bot(&world, topic, &format!("Anna to {whom}"));
        world.sends(
            world.sam,
            topic,
            Compose::text(&format!("Sam to {whom}")).reply_to(answered),
        );
        world.settle().await;
    }
    let inbox = world.inbox();
    assert_eq!(inbox.len(), 2);
    for (conversation, whom) in inbox.iter().zip(["Maria", "Ken"]) {
        assert_eq!(conversation.len(), 3, "{inbox:?}");
        let last = last_of(conversation);
        assert!(
            last.starts_with("Sam Hill:") && last.ends_with(&format!("Sam to {whom}")),
            "{inbox:?}"
        );
    }
    world.finish().await;
}

#[tokio::test]
async fn what_an_administrator_answers_to_the_bot_is_a_note_there() {
    let scene = per_user(Scene::new().await);
    scene.vendors.telegram.promote(scene.sam, scene.forum, false);
    let world = scene.open().await;
    two_customers(&world).await;
    let general = world.general();
    world.writes(world.ken, general, "Ken in General");
    world.settle().await;
    agent_answers(&world, 2, Reply::html("<p>Anna in General</p>")).await;
    let answered = of_the_bot(&world, general, "Anna in General");
    world.sends(world.sam, general, Compose::text("Call him").reply_to(answered));
    world.settle().await;
    let notes = world.agent_notes("Acme Support");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("Bridge: Sam Hill in Telegram:") && notes[0].ends_with("Call him"),
        "{notes:?}"
    );
    world.finish().await;
}

/// Each message that shows a reply leads to its conversation: every chunk, every file.
#[tokio::test]
async fn who_answers_a_file_of_an_agent_means_whom_that_was_for() {
    let world = per_user(Scene::new().await.with_sam_as_admin()).open().await;
    let (topic, _) = two_customers(&world).await;
    let photo = || File::new("cat.jpg", "image/jpeg", JPEG);
    let reply = Reply {
        attachments: vec![photo(), photo()],
        ..Reply::html(&format!("<p>Pictures {}</p>", "and words ".repeat(150)))
    };
    agent_answers(&world, 1, reply).await;
    let shown = world.telegram().messages(topic);
    let shown: Vec<i64> = shown
        .iter()
        .filter(|message| message.from_bot)
        .map(|message| message.id)
        .collect();
    assert_eq!(shown.len(), 3, "a text and an album");
    for (at, message) in shown.iter().enumerate() {
        world.sends(
            world.sam,
            topic,
            Compose::text(&format!("Answer {at}")).reply_to(*message),
        );
        world.settle().await;
    }
    let ken = world.inbox().remove(1);
    for at in 0..3 {
        assert!(
            ken.iter()
                .any(|line| line.starts_with("Sam Hill:") && line.ends_with(&format!("Answer {at}"))),
            "{ken:?}"
        );
    }
    world.finish().await;
}

#[tokio::test]
async fn who_answers_a_colleague_means_whom_that_was_for() {
    let scene = per_user(Scene::new().await);
    let telegram = scene.vendors.telegram.clone();
    telegram.promote(scene.sam, scene.forum, false);
    let olga = telegram.user("Olga", None, None);
    telegram.add_member(scene.forum, olga);
    telegram.promote(olga, scene.forum, false);
    let world = scene.open().await;
    let (topic, [_, from_ken]) = two_customers(&world).await;
    let from_sam = world.sends(
        world.sam,
        topic,
        Compose::text("He means the red one").reply_to(from_ken),
    );
    world.settle().await;
    world.sends(olga, topic, Compose::text("We are out of those").reply_to(from_sam));
    world.settle().await;
    let conversations = world.intercom().conversations();
    let notes = |nth: usize| {
        let notes = conversations[nth]
            .messages()
            .filter(|part| part.kind.starts_with("note"));
        notes.skip(1).map(|part| part.text.clone()).collect::<Vec<_>>()
    };
    assert!(notes(0).is_empty(), "{:?}", notes(0));
    assert_eq!(notes(1).len(), 2, "{:?}", notes(1));
    assert!(
        notes(1)[1].contains("Olga in Telegram:") && notes(1)[1].ends_with("We are out of those"),
        "{:?}",
        notes(1)
    );
    world.finish().await;
}

/// Any item of a customer's album is theirs.
#[tokio::test]
async fn who_answers_an_item_of_an_album_means_who_sent_it() {
    let world = per_user(Scene::new().await.with_sam_as_admin()).open().await;
    let (topic, _) = two_customers(&world).await;
    let photo = || Media::photo(JPEG);
    let first = world.sends(world.ken, topic, Compose::album(vec![photo(), photo()]));
    world.settle().await;
    world.sends(world.sam, topic, Compose::text("Which of the two?").reply_to(first + 1));
    world.settle().await;
    let inbox = world.inbox();
    assert!(last_of(&inbox[1]).ends_with("Which of the two?"), "{inbox:?}");
    world.finish().await;
}

/// Staff can have been customers, and keep that conversation; what they answer to others is not for it.
#[tokio::test]
async fn a_conversation_of_their_own_does_not_get_what_staff_answer_to_others() {
    let scene = per_user(Scene::new().await);
    let telegram = scene.vendors.telegram.clone();
    let (sam, forum) = (scene.sam, scene.forum);
    let world = scene.open().await;
    let topic = world.topic("Ask us");
    world.writes(sam, topic, "I am new here");
    world.settle().await;
    let from_maria = world.writes(world.maria, topic, "From Maria");
    world.settle().await;
    telegram.promote(sam, forum, false);
    world.passes(Duration::from_mins(30)).await;
    let own = world.sends(sam, topic, Compose::text("To Maria").reply_to(from_maria));
    world.settle().await;
    // And what they add to that.
    world.sends(sam, topic, Compose::text("One more thing").reply_to(own));
    world.settle().await;
    let notes: Vec<Vec<String>> = world
        .intercom()
        .conversations()
        .iter()
        .map(|one| {
            let notes = one.messages().filter(|part| part.kind.starts_with("note"));
            notes.skip(1).map(|part| part.text.clone()).collect()
        })
        .collect();
    assert!(notes[0].is_empty(), "{notes:?}");
    assert_eq!(notes[1].len(), 2, "{notes:?}");
    world.finish().await;
}

/// The index lives as long as the records of deliveries.
#[tokio::test]
async fn an_answer_to_a_reply_of_long_ago_is_not_carried() {
    let world = per_user(Scene::new().await.with_sam_as_admin()).open().await;
    let (topic, _) = two_customers(&world).await;
    agent_answers(&world, 1, Reply::html("<p>Anna to Ken</p>")).await;
    let answered = of_the_bot(&world, topic, "Anna to Ken");
    world.passes(Duration::from_hours(24 * 100)).await;
    world.forget_what_expired().await;
    let before = world.inbox();
    let (log, guard) = Log::listening();
    world.sends(world.sam, topic, Compose::text("Sam to Ken").reply_to(answered));
    world.settle().await;
    drop(guard);
    assert_eq!(world.inbox(), before);
    assert_eq!(log.counted("skipped_staff"), 1);
    world.finish().await;
}

/// What the bot says of its own accord is nobody's message.
#[tokio::test]
async fn an_answer_to_a_notice_is_not_carried() {
    let world = per_user(Scene::new().await.with_sam_as_admin()).open().await;
    let topic = world.topic("Ask us");
    world.writes(world.maria, topic, "Hello");
    world.settle().await;
    world
        .give_up_in_doubt(topic, "Is anybody there?", simulators::Fault::FailAfter(502))
        .await;
    world.settle().await;
    let notice = of_the_bot(&world, topic, "Sorry");
    let before = world.inbox();
    world.sends(world.sam, topic, Compose::text("We are back").reply_to(notice));
    world.settle().await;
    assert_eq!(world.inbox(), before);
    world
        .finish_but(Left {
            dead_letters: 1,
            undeliverable: 1,
            ..Left::default()
        })
        .await;
}

/// Telegram shows no message as an answer to one of another topic, but nothing depends on that.
#[tokio::test]
async fn a_message_of_another_topic_leads_nowhere() {
    let world = per_user(Scene::new().await.with_sam_as_admin()).open().await;
    let (topic, _) = two_customers(&world).await;
    let elsewhere = world.topic("Elsewhere");
    world.writes(world.maria, elsewhere, "Maria elsewhere");
    world.settle().await;
    agent_answers(&world, 0, Reply::html("<p>Anna to Maria</p>")).await;
    let answered = of_the_bot(&world, topic, "Anna to Maria");
    let before = world.inbox();
    let update = |message: i64, thread: Option<i64>| {
        let answer = world.sends(world.sam, elsewhere, Compose::text("To nobody"));
        let mut made = world.telegram().updates().pop().unwrap();
        let body = made["message"].as_object_mut().unwrap();
        assert_eq!(body["message_id"], answer);
        body.insert("message_id".into(), (answer + 1_000).into());
        let target = serde_json::json!({
            "message_id": message, "date": body["date"], "chat": body["chat"], "text": "Anna to Maria",
            "from": {"id": world.stage.vendors.bot.id, "is_bot": true, "first_name": "Acme"},
        });
        body.insert("reply_to_message".into(), target);
        if let Some(thread) = thread {
            body.insert("message_thread_id".into(), thread.into());
        }
        serde_json::json!({"message": body})
    };
    world.telegram().inject(update(answered, None));
    world.settle().await;
    assert_eq!(world.inbox(), before, "there it is nobody's message");
    world.telegram().inject(update(answered, topic.topic));
    world.settle().await;
    assert_eq!(world.inbox()[0].len(), before[0].len() + 1, "here it is");
    world.finish().await;
}

/// In another chat a message of the same number is another message.
#[tokio::test]
async fn a_message_of_another_chat_leads_nowhere() {
    let scene = per_user(Scene::new().await.with_sam_as_admin());
    let telegram = &scene.vendors.telegram;
    let second = telegram.supergroup("Acme Friends", true);
    telegram.promote_bot(&scene.vendors.bot, second, Rights::all());
    let world = scene.bridging(second).open().await;
    let (topic, _) = two_customers(&world).await;
    agent_answers(&world, 0, Reply::html("<p>Anna to Maria</p>")).await;
    let answered = of_the_bot(&world, topic, "Anna to Maria");
    let place = Place::chat(second);
    world.writes(world.maria, place, "Maria elsewhere");
    world.settle().await;
    let before = world.inbox();
    world.writes(world.sam, place, "Only us");
    let mut made = world.telegram().updates().pop().unwrap();
    let body = made["message"].as_object_mut().unwrap();
    let target = serde_json::json!({
        "message_id": answered, "date": body["date"], "chat": body["chat"], "text": "Something else",
        "from": {"id": world.stage.vendors.bot.id, "is_bot": true, "first_name": "Acme"},
    });
    body.insert("reply_to_message".into(), target);
    body.insert("message_id".into(), 5_000.into());
    world.telegram().inject(serde_json::json!({"message": body}));
    world.settle().await;
    assert_eq!(world.inbox(), before);
    world.finish().await;
}

/// Message ids start anew when a group becomes a supergroup: the same number is another message then, of another customer here.
#[tokio::test]
async fn answers_find_their_conversations_around_a_migration() {
    let scene = Scene::new().await.with_sam_as_admin();
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria, scene.ken]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    let old = Place::chat(group);
    world.writes(world.maria, old, "From Maria");
    world.writes(world.ken, old, "From Ken");
    world.settle().await;
    agent_answers(&world, 0, Reply::html("<p>Anna to Maria</p>")).await;
    let to_maria = of_the_bot(&world, old, "Anna to Maria");
    // Written before the move, carried after it: by the number that the answered message had then.
    world.sends(world.sam, old, Compose::text("Sam to Maria").reply_to(to_maria));
    let supergroup = world.telegram().migrate(group);
    world.settle().await;
    let new = Place::chat(supergroup);
    let mut to_ken = 0;
    for nth in 0..100 {
        agent_answers(&world, 1, Reply::html(&format!("<p>Anna to Ken {nth}</p>"))).await;
        to_ken = of_the_bot(&world, new, &format!("Anna to Ken {nth}"));
        if to_ken >= to_maria {
            break;
        }
    }
    assert_eq!(to_ken, to_maria, "the same number in both");
    world.sends(world.sam, new, Compose::text("Sam to Ken").reply_to(to_ken));
    world.settle().await;
    let inbox = world.inbox();
    assert_eq!(inbox.len(), 2, "{inbox:?}");
    assert!(last_of(&inbox[0]).ends_with("Sam to Maria"), "{inbox:?}");
    assert!(last_of(&inbox[1]).ends_with("Sam to Ken"), "{inbox:?}");
    world.finish().await;
}

/// Nobody but staff wrote since the move, so that the customers' links still lie where the group was.
#[tokio::test]
async fn an_answer_to_a_customer_brings_the_link_along_that_was_left_behind() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let group = telegram.group("Old Friends", &[scene.sam, scene.maria]);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    telegram.promote(scene.sam, group, false);
    let world = scene.bridging(group).open().await;
    let old = Place::chat(group);
    let from_maria = world.writes(world.maria, old, "From Maria");
    world.settle().await;
    world.sends(world.sam, old, Compose::text("She is right").reply_to(from_maria));
    world.telegram().migrate(group);
    world.settle().await;
    let notes = world.agent_notes("Old Friends");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].ends_with("She is right"), "{notes:?}");
    world.finish().await;
}

/// An anonymous administrator is staff like any other.
#[tokio::test]
async fn an_anonymous_administrator_can_answer_the_bot() {
    let scene = per_user(Scene::new().await);
    scene.vendors.telegram.promote(scene.sam, scene.forum, true);
    let world = scene.open().await;
    let (topic, _) = two_customers(&world).await;
    agent_answers(&world, 1, Reply::html("<p>Anna to Ken</p>")).await;
    let answered = of_the_bot(&world, topic, "Anna to Ken");
    let answer = Compose::text("Well said").reply_to(answered);
    world.sends(world.sam, topic, answer);
    world.settle().await;
    let of_ken = world.intercom().conversations().remove(1);
    let notes: Vec<_> = of_ken.messages().filter(|part| part.kind.starts_with("note")).collect();
    assert!(notes.last().unwrap().text.ends_with("Well said"), "{notes:?}");
    world.finish().await;
}
