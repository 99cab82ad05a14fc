//! Files from Intercom: each is shown as what it is, once, in order, below its text or behind it, or its absence is said.

use crate::logs::{FILTER, Log};
use scenarios::World;
use simulators::{
    Fault,
    intercom::{File, Reply},
    telegram::{Call, MediaKind, Outcome, Place},
};
use std::time::Duration;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";
const GIF: &[u8] = b"GIF89a\x10\x00\x10\x00 a picture that moves";
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom a film";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0 a song";
const OPUS: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01 words";
const PDF: &[u8] = b"%PDF-1.7 a bill";

const DOWNLOAD: &str = "GET /downloads/{id}";

/// A picture that is so long and narrow that Telegram does not show it.
fn banner() -> File {
    let size = [&9_000_u32.to_be_bytes()[..], &100_u32.to_be_bytes()[..]].concat();
    let bytes = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", size.as_slice()].concat();
    File::new("banner.png", "image/png", bytes)
}

fn jpeg(name: &str) -> File {
    File::new(name, "image/jpeg", JPEG)
}

fn pdf(name: &str) -> File {
    File::new(name, "application/pdf", PDF)
}

fn reply(html: &str, files: impl IntoIterator<Item = File>) -> Reply {
    files.into_iter().fold(Reply::html(html), Reply::with_file)
}

/// Anna answers with these files, and whatever that brings about happens.
async fn answers(world: &World, reply: Reply) -> String {
    let part = world.agent_replies_with("Order 1042", reply);
    world.settle().await;
    part
}

/// A topic in which an agent has answered with these files.
async fn answered(reply: Reply) -> (World, Place) {
    let world = World::new().await;
    let topic = world.order().await;
    answers(&world, reply).await;
    (world, topic)
}

fn calls_with_files(world: &World) -> Vec<Call> {
    let is_with_files = |call: &Call| call.method.starts_with("send") && call.method != "sendMessage";
    world.telegram().calls().into_iter().filter(is_with_files).collect()
}

#[tokio::test]
async fn every_kind_of_file_is_shown_as_what_it_is() {
    use MediaKind::{Animation, Audio, Document, Photo, Video, Voice};
    let cases: &[(&str, &str, &[u8], MediaKind)] = &[
        ("a.jpg", "image/jpeg", JPEG, Photo),
        ("a.gif", "image/gif", GIF, Animation),
        ("a.mp4", "video/mp4", MP4, Video),
        ("a.mp3", "audio/mpeg", MP3, Audio),
        ("a.ogg", "audio/ogg", OPUS, Voice),
        ("a.pdf", "application/pdf", PDF, Document),
        ("a b ü.csv", "text/csv", b"a;b", Document),
        ("a.heic", "image/heic", b"\0\0\0\x18ftypheic", Document),
        // Whose type says nothing, is wrong, or is a lie.
        ("a.mp4", "application/octet-stream", MP4, Video),
        ("a.jpg", "image/jpeg", GIF, Animation),
        ("a.jpg", "image/jpeg", b"<html><script>", Document),
        ("a.mp4", "video/mp4", b"no film", Document),
        ("a.ogg", "audio/ogg", b"OggS no voice", Document),
        ("a.bin", "application/octet-stream", JPEG, Document),
    ];
    let world = World::new().await;
    let topic = world.order().await;
    for (name, content_type, bytes, kind) in cases {
        answers(
            &world,
            reply("<p>See <b>this</b></p>", [File::new(name, content_type, *bytes)]),
        )
        .await;
        let seen = world.telegram().messages(topic).pop().unwrap();
        assert_eq!(seen.html(), "<b>Anna</b>\nSee <b>this</b>", "{name} {content_type}");
        let media = seen.media.unwrap();
        let shown = (media.kind, media.file_name.as_deref(), &media.bytes[..]);
        assert_eq!(shown, (*kind, Some(*name), *bytes), "{name} {content_type}");
    }
    assert_eq!(calls_with_files(&world).len(), cases.len());
    world.finish().await;
}

