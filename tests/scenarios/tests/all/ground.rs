//! The ground itself: a scenario that leaves something behind fails.

use scenarios::World;
use simulators::Fault;

#[tokio::test]
#[should_panic(expected = "1 faults never struck")]
async fn a_fault_that_never_struck_is_noticed() {
    let world = World::new().await;
    world.telegram().faults().arm("sendMessage", Fault::Hang, 1);
    world.finish().await;
}

#[tokio::test]
#[should_panic(expected = "1 dead letters")]
async fn a_message_that_was_given_up_is_noticed() {
    let world = World::new().await;
    let topic = world.order().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, Fault::Refuse(422), 1);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
#[should_panic(expected = "1 violations")]
async fn a_call_that_the_real_service_would_refuse_is_noticed() {
    let world = World::new().await;
    let token = &world.stage.vendors.bot.token;
    let url = format!(
        "{}/bot{token}/sendMessage?chat_id={}",
        world.telegram().base_url(),
        world.forum
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.post(url).send().await.unwrap();
    world.finish().await;
}

#[tokio::test]
#[should_panic(expected = "1 notifications are lost")]
async fn a_notification_that_was_lost_is_noticed() {
    let world = World::new().await;
    world.order().await;
    world.intercom().lose_notifications(true);
    world.agent_replies("Order 1042", "<p>Nobody hears me</p>");
    world.finish().await;
}

#[tokio::test]
#[should_panic(expected = "is claimed")]
async fn a_claim_that_nobody_gave_back_is_noticed() {
    let world = World::new().await;
    let topic = world.order().await;
    let fault = Fault::LoseAnswer;
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", fault, 1);
    world.writes(world.maria, topic, "Anybody?");
    world.stage.settle_now().await.unwrap();
    // Whoever would look is not there any more.
    world.clear_queues().await;
    world.finish().await;
}

#[tokio::test]
#[should_panic(expected = "a scenario ends with `finish`")]
async fn a_scenario_without_an_end_is_noticed() {
    let _world = World::new().await;
}
