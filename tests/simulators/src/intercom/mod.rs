//! An Intercom workspace: the REST API with its rules, files behind signed URLs, webhooks with their two attempts, and what an
//! agent does and sees. Requests are checked against tables made from Intercom's `OpenAPI` description.

mod agent;
mod answer;
mod call;
mod contacts;
mod conversations;
mod directory;
mod events;
mod html;
mod links;
mod model;
mod options;
mod outbox;
mod parts;
mod render;
mod replies;
mod schema;
mod search;
mod server;
mod sim;
mod view;
mod webhooks;

pub use agent::{File, Reply};
pub use call::Call;
pub use events::TOPICS;
pub use options::{BotTopics, OneClick, Options, OutsiderReply, PlaintextImages, RedactionPayload};
pub use outbox::Sent;
pub use sim::IntercomSim;
pub use view::{ContactView, ConversationView, FileView, PartView};
