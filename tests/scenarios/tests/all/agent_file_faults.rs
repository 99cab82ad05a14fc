//! Files from Intercom while something goes wrong, or is taken back: once, in order, or their absence is said.

use super::{
    agent_files::{DOWNLOAD, answered, answers, banner, calls_with_files, jpeg, pdf, reply},
    logs::Log,
};
use scenarios::World;
use simulators::Fault;
use std::time::Duration;

const NOT_TAKEN: &str =
    "not carried over, for Telegram does not take it; see <a href=\"https://app.intercom.com/a/inbox/";
const NOT_GIVEN: &str =
    "not carried over, for Intercom does not give it out; see <a href=\"https://app.intercom.com/a/inbox/";

#[tokio::test]
async fn an_address_that_has_ended_is_asked_for_anew() {
    let world = World::new().await;
    let topic = world.order().await;
    let wait = Fault::TooManyRequests(Duration::from_mins(45));
    world.telegram().faults().arm("sendMessage", wait, 1);
    answers(&world, reply("<p>See</p>", [pdf("a.pdf"), jpeg("b.jpg")])).await;
    assert_eq!(
        world.customer_is_shown(topic),
        ["<b>Anna</b>\nSee", "[document a.pdf]", "[photo b.jpg]"]
    );
    // It ends while the first file is held up: what has begun goes on as it began.
    let wait = Fault::TooManyRequests(Duration::from_mins(45));
    world.telegram().faults().arm("sendDocument", wait, 1);
    answers(&world, reply("<p>And</p>", [pdf("c.pdf"), jpeg("d.jpg")])).await;
    let shown = world.customer_is_shown(topic);
    assert_eq!(shown[3..], ["<b>Anna</b>\nAnd", "[document c.pdf]", "[photo d.jpg]"]);
    // Nobody foresaw it.
    world.intercom().faults().arm(DOWNLOAD, Fault::Refuse(403), 1);
    world
        .intercom()
        .configure(|options| options.download_lifetime = Duration::from_mins(29));
    answers(&world, reply("<p>Then</p>", [pdf("e.pdf")])).await;
    assert!(world.customer_is_shown(topic)[6].ends_with("Then"));
    world.finish().await;
}

#[tokio::test]
async fn what_intercom_does_not_give_out_holds_up_no_text() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().faults().arm(DOWNLOAD, Fault::Refuse(404), 5);
    world.agent_replies_with("Order 1042", reply("<p>See</p>", [pdf("a.pdf")]));
    world.passes(Duration::from_secs(3)).await;
    assert_eq!(world.customer_is_shown(topic), ["<b>Anna</b>\nSee"]);
    world.agent_replies("Order 1042", "<p>Well?</p>");
    world.settle().await;
    let shown = world.customer_is_shown(topic);
    assert!(
        shown[1].starts_with("[file] a.pdf (15 B) – ") && shown[1].contains(NOT_GIVEN),
        "{shown:?}"
    );
    assert_eq!(shown[2..], ["<b>Anna</b>\nWell?"]);
    // Twice at each attempt but the first, when a fresh address is none other.
    assert_eq!(world.intercom().calls_of(DOWNLOAD), 5);
    world.finish().await;
}

#[tokio::test]
async fn a_file_comes_when_intercom_answers_again() {
    for fault in [Fault::Refuse(503), Fault::CutBefore, Fault::LoseAnswer] {
        let world = World::new().await;
        let topic = world.order().await;
        world.intercom().faults().arm(DOWNLOAD, fault.clone(), 4);
        answers(&world, reply("<p>See</p>", [pdf("a.pdf")])).await;
        assert_eq!(
            world.customer_is_shown(topic),
            ["<b>Anna</b>\nSee", "[document a.pdf]"],
            "{fault:?}"
        );
        world.finish().await;
    }
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().faults().arm(DOWNLOAD, Fault::Refuse(503), 9);
    answers(&world, reply("<p>See</p>", [pdf("a.pdf")])).await;
    let shown = world.customer_is_shown(topic);
    assert!(shown.len() == 2 && shown[1].contains(NOT_GIVEN), "{shown:?}");
    world.finish().await;
}

