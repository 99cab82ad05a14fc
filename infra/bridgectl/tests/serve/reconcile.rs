//! `bridgectl reconcile`, the program itself: what it finds, what it prints, and what a dry run leaves as it is.

use super::{group::Group, program::Program};
use local::SystemClock;
use mapping::Clock as _;
use simulators::SimClock;
use std::time::Duration;

/// The vendors' clock is behind by so much: what happens there now is old enough to be missed.
const BEHIND: Duration = Duration::from_mins(6);

/// The conversations were linked before that.
const LINKED_BEFORE: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread")]
async fn reconciling_finds_what_no_notification_brought_and_tells_how_far_it_came() {
    let now = SystemClock.now() - BEHIND;
    let group = Group::found_by(SimClock::manual(now.as_millis())).await;
    let mut program = Program::new(&group);
    program.start().await;
    let said = group.everybody_writes(0).await;
    group.sees(&said).await;
    group.intercom_tells().await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    program.let_pass(LINKED_BEFORE).await;
    group.intercom().lose_notifications(true);
    let answered = group.agents_answer(0).await;
    let found = |what: &str| {
        let topics = group.topics();
        let replies = answered.len();
        format!("{topics} conversations changed, {topics} of them linked; {replies} replies {what} at ")
    };

    let before = program.everything().await;
    let printed = program.reconcile(&["--dry-run"]);
    let [progress, end] = printed.as_slice() else {
        panic!("{printed:?}")
    };
    let missing = found("missing; the watermark stays");
    assert!(progress.starts_with(&missing), "{printed:?}");
    assert!(end.starts_with(&format!("That is all: {missing}")), "{printed:?}");
    assert_eq!(program.everything().await, before, "a dry run changes nothing");

    let old = "2020-01-31T12:00:00Z";
    let printed = program.reconcile(&["--dry-run", "--since", old]);
    assert!(printed[0].starts_with(&missing), "{printed:?}");
    assert_eq!(program.everything().await, before);

    let printed = program.reconcile(&[]);
    let enqueued = found("missing and put into the queue; the watermark is");
    assert!(printed[0].starts_with(&enqueued), "{printed:?}");
    assert!(
        printed[1].starts_with(&format!("That is all: {enqueued}")),
        "{printed:?}"
    );
    assert_ne!(
        printed[1].split(" at ").last(),
        end.split(" at ").last(),
        "the watermark moved"
    );
    assert_eq!(program.queued().await, group.topics());
    program.reconcile(&["--since", old]);
    assert_eq!(
        program.queued().await,
        group.topics(),
        "what is in the queue is not put there again"
    );

    program.start().await;
    group.reads(&answered).await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.shown_twice(&answered), 0);
    let printed = program.reconcile(&["--since", old]);
    assert!(printed[1].contains("; 0 replies missing"), "{printed:?}");
    assert_eq!(program.open_ends().await, Vec::<String>::new());
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn from_now_on_nothing_older_is_looked_for() {
    // A sweep looks a quarter of an hour behind its watermark.
    let behind = Duration::from_mins(20);
    let now = SystemClock.now() - behind;
    let group = Group::found_by(SimClock::manual(now.as_millis())).await;
    let mut program = Program::new(&group);
    program.start().await;
    let said = group.everybody_writes(0).await;
    group.sees(&said).await;
    group.intercom_tells().await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    program.let_pass(behind + LINKED_BEFORE).await;
    group.intercom().lose_notifications(true);
    let lost = group.agents_answer(0).await;

    let before = program.everything().await;
    let printed = program.reconcile(&["--from-now", "--dry-run"]);
    assert!(printed[0].contains(" would be at "), "{printed:?}");
    assert_eq!(program.everything().await, before, "a dry run changes nothing");
    let [with, _] = &program.reconcile(&["--dry-run"])[..] else {
        panic!("two lines")
    };
    assert!(with.contains(&format!("{} replies missing", lost.len())), "{with}");

    let workspace = group.intercom().workspace_id();
    let printed = program.reconcile(&["--from-now"]);
    assert!(
        printed[0].starts_with(&format!("The watermark of workspace {workspace} is at ")),
        "{printed:?}"
    );
    let printed = program.reconcile(&["--dry-run"]);
    assert!(printed[1].contains("; 0 replies missing"), "{printed:?}");
    assert_eq!(program.queued().await, 0);
}
