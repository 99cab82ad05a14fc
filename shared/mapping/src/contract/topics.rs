//! Topics that are gone: made anew by one worker, once, and all their links go along.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, conversation, number, settled},
    scene::{Scene, race},
};
use crate::{
    claim::LEASE,
    ids::{ChatId, CustomerId, TopicId},
    keys::{LinkKey, TopicKey},
    ledger::Ledger,
    time::Timestamp,
    topic::{ClaimedTopic, Making, Succession, SuccessionState, TopicClaim},
};
use std::time::Duration;

pub(super) fn cases() -> Vec<Case> {
    cases![
        one_of_many_makes_a_topic_anew,
        a_claim_on_a_topic_is_taken_over_as_it_was,
        a_topic_is_succeeded_once,
        a_topic_is_in_the_place_of_one_other_at_most,
        a_claim_on_a_topic_that_is_given_back_is_free,
        topics_that_succeed_each_other_make_a_chain,
        all_links_of_a_topic_move,
        a_topic_that_is_one_too_many_leads_to_the_other,
    ]
}

impl Ledgers {
    fn topic(&self, topic: usize) -> TopicKey {
        TopicKey::of(self.link(topic)).expect("a link with a topic")
    }

    /// Who wants `topic` made anew, told by its conversation.
    async fn claim_topic(&self, ledger: &Ledger, topic: TopicKey, name: usize) -> ClaimedTopic {
        let wish = Making {
            topic,
            lease_until: Timestamp::EPOCH,
            since: crate::time::Clock::now(self.clock.as_ref()),
            title: format!("title-{name}"),
            workspace: self.workspace.clone(),
            conversation: conversation(name),
        };
        let claim = || ledger.claim_topic(wish.clone());
        settled(claim).await.expect("an answer to a claim")
    }

    async fn claimed_topic(&self, ledger: &Ledger, topic: TopicKey, name: usize) -> TopicClaim {
        match self.claim_topic(ledger, topic, name).await {
            ClaimedTopic::Ours(claim) => claim,
            other @ (ClaimedTopic::Later(_) | ClaimedTopic::There(_)) => panic!("a claim was expected, not {other:?}"),
        }
    }
}

fn id(of: usize) -> TopicId {
    TopicId(number(of))
}

async fn one_of_many_makes_a_topic_anew(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let topic = ledgers.topic(1);
    let claims = race(&workers, |racer, worker| {
        let ledgers = ledgers.clone();
        async move { ledgers.claim_topic(&worker, topic, racer).await }
    });
    let mut claims: Vec<TopicClaim> = claims
        .await
        .into_iter()
        .filter_map(|claimed| match claimed {
            ClaimedTopic::Ours(claim) => Some(claim),
            ClaimedTopic::Later(_) => None,
            ClaimedTopic::There(to) => panic!("nobody made {to}"),
        })
        .collect();
    let claim = claims.pop().expect("a winner");
    assert_eq!(claims, []);
    workers[0].succeed(&claim, id(2)).await.unwrap();
    let there = ledgers.claim_topic(&workers[1], topic, 99).await;
    assert_eq!(there, ClaimedTopic::There(id(2)));
}

async fn a_claim_on_a_topic_is_taken_over_as_it_was(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let topic = ledgers.topic(1);
    let lost = ledgers.claimed_topic(&one, topic, 1).await;
    let instant = Duration::from_millis(1);
    ledgers.clock.advance(LEASE.saturating_sub(instant));
    let later = ledgers.claim_topic(&other, topic, 2).await;
    assert_eq!(later, ClaimedTopic::Later(lost.making.lease_until));
    ledgers.clock.advance(instant);
    let taken_over = ledgers.claimed_topic(&other, topic, 2).await;
    let lease_until = lost.making.lease_until + LEASE;
    let expected = Making {
        lease_until,
        ..lost.making.clone()
    };
    assert_eq!(taken_over.making, expected);
    assert_overtaken(&one.succeed(&lost, id(2)).await);
    assert_overtaken(&one.release_topic(lost).await);
    other.succeed(&taken_over, id(3)).await.unwrap();
    assert_eq!(other.current_topic(topic).await.unwrap(), id(3));
}

async fn a_topic_is_succeeded_once(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let topic = ledgers.topic(1);
    // The worker has its answer, and others hear of the same topic on another way.
    let claim = ledgers.claimed_topic(&workers[0], topic, 1).await;
    let known = workers[0].successions(topic.bot, topic.chat).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(TopicClaim::of(&known[0]).as_ref(), Some(&claim));
    let done = race(&workers, |_, worker| {
        let claim = claim.clone();
        async move { settled(|| worker.succeed(&claim, id(2))).await }
    });
    assert_eq!(done.await.into_iter().flatten().count(), 1);
    assert_eq!(workers[0].current_topic(topic).await.unwrap(), id(2));
}

