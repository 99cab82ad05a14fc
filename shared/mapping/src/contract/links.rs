//! Links: bound once, one generation after the other, and moved together with their reverse items.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, conversation, number, ours, settled},
    scene::{Scene, race},
};
use crate::{
    claim::LEASE,
    ids::{ChatId, ContactId, MessageId},
    keys::LinkKey,
    ledger::Ledger,
    link::{Claimed, LinkState, Reverse},
    record::Stored,
    store::WriteError,
};
use std::collections::BTreeSet;

const ROUNDS: usize = 10;
const OLD: ChatId = ChatId(-1001);
const NEW: ChatId = ChatId(-1002);

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_link_is_bound_once,
        a_conversation_that_has_a_topic_gets_no_other,
        a_bind_fails_whole_with_a_delivery_that_was_overtaken,
        the_next_conversation_is_the_next_generation,
        participants_lose_nobody,
        the_conversations_of_a_customer_are_found_wherever_they_are,
        one_worker_moves_a_link_and_its_reverse,
        a_link_moves_nowhere_that_is_taken,
        a_link_that_is_being_opened_stays,
        the_reverse_of_an_earlier_generation_moves_alone,
        a_migration_is_recorded_once_by_however_many,
        migrations_make_a_chain,
    ]
}

async fn a_link_is_bound_once(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let claim = ledgers.claimed(&one, link, 1).await;
    ledgers.bind(&one, &claim, &conversation(1)).await.unwrap();
    let keys = [link.key(), ledgers.reverse_key(&conversation(1))];
    let before = [ledgers.item(&keys[0]).await, ledgers.item(&keys[1]).await];
    for worker in [&one, &other] {
        for name in [1, 2] {
            assert_overtaken(&ledgers.bind(worker, &claim, &conversation(name)).await);
        }
    }
    assert_eq!([ledgers.item(&keys[0]).await, ledgers.item(&keys[1]).await], before);
    assert_eq!(ledgers.reverse_of(&conversation(2)).await, None);
}

async fn a_conversation_that_has_a_topic_gets_no_other(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let (first, second) = (ledgers.link(1), ledgers.link(2));
    ledgers.opened(&worker, first, 1, &conversation(1)).await;
    let reverse = ledgers.reverse_key(&conversation(1));
    let claim = ledgers.claimed(&worker, second, 2).await;
    let before = [ledgers.item(&second.key()).await, ledgers.item(&reverse).await];
    assert_overtaken(&ledgers.bind(&worker, &claim, &conversation(1)).await);
    assert_eq!(
        [ledgers.item(&second.key()).await, ledgers.item(&reverse).await],
        before
    );
    // The claim is as good as before.
    ledgers.bind(&worker, &claim, &conversation(2)).await.unwrap();
}

async fn a_bind_fails_whole_with_a_delivery_that_was_overtaken(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let link = ledgers.link(1);
    let mut late = ledgers.begun(&one, 1).await;
    ledgers.clock.advance(LEASE);
    ledgers.begun(&other, 1).await;
    let claim = ledgers.claimed(&one, link, 1).await;
    let keys = [link.key(), ledgers.delivery(1)];
    let before = [ledgers.item(&keys[0]).await, ledgers.item(&keys[1]).await];

    let (bind, _) = one.bind(one.transaction(), &claim, &conversation(1), &ledgers.workspace, None);
    assert_overtaken(&one.progress_with(&mut late, bind).await);
    assert_eq!([ledgers.item(&keys[0]).await, ledgers.item(&keys[1]).await], before);
    assert_eq!(ledgers.reverse_of(&conversation(1)).await, None);
}

async fn the_next_conversation_is_the_next_generation(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let link = ledgers.link(1);
    for generation in 1..=4_u32 {
        let rivals = ledgers.link_at(link).await;
        let claims = race(&workers, |racer, worker| {
            let (ledgers, read) = (ledgers.clone(), rivals.clone());
            async move { ledgers.claim_after(&worker, link, read, racer).await }
        });
        let mut claims = claims
            .await
            .into_iter()
            .filter(|claimed| matches!(claimed, Claimed::Ours(_)));
        let claim = ours(claims.next().expect("a winner"));
        assert_eq!(claims.next(), None);
        ledgers
            .bind(&workers[0], &claim, &conversation(generation))
            .await
            .unwrap();
        assert_eq!(ledgers.link_at(link).await.unwrap().value.generation, generation);
    }
    // Late answers in any of them still reach the topic.
    for generation in 1..=4 {
        let reverse = ledgers.reverse_of(&conversation(generation)).await.unwrap();
        assert_eq!((reverse.link, reverse.generation), (link, generation));
    }
}

