//! What was asked of windows: which, of what length, and what of each. Read from decoded query pairs and checked.

use super::plan::Tier;
use crate::model::{Micros, Reach};
use crate::query::request::{self, Format, RequestError, shortened};
use crate::query::when::{self, UNITS};
use crate::store::series::SeriesFilter;

/// Functions and group keys one question may list.
const LISTED_MAX: usize = 16;
/// The longest window.
const STEP_MAX_MICROS: i64 = 366 * 86_400 * Micros::PER_SECOND;
/// The fewest samples that can hold the least and the greatest one.
const MAX_POINTS_MIN: usize = 2;
/// The parameters that make a question one about windows.
const PARAMETERS: [&str; 6] = ["step", "agg", "group_by", "fill", "max_points", "resolution"];

/// A question about samples put together.
#[derive(Clone, Debug)]
pub struct AggregateRequest {
    pub filter: SeriesFilter,
    pub from: Micros,
    /// Not included, unless samples are asked for.
    pub to: Micros,
    pub shape: Shape,
    /// The tier that must be answered from.
    pub resolution: Option<Tier>,
    /// Samples of the first and last window that are out of `[from, to)` do not count, where there are samples.
    pub is_clipped: bool,
    pub format: Format,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Windows(Windows),
    /// Samples, at most so many of each series, the least and the greatest of each stretch of time among them.
    Thinned {
        points_max: usize,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    pub step_micros: i64,
    pub functions: Vec<Function>,
    /// `None`: each series on its own.
    pub group_by: Option<Vec<GroupKey>>,
    pub fill: Fill,
}

/// What is told of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Avg,
    Min,
    Max,
    Sum,
    Count,
    First,
    Last,
    Rate,
    Increase,
    /// So many of a hundred samples are not greater, interpolated between the two around it.
    Percentile(u8),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    Server,
    MetricType,
    MetricName,
    Label(String),
}

