//! What was asked, from decoded query pairs to a checked request. Unknown parameters are ignored, as the source
//! system's clients add some.

use uuid::Uuid;

use super::cursor::Cursor;
use super::when;
use crate::model::{Micros, Reach};
use crate::store::journal::BlockOrder;
use crate::store::series::SeriesFilter;

/// What one page holds when the client does not say.
pub const LIMIT_DEFAULT: usize = 100;
/// The most one page may hold.
pub const LIMIT_MAX: usize = 10_000;
/// Servers, types or names one parameter may list.
const MEMBERS_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One document with one page.
    #[default]
    Json,
    /// One object a line, all pages.
    Ndjson,
    /// One line a row under a head, all pages.
    Csv,
}

#[derive(Clone, Debug)]
pub struct MetricsRequest {
    pub filter: SeriesFilter,
    /// Both ends included.
    pub from: Micros,
    pub to: Micros,
    /// How many rows; streamed formats without a limit have none.
    pub limit: Option<usize>,
    pub order: BlockOrder,
    pub cursor: Option<Cursor>,
    pub format: Format,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("server_id \"{0}\" is not a UUID")]
    ServerId(String),
    #[error("{name} \"{text}\" is neither an RFC 3339 time nor one relative to now, such as -1h")]
    Time { name: &'static str, text: String },
    #[error("limit \"{0}\" is not a number from 1 to {LIMIT_MAX}")]
    Limit(String),
    #[error("limit \"{0}\" is not a number from 1 up")]
    StreamLimit(String),
    #[error("order \"{0}\" is neither asc nor desc")]
    Order(String),
    #[error("format \"{0}\" is none of json, ndjson, csv")]
    Format(String),
    #[error("format \"{0}\" is neither ndjson nor csv")]
    LineFormat(String),
    #[error("{name} \"{text}\" is neither true nor false")]
    Flag { name: &'static str, text: String },
    #[error("{name} lists more than {MEMBERS_MAX} values")]
    TooManyMembers { name: &'static str },
    #[error("{name} is given twice")]
    Repeated { name: String },
    #[error("{name} holds a NUL character")]
    Nul { name: String },
    #[error(transparent)]
    Cursor(#[from] super::cursor::CursorError),
}

impl MetricsRequest {
    /// Reads decoded query pairs. An empty value counts as not given.
    ///
    /// # Errors
    /// The first parameter that cannot be understood.
    pub fn parse<'a>(
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        now: Micros,
        reach: &Reach,
    ) -> Result<Self, RequestError> {
        let get = |name: &str| pairs.clone().find(|(key, value)| *key == name && !value.is_empty()).map(|pair| pair.1);
        let format = format(get("format"))?;
        let order = match get("order") {
            None | Some("desc") => BlockOrder::Newest,
            Some("asc") => BlockOrder::Oldest,
            Some(other) => return Err(RequestError::Order(shortened(other))),
        };
        Ok(Self {
            filter: series_filter(pairs.clone(), reach)?,
            from: get("from").map_or(Ok(Micros(i64::MIN)), |text| time("from", text, now))?,
            to: get("to").map_or(Ok(Micros(i64::MAX)), |text| time("to", text, now))?,
            limit: limit(get("limit"), format)?,
            order,
            cursor: get("cursor").map(str::parse).transpose()?,
            format,
        })
    }
}

/// The parameters that choose series: `server_id`, `metric_type`, `metric_name` (each may list several) and
/// `label.<name>`, of those within `reach`.
///
/// # Errors
/// When a server id is none, or a list is too long.
pub fn series_filter<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    reach: &Reach,
) -> Result<SeriesFilter, RequestError> {
    let servers = members("server_id", pairs.clone())?;
    let parsed = |text: &String| Uuid::try_parse(text).map_err(|_| RequestError::ServerId(shortened(text)));
    let server_ids = servers.map(|servers| servers.iter().map(parsed).collect::<Result<Vec<_>, _>>()).transpose()?;
    Ok(SeriesFilter {
        reach: reach.clone(),
        server_ids,
        metric_types: members("metric_type", pairs.clone())?,
        metric_names: members("metric_name", pairs.clone())?,
        labels: labels(pairs)?,
    })
}

/// A series has one value for a label, so a second condition on it could only hide the first.
fn labels<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Vec<(String, String)>, RequestError> {
    let mut labels = pairs.filter_map(label).collect::<Result<Vec<_>, _>>()?;
    labels.sort_unstable();
    match labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(twice) => Err(RequestError::Repeated { name: shortened(&format!("label.{}", twice[0].0)) }),
        None => Ok(labels),
    }
}

