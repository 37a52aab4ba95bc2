//! A rule over the samples of one series as if they had come when they were taken, to see what it would have done. Pure.

use std::sync::Arc;

use super::instance::Instance;
use super::window::{Room, WINDOW_BYTES_MAX};
use super::{Reading, Step};
use crate::alert::rule::Rule;
use crate::model::Micros;
use crate::model::alert::Phase;

#[derive(Debug)]
pub struct Trial {
    rule: Arc<Rule>,
    instance: Instance,
    room: Room,
    heard: Option<Micros>,
}

impl Trial {
    pub fn new(rule: Arc<Rule>) -> Self {
        Self { rule, instance: Instance::new(), room: Room::new(WINDOW_BYTES_MAX), heard: None }
    }

    /// The next sample, in the order of their times, after whatever became due before it.
    pub fn sample(&mut self, time: Micros, value: f64, said: &mut Vec<Step>) {
        self.wait_until(Micros(time.0.saturating_sub(1)), said);
        let reading = Reading { time, value, received: time };
        self.heard = self.heard.max(Some(time));
        // Its window has all the room there is.
        said.extend(self.instance.sample(&self.rule, reading, &mut self.room).ok().flatten());
    }

    /// Nothing more comes until then: says what becomes due.
    pub fn wait_until(&mut self, until: Micros, said: &mut Vec<Step>) {
        while let Some(due) = self.instance.due(&self.rule, self.heard).filter(|due| *due <= until) {
            said.extend(self.instance.tick(&self.rule, due, self.heard));
        }
    }

    /// How it stands; `None` while there was nothing to say.
    pub fn phase(&self) -> Option<Phase> {
        self.instance.phase()
    }
}
