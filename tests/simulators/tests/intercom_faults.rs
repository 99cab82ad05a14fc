//! Faults of API calls: what the caller sees, and what was done all the same.

mod intercom_support;

use std::time::Duration;

use intercom_support::Caller;
use serde_json::json;
use simulators::Fault;

const REPLY: &str = "POST /conversations/{id}/reply";

fn messages(caller: &Caller, conversation: &str) -> usize {
    caller
        .sim
        .conversation(conversation)
        .map_or(0, |seen| seen.messages().count())
}

#[tokio::test]
async fn refusals_do_nothing() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    caller.sim.faults().arm(REPLY, Fault::Refuse(503), 1);
    caller
        .sim
        .faults()
        .arm(REPLY, Fault::TooManyRequests(Duration::from_secs(7)), 1);
    let refused = caller.reply(&conversation, &contact, "x").await;
    assert_eq!((refused.status, refused.code()), (503, "server_error"));
    let limited = caller.reply(&conversation, &contact, "x").await;
    assert_eq!((limited.status, limited.code()), (429, "rate_limit_exceeded"));
    assert_eq!(
        limited.headers["x-ratelimit-reset"],
        (caller.clock.now_s() + 7).to_string()
    );
    assert_eq!(limited.headers["x-ratelimit-remaining"], "0");
    assert_eq!(messages(&caller, &conversation), 1);
    assert_eq!(caller.reply(&conversation, &contact, "x").await.status, 200);
    let statuses: Vec<_> = caller
        .sim
        .calls()
        .iter()
        .filter(|call| call.name == REPLY)
        .map(|call| call.status)
        .collect();
    assert_eq!(statuses, [Some(503), Some(429), Some(200)]);
    assert_eq!(caller.sim.calls_of(REPLY), 3);
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_answer_is_a_transport_error_and_the_work_is_done() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let body = json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "x"});
    let path = format!("/conversations/{conversation}/reply");
    for (fault, expected) in [(Fault::LoseAnswer, 2), (Fault::CutBefore, 2)] {
        caller.sim.faults().arm(REPLY, fault.clone(), 1);
        let error = caller
            .request("POST", &path)
            .json(&body)
            .send()
            .await
            .expect_err("no answer");
        assert!(error.is_request() && !error.is_connect(), "{fault:?}: {error:?}");
        assert_eq!(messages(&caller, &conversation), expected, "{fault:?}");
        assert_eq!(caller.sim.calls().last().and_then(|call| call.status), None);
    }
}

#[tokio::test]
async fn a_failure_after_the_work_and_an_unreadable_answer() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    caller.sim.faults().arm(REPLY, Fault::FailAfter(502), 1);
    assert_eq!(caller.reply(&conversation, &contact, "one").await.status, 502);
    assert_eq!(messages(&caller, &conversation), 2);
    caller.sim.faults().arm(REPLY, Fault::Garble, 1);
    let body = json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "two"});
    let request = caller
        .request("POST", &format!("/conversations/{conversation}/reply"))
        .json(&body);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<serde_json::Value>().await.is_err());
    assert_eq!(messages(&caller, &conversation), 3);
}

#[tokio::test]
async fn hanging_calls_end_when_the_caller_gives_up() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let body = json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "late"});
    let path = format!("/conversations/{conversation}/reply");
    let send = async || {
        let request = caller
            .request("POST", &path)
            .timeout(Duration::from_millis(300))
            .json(&body);
        request.send().await.expect_err("a timeout")
    };
    caller.sim.faults().arm(REPLY, Fault::Hang, 1);
    assert!(send().await.is_timeout());
    caller.sim.faults().arm(REPLY, Fault::CommitLate, 1);
    assert!(send().await.is_timeout());
    while messages(&caller, &conversation) == 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        messages(&caller, &conversation),
        2,
        "only the second was done, after the caller had gone"
    );
}

#[tokio::test]
async fn a_slow_call_is_answered_in_the_end_and_any_call_can_be_hit() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    caller.sim.faults().arm("*", Fault::Slow(Duration::from_millis(20)), 1);
    assert_eq!(caller.reply(&conversation, &contact, "slow").await.status, 200);
    caller.sim.faults().arm("GET /downloads/{id}", Fault::Refuse(500), 1);
    let lost = caller
        .http
        .get(format!("{}/downloads/x/1/y", caller.sim.base_url()))
        .send()
        .await
        .expect("an answer");
    assert_eq!(lost.status(), 500);
    assert_eq!(caller.sim.faults().armed(), 0);
}