fn label((name, value): (&str, &str)) -> Option<Result<(String, String), RequestError>> {
    let label = name.strip_prefix("label.")?;
    let checked = no_nul("a label name", label).and_then(|()| no_nul(name, value));
    Some(checked.map(|()| (label.to_owned(), value.to_owned())))
}

/// PostgreSQL takes no NUL in a text, not even to compare with.
fn no_nul(name: &str, text: &str) -> Result<(), RequestError> {
    if text.contains('\0') { Err(RequestError::Nul { name: shortened(name) }) } else { Ok(()) }
}

fn members<'a>(
    name: &'static str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Option<Vec<String>>, RequestError> {
    let values = pairs.filter(|(key, _)| *key == name).flat_map(|(_, value)| value.split(','));
    let members: Vec<String> =
        values.filter(|value| !value.is_empty()).take(MEMBERS_MAX + 1).map(str::to_owned).collect();
    members.iter().try_for_each(|member| no_nul(name, member))?;
    match members.len() {
        0 => Ok(None),
        count if count > MEMBERS_MAX => Err(RequestError::TooManyMembers { name }),
        _ => Ok(Some(members)),
    }
}

fn limit(text: Option<&str>, format: Format) -> Result<Option<usize>, RequestError> {
    match (text, format) {
        (None, Format::Json) => Ok(Some(LIMIT_DEFAULT)),
        (None, Format::Ndjson | Format::Csv) => Ok(None),
        (Some(text), Format::Json) => match text.parse() {
            Ok(limit @ 1..=LIMIT_MAX) => Ok(Some(limit)),
            _ => Err(RequestError::Limit(shortened(text))),
        },
        (Some(text), Format::Ndjson | Format::Csv) => match text.parse() {
            Ok(limit @ 1..) => Ok(Some(limit)),
            _ => Err(RequestError::StreamLimit(shortened(text))),
        },
    }
}

pub(super) fn format(text: Option<&str>) -> Result<Format, RequestError> {
    match text {
        None | Some("json") => Ok(Format::Json),
        Some("ndjson") => Ok(Format::Ndjson),
        Some("csv") => Ok(Format::Csv),
        Some(other) => Err(RequestError::Format(shortened(other))),
    }
}

pub(super) fn time(name: &'static str, text: &str, now: Micros) -> Result<Micros, RequestError> {
    when::time(text, now, &when::UNITS).ok_or_else(|| RequestError::Time { name, text: shortened(text) })
}

/// What a client sent, short enough to be sent back.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<MetricsRequest, RequestError> {
        MetricsRequest::parse(pairs.iter().copied(), Micros(0), &Reach::everything())
    }

    #[test]
    fn without_parameters_it_is_the_newest_hundred_of_everything() {
        let request = parse(&[("_t", "123")]).unwrap();
        assert!(request.filter.is_open());
        assert_eq!((request.limit, request.order), (Some(LIMIT_DEFAULT), BlockOrder::Newest));
        assert_eq!((request.from, request.to), (Micros(i64::MIN), Micros(i64::MAX)));
    }

    #[test]
    fn parameters_may_list_several_and_repeat() {
        let pairs = [("metric_type", "cpu,ram"), ("metric_type", "disk"), ("label.core", "0"), ("format", "csv")];
        let request = parse(&pairs).unwrap();
        assert_eq!(request.filter.metric_types.unwrap(), ["cpu", "ram", "disk"]);
        assert_eq!(request.filter.labels, [("core".to_owned(), "0".to_owned())]);
        assert_eq!(request.limit, None, "a stream goes on to the end");
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (pair, message) in [
            (("server_id", "x"), "server_id \"x\" is not a UUID"),
            (
                ("from", "yesterday"),
                "from \"yesterday\" is neither an RFC 3339 time nor one relative to now, such as -1h",
            ),
            (("limit", "10001"), "limit \"10001\" is not a number from 1 to 10000"),
            (("order", "up"), "order \"up\" is neither asc nor desc"),
            (("format", "xml"), "format \"xml\" is none of json, ndjson, csv"),
            (("cursor", "abc"), "the cursor is not one that this server gave"),
            (("metric_type", "\0"), "metric_type holds a NUL character"),
        ] {
            assert_eq!(parse(&[pair]).unwrap_err().to_string(), message);
        }
        let stream = parse(&[("format", "csv"), ("limit", "0")]).unwrap_err();
        assert_eq!(stream.to_string(), "limit \"0\" is not a number from 1 up");
        let twice = parse(&[("label.core", "0"), ("label.core", "1")]).unwrap_err();
        assert_eq!(twice.to_string(), "label.core is given twice");
    }
}
