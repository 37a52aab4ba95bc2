//! Series and pairs for the tests of those who match series.

use std::sync::Arc;

use uuid::Uuid;

use crate::model::series::SeriesDirectory;
use crate::model::{Belonging, Identity, Labels, Reach, Series, SeriesId, ServerKey};

pub(crate) fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn series(id: u32, server: u8, metric_type: &str, name: &str, labels: &[(&str, &str)]) -> Series {
    let labels = labels.iter().map(|(key, value)| (Box::from(*key), Box::from(*value))).collect();
    let identity = Identity::new(metric_type, name, Labels::new(labels).unwrap()).unwrap();
    let server_id = Uuid::from_u128(u128::from(server));
    Series { id: SeriesId(id), server: ServerKey(i32::from(server)), server_id, identity }
}

/// A directory of series numbered by their place.
#[derive(Debug)]
pub(crate) struct Directory(pub(crate) Vec<Arc<Series>>);

impl SeriesDirectory for Directory {
    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.get(id.0 as usize).cloned()
    }

    /// They are all the fleet's.
    fn is_within(&self, server_id: Uuid, reach: &Reach) -> bool {
        reach.covers(server_id, &Belonging::default())
    }
}

/// Ten servers with the four series `cpu/user`, `cpu/idle`, `disk/used`, `disk/free` each.
pub(crate) fn directory() -> Directory {
    let of = |number: u32| {
        let (metric_type, name) =
            [("cpu", "user"), ("cpu", "idle"), ("disk", "used"), ("disk", "free")][number as usize % 4];
        Arc::new(series(
            number,
            (number / 4) as u8,
            metric_type,
            name,
            &[("parity", ["even", "odd"][number as usize % 2])],
        ))
    };
    Directory((0..40).map(of).collect())
}
