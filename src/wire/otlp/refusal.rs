//! Why a data point or a log record is refused.

use super::{BUCKETS_MAX, NESTED_BYTES_MAX, NESTING_MAX};
use crate::model::{Code, IdentityError};
use crate::wire::composed::HOST_BYTES_MAX;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{what} is not UTF-8")]
    NotUtf8 { what: &'static str },
    #[error("{0}")]
    Identity(IdentityError),
    #[error("the host name is {bytes} bytes long, at most {HOST_BYTES_MAX} are allowed")]
    LongHost { bytes: usize },
    #[error("an attribute is nested deeper than {NESTING_MAX} levels")]
    Nested,
    #[error("an attribute is {bytes} bytes long, at most {NESTED_BYTES_MAX} are allowed")]
    LongAttribute { bytes: usize },
    #[error("the time is not set")]
    NoTime,
    #[error("the value is not set")]
    NoValue,
    #[error("the {what} must be finite, got {value}")]
    NotFinite { what: &'static str, value: f64 },
    #[error("integer {0} is beyond 2^53, a 64-bit float would make another number of it")]
    Inexact(i128),
    #[error("the aggregation temporality is neither delta nor cumulative")]
    Temporality,
    #[error("{counts} bucket counts do not fit {bounds} bounds")]
    BucketCounts { counts: usize, bounds: usize },
    #[error("the bounds of the buckets do not increase")]
    Bounds,
    #[error("more than {BUCKETS_MAX} buckets")]
    TooManyBuckets,
    #[error("a bucket lies beyond what a 64-bit float can hold")]
    BucketRange,
}

impl Refusal {
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Identity(error) => Code::of_identity(error),
            Self::NotUtf8 { .. } | Self::LongHost { .. } | Self::LongAttribute { .. } => Code::InvalidText,
            Self::Nested => Code::InvalidLabels,
            Self::NoTime => Code::InvalidTimestamp,
            Self::NoValue | Self::Temporality => Code::MissingField,
            Self::NotFinite { .. } => Code::NotFinite,
            Self::Inexact(_) | Self::BucketRange => Code::NumberOutOfRange,
            Self::BucketCounts { .. } | Self::Bounds | Self::TooManyBuckets => Code::InvalidType,
        }
    }
}
