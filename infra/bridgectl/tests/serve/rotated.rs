//! `bridgectl rotate`: another secret in the place of one, and nothing is lost meanwhile.

use crate::{group::Group, program::Program, program::WEBHOOK_SECRET};
use reqwest::StatusCode;

const ROTATE: [&str; 4] = ["rotate", "webhook-secret", "--keep-old", "0s"];
const NOTHING: &str = r#"{"update_id":0,"poll":{"id":"0"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_secret_rotates_in_two_runs_with_a_start_between() {
    let group = Group::found().await;
    let mut program = Program::new(&group).with_env_file();
    program.start().await;
    group.says(0, 0, "with the old one");
    group.reaches_agents("with the old one").await;

    let (code, printed, told) = program.try_to_tend(&ROTATE);
    assert_eq!(code, Some(1), "{printed:?}");
    assert!(
        printed[0].starts_with("1 of 4: a new secret stands beside the old one in "),
        "{printed:?}"
    );
    assert!(told.contains("the webhook knows only the old one"), "{told}");
    assert!(told.contains("when serve is started again"), "{told}");
    let both = program.kept("TELEGRAM_WEBHOOK_SECRET");
    let (new, old) = both.split_once(',').unwrap();
    assert_eq!((new.len(), old), (48, WEBHOOK_SECRET));
    assert!(!format!("{printed:?}{told}").contains(new), "it is not shown");
    group.says(0, 0, "still with the old one");
    group.reaches_agents("still with the old one").await;

    assert_eq!(program.stop(), Some(0));
    program.start().await;
    group.says(0, 0, "both are good");
    group.reaches_agents("both are good").await;
    let printed = program.tend(&ROTATE);
    assert!(
        printed[0].starts_with("1 of 4: ") && printed[0].ends_with("so a rotation goes on."),
        "{printed:?}"
    );
    let doctor = printed.iter().position(|line| line == "The doctor says:").unwrap();
    assert!(
        printed[doctor..].join("\n").contains("All four secrets are in .env"),
        "{printed:?}"
    );
    assert_eq!(program.kept("TELEGRAM_WEBHOOK_SECRET"), new);
    group.says(0, 0, "with the new one");
    group.reaches_agents("with the new one").await;
    assert_eq!(
        program.takes_update(NOTHING).await,
        StatusCode::OK,
        "the old one is good until a start"
    );
    assert_eq!(program.stop(), Some(0));
    program.start().await;
    assert_eq!(program.takes_update(NOTHING).await, StatusCode::UNAUTHORIZED);
    group.says(0, 0, "and only with that");
    group.reaches_agents("and only with that").await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_tried_before_it_is_put_in_place() {
    let group = Group::found().await;
    let mut program = Program::new(&group).with_env_file();
    program.start().await;
    group.says(0, 0, "with the old token");
    group.reaches_agents("with the old token").await;
    let old = program.kept("INTERCOM_ACCESS_TOKEN");
    let new = group.intercom().rotate_access_token();
    group.says(0, 0, "waits for the new token");
    program.has(0, 1).await;

    let rotate = ["rotate", "access-token"];
    let refused = |token: &str, why: &str| {
        let (code, printed, told) = program.try_to_tend_pasting(&rotate, token);
        assert_eq!(code, Some(1), "{printed:?}");
        assert!(told.contains(why), "{told}");
        assert_eq!(program.kept("INTERCOM_ACCESS_TOKEN"), old, "nothing was changed");
    };
    refused("", "nothing was pasted");
    refused("dG9rOm9mLW5vYm9keQ==", "Intercom does not take it");
    group
        .intercom()
        .configure(|options| options.token_of = Some("elsewhere".into()));
    refused(&new, "and the conversations are in another");
    group.intercom().configure(|options| options.token_of = None);

    let (code, printed, told) = program.try_to_tend_pasting(&rotate, &new);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        printed[1].starts_with("Intercom takes it, and it stands in "),
        "{printed:?}"
    );
    assert!(!format!("{printed:?}{told}").contains(&new), "it is not shown");
    assert_eq!(program.kept("INTERCOM_ACCESS_TOKEN"), new);
    assert_eq!(program.stop(), Some(0));
    program.start().await;
    group.reaches_agents("waits for the new token").await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_token_is_tried_put_in_place_registered_and_looked_at() {
    let group = Group::found().await;
    let mut program = Program::new(&group).with_env_file();
    program.start().await;
    group.says(0, 0, "with the old token");
    group.reaches_agents("with the old token").await;
    let old = program.kept("TELEGRAM_BOT_TOKEN");
    let new = group.telegram.rotate_token(&group.bot);
    group.says(0, 0, "waits at Telegram for the new token");

    let url = program.url();
    let rotate = ["rotate", "bot-token", "--public-url", &url];
    let refused = |token: &str, why: &str| {
        let (code, printed, told) = program.try_to_tend_pasting(&rotate, token);
        assert_eq!(code, Some(1), "{printed:?}");
        assert!(told.contains(why), "{told}");
        assert_eq!(program.kept("TELEGRAM_BOT_TOKEN"), old, "nothing was changed");
    };
    refused("", "nothing was pasted");
    refused("no token", "this is the token of another bot");
    refused(&old, "Telegram does not take it");
    let another = group.telegram.bot("Another", "another_bot");
    refused(&another.token, "this is the token of another bot");

    // Telegram forgets the webhook with the token.
    let (code, printed, told) = program.try_to_tend_pasting(&rotate, &new.token);
    assert_eq!(code, Some(0), "{told}");
    let said = printed.join("\n");
    assert!(said.contains("Telegram takes it, and it stands in "), "{said}");
    assert!(said.contains("The webhook is registered with it."), "{said}");
    let (_, doctor) = said.split_once("The doctor says:").unwrap();
    assert!(
        doctor.contains("The bot token is that of @acme_support_bot"),
        "{doctor}"
    );
    assert!(
        doctor.contains(&format!("Telegram delivers to {url}/telegram-webhook")),
        "{doctor}"
    );
    assert!(!format!("{said}{told}").contains(&new.token), "it is not shown");
    assert_eq!(program.kept("TELEGRAM_BOT_TOKEN"), new.token);
    assert_eq!(program.stop(), Some(0));
    program.start().await;
    group.reaches_agents("waits at Telegram for the new token").await;
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.violations(), Vec::<String>::new());
}
