//! No error tells a token, an address or a word of what was sent: every call of both clients, gone wrong in every way.

use crate::canary::faults;
use bridge::{
    failure::{HelpdeskError, MessengerError},
    ports::{Assignee, FlatText, Helpdesk, Messenger, NewContact, Place, Reply, UpdateReader as _, Upload},
    rich_text::RichText,
    secrets::{FixedSecrets, Secret, Secrets},
    webhook::{WebhookMethod, WebhookRequest},
};
use intercom::IntercomClient;
use local::SystemClock;
use mapping::{AdminId, ChatId, ContactId, ConversationId, FileId, MessageId, Timestamp};
use scenarios::{BadWire, Wire};
use simulators::{SimClock, intercom::IntercomSim, telegram::TelegramSim};
use std::{error::Error, sync::Arc, time::Duration};
use telegram::{TelegramClient, TelegramUpdates};

const BOT_SECRET: &str = "AAsecret-of-a-bot_0123456789abcdefg";
const ACCESS: &str = "dG9rOmFjY2Vzcy10by1pbnRlcmNvbQ";
const WORD: &str = "platypus";

/// Long enough for a machine that is busy to refuse a connection.
const SHORT: Duration = Duration::from_millis(300);

fn secrets(token: &str, access: &str) -> Arc<FixedSecrets> {
    let secrets = Secrets {
        telegram_bot_token: Secret::new(token),
        telegram_webhook_secrets: vec![Secret::new("secret_of_a_webhook")],
        intercom_access_token: Secret::new(access),
        intercom_client_secrets: vec![Secret::new("secret-of-a-client")],
    };
    Arc::new(FixedSecrets::new(secrets).unwrap())
}

fn telegram(url: &str, secrets: Arc<FixedSecrets>) -> TelegramClient {
    let timeouts = telegram::Timeouts {
        connect: SHORT,
        total: SHORT,
        file: SHORT,
    };
    TelegramClient::new(telegram::http_client(timeouts).unwrap(), url, secrets, timeouts)
}

fn intercom(url: &str, secrets: Arc<FixedSecrets>) -> IntercomClient {
    let timeouts = intercom::Timeouts {
        connect: SHORT,
        total: SHORT,
        files: SHORT,
        window: SHORT,
    };
    let http = intercom::http_client(timeouts).unwrap();
    IntercomClient::new(http, url, secrets, timeouts, Arc::new(SystemClock))
}

/// Everything that an error can be made to show.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn hear<T, E: Error>(&mut self, result: Result<T, E>) {
        let Err(error) = result else { return };
        self.0.push(format!("{error} {error:?} {error:#?}"));
        let mut source = error.source();
        while let Some(cause) = source {
            self.0.push(format!("{cause} {cause:?}"));
            source = cause.source();
        }
    }

    fn tells_nothing(&self, secrets: &[&str], when: &str) {
        let never = [WORD, "/bot", "hunter2", "secret_of_a_webhook", "secret-of-a-client"];
        for told in &self.0 {
            let found = never.iter().chain(secrets).find(|never| told.contains(**never));
            assert_eq!(found, None, "{when}: {told}");
        }
    }
}

async fn telegram_fails(client: &TelegramClient) -> Told {
    let mut told = Told::default();
    let (chat, message) = (ChatId(-1_001_234_567_890), MessageId(7));
    let place = Place {
        chat,
        topic: None,
        reply_to: None,
    };
    let text = FlatText {
        text: WORD.into(),
        spans: vec![],
    };
    told.hear::<_, MessengerError>(client.identity().await);
    told.hear(client.send(place, &text).await);
    told.hear(client.administrators(chat).await);
    told.hear(client.delete(chat, message).await);
    told.hear(client.download(&FileId::new(WORD), 1 << 20).await);
    told.hear(client.create_topic(chat, WORD).await);
    told.hear(client.set_webhook("https://bridge.example/platypus").await);
    told.hear(client.webhook_info().await);
    told.hear(client.delete_webhook().await);
    told
}

async fn intercom_fails(client: &IntercomClient) -> Told {
    let mut told = Told::default();
    let (conversation, contact, admin) = (ConversationId::new("12"), ContactId::new("c1"), AdminId::new("9"));
    let reply = Reply {
        body: RichText::plain(WORD),
        created_at: None,
        files: vec![],
    };
    let with_file = Reply {
        files: vec![Upload {
            name: WORD.into(),
            content_type: "image/png".into(),
            bytes: WORD.as_bytes().into(),
        }],
        ..reply.clone()
    };
    let person = NewContact {
        external_id: "telegram:1".into(),
        name: WORD.into(),
    };
    told.hear::<_, HelpdeskError>(client.identity().await);
    told.hear(client.ensure_contact(&person).await);
    told.hear(client.contact(&contact).await);
    told.hear(client.rename_contact(&contact, WORD).await);
    told.hear(client.open_conversation(&contact, &reply).await);
    told.hear(client.find_opened(&contact, WORD, Timestamp::EPOCH).await);
    told.hear(client.reply_as_contact(&conversation, &contact, &with_file).await);
    told.hear(client.reply_as_admin(&conversation, &admin, &reply).await);
    told.hear(client.add_note(&conversation, &admin, &reply).await);
    told.hear(client.attach(&conversation, &admin, &contact).await);
    told.hear(client.set_title(&conversation, WORD).await);
    told.hear(client.tag(&conversation, &admin, WORD).await);
    told.hear(client.assign(&conversation, &admin, &Assignee::Team("3".into())).await);
    told.hear(client.conversation(&conversation).await);
    told.hear(client.changed_since(Timestamp::EPOCH, Some(WORD)).await);
    told
}