/// A lost answer of a moment leaves no trace: what belongs together stays together.
#[tokio::test]
async fn an_album_waits_a_moment_for_each_of_its_files() {
    for failing in 0..3 {
        let world = World::new().await;
        let topic = world.order().await;
        let mut asked = 0;
        world.intercom().faults().decide(move |call| {
            asked += usize::from(call == DOWNLOAD);
            (call == DOWNLOAD && asked == failing + 1).then_some(Fault::LoseAnswer)
        });
        answers(&world, reply("<p>See</p>", ["a.jpg", "b.jpg", "c.jpg"].map(jpeg))).await;
        let album = "[photo a.jpg] <b>Anna</b>\nSee & [photo b.jpg] & [photo c.jpg]";
        assert_eq!(world.customer_is_shown(topic), [album], "{failing}");
        world.finish().await;
    }
    // A file that never comes holds up the others no longer than that.
    let world = World::new().await;
    let topic = world.order().await;
    let mut asked = 0;
    world.intercom().faults().decide(move |call| {
        asked += usize::from(call == DOWNLOAD);
        (call == DOWNLOAD && asked > 1 && asked != 3).then_some(Fault::Refuse(503))
    });
    world.agent_replies_with("Order 1042", reply("<p>See</p>", ["a.jpg", "b.jpg"].map(jpeg)));
    world.passes(Duration::from_secs(10)).await;
    assert_eq!(world.customer_is_shown(topic), ["[photo a.jpg] <b>Anna</b>\nSee"]);
    world.intercom().faults().clear();
    world.settle().await;
    assert_eq!(world.customer_is_shown(topic)[1..], ["[photo b.jpg]"]);
    world.finish().await;
}

