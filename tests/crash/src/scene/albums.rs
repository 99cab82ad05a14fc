//! Albums: Telegram sends their items one by one, and whatever dies on the way, they are one reply in its place.

use super::{Expected, World, read};
use simulators::telegram::{Compose, Media, UserId};

const JPEG: &[u8] = b"\xff\xd8\xff a picture";

fn photos(count: usize, caption: &str) -> Compose {
    Compose::album(vec![Media::photo(JPEG); count]).with_text(caption)
}

impl World {
    fn send(&self, user: UserId, place: simulators::telegram::Place, message: Compose) -> i64 {
        self.stage.vendors.telegram.say_with(user, place, message)
    }
}

/// A text, and the files of the messages with these ids.
fn with_files(text: &str, messages: impl IntoIterator<Item = i64>) -> String {
    let files = messages.into_iter().map(|message| format!(" + {message}.jpg"));
    files.fold(text.to_owned(), |line, file| line + &file)
}

fn by_maria(lines: Vec<String>) -> Vec<(&'static str, String)> {
    lines.into_iter().map(|line| ("Maria Lopez", line)).collect()
}

/// One is flushed by what follows, one by another album, one by its marker.
pub(super) async fn among_texts(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "first words");
    let one = world.send(world.maria, topic, photos(2, "the box"));
    world.say(world.maria, topic, "second words");
    let two = world.send(world.maria, topic, photos(2, ""));
    let three = world.send(world.maria, topic, photos(2, "the dent"));
    world.settle().await?;
    let agents = by_maria(vec![
        "first words".to_owned(),
        with_files("the box", one..one + 2),
        "second words".to_owned(),
        with_files("[photo]", two..two + 2),
        with_files("the dent", three..three + 2),
    ]);
    Ok(Expected {
        agents: vec![("Order", agents)],
        customers: vec![(topic, Vec::new())],
        texts: read(&["first words", "second words", "the box", "the dent"]),
        ..Expected::default()
    })
}

pub(super) async fn opens(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    let album = world.send(world.maria, topic, photos(3, "the box"));
    world.settle().await?;
    world.say(world.maria, topic, "second words");
    world.settle().await?;
    let agents = by_maria(vec![
        "the box".to_owned(),
        with_files("[photo]", album..album + 3),
        "second words".to_owned(),
    ]);
    Ok(Expected {
        agents: vec![("Order", agents)],
        customers: vec![(topic, Vec::new())],
        texts: read(&["the box", "second words"]),
        ..Expected::default()
    })
}

pub(super) async fn without_an_item(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "first words");
    let telegram = &world.stage.vendors.telegram;
    let fields = telegram.keep_file(Media::photo(JPEG));
    let photo = fields.get("photo").cloned().unwrap_or_default();
    for size in photo.as_array().into_iter().flatten() {
        telegram.lose_file(size.get("file_id").and_then(|id| id.as_str()).unwrap_or_default());
    }
    let of_album = |message: Compose| message.field("media_group_id", "77".into());
    let first = world.send(world.maria, topic, of_album(photos(1, "the box")));
    world.send(world.maria, topic, of_album(Compose::content("photo", photo)));
    let last = world.send(world.maria, topic, of_album(photos(1, "")));
    world.say(world.maria, topic, "second words");
    world.settle().await?;
    // The link is left out.
    let gone = "the box [photo] – not carried over, for Telegram does not give it out; see";
    let agents = by_maria(vec![
        "first words".to_owned(),
        with_files(gone, [first, last]),
        "second words".to_owned(),
    ]);
    Ok(Expected {
        agents: vec![("Order", agents)],
        customers: vec![(topic, Vec::new())],
        texts: read(&["the box"]),
        ..Expected::default()
    })
}

/// One item before the album is flushed, the other one after it.
pub(super) async fn corrected(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "first words");
    let album = world.send(world.maria, topic, photos(2, "at five"));
    world.stage.vendors.telegram.edit(world.forum, album, "at nine");
    world.settle().await?;
    world.stage.vendors.telegram.edit(world.forum, album + 1, "the box");
    world.settle().await?;
    let agents = by_maria(vec![
        "first words".to_owned(),
        with_files("at five", album..album + 2),
        "Correction: at nine".to_owned(),
        "Correction: the box".to_owned(),
    ]);
    Ok(Expected {
        agents: vec![("Order", agents)],
        customers: vec![(topic, Vec::new())],
        texts: read(&["at five", "at nine", "the box"]),
        ..Expected::default()
    })
}

/// A teammate's reply comes back as a notification.
pub(super) async fn of_staff(world: &World) -> anyhow::Result<Expected> {
    let topic = world.topic("Order");
    world.say(world.maria, topic, "first words");
    let album = world.send(world.sam, topic, photos(2, "like this"));
    world.settle().await?;
    let agents = vec![
        ("Maria Lopez", "first words".to_owned()),
        ("Sam Hill", with_files("like this", album..album + 2)),
    ];
    Ok(Expected {
        agents: vec![("Order", agents)],
        customers: vec![(topic, Vec::new())],
        texts: read(&["like this"]),
        ..Expected::default()
    })
}
