//! A webhook secret that rotates: step by step, stopped at each, and no update is refused meanwhile.

use async_trait::async_trait;
use bridge::{
    failure::MessengerError,
    rotation::{Kept, Progress, Registrar, Rotation, Rules, Vault, VaultError},
    secrets::Secret,
};
use mapping::{Clock, Entropy, Timestamp};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

const RULES: Rules = Rules {
    every: Some(Duration::from_hours(24 * 30)),
    settle: Duration::from_mins(6),
    keep_old: Duration::from_mins(2),
};

/// A bridge in a few words: what is kept, what its webhook has read, what Telegram sends. Any call may be the last that is made.
struct Scene {
    kept: Mutex<Kept>,
    read: Mutex<Vec<Secret>>,
    sent: Mutex<Secret>,
    calls_left: AtomicU64,
    seconds: AtomicI64,
    bits: AtomicU64,
}

impl Scene {
    fn new() -> Arc<Self> {
        let old = Secret::new("old");
        Arc::new(Self {
            kept: Mutex::new(Kept {
                secrets: vec![old.clone()],
                last: None,
            }),
            read: Mutex::new(vec![old.clone()]),
            sent: Mutex::new(old),
            calls_left: AtomicU64::new(u64::MAX),
            seconds: AtomicI64::new(1_800_000_000),
            bits: AtomicU64::new(1),
        })
    }

    fn rotation(self: &Arc<Self>) -> Rotation {
        Rotation::new(self.clone(), self.clone(), self.clone(), self.clone())
    }

    fn call(&self) -> Result<(), VaultError> {
        let left = self.calls_left.load(Ordering::SeqCst);
        self.calls_left.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 0 {
            Err(VaultError("stopped".into()))
        } else {
            Ok(())
        }
    }

    /// Time passes, and with five minutes every process has read what is kept; an update comes in each minute and has to be taken.
    fn pass(&self, minutes: i64) {
        for minute in 1..=minutes {
            self.seconds.fetch_add(60, Ordering::SeqCst);
            if minute % 5 == 0 {
                let kept = self.kept.lock().unwrap();
                self.read.lock().unwrap().clone_from(&kept.secrets);
            }
            let sent = self.sent.lock().unwrap().clone();
            // A secret that is not known is read anew.
            let known = self.read.lock().unwrap().contains(&sent) || self.kept.lock().unwrap().secrets.contains(&sent);
            assert!(known, "an update is refused");
        }
    }
}

#[async_trait]
impl Vault for Scene {
    async fn read(&self) -> Result<Kept, VaultError> {
        self.call()?;
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn write(&self, kept: &Kept) -> Result<(), VaultError> {
        self.call()?;
        *self.kept.lock().unwrap() = kept.clone();
        Ok(())
    }
}

#[async_trait]
impl Registrar for Scene {
    async fn url(&self) -> Result<String, MessengerError> {
        Ok("https://bridge.example/telegram-webhook".into())
    }

    async fn probe(&self, _url: &str, secret: &Secret) -> Result<u16, String> {
        self.call().map_err(|error| error.to_string())?;
        Ok(if self.read.lock().unwrap().contains(secret) {
            200
        } else {
            401
        })
    }

    async fn register(&self, _url: &str, secret: &Secret) -> Result<(), MessengerError> {
        let refused = |error: VaultError| MessengerError::Refused {
            reason: error.to_string(),
        };
        self.call().map_err(refused)?;
        *self.sent.lock().unwrap() = secret.clone();
        Ok(())
    }
}

impl Clock for Scene {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.seconds.load(Ordering::SeqCst))
    }
}

impl Entropy for Scene {
    fn bits(&self) -> u64 {
        self.bits.fetch_add(1, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_secret_that_is_old_enough_is_another_one_within_hours() {
    let scene = Scene::new();
    let rotation = scene.rotation();
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::NotDue), "its time begins");
    scene.pass(60 * 24 * 29);
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::NotDue));
    scene.pass(60 * 24);
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::Begun));
    assert_eq!(scene.kept.lock().unwrap().secrets.len(), 2);
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::Settling));
    scene.pass(60);
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::Registered));
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::Keeping));
    scene.pass(60);
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::Ended));
    scene.pass(60);
    let kept = scene.kept.lock().unwrap().secrets.clone();
    assert_eq!((kept.len(), &kept[0]), (1, &*scene.sent.lock().unwrap()));
    assert_ne!(kept[0], Secret::new("old"));
    assert_eq!(kept[0].expose().len(), 48);
    assert_eq!(rotation.advance(&RULES).await, Ok(Progress::NotDue));
}

#[tokio::test]
async fn nothing_is_registered_that_the_webhook_does_not_take() {
    let scene = Scene::new();
    let rotation = scene.rotation();
    let at_once = Rules {
        every: None,
        settle: Duration::ZERO,
        ..RULES
    };
    assert_eq!(rotation.advance(&at_once).await, Ok(Progress::Begun));
    assert_eq!(rotation.advance(&at_once).await, Ok(Progress::Untaken(401)));
    assert_eq!(*scene.sent.lock().unwrap(), Secret::new("old"));
}

/// Each call in turn is the last one before somebody stops the rotation; an hour later it goes on.
#[tokio::test]
async fn a_rotation_that_is_stopped_at_any_call_loses_no_update_and_ends() {
    let now = Rules { every: None, ..RULES };
    let mut stops = 0;
    for calls in 0..20 {
        let scene = Scene::new();
        scene.calls_left.store(calls, Ordering::SeqCst);
        for _ in 0..20 {
            match scene.rotation().advance(&now).await {
                Ok(Progress::Ended) => break,
                Ok(_) => {}
                Err(_) => {
                    stops += 1;
                    scene.calls_left.store(u64::MAX, Ordering::SeqCst);
                }
            }
            scene.pass(60);
        }
        scene.pass(60);
        let kept = scene.kept.lock().unwrap().secrets.clone();
        assert_eq!(kept.len(), 1, "stopped after {calls} calls");
        assert_ne!(kept[0], Secret::new("old"));
    }
    assert!(stops >= 8, "{stops}");
}