async fn participants_lose_nobody(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let link = ledgers.link(1);
    ledgers.opened(&workers[0], link, 1000, &conversation(1)).await;
    let added = race(&workers, |racer, worker| {
        let ledgers = ledgers.clone();
        async move { add_participant(&ledgers, &worker, link, racer, &contact(racer)).await }
    });
    let conflicts: usize = added.await.into_iter().sum();
    let LinkState::Open(open) = ledgers.link_at(link).await.unwrap().value.state else {
        panic!("the link is not open any more, after {conflicts} conflicts")
    };
    let mut expected: BTreeSet<ContactId> = (0..workers.len()).map(contact).collect();
    expected.insert(contact(1000));
    assert_eq!(open.participants, expected);
    for racer in (0..workers.len()).chain([1000]) {
        assert_eq!(links_of(&ledgers, &workers[0], racer).await, [link]);
    }
}

async fn the_conversations_of_a_customer_are_found_wherever_they_are(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let (opened, joined) = (ledgers.link(1), ledgers.link(2));
    assert_eq!(links_of(&ledgers, &worker, 1).await, []);
    ledgers.opened(&worker, opened, 1, &conversation(1)).await;
    ledgers.opened(&worker, joined, 2, &conversation(2)).await;
    add_participant(&ledgers, &worker, joined, 1, &contact(1)).await;
    // The contact was replaced: it is the same customer in the same conversation.
    add_participant(&ledgers, &worker, joined, 1, &contact(3)).await;
    assert_eq!(links_of(&ledgers, &worker, 1).await, [opened, joined]);
    assert_eq!(links_of(&ledgers, &worker, 2).await, [joined]);
    // A conversation in the place of an earlier one: both are the customer's.
    ledgers.opened(&worker, opened, 1, &conversation(3)).await;
    assert_eq!(links_of(&ledgers, &worker, 1).await, [opened, joined, opened]);
    let moved = LinkKey { chat: NEW, ..joined };
    worker.move_link(joined, moved).await.unwrap();
    assert_eq!(links_of(&ledgers, &worker, 1).await, [opened, moved, opened]);
}

/// Where the conversations of a customer are now.
async fn links_of(ledgers: &Ledgers, worker: &Ledger, customer: usize) -> Vec<LinkKey> {
    let found = worker.links_of_customer(ledgers.customer(customer), 100).await.unwrap();
    let mut links = Vec::new();
    for found in found {
        assert_eq!(found.value.workspace, ledgers.workspace);
        links.extend(
            ledgers
                .reverse_of(&found.value.conversation)
                .await
                .map(|reverse| reverse.link),
        );
    }
    links
}

fn contact(of: usize) -> ContactId {
    ContactId::new(format!("contact-{of}"))
}

