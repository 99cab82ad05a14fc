use super::*;

fn parse(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::parse(|name| {
        settings
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_chats_are_all_that_must_be_set() {
    let config = parse(&[("TELEGRAM_CHATS", " -1001 , 42 "), ("STAFF", "")]).unwrap();
    assert_eq!(config.chats, BTreeSet::from([ChatId(-1001), ChatId(42)]));
    assert_eq!(config.conversation_per, ConversationPer::Topic);
    assert_eq!(config.general_topic, GeneralTopic::User);
    assert!(!config.private_chats);
    assert!(config.bot_replies);
    assert_eq!(config.reactions, Reactions::Off);
    assert_eq!(config.topic_states, TopicStates::Off);
    assert_eq!(config.give_up_after, Duration::from_hours(24));
    assert_eq!(config.telegram_api_url, "https://api.telegram.org");
    assert_eq!(config.intercom_api_url, "https://api.intercom.io");
}

#[test]
fn everything_can_be_set() {
    let config = parse(&[
        ("TELEGRAM_CHATS", "-1001"),
        ("NEW_CONVERSATION", "after_days:3"),
        ("STAFF", "5, 6=77"),
        ("INTERCOM_ASSIGNEE", "team:1,-1001=admin:2"),
        ("REACTIONS", "note"),
        ("TOPIC_STATES", "follow"),
        ("CUSTOMER_NOTICE", " Perdón, inténtelo de nuevo. "),
        ("INTERCOM_REGION", "EU"),
        ("GIVE_UP_AFTER", "90m"),
        ("TELEGRAM_API_URL", "http://127.0.0.1:8081/"),
    ])
    .unwrap();
    assert_eq!(config.new_conversation, NewConversation::AfterDays(3));
    assert_eq!(config.staff.get(&CustomerId(6)), Some(&Some(AdminId::new("77"))));
    assert_eq!(
        config.assignees.of(ChatId(-1001)),
        Some(&Assignee::Admin(AdminId::new("2")))
    );
    assert_eq!(config.reactions, Reactions::Note);
    assert_eq!(config.topic_states, TopicStates::Follow);
    assert_eq!(config.customer_notice.as_deref(), Some("Perdón, inténtelo de nuevo."));
    assert_eq!(config.assignees.of(ChatId(5)), Some(&Assignee::Team("1".into())));
    assert_eq!(config.intercom_api_url, "https://api.eu.intercom.io");
    assert_eq!(config.give_up_after, Duration::from_mins(90));
    assert_eq!(config.telegram_api_url, "http://127.0.0.1:8081");
}

#[test]
fn a_topic_that_follows_does_not_end_with_its_conversation() {
    let both = [
        ("TELEGRAM_CHATS", "1"),
        ("TOPIC_STATES", "follow"),
        ("NEW_CONVERSATION", "after_close"),
    ];
    assert_eq!(parse(&both).unwrap_err().variable, "TOPIC_STATES");
    assert!(parse(&both[..2]).is_ok());
}

#[test]
fn what_is_wrong_is_said_with_its_name() {
    let long = "x".repeat(1_001);
    for (variable, value) in [
        ("CUSTOMER_NOTICE", long.as_str()),
        ("TELEGRAM_CHATS", "@group"),
        ("TELEGRAM_CHATS", ""),
        ("CONVERSATION_PER", "chat"),
        ("NEW_CONVERSATION", "after_days:0"),
        ("STAFF", "ann"),
        ("STAFF", "5=ann"),
        ("INTERCOM_ASSIGNEE", "sales"),
        ("REACTIONS", "on"),
        ("TOPIC_STATES", "on"),
        ("INTERCOM_ADMIN_ID", "me"),
        ("INTERCOM_REGION", "mars"),
        ("GROUP_MESSAGES_PER_MINUTE", "0"),
        ("GIVE_UP_AFTER", "13d"),
        ("GIVE_UP_AFTER", "soon"),
        ("TELEGRAM_API_URL", "api.telegram.org"),
    ] {
        let mut settings = vec![(variable, value)];
        if variable != "TELEGRAM_CHATS" {
            settings.push(("TELEGRAM_CHATS", "1"));
        }
        let error = parse(&settings).unwrap_err();
        assert_eq!(error.variable, variable, "{value}");
        assert!(error.to_string().contains(variable));
    }
}
