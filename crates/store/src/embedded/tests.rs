//! The embedded store from the inside.
