//! What every store must do, as test cases: each adapter runs all of them on its real database.
//!
//! A test binary without a harness of its own makes one test of each of [`cases`]. A case panics when the store breaks its promise.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a case that fails panics, as a test does"
)]

/// Names functions as cases.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        vec![$($crate::contract::Case { name: stringify!($name), run: |scene| Box::pin($name(scene)) }),+]
    };
}

mod albums;
mod beginnings;
mod claims;
mod commits;
mod conditions;
mod deliveries;
mod ledgers;
mod limits;
mod links;
mod pace;
mod races;
mod reads;
mod rebuilds;
mod scene;
mod topics;

use crate::store::Store;
use async_trait::async_trait;
use scene::Scene;
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// Where a suite gets its stores from.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A connection of its own to the one table. The cases share the table; each keeps to keys that no other has.
    async fn connect(&self) -> Arc<dyn Store>;
}

/// One test case.
pub struct Case {
    name: &'static str,
    run: fn(Scene) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Case {
    /// Its name, a sentence in snake case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it, within a tokio runtime that has time enabled.
    pub async fn run(&self, fixture: Arc<dyn Fixture>) {
        (self.run)(Scene::new(self.name, fixture).await).await;
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All cases.
pub fn cases() -> Vec<Case> {
    [
        albums::cases(),
        beginnings::cases(),
        claims::cases(),
        commits::cases(),
        conditions::cases(),
        deliveries::cases(),
        limits::cases(),
        links::cases(),
        pace::cases(),
        races::cases(),
        reads::cases(),
        rebuilds::cases(),
        topics::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
