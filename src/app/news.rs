//! What happened with alerts, for live sessions: alerting has it told in its words, live push publishes in its own.
//!
//! What is about no one server goes to those who asked for everything and may see everything: live push knows only whose
//! a server is, not whose something else is.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::alert::news::Telling;
use crate::live::{Event, Hub};

#[derive(Debug)]
pub(super) struct LiveNews(pub(super) Arc<Hub>);

impl Telling for LiveNews {
    fn tell(&self, server: Option<Uuid>, data: Vec<u8>) {
        // No server has this id, so nobody is taken to see it who does not see everything.
        let server_id = server.unwrap_or(Uuid::nil());
        self.0.publish(Event { server_id, kind: "alert", data: Bytes::from(data) });
    }
}
