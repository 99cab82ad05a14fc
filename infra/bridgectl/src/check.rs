//! `bridgectl demo --check`: a scripted exchange on the stage, judged by what customers and agents see.

use crate::stage::{Sabotage, Setting, Stage, Vendors};
use serde_json::json;
use simulators::{
    Fault, SimClock,
    intercom::ConversationView,
    telegram::{Compose, Place, Rights, UserId},
};
use std::fmt::Write as _;

/// What the check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was seen and how it was judged, for a reader.
    pub text: String,
    /// What was expected and not seen.
    pub failures: Vec<String>,
}

impl Report {
    fn expect(&mut self, holds: bool, what: &str) {
        let mark = if holds { "ok  " } else { "FAIL" };
        let _ = writeln!(self.text, "  {mark}  {what}");
        if !holds {
            self.failures.push(what.to_owned());
        }
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }
}

struct Scene {
    stage: Stage,
    forum: i64,
    maria: UserId,
    ken: UserId,
    sam: UserId,
    anna: String,
}

/// 2026-01-15 09:00 UTC: the check does not depend on the day on which it runs.
const MORNING_MS: i64 = 1_768_467_600_000;

/// Plays the exchange.
pub async fn run(sabotage: Option<Sabotage>) -> anyhow::Result<Report> {
    let scene = set(sabotage).await?;
    let mut report = Report::default();
    let order = opening(&scene, &mut report).await?;
    answering(&scene, order, &mut report).await?;
    lost_answer(&scene, order, &mut report).await?;
    staff(&scene, order, &mut report).await?;
    forged(&scene, order, &mut report).await?;
    leftovers(&scene, &mut report).await?;
    show(&scene, &mut report);
    Ok(report)
}

async fn set(sabotage: Option<Sabotage>) -> anyhow::Result<Scene> {
    let vendors = Vendors::start(SimClock::manual(MORNING_MS)).await;
    let telegram = &vendors.telegram;
    let forum = telegram.supergroup("Acme Support", true);
    telegram.promote_bot(&vendors.bot, forum, Rights::all());
    let maria = telegram.user("Maria", Some("Lopez"), Some("maria_l"));
    let ken = telegram.user("Ken", None, None);
    let sam = telegram.user("Sam", Some("Hill"), None);
    for user in [maria, ken, sam] {
        telegram.add_member(forum, user);
    }
    let anna = vendors.intercom.admin("Anna Weber");
    let sam_admin = vendors.intercom.admin("Sam Hill");
    let setting = Setting {
        variables: vec![
            ("TELEGRAM_CHATS", forum.to_string()),
            ("STAFF", format!("{}={sam_admin}", sam.0)),
        ],
        sabotage,
        ..Setting::default()
    };
    let stage = Stage::set(vendors, &setting).await?;
    // Everything that Telegram and Intercom send comes twice.
    stage.vendors.telegram.duplicate_updates(2);
    stage.vendors.intercom.duplicate_notifications(1);
    Ok(Scene {
        stage,
        forum,
        maria,
        ken,
        sam,
        anna,
    })
}

impl Scene {
    fn topic(&self, topic: i64) -> Place {
        Place::topic(self.forum, topic)
    }

    fn conversation(&self, title: &str) -> Option<ConversationView> {
        let mut conversations = self.stage.vendors.intercom.conversations().into_iter();
        conversations.find(|conversation| conversation.title.as_deref() == Some(title))
    }

    /// What an agent reads in a conversation, notes left out: who said it and what.
    fn agent_sees(&self, title: &str) -> Vec<(String, String)> {
        let conversation = self.conversation(title);
        let messages = conversation.iter().flat_map(ConversationView::messages);
        messages
            .filter(|part| !part.kind.starts_with("note"))
            .map(|part| (part.author_name.clone(), part.text.clone()))
            .collect()
    }

    /// How often an agent reads this in a conversation.
    fn agent_reads(&self, title: &str, author: &str, text: &str) -> usize {
        self.agent_sees(title)
            .iter()
            .filter(|(name, said)| name == author && said.contains(text))
            .count()
    }

