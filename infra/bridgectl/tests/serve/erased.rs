//! `bridgectl erase`: nothing of one person is left in the table and the queues, and nobody else notices.

use crate::{group::Group, program::Program};

const REPLY: &str = "POST /conversations/{id}/reply";
const MARIA: usize = 0;
const KEN: usize = 1;

/// Whether an id stands in a text, as itself and not within another number.
fn names(text: &str, id: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == id)
}

fn contact_of(group: &Group, who: usize) -> Option<String> {
    let external_id = format!("telegram:{}", group.customer(who));
    let contacts = group.intercom().contacts().into_iter();
    contacts
        .filter(|contact| contact.external_id.as_deref() == Some(external_id.as_str()))
        .map(|contact| contact.id)
        .next()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_is_left_and_nobody_else_notices() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    // A topic of hers alone, one with somebody else, and a conversation of her own in General.
    group.says(MARIA, 0, "mine alone");
    group.says(KEN, 1, "ours, says Ken");
    group.reaches_agents("ours, says Ken").await;
    group.says(MARIA, 1, "ours, says Maria");
    group.says_in_general(MARIA, "in General");
    group.says_in_general(KEN, "in General, too");
    for text in ["mine alone", "ours, says Maria", "in General, too"] {
        group.reaches_agents(text).await;
    }
    group.replies_to("mine alone", "an answer to her").await;
    group.reaches_topic(0, "an answer to her").await;
    program.rests().await;
    // Something of hers was given up, and something waits.
    group.refuses(REPLY, 422);
    group.says(MARIA, 1, "given up");
    program.has(1, 0).await;
    group
        .intercom()
        .faults()
        .arm(REPLY, simulators::Fault::Refuse(503), 1_000);
    group.says(MARIA, 1, "waits");
    program.has(1, 1).await;
    assert_eq!(program.stop(), Some(0));
    group.intercom().faults().clear();

    let customer = group.customer(MARIA).to_string();
    let contact = contact_of(&group, MARIA).unwrap();
    let before = program.everything().await;
    assert!(before.iter().any(|line| names(line, &customer)) && before.iter().any(|line| names(line, &contact)));
    let erase = ["erase", "--customer", &customer, "--contact", "delete"];
    let printed = program.tend(&[&erase[..], &["--dry-run"]].concat()).join("\n");
    for line in [
        "1 of 1 messages in the queue (waiting, to Intercom): would be removed.",
        "1 of 1 messages in the queue (dead letters, to Intercom): would be removed.",
        "2 links of theirs alone: would be removed.",
        "1 links that they share with others: would be taken out of them.",
        &format!("Intercom: the contact {contact} would be deleted."),
        "Nothing was changed.",
        "Intercom: their conversations",
    ] {
        assert!(printed.contains(line), "{line:?} is not in\n{printed}");
    }
    assert_eq!(program.everything().await, before, "a dry run changes nothing");
    assert_eq!(contact_of(&group, MARIA).as_ref(), Some(&contact));

    let printed = program.tend(&erase).join("\n");
    assert!(printed.contains("2 messages and "), "{printed}");
    assert!(
        printed.contains(&format!("Intercom: the contact {contact} deleted.")),
        "{printed}"
    );
    for text in ["mine", "waits", "given up: "] {
        assert!(!printed.contains(text), "{printed}");
    }
    let left = program.everything().await;
    let of_her: Vec<&String> = left
        .iter()
        .filter(|line| names(line, &customer) || names(line, &contact))
        .collect();
    assert_eq!(of_her, Vec::<&String>::new());
    assert_eq!(contact_of(&group, MARIA), None);
    assert_eq!(
        program.open_ends().await,
        Vec::<String>::new(),
        "what waited has no record"
    );
    let again = program.tend(&erase).join("\n");
    assert!(again.contains("0 messages and 0 records were removed."), "{again}");
    assert!(again.contains("Intercom: no contact of theirs is known."), "{again}");

    let conversations = group.intercom().conversations().len();
    program.start().await;
    group.says(KEN, 1, "Ken goes on");
    group.says_in_general(KEN, "here, too");
    group.replies_to("ours, says Ken", "an answer to Ken").await;
    group.reaches_agents("Ken goes on").await;
    group.reaches_agents("here, too").await;
    group.reaches_topic(1, "an answer to Ken").await;
    program.rests().await;
    assert_eq!(
        group.intercom().conversations().len(),
        conversations,
        "his are as before"
    );
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.violations(), Vec::<String>::new());
}
