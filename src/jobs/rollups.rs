//! Rows of buckets being changed: read, changed bucket by bucket, and written back as far as they differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{JobError, damage};
use crate::codec::rollup_row;
use crate::model::{Bucket, Micros, Resolution};
use crate::rollup;
use crate::store::Transaction;
use crate::store::levels::keyed::{self, Key};
use crate::store::levels::rollups::{self, StoredRollup};

/// The rows of some keys, there or not.
#[derive(Debug)]
pub(super) struct Rollups {
    resolution: Resolution,
    rows: BTreeMap<Key, Vec<Bucket>>,
    changed: BTreeSet<Key>,
}

impl Rollups {
    /// # Errors
    /// When PostgreSQL is not available or a row cannot be read.
    pub(super) async fn read(
        transaction: &Transaction<'_>,
        resolution: Resolution,
        keys: &[Key],
    ) -> Result<Self, JobError> {
        let mut rows = BTreeMap::new();
        for stored in keyed::read_rollups(transaction, resolution, keys).await? {
            let mut buckets = Vec::new();
            rollup_row::decode(&stored.row, resolution, &mut buckets)
                .map_err(damage::of_rollup(&stored, resolution))?;
            rows.insert((stored.series, stored.row.start), buckets);
        }
        Ok(Self { resolution, rows, changed: BTreeSet::new() })
    }

    pub(super) fn has_row(&self, key: Key) -> bool {
        self.rows.contains_key(&key)
    }

    pub(super) fn bucket(&self, key: Key, start: Micros) -> Option<&Bucket> {
        let buckets = self.rows.get(&key)?;
        buckets.get(place(buckets, start).ok()?)
    }

    /// The bucket that begins at `start` becomes this one, or none.
    pub(super) fn put(&mut self, key: Key, start: Micros, bucket: Option<Bucket>) {
        let buckets = self.rows.entry(key).or_default();
        match (place(buckets, start), bucket) {
            (Ok(there), Some(bucket)) if rollup::is_same(&buckets[there], &bucket) => return,
            (Ok(there), Some(bucket)) => buckets[there] = bucket,
            (Err(gap), Some(bucket)) => buckets.insert(gap, bucket),
            (Ok(there), None) => drop(buckets.remove(there)),
            (Err(_), None) => return,
        }
        self.changed.insert(key);
    }

    /// Adds to what is there, see [`rollup::merge`].
    pub(super) fn merge(&mut self, key: Key, late: &Bucket) {
        let merged = self.bucket(key, late.start).map_or(*late, |kept| rollup::merge(kept, late));
        self.put(key, late.start, Some(merged));
    }

    /// Writes what was changed. Answers the number of rows.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn write(self, transaction: &Transaction<'_>) -> Result<u64, JobError> {
        let Self { resolution, rows, changed } = self;
        if changed.is_empty() {
            return Ok(0);
        }
        let keys: Vec<Key> = changed.iter().copied().collect();
        keyed::delete_rollups(transaction, resolution, &keys).await?;
        let written = rows.iter().filter(|(key, buckets)| changed.contains(key) && !buckets.is_empty());
        let written: Vec<StoredRollup> = written
            .map(|(key, buckets)| StoredRollup { series: key.0, row: rollup_row::encode(buckets, resolution) })
            .collect();
        rollups::append(transaction, resolution, &written).await?;
        Ok(written.len() as u64)
    }
}

fn place(buckets: &[Bucket], start: Micros) -> Result<usize, usize> {
    buckets.binary_search_by_key(&start, |bucket| bucket.start)
}
