//! Which samples and which tables a range of time takes.