#[tokio::test]
async fn no_redirect_leads_elsewhere() {
    let world = World::new().await;
    let topic = world.order().await;
    let telegram = world.telegram().base_url().to_owned();
    for to in ["https://evil.example/a.pdf", "http://169.254.169.254/", &telegram] {
        world
            .intercom()
            .configure(|options| options.download_redirect = Some(to.to_owned()));
        answers(&world, reply("<p>See</p>", [pdf("a.pdf")])).await;
        let shown = world.customer_is_shown(topic).pop().unwrap();
        assert!(shown.contains(NOT_GIVEN), "{to}: {shown}");
    }
    // Once ahead of the text, and once more when the line about it has its slot.
    assert_eq!(world.intercom().calls_of(DOWNLOAD), 6);
    assert!(calls_with_files(&world).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn what_telegram_does_not_show_as_a_picture_is_a_document() {
    let (world, topic) = answered(reply("<p>See</p>", [banner()])).await;
    answers(&world, reply("<p>All</p>", [jpeg("a.jpg"), banner(), jpeg("c.jpg")])).await;
    assert_eq!(
        world.customer_is_shown(topic),
        [
            "[document banner.png] <b>Anna</b>\nSee",
            "[photo a.jpg] <b>Anna</b>\nAll",
            "[document banner.png]",
            "[photo c.jpg]"
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn what_telegram_does_not_take_at_all_is_told() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().faults().arm("sendPhoto", Fault::Refuse(413), 2);
    world.telegram().faults().arm("sendDocument", Fault::Refuse(413), 2);
    answers(&world, reply("<p>See</p>", [jpeg("a.jpg")])).await;
    let shown = world.customer_is_shown(topic);
    assert_eq!(shown[0], "<b>Anna</b>\nSee");
    assert!(shown.len() == 2 && shown[1].contains(NOT_TAKEN), "{shown:?}");
    world.finish().await;
}

/// Nothing in Telegram can be looked up: what may be there is sent once more, and nothing else is.
#[tokio::test]
async fn of_several_files_only_the_one_in_doubt_may_come_twice() {
    for (method, expected) in [
        (
            "sendDocument",
            vec![
                "<b>Anna</b>\nSee",
                "[photo a.jpg] & [photo b.jpg]",
                "[document c.pdf]",
                "[document c.pdf]",
            ],
        ),
        (
            "sendMediaGroup",
            vec![
                "<b>Anna</b>\nSee",
                "[photo a.jpg] & [photo b.jpg]",
                "[photo a.jpg] & [photo b.jpg]",
                "[document c.pdf]",
            ],
        ),
        (
            "sendMessage",
            vec![
                "<b>Anna</b>\nSee",
                "<b>Anna</b>\nSee",
                "[photo a.jpg] & [photo b.jpg]",
                "[document c.pdf]",
            ],
        ),
    ] {
        let world = World::new().await;
        let topic = world.order().await;
        world.telegram().faults().arm(method, Fault::LoseAnswer, 1);
        world.agent_replies_with(
            "Order 1042",
            reply("<p>See</p>", [jpeg("a.jpg"), jpeg("b.jpg"), pdf("c.pdf")]),
        );
        // Whoever saw the answer get lost does not send again, nor does anybody for a minute.
        world.passes(Duration::from_secs(50)).await;
        let faulty = world
            .telegram()
            .calls()
            .iter()
            .filter(|call| call.method == method)
            .count();
        assert_eq!(faulty, 1, "{method}");
        world.settle().await;
        assert_eq!(world.customer_is_shown(topic), expected, "{method}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_file_that_was_not_sent_is_sent_once() {
    for fault in [Fault::TooManyRequests(Duration::from_secs(40)), Fault::Refuse(403)] {
        let world = World::new().await;
        let topic = world.order().await;
        world.telegram().faults().arm("sendDocument", fault.clone(), 2);
        answers(&world, reply("<p>See</p>", [jpeg("a.jpg"), pdf("b.pdf")])).await;
        let expected = ["<b>Anna</b>\nSee", "[photo a.jpg]", "[document b.pdf]"];
        assert_eq!(world.customer_is_shown(topic), expected, "{fault:?}");
        world.finish().await;
    }
}

#[tokio::test]
async fn what_is_taken_back_goes_with_all_its_files() {
    let world = World::new().await;
    let topic = world.order().await;
    answers(&world, reply("<p>Stays</p>", [pdf("stays.pdf")])).await;
    let part = answers(
        &world,
        reply("<p>See</p>", [jpeg("a.jpg"), jpeg("b.jpg"), pdf("c.pdf")]),
    )
    .await;
    assert_eq!(world.customer_is_shown(topic).len(), 4);
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert_eq!(
        world.customer_is_shown(topic),
        ["[document stays.pdf] <b>Anna</b>\nStays"]
    );
    world.finish().await;
}

#[tokio::test]
async fn what_is_taken_back_before_its_files_were_read_is_never_sent() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().faults().arm(DOWNLOAD, Fault::Refuse(403), 1);
    world
        .intercom()
        .configure(|options| options.notification_delay = Duration::from_secs(5));
    let part = world.agent_replies_with("Order 1042", reply("<p>The password</p>", [pdf("a.pdf")]));
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert!(world.telegram().messages(topic).iter().all(|seen| !seen.from_bot));
    world.intercom().faults().clear();
    world.finish().await;
}

#[tokio::test]
async fn an_agent_is_told_what_can_no_longer_be_deleted() {
    let world = World::new().await;
    let topic = world.order().await;
    let part = answers(&world, reply("<p>See</p>", [jpeg("a.jpg"), pdf("b.pdf")])).await;
    world.passes(Duration::from_hours(49)).await;
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert_eq!(world.customer_is_shown(topic).len(), 3);
    let note =
        "Bridge: Deleted here, but it still stands in Telegram: a bot can delete messages there only within 48 hours.";
    assert_eq!(world.agent_notes("Order 1042"), [note]);
    world.finish().await;
}

/// What was given up when half of it had arrived does not come back when it was taken back.
#[tokio::test]
async fn what_is_taken_back_does_not_come_from_the_dead_letters() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .telegram()
        .faults()
        .arm("sendDocument", Fault::Refuse(502), 10_000);
    let part = world.agent_replies_with("Order 1042", reply("<p>See</p>", [jpeg("a.jpg"), pdf("b.pdf")]));
    world.passes(Duration::from_hours(25)).await;
    world.telegram().faults().clear();
    assert_eq!(world.customer_is_shown(topic), ["<b>Anna</b>\nSee", "[photo a.jpg]"]);
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert!(world.customer_is_shown(topic).is_empty());
    assert_eq!(world.redrives().await, 1);
    assert!(world.customer_is_shown(topic).is_empty());
    world.finish().await;
}

/// No name and no signed address of a file is in a log or in the table.
#[tokio::test]
async fn nothing_of_a_file_is_logged_or_kept() {
    let (log, _guard) = Log::listening();
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().faults().arm(DOWNLOAD, Fault::Refuse(403), 1);
    world.intercom().faults().arm(DOWNLOAD, Fault::CutBefore, 1);
    world.telegram().faults().arm("sendDocument", Fault::LoseAnswer, 1);
    answers(&world, reply("<p>See</p>", [banner(), pdf("secret-bill.pdf")])).await;
    assert!(world.customer_is_shown(topic).len() >= 3);
    let kept: String = world
        .store
        .items()
        .await
        .iter()
        .map(|item| item.body.to_string())
        .collect();
    for hidden in ["secret-bill", "banner", "signature", "downloads/"] {
        assert!(!log.text().contains(hidden) && !kept.contains(hidden), "{hidden}");
    }
    world.finish().await;
}