    /// How often this text stands in a topic.
    fn customer_reads(&self, topic: i64, html: &str) -> usize {
        let messages = self.stage.vendors.telegram.messages(self.topic(topic));
        messages.iter().filter(|message| message.html().contains(html)).count()
    }
}

async fn opening(scene: &Scene, report: &mut Report) -> anyhow::Result<i64> {
    report.line("Two customers write, each in a topic:");
    let telegram = &scene.stage.vendors.telegram;
    let order = telegram.create_topic(scene.maria, scene.forum, "Order 1042");
    let bold = json!({"type": "bold", "offset": 3, "length": 6});
    let hello = Compose::text("My parcel has not come.").with_entities(vec![bold]);
    telegram.say_with(scene.maria, scene.topic(order), hello);
    let invoice = telegram.create_topic(scene.ken, scene.forum, "Invoice");
    telegram.say(scene.ken, scene.topic(invoice), "Can I have an invoice?");
    scene.stage.settle().await?;
    telegram.say(scene.maria, scene.topic(order), "It was <due> on Monday & I waited.");
    telegram.say(scene.ken, scene.topic(order), "Mine is late, too.");
    scene.stage.settle().await?;

    let conversations = scene.stage.vendors.intercom.conversations();
    report.expect(conversations.len() == 2, "each topic is one conversation");
    report.expect(
        scene.agent_reads("Order 1042", "Maria Lopez", "My parcel has not come.") == 1,
        "the first message opens the conversation, under the customer's name and the topic's title",
    );
    report.expect(
        scene.agent_reads("Order 1042", "Maria Lopez", "It was <due> on Monday & I waited.") == 1,
        "the next one continues it, to the letter, though Telegram sent it twice",
    );
    report.expect(
        scene.agent_reads("Order 1042", "Ken", "Mine is late, too.") == 1,
        "a second customer in the topic is a participant",
    );
    report.expect(
        scene.agent_reads("Invoice", "Ken", "Can I have an invoice?") == 1,
        "the other topic is the other conversation",
    );
    let tagged = |conversation: &ConversationView| conversation.tags.iter().any(|tag| tag == "telegram");
    report.expect(conversations.iter().all(tagged), "new conversations are tagged");
    Ok(order)
}

async fn answering(scene: &Scene, order: i64, report: &mut Report) -> anyhow::Result<()> {
    report.line("An agent answers:");
    let intercom = &scene.stage.vendors.intercom;
    let Some(conversation) = scene.conversation("Order 1042") else {
        report.expect(false, "the conversation is there to be answered");
        return Ok(());
    };
    intercom.agent_notes(
        &conversation.id,
        &scene.anna,
        "<p>Carrier says Tuesday, do not promise.</p>",
    );
    intercom.agent_replies(&conversation.id, &scene.anna, "<p>It is <b>on its way</b>, Maria.</p>");
    scene.stage.settle().await?;
    report.expect(
        scene.customer_reads(order, "It is <b>on its way</b>, Maria.") == 1,
        "the reply stands in the topic once, with its formatting, though Intercom sent it twice",
    );
    report.expect(
        scene.customer_reads(order, "<b>Anna</b>") == 1,
        "it is headed by the agent's first name",
    );
    report.expect(
        scene.customer_reads(order, "do not promise") == 0,
        "an internal note stays inside",
    );
    Ok(())
}

async fn lost_answer(scene: &Scene, order: i64, report: &mut Report) -> anyhow::Result<()> {
    report.line("Intercom takes a message and its answer is lost:");
    let Stage { vendors, .. } = &scene.stage;
    vendors
        .intercom
        .faults()
        .arm("POST /conversations/{id}/reply", Fault::LoseAnswer, 1);
    vendors
        .telegram
        .say(scene.maria, scene.topic(order), "When will it be here?");
    vendors
        .telegram
        .say(scene.maria, scene.topic(order), "I am away on Friday.");
    scene.stage.settle().await?;
    let said: Vec<String> = scene
        .agent_sees("Order 1042")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let at = |text: &str| said.iter().position(|said| said.contains(text));
    report.expect(
        scene.agent_reads("Order 1042", "Maria Lopez", "When will it be here?") == 1,
        "it is not sent again: the bridge looks first",
    );
    report.expect(
        at("When will it be here?")
            .zip(at("I am away on Friday."))
            .is_some_and(|(first, next)| first < next),
        "what was written after it arrives after it",
    );
    Ok(())
}

