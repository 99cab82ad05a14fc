//! `serve` says by itself what nobody would notice until a message is missed.

use crate::{
    group::{Group, until},
    program::Program,
};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_refused_and_a_webhook_that_is_gone_stand_in_the_log() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start_watching().await;
    let says = async |words: &str| {
        until(words, async || {
            let log = program.log();
            log.contains(words).then_some(()).ok_or(log)
        })
        .await;
    };
    says("Telegram's webhook was looked at").await;
    let log = program.log();
    assert!(
        !log.contains("has to be registered again") && !log.contains("refuses our token"),
        "{log}"
    );
    group.telegram.forget_webhook(&group.bot);
    says("\"problem\":\"no webhook is registered\"").await;
    group.intercom.rotate_access_token();
    says("\"vendor\":\"Intercom\"").await;
    group.telegram.rotate_token(&group.bot);
    says("\"vendor\":\"Telegram\"").await;
    assert_eq!(program.stop(), Some(0));
}
