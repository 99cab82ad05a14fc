//! `bridgectl export`, `import` and `reconcile --map`: a table that was lost is as good as before.

use crate::{group::Group, program::Program};

/// A group in whose topics there are conversations, and the program that opened them, stopped.
async fn opened(group: &Group) -> (Program<'_>, Vec<(usize, String)>) {
    let mut program = Program::new(group);
    program.start().await;
    let said = group.everybody_writes(0).await;
    group.sees(&said).await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    (program, said)
}

/// What is said from now on goes on where it was, both ways.
async fn goes_on(group: &Group, program: &mut Program<'_>, mut said: Vec<(usize, String)>) {
    program.start().await;
    said.extend(group.everybody_writes(1).await);
    group.sees(&said).await;
    let answered = group.agents_answer(1).await;
    group.reads(&answered).await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(program.open_ends().await, Vec::<String>::new());
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_is_exported_and_imported_goes_on() {
    let group = Group::found().await;
    let (former, said) = opened(&group).await;
    let map = former.path("map.jsonl");
    let printed = former.tend(&["export", "--to", &map]);
    // Two customers, and for each topic a link, its reverse item, its title, and that both customers are in it.
    let items = 2 + 5 * group.topics();
    assert!(printed[0].starts_with(&format!("{items} items of ")), "{printed:?}");
    let written = std::fs::read_to_string(&map).unwrap();
    assert!(
        !written.contains("round ") && !written.contains("delivery"),
        "{written}"
    );
    let (code, _, told) = former.try_to_tend(&["export", "--to", &map]);
    assert_eq!(code, Some(1), "what is there is not written over");
    assert!(told.contains("cannot be made"), "{told}");

    let mut program = Program::new(&group);
    let (code, _, told) = program.try_to_tend(&["import", "--from", &map]);
    assert!(code == Some(1) && told.contains("there is no "), "{told}");
    program.make_file().await;
    let before = program.everything().await;
    let cut = program.path("cut.jsonl");
    std::fs::write(&cut, &written[..written.len() / 2]).unwrap();
    let (code, _, told) = program.try_to_tend(&["import", "--from", &cut]);
    assert_eq!(code, Some(1), "{told}");
    let printed = program.tend(&["import", "--from", &map, "--dry-run"]);
    assert!(
        printed[1].contains(&format!("{items} would be put, 0 are there already")),
        "{printed:?}"
    );
    assert_eq!(
        program.everything().await,
        before,
        "nothing of a half file, nothing of a dry run"
    );

    let printed = program.tend(&["import", "--from", &map]);
    assert!(
        printed[1].contains(&format!("{items} were put, 0 are there already")),
        "{printed:?}"
    );
    assert!(printed[2].starts_with("The watermark of workspace "), "{printed:?}");
    let printed = program.tend(&["import", "--from", &map]);
    assert!(
        printed[1].contains(&format!("0 were put, {items} are there already")),
        "{printed:?}"
    );
    goes_on(&group, &mut program, said).await;
    let printed = program.tend(&["reconcile", "--map"]);
    assert!(
        printed.last().unwrap().contains("; 0 topics were linked anew"),
        "{printed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_is_lost_is_rebuilt_from_what_is_in_intercom() {
    let group = Group::found().await;
    let (_, said) = opened(&group).await;
    let mut program = Program::new(&group);
    program.make_file().await;
    let topics = group.topics();
    let found = |what: &str| {
        format!(
            "That is all: {topics} conversations looked at, {topics} of them opened from {topics} topics; {topics} topics {what} linked \
             anew, 0 earlier conversations {what} given their topic, 2 contacts {what} put down."
        )
    };
    let before = program.everything().await;
    let printed = program.tend(&["reconcile", "--map", "--dry-run"]);
    assert_eq!(printed.last().unwrap(), &found("would be"));
    assert_eq!(program.everything().await, before, "a dry run changes nothing");
    let printed = program.tend(&["reconcile", "--map"]);
    assert_eq!(printed[printed.len() - 2], found("were"));
    assert!(
        printed.last().unwrap().starts_with("The watermark is at "),
        "{printed:?}"
    );
    goes_on(&group, &mut program, said).await;
}
