//! What whoever looks after the map does to it: links that are found elsewhere, people who are to be forgotten, sweeps that begin anew.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, conversation, settled},
    scene::Scene,
};
use crate::{
    ids::{ContactId, CustomerId},
    keys,
    ledger::Ledger,
    link::{LinkState, Open},
    records::{Unfinished, Watermark},
    time::Timestamp,
};
use std::{collections::BTreeSet, time::Duration};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_link_that_is_found_elsewhere_takes_nothing_from_another,
        a_customer_is_noted_in_a_conversation_once,
        an_earlier_conversation_reaches_its_topic_without_its_link,
        a_participant_is_forgotten_and_no_other,
        a_sweep_that_begins_anew_looks_at_nothing_older,
    ]
}

fn open(ledgers: &Ledgers, name: usize, contacts: &[&str]) -> Open {
    Open {
        conversation: conversation(name),
        workspace: ledgers.workspace.clone(),
        since: Timestamp::from_seconds(1_750_000_000),
        participants: contacts.iter().copied().map(ContactId::new).collect(),
    }
}

async fn anew(ledger: &Ledger, ledgers: &Ledgers, topic: usize, name: usize) -> bool {
    let (link, open) = (ledgers.link(topic), open(ledgers, name, &["ann"]));
    settled(|| ledger.link_anew(link, &open, 2)).await.expect("an answer")
}

async fn a_link_that_is_found_elsewhere_takes_nothing_from_another(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    ledgers.opened(&worker, ledgers.link(1), 1, &conversation(1)).await;
    let taken = [ledgers.link(1).key(), ledgers.reverse_key(&conversation(1))];
    let before = [ledgers.item(&taken[0]).await, ledgers.item(&taken[1]).await];
    assert!(!anew(&worker, &ledgers, 1, 2).await, "the topic has a conversation");
    assert!(!anew(&worker, &ledgers, 2, 1).await, "the conversation has a topic");
    assert_eq!([ledgers.item(&taken[0]).await, ledgers.item(&taken[1]).await], before);
    assert_eq!(ledgers.link_at(ledgers.link(2)).await, None);
    assert_eq!(ledgers.reverse_of(&conversation(2)).await, None);

    assert!(anew(&worker, &ledgers, 2, 2).await);
    let link = ledgers.link_at(ledgers.link(2)).await.expect("a link").value;
    assert_eq!((link.generation, link.is_open()), (2, true));
    let reverse = ledgers.reverse_of(&conversation(2)).await.expect("a reverse item");
    assert_eq!((reverse.link, reverse.generation), (ledgers.link(2), 2));
}

async fn a_customer_is_noted_in_a_conversation_once(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let customer = CustomerId(ledgers.bot().0);
    let (workspace, conversation) = (&ledgers.workspace, conversation(1));
    for _ in 0..2 {
        let noted = settled(|| worker.note_customer(customer, workspace, &conversation)).await;
        noted.expect("to note");
        let known = worker.links_of_customer(customer, 10).await.expect("an answer");
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].value.conversation, conversation);
    }
}

async fn an_earlier_conversation_reaches_its_topic_without_its_link(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let (link, earlier) = (ledgers.link(1), open(&ledgers, 1, &[]));
    for is_new in [true, false] {
        let linked = settled(|| worker.link_earlier(link, &earlier, 1)).await;
        assert_eq!(linked.expect("an answer"), is_new);
    }
    assert_eq!(ledgers.link_at(link).await, None);
    assert_eq!(
        ledgers.reverse_of(&conversation(1)).await.map(|reverse| reverse.link),
        Some(link)
    );
}

async fn a_participant_is_forgotten_and_no_other(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let (link, both) = (ledgers.link(1), open(&ledgers, 1, &["ann", "ben"]));
    settled(|| worker.link_anew(link, &both, 1)).await.expect("an answer");
    let read = ledgers.link_at(link).await.expect("a link");
    let ann = ContactId::new("ann");
    settled(|| worker.forget_participant(link, &read, &ann))
        .await
        .expect("to forget");
    let left = ledgers.link_at(link).await.expect("a link").value.state;
    let LinkState::Open(left) = left else {
        panic!("an open link was expected")
    };
    assert_eq!(left.participants, BTreeSet::from([ContactId::new("ben")]));
    // What was read is old now.
    assert_overtaken(&settled(|| worker.forget_participant(link, &read, &ann)).await);
}

async fn a_sweep_that_begins_anew_looks_at_nothing_older(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = keys::watermark(&ledgers.workspace);
    let restart = || worker.restart_sweep(&ledgers.workspace);
    let first = settled(restart).await.expect("a time");
    assert_eq!(first, worker.now());
    let read = ledgers.record::<Watermark>(&key).await.expect("a watermark");
    let old = Watermark {
        at: first,
        unfinished: Some(Unfinished {
            since: first,
            reached: first,
        }),
    };
    let stopped = || worker.commit(worker.transaction().replace(key.clone(), &read.version, &old, None));
    settled(stopped).await.expect("to write");
    ledgers.clock.advance(Duration::from_hours(1));
    let second = settled(restart).await.expect("a time");
    let mark = ledgers.record::<Watermark>(&key).await.expect("a watermark").value;
    assert_eq!((mark.at, mark.unfinished), (second, None));
    assert!(second > first);
}
