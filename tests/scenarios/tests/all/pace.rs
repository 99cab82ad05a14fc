//! As fast as the vendors allow and no faster.

use bridge::{
    ports::Helpdesk as _,
    secrets::{FixedSecrets, Secret, Secrets},
};
use intercom::{IntercomClient, Timeouts, http_client};
use local::SystemClock;
use scenarios::World;
use simulators::{
    Fault, SimClock,
    intercom::IntercomSim,
    telegram::{Call, Outcome},
};
use std::{sync::Arc, time::Duration};

const AGENTS: usize = 26;
const ROUNDS: usize = 3;

/// What Telegram allows a group.
const A_MINUTE: i64 = 20;

fn sends(world: &World) -> Vec<Call> {
    let mut calls = world.telegram().calls();
    calls.retain(|call| call.method == "sendMessage");
    calls
}

#[tokio::test]
async fn as_many_agents_as_there_are_use_the_group_s_rate_and_provoke_no_429() {
    let world = World::new().await;
    let titles: Vec<String> = (0..AGENTS).map(|number| format!("Topic {number}")).collect();
    let topics: Vec<_> = titles.iter().map(|title| world.topic(title)).collect();
    for topic in &topics {
        world.writes(world.maria, *topic, "Hello");
    }
    world.settle().await;
    for round in 0..ROUNDS {
        for (number, title) in titles.iter().enumerate() {
            let agent = world.intercom().admin(&format!("Agent{number}"));
            let conversation = world.conversation(title).id;
            world
                .intercom()
                .agent_replies(&conversation, &agent, &format!("answer {round}"));
        }
    }
    world.settle().await;
    for (number, topic) in topics.iter().enumerate() {
        let answers: Vec<String> = (0..ROUNDS)
            .map(|round| format!("<b>Agent{number}</b>\nanswer {round}"))
            .collect();
        assert_eq!(world.customer_is_told(*topic), answers);
    }
    let calls = sends(&world);
    assert_eq!(calls.len(), AGENTS * ROUNDS);
    assert!(calls.iter().all(|call| matches!(call.outcome, Outcome::Done(_))));
    let took_ms = calls.last().unwrap().at_ms - calls[0].at_ms;
    let allowed_ms = i64::try_from(calls.len() - 1).unwrap() * 60_000 / A_MINUTE;
    let used = allowed_ms * 100 / took_ms;
    println!(
        "{} replies to one group in {} s: {used} % of the allowed rate, no 429",
        calls.len(),
        took_ms / 1000
    );
    assert!(used >= 95, "{used} %");
    world.finish().await;
}

/// The second message is refused; the third, which had its slot by then, waits as long, and so does whoever comes later.
#[tokio::test]
async fn a_429_holds_back_everybody_who_writes_to_the_group() {
    const WAIT: Duration = Duration::from_secs(30);
    let world = World::new().await;
    let titles = ["One", "Two", "Three", "Four"];
    let topics = titles.map(|title| world.topic(title));
    for topic in topics {
        world.writes(world.maria, topic, "Hello");
    }
    world.settle().await;
    let faults = world.telegram().faults();
    faults.arm("sendMessage", Fault::Slow(Duration::ZERO), 1);
    faults.arm("sendMessage", Fault::TooManyRequests(WAIT), 1);
    for title in &titles[..3] {
        world.agent_replies(title, "<p>Welcome</p>");
    }
    world.passes(Duration::from_secs(10)).await;
    world.agent_replies("Four", "<p>Welcome</p>");
    world.settle().await;
    let calls = sends(&world);
    let refused = calls
        .iter()
        .position(|call| matches!(call.outcome, Outcome::Refused { code: 429, .. }));
    assert_eq!(refused, Some(1));
    let free_ms = calls[1].at_ms + i64::try_from(WAIT.as_millis()).unwrap();
    assert_eq!(calls.len(), 5, "one was refused, and only once");
    assert!(calls[2..].iter().all(|call| call.at_ms >= free_ms), "{calls:?}");
    for topic in topics {
        assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nWelcome"]);
    }
    world.finish().await;
}

/// Windows that last a second, so that waiting for the next costs little; a machine that is slow only waits longer.
#[tokio::test]
async fn calls_to_intercom_slow_down_before_nothing_is_left_of_the_window() {
    const CALLS: usize = 8;
    let sim = IntercomSim::start(SimClock::real()).await;
    sim.configure(|options| {
        options.window_s = 1;
        options.calls_per_window = 6;
    });
    let secrets = FixedSecrets::new(Secrets {
        telegram_bot_token: Secret::new("1234:AAhidden-token-hidden-token-hidden12"),
        telegram_webhook_secrets: vec![Secret::new("hidden")],
        intercom_access_token: Secret::new(sim.access_token()),
        intercom_client_secrets: vec![Secret::new(sim.client_secret())],
    });
    let timeouts = Timeouts::default();
    let http = http_client(timeouts).unwrap();
    let secrets = Arc::new(secrets.unwrap());
    let client = IntercomClient::new(http, sim.base_url(), secrets, timeouts, Arc::new(SystemClock));
    let client = Arc::new(client);
    let workers = (0..4).map(|_| {
        let client = Arc::clone(&client);
        tokio::spawn(async move {
            for _ in 0..CALLS {
                client.identity().await.unwrap();
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let statuses: Vec<_> = sim.calls().into_iter().map(|call| call.status).collect();
    println!(
        "{} calls to Intercom, 6 of them allowed a second, no 429",
        statuses.len()
    );
    assert_eq!(statuses, vec![Some(200); 4 * CALLS]);
}
