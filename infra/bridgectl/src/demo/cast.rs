//! Who writes: the customers and the colleague in the Telegram group, the agents in Intercom.

use crate::stage::Vendors;
use serde::Serialize;
use simulators::telegram::{Rights, UserId};

/// Somebody in the Telegram group.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) staff: bool,
}

/// Somebody who works in Intercom.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) name: String,
}

/// Everybody.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub(super) forum: i64,
    pub(super) people: Vec<Person>,
    pub(super) agents: Vec<Agent>,
}

/// What the group is called.
pub(super) const GROUP: &str = "Acme Support";

impl Cast {
    /// Gathers them in one group, with the bridge's bot, and in one workspace.
    pub(super) fn gather(vendors: &Vendors) -> Self {
        let telegram = &vendors.telegram;
        let forum = telegram.supergroup(GROUP, true);
        telegram.promote_bot(&vendors.bot, forum, Rights::all());
        let person = |first: &str, last: &str, username: &str, staff: bool| {
            let user = telegram.user(first, Some(last), Some(username));
            telegram.add_member(forum, user);
            Person {
                id: user.0,
                name: format!("{first} {last}"),
                staff,
            }
        };
        let people = vec![
            person("Maria", "Lopez", "maria_l", false),
            person("Ken", "Adeyemi", "ken_ade", false),
            person("Priya", "Nair", "priya_nair", false),
            person("Ben", "Okafor", "ben_okafor", false),
            person("Carla", "Diaz", "carla_diaz", false),
            person("Dev", "Patel", "dev_patel", false),
            person("Eva", "Novak", "eva_novak", false),
            person("Sam", "Hill", "sam_at_acme", true),
        ];
        let agents = ["Anna Weber", "Jonas Lind"].map(|name| Agent {
            id: vendors.intercom.admin(name),
            name: name.to_owned(),
        });
        let agents = agents.into();
        Self { forum, people, agents }
    }

    /// The colleagues who answer in Telegram, each with their account in Intercom: the `STAFF` setting.
    pub(super) fn staff(&self, vendors: &Vendors) -> String {
        let colleagues = self.people.iter().filter(|person| person.staff);
        let setting = colleagues.map(|person| format!("{}={}", person.id, vendors.intercom.admin(&person.name)));
        setting.collect::<Vec<_>>().join(",")
    }

    /// Somebody in the group.
    pub(super) fn person(&self, id: i64) -> Option<UserId> {
        self.people
            .iter()
            .find(|person| person.id == id)
            .map(|person| UserId(person.id))
    }

    /// Somebody who works in Intercom.
    pub(super) fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == id)
    }
}
