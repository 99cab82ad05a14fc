//! An Intercom server.