async fn a_topic_is_in_the_place_of_one_other_at_most(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let (first, second) = (ledgers.topic(1), ledgers.topic(2));
    let claim = ledgers.claimed_topic(&worker, first, 1).await;
    let rival = ledgers.claimed_topic(&worker, second, 1).await;
    worker.succeed(&claim, id(9)).await.unwrap();
    assert_overtaken(&worker.succeed(&rival, id(9)).await);
    assert_eq!(worker.current_topic(second).await.unwrap(), id(2));
    worker.succeed(&rival, id(10)).await.unwrap();
}

async fn a_claim_on_a_topic_that_is_given_back_is_free(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let topic = ledgers.topic(1);
    let claim = ledgers.claimed_topic(&worker, topic, 1).await;
    worker.release_topic(claim).await.unwrap();
    assert_eq!(ledgers.item(&topic.key()).await, None);
    let claim = ledgers.claimed_topic(&worker, topic, 2).await;
    assert_eq!(claim.making.title, "title-2");
    worker.succeed(&claim, id(2)).await.unwrap();
    // One that is in the place of another remembers that.
    let next = ledgers.topic(2);
    let claim = ledgers.claimed_topic(&worker, next, 3).await;
    worker.release_topic(claim).await.unwrap();
    let left = ledgers.record::<Succession>(&next.key()).await.unwrap().value;
    assert_eq!((left.from, left.state), (Some(id(1)), SuccessionState::Present));
    ledgers.claimed_topic(&worker, next, 4).await;
}

async fn topics_that_succeed_each_other_make_a_chain(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    for topic in 1..=4 {
        let claim = ledgers.claimed_topic(&worker, ledgers.topic(topic), topic).await;
        worker.succeed(&claim, id(topic + 1)).await.unwrap();
    }
    for topic in 1..=5 {
        let topic_key = ledgers.topic(topic);
        assert_eq!(worker.current_topic(topic_key).await.unwrap(), id(5));
        let former: Vec<TopicId> = (1..topic).rev().map(id).collect();
        assert_eq!(worker.former_topics(topic_key).await.unwrap(), former);
    }
}

async fn all_links_of_a_topic_move(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let whole = ledgers.link(1);
    let customer = |customer| LinkKey {
        customer: Some(CustomerId(customer)),
        ..whole
    };
    let links = [whole, customer(1), customer(42), customer(-1009)];
    for (name, link) in links.iter().enumerate() {
        ledgers.opened(&workers[0], *link, name, &conversation(name)).await;
    }
    let (neighbour, opening) = (ledgers.link(12), customer(7));
    ledgers.opened(&workers[0], neighbour, 8, &conversation(8)).await;
    ledgers.claimed(&workers[0], opening, 9).await;
    let moved = race(&workers, |_, worker| async move {
        let topic = TopicKey::of(whole).expect("a topic");
        settled(|| async { Ok(worker.move_links(topic, id(2)).await?) }).await
    });
    for moved in moved.await {
        moved.unwrap();
    }
    for (name, link) in links.into_iter().enumerate() {
        let to = LinkKey {
            topic: Some(id(2)),
            ..link
        };
        assert_eq!(ledgers.link_at(link).await, None);
        assert!(ledgers.link_at(to).await.unwrap().value.is_open());
        assert_eq!(ledgers.reverse_of(&conversation(name)).await.unwrap().link, to);
    }
    assert!(ledgers.link_at(neighbour).await.is_some());
    assert!(ledgers.link_at(opening).await.is_some(), "it moves when it is open");
}

async fn a_topic_that_is_one_too_many_leads_to_the_other(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let topic = ledgers.topic(1);
    let claim = ledgers.claimed_topic(&worker, topic, 1).await;
    worker.succeed(&claim, id(3)).await.unwrap();
    let known = worker.successions(topic.bot, topic.chat).await.unwrap();
    let made = known.iter().find_map(|known| match &known.value.state {
        SuccessionState::Succeeded(made) => Some(made.clone()),
        SuccessionState::Present | SuccessionState::Claimed(_) => None,
    });
    let made = made.expect("what was made");
    worker.join_stray(ledgers.topic(2), &made).await.unwrap();
    assert_eq!(worker.current_topic(ledgers.topic(2)).await.unwrap(), id(3));
    assert_eq!(worker.former_topics(ledgers.topic(3)).await.unwrap(), [id(1)]);
    // A topic that has its place is none too many.
    assert_overtaken(&worker.join_stray(ledgers.topic(3), &made).await);
    assert_eq!(
        worker.successions(topic.bot, ChatId(-1)).await.unwrap(),
        [],
        "each chat has its own"
    );
}