#[tokio::test]
async fn whatever_a_vendor_does_no_error_tells_anything() {
    let clock = SimClock::manual(1_768_467_600_000);
    let (t, i) = (TelegramSim::start(clock.clone()).await, IntercomSim::start(clock).await);
    let bot = t.bot("Support", "acme_support_bot");
    let access = i.access_token();
    let secret = bot.token.split_once(':').unwrap().1.to_owned();
    let mut all = 0;
    for fault in faults() {
        t.faults().arm("*", fault.clone(), 1_000);
        i.faults().arm("*", fault.clone(), 1_000);
        for told in [
            telegram_fails(&telegram(t.base_url(), secrets(&bot.token, &access))).await,
            intercom_fails(&intercom(i.base_url(), secrets(&bot.token, &access))).await,
        ] {
            assert!(!told.0.is_empty(), "{fault:?} is no failure");
            told.tells_nothing(&[&secret, &access], &format!("{fault:?}"));
            all += told.0.len();
        }
        t.faults().clear();
        i.faults().clear();
    }
    println!("{all} errors, {} faults", faults().len());
}

/// Nobody listens, nobody is called that, somebody speaks no TLS, and what is no address at all.
#[tokio::test]
async fn wherever_an_address_leads_no_error_tells_anything() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = open.local_addr().unwrap();
    let wire = Wire::to(&format!("http://{silent}")).await;
    let addresses = [
        format!("http://{closed}"),
        format!("http://user:hunter2@{closed}"),
        format!("https://{silent}"),
        wire.url.replace("http:", "https:"),
        "https://no-such-host.invalid".to_owned(),
        "not an address".to_owned(),
        "http://".to_owned(),
        "http://[::1".to_owned(),
        "ftp://hunter2.example".to_owned(),
        String::new(),
    ];
    let token = format!("1:{BOT_SECRET}");
    for address in addresses {
        let bot = telegram_fails(&telegram(&address, secrets(&token, ACCESS))).await;
        let app = intercom_fails(&intercom(&address, secrets(&token, ACCESS))).await;
        for (told, calls) in [(bot, 9), (app, 15)] {
            assert!(told.0.len() >= calls, "{address:?}: {:?}", told.0);
            told.tells_nothing(&[BOT_SECRET, ACCESS], &address);
        }
    }
}

/// A redirect is not followed, for it would take the token along; and what answers may repeat it.
#[tokio::test]
async fn whatever_answers_instead_no_error_tells_anything() {
    for bad in BadWire::ALL {
        let nowhere = Wire::to("127.0.0.1:1").await;
        nowhere.is_bad(bad, 100);
        let token = format!("1:{BOT_SECRET}");
        let bot = telegram_fails(&telegram(&nowhere.url, secrets(&token, ACCESS))).await;
        let app = intercom_fails(&intercom(&nowhere.url, secrets(&token, ACCESS))).await;
        for (told, calls) in [(bot, 9), (app, 15)] {
            assert!(told.0.len() >= calls, "{bad:?} is no failure");
            told.tells_nothing(&[BOT_SECRET, ACCESS], &format!("{bad:?}"));
        }
        let asked = String::from_utf8_lossy(&nowhere.said()).into_owned();
        assert_eq!(asked.is_empty(), bad == BadWire::Closed);
        assert!(!asked.contains("?again"), "{bad:?} is followed");
    }
}

/// What holds a secret, or what somebody wrote, shows neither.
#[test]
fn what_holds_a_secret_does_not_show_it() {
    let fixed = secrets(&format!("1:{BOT_SECRET}"), ACCESS);
    let body = br#"{"update_id": 1, "message": {"text": "platypus"}}"#;
    let request = WebhookRequest {
        method: WebhookMethod::Post,
        headers: vec![("X-Telegram-Bot-Api-Secret-Token".into(), "secret_of_a_webhook".into())],
        body: body.as_slice().into(),
    };
    let held = Secrets {
        telegram_bot_token: Secret::new(BOT_SECRET),
        telegram_webhook_secrets: vec![Secret::new("secret_of_a_webhook")],
        intercom_access_token: Secret::new(ACCESS),
        intercom_client_secrets: vec![Secret::new("secret-of-a-client")],
    };
    let verified = TelegramUpdates.verify(&request, &held).unwrap();
    let upload = Upload {
        name: WORD.into(),
        content_type: "image/png".into(),
        bytes: WORD.as_bytes().into(),
    };
    let told = Told(vec![
        format!("{fixed:?} {fixed:#?}"),
        format!("{held:?} {held:#?}"),
        format!("{request:?} {request:#?}"),
        format!("{verified:?} {verified:#?}"),
        format!("{upload:?} {upload:#?}"),
    ]);
    told.tells_nothing(&[BOT_SECRET, ACCESS], "what is kept");
}
