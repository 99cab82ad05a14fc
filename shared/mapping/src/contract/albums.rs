//! Albums: each item is in it once, nothing joins what is closed, and a lane has one that is open.

use super::{
    Case,
    ledgers::{Ledgers, assert_overtaken, number, settled},
    scene::{Scene, race},
};
use crate::{
    album::{Album, AlbumItem, AlbumState, Joined, MOST_OF_ALBUM, OpenAlbum},
    claim::End,
    ids::{AlbumId, ChatId, MessageId},
    keys::{self, AlbumKey},
    ledger::Ledger,
    record::Stored,
    time::Timestamp,
};
use std::time::Duration;

const LANE: &str = "-1001:7";
const SINCE: Timestamp = Timestamp::from_seconds(1_750_000_000);

pub(super) fn cases() -> Vec<Case> {
    cases![
        items_that_come_at_once_are_all_in_the_album,
        an_item_is_in_its_album_once,
        nothing_joins_a_closed_album,
        an_album_that_was_joined_meanwhile_is_not_closed_unseen,
        an_album_takes_no_more_than_a_store_does,
        a_lane_has_one_open_album,
        what_people_wrote_goes_when_an_album_has_arrived,
        an_album_that_was_given_up_keeps_what_people_wrote,
        an_album_under_way_is_not_ended,
    ]
}

impl Ledgers {
    fn album(&self, name: &str) -> AlbumKey {
        AlbumKey {
            bot: self.bot(),
            chat: ChatId(-1001),
            album: AlbumId::new(name),
        }
    }

    async fn album_at(&self, key: &AlbumKey) -> Option<Stored<Album>> {
        self.record(&key.key()).await
    }

    async fn open_in_lane(&self) -> Option<AlbumKey> {
        let open = self.record::<OpenAlbum>(&keys::open_album(self.bot(), LANE)).await;
        open.map(|open| open.value.album)
    }

    /// What a worker makes of item `of` that has not read the album.
    async fn join(&self, ledger: &Ledger, key: &AlbumKey, of: usize) -> Joined {
        let item = item(of, "caption");
        let join = || ledger.join_album(key, None, LANE, SINCE, &item);
        settled(join).await.expect("an answer to joining")
    }

    async fn close(&self, ledger: &Ledger, key: &AlbumKey) {
        let read = self.album_at(key).await.expect("an album");
        let close = || ledger.close_album(key, read.clone());
        settled(close).await.expect("to close an album");
    }

    /// An album of one item, whose delivery has ended so.
    async fn ended(&self, ledger: &Ledger, key: &AlbumKey, of: usize, end: End) {
        self.join(ledger, key, of).await;
        self.close(ledger, key).await;
        let claim = self.begun(ledger, of).await;
        ledger
            .finish(claim, end, ledger.transaction())
            .await
            .expect("to finish");
        self.end(ledger, key, of).await;
    }

    async fn end(&self, ledger: &Ledger, key: &AlbumKey, of: usize) {
        let delivery = self.delivery(of);
        let end = || ledger.end_album(key, LANE, &delivery);
        settled(end).await.expect("to end an album");
    }
}

fn item(of: usize, update: &str) -> AlbumItem {
    AlbumItem {
        message: MessageId(number(of)),
        update: Some(update.to_owned()),
    }
}

fn messages(album: &Album) -> Vec<i64> {
    album.items.iter().map(|item| item.message.0).collect()
}

async fn items_that_come_at_once_are_all_in_the_album(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let workers = ledgers.workers().await;
    let key = ledgers.album("1");
    // The first one opens the lane; a lane gives out one message at a time.
    ledgers.join(&workers[0], &key, 100).await;
    let joined = race(&workers, |racer, worker| {
        let (ledgers, key) = (ledgers.clone(), key.clone());
        async move { ledgers.join(&worker, &key, racer).await }
    });
    for joined in joined.await {
        assert!(matches!(joined, Joined::In(_)), "{joined:?}");
    }
    let album = ledgers.album_at(&key).await.expect("an album").value;
    assert_eq!(album.first(), Some(MessageId(100)));
    let mut there = messages(&album);
    there.sort_unstable();
    let wanted: Vec<i64> = (0..workers.len()).chain([100]).map(number).collect();
    assert_eq!(there, wanted);
    assert_eq!(ledgers.open_in_lane().await, Some(key));
}

async fn an_item_is_in_its_album_once(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = ledgers.album("1");
    ledgers.join(&worker, &key, 1).await;
    let before = ledgers.album_at(&key).await;
    ledgers.clock.advance(Duration::from_secs(1));
    let Joined::In(album) = ledgers.join(&worker, &key, 1).await else {
        panic!("the item is in it")
    };
    assert_eq!(messages(&album), [1]);
    assert_eq!(ledgers.album_at(&key).await, before);
    ledgers.join(&worker, &key, 2).await;
    let album = ledgers.album_at(&key).await.expect("an album").value;
    assert_eq!(messages(&album), [1, 2]);
    assert_eq!(album.last_at, worker.now());
    // Whoever is in it stays in it, however far it is.
    ledgers.close(&worker, &key).await;
    assert!(matches!(ledgers.join(&worker, &key, 2).await, Joined::In(_)));
}

