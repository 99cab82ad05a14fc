//! intercom.
