//! What is left of the samples of a stretch of time once they are rolled up.

use super::time::Micros;

/// The samples of one series in `[start, start + resolution)`, without those that are NaN. There is no empty bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    pub start: Micros,
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    /// By time.
    pub first: f64,
    pub last: f64,
    /// How much a counter grew from `first` to `last`: what was lost at each fall is added, as a counter falls only when
    /// it begins anew. What it grew from the bucket before to `first` is not part of it.
    pub increase: f64,
}

/// How long a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    Minute,
    Hour,
}

impl Resolution {
    pub const fn micros(self) -> i64 {
        match self {
            Self::Minute => 60 * Micros::PER_SECOND,
            Self::Hour => 3_600 * Micros::PER_SECOND,
        }
    }

    /// How many buckets a stored row covers: an hour of minutes, a day of hours.
    pub const fn row_buckets(self) -> usize {
        match self {
            Self::Minute => 60,
            Self::Hour => 24,
        }
    }

    pub const fn row_micros(self) -> i64 {
        self.micros() * self.row_buckets() as i64
    }
}
