//! What people do.

use crate::{
    leftovers::Left,
    recorder::Recorder,
    scene::{self, Scene},
};
use bridgectl::stage::{Setting, Stage};
use local::QueueName;
use simulators::{
    Fault,
    intercom::{IntercomSim, Reply},
    telegram::{Compose, Place, TelegramSim, UserId},
};
use std::time::Duration;
use tempfile::TempDir;

/// The vendors, the people and the bridge.
pub struct World {
    /// The vendors and the bridge.
    pub stage: Stage,
    /// What the bridge asks of its table.
    pub store: Recorder,
    /// The group that is bridged: "Acme Support", with topics.
    pub forum: i64,
    /// A customer: Maria Lopez, whose @name is `maria_l`.
    pub maria: UserId,
    /// Another: Ken.
    pub ken: UserId,
    /// A colleague: Sam Hill.
    pub sam: UserId,
    /// Who answers in Intercom: Anna Weber.
    pub anna: String,
    pub(crate) setting: Setting,
    pub(crate) folder: Option<TempDir>,
    pub(crate) is_finished: bool,
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(
            self.is_finished || std::thread::panicking(),
            "a scenario ends with `finish`"
        );
    }
}

impl World {
    /// The usual scene with the default settings.
    pub async fn new() -> Self {
        Scene::new().await.open().await
    }

    /// The bridge ends and starts anew on the same file, with other settings.
    pub async fn restart_with(&mut self, variable: &'static str, value: &str) {
        self.setting.variables.insert(0, (variable, value.to_owned()));
        self.restart().await;
    }

    /// A new version of the bridge takes its place, whose workers do not die of what killed them.
    pub async fn restart_mended(&mut self) {
        self.setting.poison = None;
        self.restart().await;
    }

    async fn restart(&mut self) {
        assert!(self.folder.is_some(), "what has no file cannot start anew");
        let (stage, store) = scene::set(self.stage.vendors.clone(), self.setting.clone()).await;
        store.remember(&self.store);
        (self.stage, self.store) = (stage, store);
        self.settle().await;
    }

    /// Telegram.
    pub fn telegram(&self) -> &TelegramSim {
        &self.stage.vendors.telegram
    }

    /// Intercom.
    pub fn intercom(&self) -> &IntercomSim {
        &self.stage.vendors.intercom
    }

    /// Maria opens a topic.
    pub fn topic(&self, title: &str) -> Place {
        Place::topic(self.forum, self.telegram().create_topic(self.maria, self.forum, title))
    }

    /// The General topic.
    pub fn general(&self) -> Place {
        Place::chat(self.forum)
    }

    /// A topic about order 1042 in which Maria has written "Hello", and which has its conversation.
    pub async fn order(&self) -> Place {
        let topic = self.topic("Order 1042");
        self.writes(self.maria, topic, "Hello");
        self.settle().await;
        topic
    }

    /// Somebody deletes a topic with all that is in it.
    pub fn delete_topic(&self, topic: Place) {
        let id = topic.topic.expect("a topic that can be deleted");
        self.telegram().delete_topic(topic.chat, id);
    }

    /// The same as [`World::order`], with the topic deleted so long ago that Telegram itself has noticed.
    pub async fn order_without_topic(&self) -> Place {
        let topic = self.order().await;
        self.delete_topic(topic);
        self.passes(Duration::from_mins(5)).await;
        topic
    }

    /// Somebody writes in Telegram; the message's id.
    pub fn writes(&self, who: UserId, place: Place, text: &str) -> i64 {
        self.telegram().say(who, place, text)
    }

    /// Somebody sends anything in Telegram; the message's id.
    pub fn sends(&self, who: UserId, place: Place, message: Compose) -> i64 {
        self.telegram().say_with(who, place, message)
    }

    /// Anna answers in the conversation of this title; the part's id.
    pub fn agent_replies(&self, title: &str, html: &str) -> String {
        let conversation = self.conversation(title).id;
        self.intercom().agent_replies(&conversation, &self.anna, html)
    }

    /// Anna answers with more than text.
    pub fn agent_replies_with(&self, title: &str, reply: Reply) -> String {
        let conversation = self.conversation(title).id;
        self.intercom().agent_replies_with(&conversation, &self.anna, reply)
    }

    /// Everything happens that is due, and the clock moves to whatever is due next, until nothing is left to do.
    pub async fn settle(&self) {
        self.stage.settle().await.expect("the stage settles");
    }

    /// So much time passes, and what becomes due in it happens.
    pub async fn passes(&self, time: Duration) {
        let clock = &self.stage.vendors.clock;
        let end = clock.now_ms() + i64::try_from(time.as_millis()).expect("a time that fits a clock");
        self.stage.settle_within(time).await.expect("the stage settles");
        clock.advance_to(end);
        self.stage.settle_now().await.expect("the stage settles");
    }

    /// The sweep runs, and what it finds is carried.
    pub async fn sweeps(&self) -> usize {
        let swept = self.stage.machine.sweep().await.expect("a sweep");
        self.settle().await;
        swept.missed
    }

    /// An operator sends all dead letters on their way again; tells how many there were.
    pub async fn redrives(&self) -> u64 {
        let lanes = self.stage.machine.lanes();
        let redrive = async |from, to| lanes.redrive(from, to).await.expect("a redrive");
        let inbound = redrive(QueueName::InboundDead, QueueName::Inbound).await;
        let outbound = redrive(QueueName::OutboundDead, QueueName::Outbound).await;
        self.settle().await;
        inbound + outbound
    }

    /// Maria writes, the call for it goes wrong in this way, and Intercom cannot be read: what became of it is in doubt for so long
    /// that it is given up.
    pub async fn give_up_in_doubt(&self, topic: Place, text: &str, fault: Fault) {
        let faults = self.intercom().faults();
        faults.arm("POST /conversations/{id}/reply", fault, 1);
        faults.arm("GET /conversations/{id}", Fault::Refuse(503), 10_000);
        self.writes(self.maria, topic, text);
        self.settle().await;
        self.intercom().faults().clear();
    }

    /// Whatever waits in the queues is lost.
    pub async fn clear_queues(&self) {
        let cleared = self
            .stage
            .database
            .write(|connection| connection.execute_batch("DELETE FROM message; DELETE FROM lane"));
        cleared.await.expect("the queues are cleared");
    }

    /// Every record of this kind becomes one that no version of the bridge can read; tells how many there were.
    pub async fn spoil(&self, kind: &'static str) -> usize {
        let spoilt = self.stage.database.write(move |connection| {
            let sql =
                "UPDATE items SET record = json_set(record, '$.form', 99) WHERE json_extract(record, '$.kind') = ?1";
            connection.execute(sql, [kind])
        });
        spoilt.await.expect("the table can be written")
    }

    /// Records whose time is over disappear.
    pub async fn forget_what_expired(&self) {
        let now = self.stage.vendors.clock.now_s();
        let expired = self
            .stage
            .database
            .write(move |connection| connection.execute("DELETE FROM items WHERE expires_at <= ?1", [now]));
        assert!(expired.await.expect("the table is cleared") > 0, "nothing expired");
    }

    /// Nothing is left behind.
    pub async fn finish(self) {
        self.finish_but(Left::default()).await;
    }
}
