//! An Intercom workspace: the REST API with its rules, files behind signed URLs, webhooks with their two attempts, and what an
//! agent does and sees.
//!
//! [`IntercomSim::start`] opens it on 127.0.0.1. Every request is checked against tables made from Intercom's `OpenAPI` description;
//! what the real one refuses is refused in its words, and what a caller who reads the documentation would not send is also kept in
//! [`IntercomSim::violations`], which a test expects to be empty. Notifications go out when [`IntercomSim::pump`] is called, or by
//! themselves after [`IntercomSim::run_in_background`].
//!
//! Where nobody knows what the real one does, [`Options`] has a knob, and its default is the harder case. Assumed without a knob:
//! an archived contact is answered with 404 until it is unarchived; a conversation that was merged away answers writes with 422; line
//! breaks in the HTML of a reply are white space; `source.body` is searched by single words; `>` and `<` exclude the value itself.

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
mod scopes;
mod search;
mod server;
mod sim;
mod view;
mod webhooks;

pub use agent::{File, Reply};
pub use call::Call;
pub use events::TOPICS;
pub use options::{
    BotTopics, MergedWrite, OneClick, Options, OutsiderReply, PlaintextImages, RedactionPayload, Unsettled,
};
pub use outbox::Sent;
pub use scopes::Scope;
pub use sim::IntercomSim;
pub use view::{ContactView, ConversationView, FileView, PartView};
