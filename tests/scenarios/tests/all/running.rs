//! What a bridge on one machine does by itself while it runs.

use mapping::{Item, Key};
use scenarios::World;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Waits (real time) until the table is so.
async fn until(world: &World, is_so: impl Fn(&[Item]) -> bool) {
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        while !is_so(&world.store.items().await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap();
}

fn ends(items: &[Item]) -> usize {
    items.iter().filter(|item| item.expires_at.is_some()).count()
}

#[tokio::test]
async fn what_has_expired_is_removed_at_the_start_and_every_hour() {
    const MONTH: Duration = Duration::from_hours(30 * 24);
    let world = World::new().await;
    let topic = world.order().await;
    world.passes(3 * MONTH + Duration::from_mins(1)).await;
    world.writes(world.maria, topic, "And another thing");
    world.settle().await;
    let before = world.store.items().await;

    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&world.stage.machine).run(stopped));
    until(&world, |items| ends(items) < ends(&before)).await;
    let left = world.store.items().await;
    assert!(ends(&left) > 0, "what was carried just now is remembered");

    let clock = &world.stage.vendors.clock;
    clock.advance_to(clock.now_ms() + i64::try_from((3 * MONTH).as_millis()).unwrap() + 60_000);
    until(&world, |items| ends(items) == 0).await;
    stop.send_replace(true);
    running.await.unwrap();
    let kept: Vec<Key> = world.store.items().await.into_iter().map(|item| item.key).collect();
    let lasting = left.iter().filter(|item| item.expires_at.is_none());
    for item in lasting {
        assert!(kept.contains(&item.key), "{} is gone, too", item.key);
    }
    world.finish().await;
}
