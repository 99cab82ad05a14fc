//! Files from Intercom: each is shown as what it is, below its text or behind it, or it is said why not.

use scenarios::World;
use simulators::{
    intercom::{File, Reply},
    telegram::{Call, MediaKind, Place},
};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";
const GIF: &[u8] = b"GIF89a\x10\x00\x10\x00 a picture that moves";
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom a film";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0 a song";
const OPUS: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01 words";
const PDF: &[u8] = b"%PDF-1.7 a bill";

pub(crate) const DOWNLOAD: &str = "GET /downloads/{id}";

/// A picture that is so long and narrow that Telegram does not show it.
pub(crate) fn banner() -> File {
    let size = [&9_000_u32.to_be_bytes()[..], &100_u32.to_be_bytes()[..]].concat();
    let bytes = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", size.as_slice()].concat();
    File::new("banner.png", "image/png", bytes)
}

pub(crate) fn jpeg(name: &str) -> File {
    File::new(name, "image/jpeg", JPEG)
}

pub(crate) fn pdf(name: &str) -> File {
    File::new(name, "application/pdf", PDF)
}

pub(crate) fn reply(html: &str, files: impl IntoIterator<Item = File>) -> Reply {
    files.into_iter().fold(Reply::html(html), Reply::with_file)
}

/// Anna answers with these files, and whatever that brings about happens.
pub(crate) async fn answers(world: &World, reply: Reply) -> String {
    let part = world.agent_replies_with("Order 1042", reply);
    world.settle().await;
    part
}

/// A topic in which an agent has answered with these files.
pub(crate) async fn answered(reply: Reply) -> (World, Place) {
    let world = World::new().await;
    let topic = world.order().await;
    answers(&world, reply).await;
    (world, topic)
}

pub(crate) fn calls_with_files(world: &World) -> Vec<Call> {
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
    let topic = world.order().await;
    for _ in 0..4 {
        let all = (0..12).map(|number| jpeg(&format!("{number}.jpg")));
        world.agent_replies_with("Order 1042", reply("<p>All</p>", all));
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