/// Adds a participant to what is there, as often as others are faster; gives how often they were.
async fn add_participant(
    ledgers: &Ledgers,
    worker: &Ledger,
    link: LinkKey,
    customer: usize,
    contact: &ContactId,
) -> usize {
    let customer = ledgers.customer(customer);
    let mut conflicts = 0;
    loop {
        let read = ledgers.link_at(link).await.unwrap();
        match settled(|| worker.add_participant(link, &read, customer, contact)).await {
            Ok(written) => {
                assert!(matches!(&written.value.state, LinkState::Open(open) if open.participants.contains(contact)));
                return conflicts;
            }
            Err(WriteError::Conflict) => conflicts += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn one_worker_moves_a_link_and_its_reverse(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    for round in 0..ROUNDS {
        let from = ledgers.link(round);
        let to = LinkKey { chat: NEW, ..from };
        ledgers.opened(&workers[0], from, round, &conversation(round)).await;
        let link = ledgers.link_at(from).await.map(|stored| stored.value);
        let moved = race(&workers, |_, worker| async move {
            settled(|| worker.move_link(from, to)).await
        });
        // Whoever comes later finds nothing to move: that is as well.
        assert!(moved.await.iter().any(Result::is_ok));
        assert_eq!(ledgers.link_at(from).await, None);
        let there = ledgers.link_at(to).await;
        assert_eq!(there.as_ref().map(|stored| &stored.value), link.as_ref());
        let reverse: Stored<Reverse> = ledgers
            .record(&ledgers.reverse_key(&conversation(round)))
            .await
            .unwrap();
        assert_eq!(reverse.value.link, to);
        // One transaction wrote both.
        assert_eq!(there.map(|stored| stored.version), Some(reverse.version));
    }
}

async fn a_link_moves_nowhere_that_is_taken(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let from = ledgers.link(1);
    let to = LinkKey { chat: NEW, ..from };
    ledgers.opened(&worker, from, 1, &conversation("old")).await;
    ledgers.opened(&worker, to, 2, &conversation("new")).await;
    let keys = [
        from.key(),
        to.key(),
        ledgers.reverse_key(&conversation("old")),
        ledgers.reverse_key(&conversation("new")),
    ];
    let mut before = Vec::new();
    for key in &keys {
        before.push(ledgers.item(key).await);
    }
    assert_overtaken(&worker.move_link(from, to).await);
    for (key, before) in keys.iter().zip(before) {
        assert_eq!(ledgers.item(key).await, before);
    }
}

async fn a_link_that_is_being_opened_stays(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let from = ledgers.link(1);
    let to = LinkKey { chat: NEW, ..from };
    worker.move_link(from, to).await.unwrap();
    let claim = ledgers.claimed(&worker, from, 1).await;
    worker.move_link(from, to).await.unwrap();
    assert_eq!(ledgers.link_at(to).await, None);
    ledgers.bind(&worker, &claim, &conversation(1)).await.unwrap();
    worker.move_link(from, to).await.unwrap();
    assert!(ledgers.link_at(to).await.unwrap().value.is_open());
}

async fn the_reverse_of_an_earlier_generation_moves_alone(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let link = ledgers.link(1);
    let claim = ledgers.claimed(&workers[0], link, 1).await;
    let message = Some(MessageId(7));
    let (bind, _) = workers[0].bind(
        workers[0].transaction(),
        &claim,
        &conversation(1),
        &ledgers.workspace,
        message,
    );
    workers[0].commit(bind).await.unwrap();
    let first = ledgers.reverse_of(&conversation(1)).await.unwrap();
    assert_eq!(first.last_message, message);
    ledgers.opened(&workers[0], link, 2, &conversation(2)).await;
    let keys = [link.key(), ledgers.reverse_key(&conversation(2))];
    let before = [ledgers.item(&keys[0]).await, ledgers.item(&keys[1]).await];

    let moved = race(&workers, |_, worker| {
        let workspace = ledgers.workspace.clone();
        let first = conversation(1);
        let to = LinkKey { chat: NEW, ..link };
        async move { settled(|| worker.move_reverse(&workspace, &first, to)).await }
    });
    assert!(moved.await.iter().any(Result::is_ok));
    let moved = ledgers.reverse_of(&conversation(1)).await.unwrap();
    assert_eq!(moved.link, LinkKey { chat: NEW, ..link });
    assert_eq!((moved.generation, moved.since), (1, first.since));
    // A message of the former chat cannot be replied to in the new one.
    assert_eq!(moved.last_message, None);
    assert_eq!([ledgers.item(&keys[0]).await, ledgers.item(&keys[1]).await], before);

    workers[0]
        .move_reverse(&ledgers.workspace, &conversation("none"), link)
        .await
        .unwrap();
    assert_eq!(ledgers.reverse_of(&conversation("none")).await, None);
}

async fn a_migration_is_recorded_once_by_however_many(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let bot = ledgers.bot();
    assert_eq!(workers[0].current_id(bot, OLD).await.unwrap(), OLD);
    let recorded = race(&workers, |_, worker| async move {
        settled(|| worker.record_migration(bot, OLD, NEW)).await
    });
    for recorded in recorded.await {
        recorded.unwrap();
    }
    for worker in &workers {
        assert_eq!(worker.current_id(bot, OLD).await.unwrap(), NEW);
        assert_eq!(worker.current_id(bot, NEW).await.unwrap(), NEW);
        assert_eq!(worker.former_ids(bot, NEW).await.unwrap(), [OLD]);
        assert_eq!(worker.former_ids(bot, OLD).await.unwrap(), []);
    }
}

async fn migrations_make_a_chain(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let bot = ledgers.bot();
    for round in 0..ROUNDS {
        let chat = |step: usize| ChatId(-number(10 * round + step + 10));
        let steps: Vec<(ChatId, ChatId)> = (0..3).map(|step| (chat(step), chat(step + 1))).collect();
        // Each step is told by some, in no order.
        let recorded = race(&workers, |racer, worker| {
            let (from, to) = steps[racer % steps.len()];
            async move { settled(|| worker.record_migration(bot, from, to)).await }
        });
        for recorded in recorded.await {
            recorded.unwrap();
        }
        for step in 0..=3 {
            assert_eq!(workers[0].current_id(bot, chat(step)).await.unwrap(), chat(3));
            let former: Vec<ChatId> = (0..step).rev().map(chat).collect();
            assert_eq!(workers[0].former_ids(bot, chat(step)).await.unwrap(), former);
        }
    }
}