#[tokio::test]
async fn no_name_of_a_file_leads_anywhere() {
    for (name, expected) in [
        ("../../etc/passwd", "[document _.._etc_passwd.pdf]"),
        ("C:\\run\".exe", "[document C__run_.exe]"),
        ("a\r\nb.txt", "[document a__b.txt]"),
        ("...", "[document file.pdf]"),
    ] {
        let (world, topic) = answered(reply("<p>x</p>", [pdf(name)])).await;
        let shown = world.customer_is_shown(topic);
        assert!(shown[0].starts_with(expected), "{name:?}: {shown:?}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_for_a_caption_goes_ahead() {
    let (fits, too_long) = ("w".repeat(1_024 - "Anna\n".len()), "w".repeat(1_025 - "Anna\n".len()));
    let (world, topic) = answered(reply(&format!("<p>{fits}</p>"), [pdf("a.pdf")])).await;
    assert_eq!(
        world.customer_is_shown(topic),
        [format!("[document a.pdf] <b>Anna</b>\n{fits}")]
    );
    answers(&world, reply(&format!("<p>{too_long}</p>"), [pdf("a.pdf")])).await;
    let shown = world.customer_is_shown(topic);
    assert_eq!(
        shown[1..],
        [format!("<b>Anna</b>\n{too_long}"), "[document a.pdf]".into()]
    );
    world.finish().await;
}

#[tokio::test]
async fn several_files_are_an_album_where_they_may_be_one() {
    let film = || File::new("b.mp4", "video/mp4", MP4);
    let song = || File::new("c.mp3", "audio/mpeg", MP3);
    let cases = [
        (
            reply("<p>See</p>", [jpeg("a.jpg"), film()]),
            vec!["[photo a.jpg] <b>Anna</b>\nSee & [video b.mp4]"],
        ),
        (
            reply("<p>See</p>", [pdf("a.pdf"), pdf("b.pdf")]),
            vec!["[document a.pdf] <b>Anna</b>\nSee & [document b.pdf]"],
        ),
        (
            reply("<p>See</p>", [song(), song()]),
            vec!["[audio c.mp3] <b>Anna</b>\nSee & [audio c.mp3]"],
        ),
        (
            reply("<p>See</p>", [jpeg("a.jpg"), pdf("b.pdf"), pdf("c.pdf")]),
            vec![
                "<b>Anna</b>\nSee",
                "[photo a.jpg]",
                "[document b.pdf] & [document c.pdf]",
            ],
        ),
        // Without a text there is nothing that would have to go ahead.
        (
            reply("", [jpeg("a.jpg"), pdf("b.pdf")]),
            vec!["[photo a.jpg] <b>Anna</b>", "[document b.pdf]"],
        ),
        // Two pictures, one of which is none.
        (
            reply("<p>See</p>", [jpeg("a.jpg"), File::new("b.jpg", "image/jpeg", PDF)]),
            vec!["[photo a.jpg] <b>Anna</b>\nSee", "[document b.jpg]"],
        ),
    ];
    for (reply, expected) in cases {
        let (world, topic) = answered(reply).await;
        assert_eq!(world.customer_is_shown(topic), expected);
        world.finish().await;
    }
}

#[tokio::test]
async fn an_album_holds_ten_and_keeps_the_pace_of_the_group() {
    let world = World::new().await;
    world.telegram().enforce_pace(true);
    let topic = world.order().await;
    let all = || reply("<p>All</p>", (0..12).map(|number| jpeg(&format!("{number}.jpg"))));
    world.agent_replies_with("Order 1042", all());
    answers(&world, reply("<p>Done</p>", [])).await;
    let is_refused = |call: &Call| matches!(call.outcome, Outcome::Refused { .. });
    assert!(!world.telegram().calls().iter().any(is_refused));
    // So many that Telegram has to slow the bot down: nothing is lost or doubled by it.
    for _ in 0..3 {
        world.agent_replies_with("Order 1042", all());
        world.agent_replies("Order 1042", "<p>Done</p>");
    }
    world.settle().await;
    let shown = world.customer_is_shown(topic);
    let items: Vec<usize> = shown.iter().map(|line| line.matches("[photo").count()).collect();
    assert_eq!(items, [0, 10, 2, 0].repeat(4));
    world.finish().await;
}

#[tokio::test]
async fn pictures_in_a_text_follow_it() {
    let picture = |name: &str| File::new(name, "image/png", JPEG);
    let at_the_end = Reply::html("<p>Look</p>").with_image(picture("a.png"));
    let (world, topic) = answered(at_the_end).await;
    answers(&world, Reply::default().with_image(picture("b.png"))).await;
    let between = Reply::html("<p>First</p><img src=\"cid:0\" alt=\"a door\"><p>Second</p>");
    answers(&world, between.with_image(picture("c.png")).with_file(jpeg("d.jpg"))).await;
    assert_eq!(
        world.customer_is_shown(topic),
        [
            "[photo image.jpg] <b>Anna</b>\nLook",
            "[photo image.jpg] <b>Anna</b>",
            "[photo image.jpg] <b>Anna</b>\nFirst\n\n[image: a door]\n\nSecond & [photo d.jpg]",
        ]
    );
    world.finish().await;
}

#[tokio::test]
async fn what_lies_elsewhere_in_the_web_is_a_link_and_is_not_fetched() {
    let gif = "<p>Ha</p><p><img src=\"https://media.giphy.com/media/x/giphy.gif\"></p>";
    let (world, topic) = answered(Reply::html(gif)).await;
    let link = "<b>Anna</b>\nHa\n<a href=\"https://media.giphy.com/media/x/giphy.gif\">[image]</a>";
    assert_eq!(world.customer_is_shown(topic), [link]);
    // Attachments that lie within somebody's network, however they got there.
    for host in ["http://169.254.169.254", "http://127.0.0.1:1", "https://10.0.0.1"] {
        world
            .intercom()
            .configure(|options| options.download_host = Some(host.into()));
        answers(&world, reply("<p>Look</p>", [pdf("a.pdf")])).await;
        let shown = world.customer_is_shown(topic).pop().unwrap();
        assert!(
            shown.contains(&format!("Look\n<a href=\"{host}/")) && shown.ends_with("[file] a.pdf (15 B)</a>"),
            "{shown}"
        );
    }
    assert_eq!(
        (world.intercom().calls_of(DOWNLOAD), calls_with_files(&world).len()),
        (0, 0)
    );
    world.finish().await;
}

const TOO_BIG: &str = "not carried over, for it is larger than 50 MB; see <a href=\"https://app.intercom.com/a/inbox/";
const NOT_GIVEN: &str =
    "not carried over, for Intercom does not give it out; see <a href=\"https://app.intercom.com/a/inbox/";
const NOT_TAKEN: &str =
    "not carried over, for Telegram does not take it; see <a href=\"https://app.intercom.com/a/inbox/";

#[tokio::test]
async fn of_a_file_that_is_too_big_the_text_tells() {
    let big = || File::new("film.mkv", "video/x-matroska", *b"x").stated((50 << 20) + 1);
    let (world, topic) = answered(reply("<p>The film</p>", [big(), pdf("a.pdf")])).await;
    let [shown] = world.customer_is_shown(topic).try_into().unwrap();
    let text = "[document a.pdf] <b>Anna</b>\nThe film\n[file] film.mkv (52.4 MB) – ";
    assert!(shown.starts_with(&format!("{text}{TOO_BIG}")), "{shown}");
    let conversation = world.conversation("Order 1042").id;
    let place = format!("/inbox/conversation/{conversation}</a>");
    assert!(shown.ends_with(&place), "{shown}");
    assert_eq!(world.intercom().calls_of(DOWNLOAD), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_file_that_is_larger_than_it_was_said_to_be_is_told_of_behind_the_text() {
    let big = File::new("film.mkv", "video/x-matroska", vec![0; (50 << 20) + 1]).stated(7);
    let (world, topic) = answered(reply("<p>The film</p>", [big, pdf("a.pdf")])).await;
    let shown = world.customer_is_shown(topic);
    assert_eq!(shown[0], "<b>Anna</b>\nThe film");
    assert!(shown[1].contains(TOO_BIG), "{shown:?}");
    assert_eq!(shown[2..], ["[document a.pdf]"]);
    world.finish().await;
}

#[tokio::test]
async fn a_picture_that_is_too_large_for_one_is_a_document() {
    let mut bytes = JPEG.to_vec();
    bytes.resize((10 << 20) + 1, 0);
    for stated in [bytes.len(), 7] {
        let large = File::new("a.jpg", "image/jpeg", bytes.clone()).stated(stated);
        let (world, topic) = answered(reply("<p>x</p>", [large])).await;
        assert_eq!(world.customer_is_shown(topic), ["[document a.jpg] <b>Anna</b>\nx"]);
        world.finish().await;
    }
}

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
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(FILTER)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
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
