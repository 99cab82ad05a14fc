//! The handle that tests and the demo hold.

use std::sync::{Arc, MutexGuard};

use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use super::{
    call::Call,
    model::{Staff, Team, World},
    options::Options,
    server::{self, Shared},
};
use crate::{Faults, SimClock};

/// An Intercom workspace behind a server that behaves like `api.intercom.io`. Clones are the same workspace; the server stops with the last.
#[derive(Clone)]
pub struct IntercomSim {
    shared: Arc<Shared>,
    base_url: Arc<str>,
    _server: Arc<StopWhenDropped>,
}

struct StopWhenDropped(JoinHandle<()>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl IntercomSim {
    /// Starts a server on a free port of 127.0.0.1, with an empty workspace.
    ///
    /// # Panics
    /// If the machine has no free port.
    #[expect(clippy::expect_used, reason = "a simulator that cannot start is the end of the test")]
    pub async fn start(clock: SimClock) -> Self {
        // The HTTP client asks for a TLS provider even where nothing is encrypted; another one may be installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let base_url = format!("http://{address}");
        let world = World::new(clock, base_url.clone());
        let shared = Arc::new(Shared::new(world, Faults::default(), http.expect("an HTTP client")));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Self {
            shared,
            base_url: base_url.into(),
            _server: Arc::new(StopWhenDropped(server)),
        }
    }

    /// Where the API is; files are served from there too.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The clock that the workspace lives by.
    pub fn clock(&self) -> &SimClock {
        &self.shared.clock
    }

    /// Faults of API calls, by names such as `POST /conversations/{id}/reply`; files go by `GET /downloads/{id}`.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// What was wrong with the requests so far: everything that a caller who reads the documentation would not send.
    pub fn violations(&self) -> Vec<String> {
        self.world().violations.clone()
    }

    /// The calls so far, in the order of their arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// How many calls of this name arrived.
    pub fn calls_of(&self, name: &str) -> usize {
        self.world().calls.iter().filter(|call| call.name == name).count()
    }

    /// The workspace's id: `app_id` of notifications and `app.id_code` of `GET /me`.
    pub fn workspace_id(&self) -> String {
        self.world().workspace.id.clone()
    }

    /// The token that the API takes.
    pub fn access_token(&self) -> String {
        self.world().workspace.access_token.clone()
    }

    /// Makes the old token useless and returns the new one.
    pub fn rotate_access_token(&self) -> String {
        let token = format!("dG9r{}=", Uuid::new_v4().simple());
        token.clone_into(&mut self.world().workspace.access_token);
        token
    }

    /// The secret that notifications are signed with.
    pub fn client_secret(&self) -> String {
        self.world().workspace.client_secret.clone()
    }

    /// Signs with a new secret from now on, and returns it.
    pub fn rotate_client_secret(&self) -> String {
        let secret = Uuid::new_v4().to_string();
        secret.clone_into(&mut self.world().workspace.client_secret);
        secret
    }

    /// The region that `GET /me` names: `US` (default), `EU`, `AU`.
    pub fn set_region(&self, region: &str) {
        region.clone_into(&mut self.world().workspace.region);
    }

    /// The id of the admin that the token belongs to.
    pub fn own_admin(&self) -> String {
        self.world().workspace.own_admin.clone()
    }

    /// The id of the admin of this name, who is hired if need be.
    pub fn admin(&self, name: &str) -> String {
        self.staff(name, false)
    }

    /// The id of the bot of this name, which is set up if need be.
    pub fn bot(&self, name: &str) -> String {
        self.staff(name, true)
    }

    fn staff(&self, name: &str, is_bot: bool) -> String {
        let mut world = self.world();
        if let Some(staff) = world
            .staff
            .iter()
            .find(|staff| staff.name == name && staff.is_bot == is_bot)
        {
            return staff.id.clone();
        }
        let id = world.next_id(991_268_000).to_string();
        let email = if is_bot {
            format!("operator+{}@intercom.io", world.workspace.id)
        } else {
            format!("{id}@example.com")
        };
        world.staff.push(Staff {
            id: id.clone(),
            name: name.to_owned(),
            email,
            is_bot,
        });
        id
    }

    /// The id of the team of this name, which is founded if need be.
    pub fn team(&self, name: &str) -> String {
        let mut world = self.world();
        if let Some(team) = world.teams.iter().find(|team| team.name == name) {
            return team.id.clone();
        }
        let id = world.next_id(5_017_000).to_string();
        world.teams.push(Team {
            id: id.clone(),
            name: name.to_owned(),
        });
        id
    }

    /// Adds a contact that did not come through the API: `role` is `user` or `lead`.
    pub fn add_contact(&self, role: &str, name: &str, external_id: Option<&str>) -> String {
        let fields = json!({"role": role, "name": name, "external_id": external_id});
        let fields = fields.as_object().cloned().unwrap_or_default();
        self.world().add_contact(fields, Map::<String, Value>::new())
    }

    /// A copy of the options.
    pub fn options(&self) -> Options {
        self.world().options.clone()
    }

    /// Changes options.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.world().options);
    }

    /// The app's API version, which decides how notifications look (2.14 by default).
    pub fn set_api_version(&self, version: &str) {
        self.configure(|options| version.clone_into(&mut options.api_version));
    }

    /// New notifications are never sent, or are sent again.
    pub fn lose_notifications(&self, lose: bool) {
        self.configure(|options| options.lose_notifications = lose);
    }

    /// Each new notification comes this many times more.
    pub fn duplicate_notifications(&self, times: usize) {
        self.configure(|options| options.duplicates = times);
    }

    /// Notifications that are due together are sent in an order drawn from this seed.
    pub fn shuffle_notifications(&self, seed: Option<u64>) {
        self.configure(|options| options.shuffle_seed = seed);
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}