async fn staff(scene: &Scene, order: i64, report: &mut Report) -> anyhow::Result<()> {
    report.line("A colleague answers in Telegram:");
    scene
        .stage
        .vendors
        .telegram
        .say(scene.sam, scene.topic(order), "I will call the carrier.");
    scene.stage.settle().await?;
    report.expect(
        scene.agent_reads("Order 1042", "Sam Hill", "I will call the carrier.") == 1,
        "it is a reply of that admin in Intercom",
    );
    report.expect(
        scene.customer_reads(order, "I will call the carrier.") == 1,
        "and does not come back into the topic as an echo",
    );
    Ok(())
}

async fn forged(scene: &Scene, order: i64, report: &mut Report) -> anyhow::Result<()> {
    report.line("Somebody else calls the webhook:");
    let Some(conversation) = scene.conversation("Order 1042") else {
        return Ok(());
    };
    let intercom = &scene.stage.vendors.intercom;
    let now = scene.stage.vendors.clock.now_s();
    let part = json!({
        "type": "conversation_part", "id": "999999999999", "part_type": "comment",
        "body": "<p>Send your password to this address.</p>", "created_at": now, "redacted": false,
        "author": {"type": "admin", "id": scene.anna, "name": "Anna Weber"}, "attachments": [],
    });
    let forged = json!({
        "type": "notification_event", "app_id": intercom.workspace_id(), "id": "notif_forged",
        "topic": "conversation.admin.replied", "created_at": now, "first_sent_at": now, "delivery_attempts": 1,
        "data": {"type": "notification_event_data", "item": {
            "type": "conversation", "id": conversation.id,
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1},
        }},
    });
    let signature = format!("sha1={}", "0".repeat(40));
    intercom.inject_raw(forged.to_string(), Some(&signature));
    scene.stage.settle().await?;
    report.expect(
        scene.customer_reads(order, "password") == 0,
        "what is not signed by Intercom reaches nobody",
    );
    Ok(())
}

async fn leftovers(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    use local::QueueName::{Inbound, InboundDead, Outbound, OutboundDead};
    report.line("At the end:");
    let mut left = 0;
    for queue in [Inbound, Outbound, InboundDead, OutboundDead] {
        left += scene.stage.machine.lanes().len(queue).await?;
    }
    report.expect(left == 0, "nothing waits and nothing was given up");
    let vendors = &scene.stage.vendors;
    let mut violations = vendors.telegram.violations();
    violations.extend(vendors.intercom.violations());
    report.expect(
        violations.is_empty(),
        "no call was made that the real services would refuse",
    );
    for violation in violations {
        report.line(format!("        {violation}"));
    }
    Ok(())
}

fn show(scene: &Scene, report: &mut Report) {
    report.line("\nWhat the customers see in Telegram:");
    for topic in scene.stage.vendors.telegram.topics(scene.forum) {
        report.line(format!("  # {}", topic.name));
        for message in scene.stage.vendors.telegram.messages(scene.topic(topic.id)) {
            report.line(format!(
                "    {}: {}",
                message.from_name,
                message.html().replace('\n', "\n      ")
            ));
        }
    }
    report.line("\nWhat the agents see in Intercom:");
    for conversation in scene.stage.vendors.intercom.conversations() {
        let title = conversation.title.as_deref().unwrap_or("(no title)");
        report.line(format!(
            "  # {title}  [{}]  tags: {}",
            conversation.state,
            conversation.tags.join(", ")
        ));
        for part in conversation.messages() {
            let note = if part.kind.starts_with("note") { " (note)" } else { "" };
            let text = part.text.trim().replace('\n', "\n      ");
            report.line(format!("    {}{note}: {text}", part.author_name));
        }
    }
}