async fn nothing_joins_a_closed_album(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = ledgers.album("1");
    ledgers.join(&worker, &key, 1).await;
    ledgers.close(&worker, &key).await;
    let closed = ledgers.album_at(&key).await;
    ledgers.close(&worker, &key).await;
    assert_eq!(ledgers.join(&worker, &key, 2).await, Joined::Closed);
    assert_eq!(ledgers.album_at(&key).await, closed);
    ledgers.end(&worker, &key, 1).await;
    assert_eq!(ledgers.join(&worker, &key, 2).await, Joined::Closed);
}

async fn an_album_that_was_joined_meanwhile_is_not_closed_unseen(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let (one, other) = (ledgers.worker().await, ledgers.worker().await);
    let key = ledgers.album("1");
    ledgers.join(&one, &key, 1).await;
    let read = ledgers.album_at(&key).await.expect("an album");
    ledgers.join(&other, &key, 2).await;
    let closed = settled(|| one.close_album(&key, read.clone())).await;
    assert_overtaken(&closed);
    let album = ledgers.album_at(&key).await.expect("an album").value;
    assert_eq!((album.state, messages(&album)), (AlbumState::Open, vec![1, 2]));
}

async fn an_album_takes_no_more_than_a_store_does(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = ledgers.album("1");
    let large = item(1, &"ä".repeat(MOST_OF_ALBUM / 2));
    let joined = settled(|| worker.join_album(&key, None, LANE, SINCE, &large)).await;
    assert!(matches!(joined, Ok(Joined::In(_))), "{joined:?}");
    assert_eq!(ledgers.join(&worker, &key, 2).await, Joined::Full);
    let album = ledgers.album_at(&key).await.expect("an album").value;
    assert_eq!(messages(&album), [1]);
}

async fn a_lane_has_one_open_album(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let (first, second) = (ledgers.album("1"), ledgers.album("2"));
    ledgers.join(&worker, &first, 1).await;
    let item = item(2, "caption");
    let joined = settled(|| worker.join_album(&second, None, LANE, SINCE, &item)).await;
    assert_overtaken(&joined);
    assert_eq!(ledgers.album_at(&second).await, None);
    ledgers.close(&worker, &first).await;
    ledgers.end(&worker, &first, 1).await;
    ledgers.join(&worker, &second, 2).await;
    assert_eq!(ledgers.open_in_lane().await, Some(second.clone()));
    // What ended before is ended again by whoever did not hear of it, and leaves the other alone.
    ledgers.end(&worker, &first, 1).await;
    assert_eq!(ledgers.open_in_lane().await, Some(second));
}

async fn what_people_wrote_goes_when_an_album_has_arrived(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    for (at, end) in [End::Delivered, End::Skipped("staff".into())].into_iter().enumerate() {
        let key = ledgers.album(&at.to_string());
        ledgers.ended(&worker, &key, at, end).await;
        let album = ledgers.album_at(&key).await.expect("an album").value;
        assert_eq!((album.state, messages(&album)), (AlbumState::Flushed, vec![number(at)]));
        assert!(album.items.iter().all(|item| item.update.is_none()));
        let expires_at = ledgers.item(&key.key()).await.and_then(|item| item.expires_at);
        assert_eq!(expires_at, Some(worker.now() + keys::FINISHED_FOR));
        assert_eq!(ledgers.open_in_lane().await, None);
    }
}

async fn an_album_that_was_given_up_keeps_what_people_wrote(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = ledgers.album("1");
    let end = End::Undeliverable("too old".into());
    ledgers.ended(&worker, &key, 1, end).await;
    let album = ledgers.album_at(&key).await.expect("an album").value;
    assert_eq!(
        (album.state, album.items),
        (AlbumState::Closed, vec![item(1, "caption")])
    );
    let expires_at = ledgers.item(&key.key()).await.and_then(|item| item.expires_at);
    assert!(expires_at.is_some_and(|at| at < worker.now() + keys::FINISHED_FOR));
    assert_eq!(ledgers.open_in_lane().await, None);
}

async fn an_album_under_way_is_not_ended(scene: Scene) {
    let ledgers = Ledgers::of(scene);
    let worker = ledgers.worker().await;
    let key = ledgers.album("1");
    ledgers.join(&worker, &key, 1).await;
    ledgers.end(&worker, &key, 1).await;
    ledgers.close(&worker, &key).await;
    let _claim = ledgers.begun(&worker, 1).await;
    ledgers.end(&worker, &key, 1).await;
    let album = ledgers.album_at(&key).await.expect("an album").value;
    assert_eq!(
        (album.state, album.items),
        (AlbumState::Closed, vec![item(1, "caption")])
    );
    assert_eq!(ledgers.open_in_lane().await, Some(key));
}
