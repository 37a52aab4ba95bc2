//! The messages of OTLP as far as they are read: how JSON spells each field, and its number and type in protobuf.

/// A message, as the list of its fields that are looked at.
#[derive(Debug)]
pub struct Message(pub(super) &'static [Member]);

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
}

#[derive(Debug)]
pub(super) enum Kind {
    Message(&'static Message),
    Text,
    Boolean,
    Double,
    /// 64 bits as they are; a number or a text of digits.
    Unsigned,
    Signed,
    /// The same in as few bytes as it needs.
    Varint,
    Zigzag,
    /// A number, or one of these names for 0, 1, 2 …
    Named(&'static [&'static str]),
}

const fn one(name: &'static str, number: u32, kind: Kind) -> Member {
    Member { name, number, kind, repeated: false }
}

const fn many(name: &'static str, number: u32, kind: Kind) -> Member {
    Member { name, number, kind, repeated: true }
}

const TEMPORALITY: Kind = Kind::Named(&[
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
]);

/// A request to store metrics.
pub static METRICS: Message = Message(&[many("resourceMetrics", 1, Kind::Message(&RESOURCE_METRICS))]);
/// A request to store log records.
pub static LOGS: Message = Message(&[many("resourceLogs", 1, Kind::Message(&RESOURCE_LOGS))]);

static RESOURCE_METRICS: Message =
    Message(&[one("resource", 1, Kind::Message(&RESOURCE)), many("scopeMetrics", 2, Kind::Message(&SCOPE_METRICS))]);
static SCOPE_METRICS: Message =
    Message(&[one("scope", 1, Kind::Message(&SCOPE)), many("metrics", 2, Kind::Message(&METRIC))]);
static METRIC: Message = Message(&[
    one("name", 1, Kind::Text),
    one("gauge", 5, Kind::Message(&NUMBERS)),
    one("sum", 7, Kind::Message(&NUMBERS)),
    one("histogram", 9, Kind::Message(&HISTOGRAM)),
    one("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL)),
    one("summary", 11, Kind::Message(&SUMMARY)),
]);
static NUMBERS: Message = Message(&[
    many("dataPoints", 1, Kind::Message(&NUMBER_POINT)),
    one("aggregationTemporality", 2, TEMPORALITY),
    one("isMonotonic", 3, Kind::Boolean),
]);
static HISTOGRAM: Message =
    Message(&[many("dataPoints", 1, Kind::Message(&HISTOGRAM_POINT)), one("aggregationTemporality", 2, TEMPORALITY)]);
static EXPONENTIAL: Message =
    Message(&[many("dataPoints", 1, Kind::Message(&EXPONENTIAL_POINT)), one("aggregationTemporality", 2, TEMPORALITY)]);
static SUMMARY: Message = Message(&[many("dataPoints", 1, Kind::Message(&SUMMARY_POINT))]);
static NUMBER_POINT: Message = Message(&[
    many("attributes", 7, Kind::Message(&KEY_VALUE)),
    one("timeUnixNano", 3, Kind::Unsigned),
    one("asDouble", 4, Kind::Double),
    one("asInt", 6, Kind::Signed),
    one("flags", 8, Kind::Varint),
]);
static HISTOGRAM_POINT: Message = Message(&[
    many("attributes", 9, Kind::Message(&KEY_VALUE)),
    one("timeUnixNano", 3, Kind::Unsigned),
    one("count", 4, Kind::Unsigned),
    one("sum", 5, Kind::Double),
    many("bucketCounts", 6, Kind::Unsigned),
    many("explicitBounds", 7, Kind::Double),
    one("flags", 10, Kind::Varint),
    one("min", 11, Kind::Double),
    one("max", 12, Kind::Double),
]);
static EXPONENTIAL_POINT: Message = Message(&[
    many("attributes", 1, Kind::Message(&KEY_VALUE)),
    one("timeUnixNano", 3, Kind::Unsigned),
    one("count", 4, Kind::Unsigned),
    one("sum", 5, Kind::Double),
    one("scale", 6, Kind::Zigzag),
    one("zeroCount", 7, Kind::Unsigned),
    one("positive", 8, Kind::Message(&BUCKETS)),
    one("negative", 9, Kind::Message(&BUCKETS)),
    one("flags", 10, Kind::Varint),
    one("min", 12, Kind::Double),
    one("max", 13, Kind::Double),
    one("zeroThreshold", 14, Kind::Double),
]);
static BUCKETS: Message = Message(&[one("offset", 1, Kind::Zigzag), many("bucketCounts", 2, Kind::Varint)]);
static SUMMARY_POINT: Message = Message(&[
    many("attributes", 7, Kind::Message(&KEY_VALUE)),
    one("timeUnixNano", 3, Kind::Unsigned),
    one("count", 4, Kind::Unsigned),
    one("sum", 5, Kind::Double),
    many("quantileValues", 6, Kind::Message(&QUANTILE)),
    one("flags", 8, Kind::Varint),
]);
static QUANTILE: Message = Message(&[one("quantile", 1, Kind::Double), one("value", 2, Kind::Double)]);

static RESOURCE: Message = Message(&[many("attributes", 1, Kind::Message(&KEY_VALUE))]);
static SCOPE: Message = Message(&[one("name", 1, Kind::Text), many("attributes", 3, Kind::Message(&KEY_VALUE))]);
static KEY_VALUE: Message = Message(&[one("key", 1, Kind::Text), one("value", 2, Kind::Message(&ANY_VALUE))]);
static ANY_VALUE: Message = Message(&[
    one("stringValue", 1, Kind::Text),
    one("boolValue", 2, Kind::Boolean),
    one("intValue", 3, Kind::Varint),
    one("doubleValue", 4, Kind::Double),
    one("arrayValue", 5, Kind::Message(&ARRAY_VALUE)),
    one("kvlistValue", 6, Kind::Message(&KEY_VALUES)),
    // Base 64 in JSON, and in the label: it can stay a text.
    one("bytesValue", 1, Kind::Text),
]);
static ARRAY_VALUE: Message = Message(&[many("values", 1, Kind::Message(&ANY_VALUE))]);
static KEY_VALUES: Message = Message(&[many("values", 1, Kind::Message(&KEY_VALUE))]);

static RESOURCE_LOGS: Message =
    Message(&[one("resource", 1, Kind::Message(&RESOURCE)), many("scopeLogs", 2, Kind::Message(&SCOPE_LOGS))]);
static SCOPE_LOGS: Message =
    Message(&[one("scope", 1, Kind::Message(&SCOPE)), many("logRecords", 2, Kind::Message(&LOG_RECORD))]);
static LOG_RECORD: Message = Message(&[
    one("timeUnixNano", 1, Kind::Unsigned),
    one("observedTimeUnixNano", 11, Kind::Unsigned),
    one("severityNumber", 2, Kind::Varint),
    one("severityText", 3, Kind::Text),
    one("body", 5, Kind::Message(&ANY_VALUE)),
]);
