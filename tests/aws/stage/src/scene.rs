//! The scene: a forum with three topics and two customers, and a workspace with one agent.

use crate::road::Road;
use serde_json::{Value, json};
use simulators::{
    SimClock,
    intercom::IntercomSim,
    telegram::{Bot, Place, Rights, TelegramSim, UserId},
};

/// Everybody who plays, and where.
pub(crate) struct Scene {
    pub(crate) telegram: TelegramSim,
    pub(crate) intercom: IntercomSim,
    pub(crate) road: Road,
    pub(crate) customers: [UserId; 2],
    pub(crate) topics: [Place; 3],
    pub(crate) agent: String,
    bot: Bot,
}

impl Scene {
    /// Sets the scene. Both vendors deliver by themselves, on the machine's clock.
    pub(crate) async fn set() -> Self {
        let telegram = TelegramSim::start(SimClock::real()).await;
        let intercom = IntercomSim::start(SimClock::real()).await;
        let bot = telegram.bot("Support", "support_bot");
        let chat = telegram.supergroup("Example Customers", true);
        telegram.promote_bot(&bot, chat, Rights::all());
        let customers = [
            telegram.user("Ada", Some("Example"), Some("ada_example")),
            telegram.user("Ken", None, None),
        ];
        let owner = telegram.owner(chat);
        let topics = ["Delivery 17", "Contract 9", "Invoice 4"]
            .map(|title| Place::topic(chat, telegram.create_topic(owner, chat, title)));
        let agent = intercom.admin("Grace");
        telegram.run_in_background();
        intercom.run_in_background();
        Self {
            telegram,
            intercom,
            road: Road::default(),
            customers,
            topics,
            agent,
            bot,
        }
    }

    /// Where everything is, and the keys to it.
    pub(crate) fn program(&self, here: &str) -> Value {
        json!({
            "url": here,
            "telegram_api_url": self.telegram.base_url(),
            "intercom_api_url": self.intercom.base_url(),
            "chat": self.topics[0].chat,
            "customers": self.customers.map(|customer| customer.0),
            "bot_token": self.bot.token,
            "access_token": self.intercom.access_token(),
            "client_secret": self.intercom.client_secret(),
        })
    }
}