/// What stands for a window without samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    #[default]
    None,
    Null,
    /// What stood before it; null before the first.
    Previous,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateRequestError {
    #[error("{0} is required")]
    Missing(&'static str),
    #[error("step \"{0}\" is not a whole number of s, m, h, d or w up to 366d")]
    Step(String),
    #[error("agg \"{0}\" is none of avg, min, max, sum, count, first, last, rate, increase, p50, p95, p99")]
    Function(String),
    #[error("group_by \"{0}\" is none of server, metric_type, metric_name, label.<name>")]
    GroupKey(String),
    #[error("fill \"{0}\" is none of null, previous, none")]
    Fill(String),
    #[error("max_points \"{0}\" is not a number from {MAX_POINTS_MIN} up")]
    MaxPoints(String),
    #[error("resolution \"{0}\" is none of raw, 1m, 1h")]
    Resolution(String),
    #[error("{0} lists more than {LISTED_MAX} values")]
    TooMany(&'static str),
    #[error("{function} is of one series, not of a group of them")]
    Grouped { function: Function },
    #[error("{function} needs every sample, and resolution {resolution} has none")]
    NeedsSamples { function: &'static str, resolution: Tier },
    #[error("step {step} is not a multiple of resolution {resolution}")]
    StepTooFine { step: String, resolution: Tier },
    #[error("max_points is for samples, {0} is for windows")]
    Both(&'static str),
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl AggregateRequest {
    /// Reads decoded query pairs; `None` when they ask for plain samples. An empty value counts as not given.
    ///
    /// # Errors
    /// The first parameter that cannot be understood, or two that contradict each other.
    pub fn parse<'a>(
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        now: Micros,
        reach: &Reach,
    ) -> Result<Option<Self>, AggregateRequestError> {
        let get = |name: &str| pairs.clone().find(|(key, value)| *key == name && !value.is_empty()).map(|pair| pair.1);
        if PARAMETERS.iter().all(|name| get(name).is_none()) {
            return Ok(None);
        }
        let shape = match get("max_points") {
            Some(text) => match PARAMETERS[..4].iter().find(|name| get(name).is_some()) {
                Some(other) => return Err(AggregateRequestError::Both(other)),
                None => Shape::Thinned { points_max: max_points(text)? },
            },
            None => Shape::Windows(windows(get)?),
        };
        let request = Self {
            filter: request::series_filter(pairs.clone(), reach)?,
            from: request::time("from", get("from").ok_or(AggregateRequestError::Missing("from"))?, now)?,
            to: get("to").map_or(Ok(now), |text| request::time("to", text, now))?,
            shape,
            resolution: get("resolution").map(resolution).transpose()?,
            is_clipped: false,
            format: request::format(get("format"))?,
        };
        request.check_resolution()?;
        Ok(Some(request))
    }

    /// A tier that cannot answer is refused rather than answered wrongly.
    fn check_resolution(&self) -> Result<(), AggregateRequestError> {
        let Some(resolution) = self.resolution.filter(|tier| *tier != Tier::Raw) else { return Ok(()) };
        let needs_samples = |function| AggregateRequestError::NeedsSamples { function, resolution };
        let Shape::Windows(windows) = &self.shape else { return Err(needs_samples("max_points")) };
        if windows.has_percentiles() {
            return Err(needs_samples("a percentile"));
        }
        if windows.step_micros % resolution.micros() != 0 {
            let step = when::spelt(windows.step_micros);
            return Err(AggregateRequestError::StepTooFine { step, resolution });
        }
        Ok(())
    }
}

impl Windows {
    pub fn has_percentiles(&self) -> bool {
        self.functions.iter().any(|function| matches!(function, Function::Percentile(_)))
    }

    /// Whether the value before a window counts.
    pub fn has_increases(&self) -> bool {
        self.functions.iter().any(|function| matches!(function, Function::Increase | Function::Rate))
    }
}

impl std::fmt::Display for Function {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::First => "first",
            Self::Last => "last",
            Self::Rate => "rate",
            Self::Increase => "increase",
            Self::Percentile(percent) => return write!(formatter, "p{percent}"),
        })
    }
}

fn windows<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Windows, AggregateRequestError> {
    let step = get("step").ok_or(AggregateRequestError::Missing("step"))?;
    let step_micros = when::span(step, &UNITS).filter(|step| *step <= STEP_MAX_MICROS);
    let step_micros = step_micros.ok_or_else(|| AggregateRequestError::Step(shortened(step)))?;
    let functions = listed("agg", get("agg").unwrap_or("avg"), function)?;
    let group_by = get("group_by").map(|text| listed("group_by", text, group_key)).transpose()?;
    let fill = match get("fill") {
        None | Some("none") => Fill::None,
        Some("null") => Fill::Null,
        Some("previous") => Fill::Previous,
        Some(other) => return Err(AggregateRequestError::Fill(shortened(other))),
    };
    // Which of two series had its first sample earlier is not known of what has been rolled up.
    let is_of_one = |function: &&Function| matches!(function, Function::First | Function::Last);
    match functions.iter().find(is_of_one).filter(|_| group_by.is_some()) {
        Some(&function) => Err(AggregateRequestError::Grouped { function }),
        None => Ok(Windows { step_micros, functions, group_by, fill }),
    }
}

fn listed<T>(
    name: &'static str,
    text: &str,
    member: impl Fn(&str) -> Result<T, AggregateRequestError>,
) -> Result<Vec<T>, AggregateRequestError> {
    let members = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let members = members.take(LISTED_MAX + 1).map(member).collect::<Result<Vec<T>, _>>()?;
    match members.len() {
        0 => Err(AggregateRequestError::Missing(name)),
        1..=LISTED_MAX => Ok(members),
        _ => Err(AggregateRequestError::TooMany(name)),
    }
}

fn function(text: &str) -> Result<Function, AggregateRequestError> {
    Ok(match text {
        "avg" => Function::Avg,
        "min" => Function::Min,
        "max" => Function::Max,
        "sum" => Function::Sum,
        "count" => Function::Count,
        "first" => Function::First,
        "last" => Function::Last,
        "rate" => Function::Rate,
        "increase" => Function::Increase,
        "p50" => Function::Percentile(50),
        "p95" => Function::Percentile(95),
        "p99" => Function::Percentile(99),
        _ => return Err(AggregateRequestError::Function(shortened(text))),
    })
}

fn group_key(text: &str) -> Result<GroupKey, AggregateRequestError> {
    match (text, text.strip_prefix("label.")) {
        ("server", _) => Ok(GroupKey::Server),
        ("metric_type", _) => Ok(GroupKey::MetricType),
        ("metric_name", _) => Ok(GroupKey::MetricName),
        (_, Some(name)) if !name.is_empty() => Ok(GroupKey::Label(name.to_owned())),
        _ => Err(AggregateRequestError::GroupKey(shortened(text))),
    }
}

fn max_points(text: &str) -> Result<usize, AggregateRequestError> {
    let number = text.parse().ok().filter(|number| *number >= MAX_POINTS_MIN);
    number.ok_or_else(|| AggregateRequestError::MaxPoints(shortened(text)))
}

fn resolution(text: &str) -> Result<Tier, AggregateRequestError> {
    let tier = [Tier::Raw, Tier::Minute, Tier::Hour].into_iter().find(|tier| tier.name() == text);
    tier.ok_or_else(|| AggregateRequestError::Resolution(shortened(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_763_640_000_000_000);

    fn parse(query: &str) -> Result<Option<AggregateRequest>, AggregateRequestError> {
        let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        AggregateRequest::parse(pairs.into_iter(), NOW, &Reach::everything())
    }

    #[test]
    fn without_a_parameter_of_windows_it_is_a_question_for_samples() {
        assert!(parse("from=-1h&server_id=x&step=").unwrap().is_none());
    }

    #[test]
    fn a_step_alone_asks_for_averages_of_each_series_up_to_now() {
        let request = parse("from=-1h&step=5m").unwrap().unwrap();
        assert_eq!((request.from, request.to), (Micros(NOW.0 - 3_600_000_000), NOW));
        let windows =
            Windows { step_micros: 300_000_000, functions: vec![Function::Avg], group_by: None, fill: Fill::None };
        assert_eq!(request.shape, Shape::Windows(windows));
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_its_reason() {
        for (query, message) in [
            ("agg=avg&from=-1h", "step is required"),
            ("step=1m", "from is required"),
            ("step=1y&from=-1h", "step \"1y\" is not a whole number of s, m, h, d or w up to 366d"),
            (
                "step=1m&from=-1h&group_by=colour",
                "group_by \"colour\" is none of server, metric_type, metric_name, label.<name>",
            ),
            ("step=1m&from=-1h&fill=0", "fill \"0\" is none of null, previous, none"),
            ("step=1m&from=-1h&resolution=5m", "resolution \"5m\" is none of raw, 1m, 1h"),
            ("step=30s&from=-1h&resolution=1m", "step 30s is not a multiple of resolution 1m"),
            (
                "step=1h&from=-1h&resolution=1h&agg=avg,p99",
                "a percentile needs every sample, and resolution 1h has none",
            ),
            ("max_points=10&from=-1h&resolution=1m", "max_points needs every sample, and resolution 1m has none"),
            ("max_points=10&from=-1h&step=1m", "max_points is for samples, step is for windows"),
            ("max_points=1&from=-1h", "max_points \"1\" is not a number from 2 up"),
            ("step=1m&from=-1h&agg=max,last&group_by=server", "last is of one series, not of a group of them"),
            ("step=1m&from=-1h&agg=,", "agg is required"),
        ] {
            assert_eq!(parse(query).unwrap_err().to_string(), message, "{query}");
        }
        let many = format!("step=1m&from=-1h&agg={}", ["avg"; LISTED_MAX + 1].join(","));
        assert_eq!(parse(&many).unwrap_err(), AggregateRequestError::TooMany("agg"));
    }
}
