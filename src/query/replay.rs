//! Stored samples for live sessions: what was committed up to given marks, roughly in order of time.
