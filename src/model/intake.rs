//! What any dialect carries, once decoded: past this value no one knows which dialect it was.

use std::collections::HashMap;

use uuid::Uuid;

use super::points::Points;
use super::verdict::Verdicts;

/// One decoded request. Reused between requests: [`Intake::clear`] keeps the memory.
#[derive(Debug, Default)]
pub struct Intake {
    /// How many items the request held, refused ones included.
    pub items: u32,
    /// The distinct servers the points speak of, in order of first use.
    servers: Vec<Uuid>,
    /// Where each of them stands in `servers`. Bounded like it by the number of items, which the body cap bounds.
    server_places: HashMap<Uuid, u32, foldhash::fast::RandomState>,
    pub points: Points,
    /// The items refused so far, with their reasons.
    pub verdicts: Verdicts,
    /// Values of a kind no series can hold, which the dialect carries for others and we do not store.
    pub left_out: LeftOut,
}

/// Values that were left out without being an error.
#[derive(Debug, Default)]
pub struct LeftOut {
    pub values: u32,
    /// The items that held them, the first [`LEFT_OUT_LISTED_MAX`].
    listed: Vec<u32>,
}

/// How many items with values that were left out are told by their position.
pub const LEFT_OUT_LISTED_MAX: usize = 16;

impl LeftOut {
    pub fn add(&mut self, item: u32, values: u32) {
        self.values += values;
        if values > 0 && self.listed.len() < LEFT_OUT_LISTED_MAX {
            self.listed.push(item);
        }
    }

    /// 0-based positions in the request.
    pub fn listed(&self) -> &[u32] {
        &self.listed
    }

    fn clear(&mut self) {
        self.values = 0;
        self.listed.clear();
    }
}

impl Intake {
    pub fn clear(&mut self) {
        self.items = 0;
        self.servers.clear();
        self.server_places.clear();
        self.points.clear();
        self.verdicts.clear();
        self.left_out.clear();
    }

    pub fn servers(&self) -> &[Uuid] {
        &self.servers
    }

    /// Has the points of the `place`th server speak of another one. Only when all points are there.
    pub fn replace_server(&mut self, place: usize, with: Uuid) {
        if let Some(server) = self.servers.get_mut(place) {
            *server = with;
        }
    }

    /// The index of `server` in [`Intake::servers`], added when new. Agents send long runs of one server, so the last
    /// one added is looked at first.
    pub fn server_index(&mut self, server: Uuid) -> u32 {
        if self.servers.last() == Some(&server) {
            return self.servers.len() as u32 - 1;
        }
        let place = *self.server_places.entry(server).or_insert(self.servers.len() as u32);
        if place as usize == self.servers.len() {
            self.servers.push(server);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_one_index_however_often_it_is_named() {
        let mut intake = Intake::default();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let indices = [one, one, two, one, two].map(|server| intake.server_index(server));
        assert_eq!(indices, [0, 0, 1, 0, 1]);
        assert_eq!(intake.servers(), [one, two]);
    }
}
