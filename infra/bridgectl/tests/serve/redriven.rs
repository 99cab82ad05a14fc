//! `bridgectl redrive`: what was given up is shown, and goes back when it is told to.

use crate::{group::Group, program::Program};

const REPLY: &str = "POST /conversations/{id}/reply";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_shown_first_and_goes_back_when_it_is_told_to() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    group.opens().await;
    program.rests().await;
    let nothing = program.tend(&["redrive"]);
    assert_eq!(nothing, ["There are no dead letters."]);

    group.refuses(REPLY, 422);
    group.says(1, 0, "my parcel is lost");
    program.has(1, 0).await;
    group.refuses("sendMessage", 413);
    group.replies_to("Hello", "it is on its way").await;
    program.has(2, 0).await;
    assert_eq!(program.stop(), Some(0));

    let before = program.everything().await;
    let printed = program.tend(&["redrive"]);
    let [inbound, record, outbound, part, summary] = printed.as_slice() else {
        panic!("{printed:#?}")
    };
    let conversation = format!(
        "{}:{}",
        group.intercom().workspace_id(),
        group.intercom().conversations()[0].id
    );
    assert!(
        inbound.starts_with(&format!("to Intercom  {}  20", group.lane(0))),
        "{inbound}"
    );
    assert!(inbound.ends_with("s ago)  update"), "{inbound}");
    assert!(
        record.starts_with("    tg#") && record.contains("  given up (1): "),
        "{record}"
    );
    assert!(
        outbound.starts_with(&format!("to Telegram  {conversation}  20")),
        "{outbound}"
    );
    assert!(outbound.ends_with("s ago)  notification"), "{outbound}");
    assert!(
        part.starts_with("    part#") && part.contains("  given up (1): "),
        "{part}"
    );
    assert_eq!(
        summary,
        "2 of 2 dead letters are meant; nothing was changed. With --yes they go back."
    );
    let all = printed.join("\n");
    assert!(!all.contains("parcel") && !all.contains("on its way"), "{all}");
    for (only, meant) in [
        (["--queue", "outbound"], "1 of 1 dead letters are meant"),
        (["--lane", &group.lane(0)], "1 of 2 dead letters are meant"),
        (["--lane", &group.lane(1)], "None of 2 dead letters is meant"),
        (["--older-than", "1h"], "None of 2 dead letters is meant"),
        (["--since", "2020-01-31T12:00:00Z"], "2 of 2 dead letters are meant"),
    ] {
        let printed = program.tend(&["redrive", only[0], only[1]]);
        assert!(printed.last().unwrap().starts_with(meant), "{only:?}: {printed:?}");
    }
    assert_eq!(program.everything().await, before, "what is only shown stays");

    let printed = program.tend(&["redrive", "--yes"]);
    assert_eq!(printed.last().unwrap(), "2 of 2 dead letters are back in their queues.");
    program.has(0, 2).await;
    program.start().await;
    group.reaches_agents("my parcel is lost").await;
    group.reaches_topic(0, "it is on its way").await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(program.open_ends().await, Vec::<String>::new());
    assert_eq!(group.violations(), Vec::<String>::new());
}
