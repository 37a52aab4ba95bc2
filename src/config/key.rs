//! One setting: its names, its default, what it accepts, where it goes, and what it is for.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::draft::Draft;
use super::env::PREFIX;
use super::value::{parse_bytes, parse_count, parse_span, write_bytes, write_span};

#[derive(Debug)]
pub(super) struct Key {
    /// Dotted, as in the file.
    pub(super) path: &'static str,
    /// A variable without our prefix that is read as well.
    pub(super) plain_name: Option<&'static str>,
    /// As it would be written; empty when there is none.
    pub(super) default: &'static str,
    pub(super) secret: bool,
    pub(super) purpose: &'static str,
    /// What goes wrong at the ends.
    pub(super) risk: &'static str,
    kind: Kind,
}

/// What is accepted, and the field it goes to.
#[derive(Debug)]
enum Kind {
    Count(RangeInclusive<usize>, fn(&mut Draft) -> &mut usize),
    Bytes(RangeInclusive<usize>, fn(&mut Draft) -> &mut usize),
    Span(RangeInclusive<Duration>, fn(&mut Draft) -> &mut Duration),
    Flag(fn(&mut Draft) -> &mut bool),
    /// In words what is accepted; the function answers whether it was.
    Words(&'static str, fn(&mut Draft, &str) -> bool),
}

impl Key {
    pub(super) const fn count(
        path: &'static str,
        default: &'static str,
        range: RangeInclusive<usize>,
        field: fn(&mut Draft) -> &mut usize,
    ) -> Self {
        Self::new(path, default, Kind::Count(range, field))
    }

    pub(super) const fn bytes(
        path: &'static str,
        default: &'static str,
        range: RangeInclusive<usize>,
        field: fn(&mut Draft) -> &mut usize,
    ) -> Self {
        Self::new(path, default, Kind::Bytes(range, field))
    }

    pub(super) const fn span(
        path: &'static str,
        default: &'static str,
        range_ms: RangeInclusive<u64>,
        field: fn(&mut Draft) -> &mut Duration,
    ) -> Self {
        let range = Duration::from_millis(*range_ms.start())..=Duration::from_millis(*range_ms.end());
        Self::new(path, default, Kind::Span(range, field))
    }

    pub(super) const fn flag(path: &'static str, field: fn(&mut Draft) -> &mut bool) -> Self {
        Self::new(path, "false", Kind::Flag(field))
    }

    pub(super) const fn words(
        path: &'static str,
        default: &'static str,
        accepts: &'static str,
        set: fn(&mut Draft, &str) -> bool,
    ) -> Self {
        Self::new(path, default, Kind::Words(accepts, set))
    }

    const fn new(path: &'static str, default: &'static str, kind: Kind) -> Self {
        Self { path, plain_name: None, default, secret: false, purpose: "", risk: "", kind }
    }

    pub(super) const fn also(mut self, plain_name: &'static str) -> Self {
        self.plain_name = Some(plain_name);
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(super) const fn about(mut self, purpose: &'static str, risk: &'static str) -> Self {
        self.purpose = purpose;
        self.risk = risk;
        self
    }

    /// `http.body_bytes_max` is the variable `MILLRACE_HTTP_BODY_BYTES_MAX`.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "_").to_ascii_uppercase())
    }

    /// Puts `text` into its field of `draft`; `false` when it is not accepted.
    pub(super) fn apply(&self, draft: &mut Draft, text: &str) -> bool {
        match &self.kind {
            Kind::Count(range, field) => put(parse_count(text), range, field(draft)),
            Kind::Bytes(range, field) => put(parse_bytes(text), range, field(draft)),
            Kind::Span(range, field) => put(parse_span(text), range, field(draft)),
            Kind::Flag(field) => text.parse().map(|flag| *field(draft) = flag).is_ok(),
            Kind::Words(_, set) => set(draft, text),
        }
    }

    /// What the key accepts, to follow "give".
    pub(super) fn accepts(&self) -> String {
        match &self.kind {
            Kind::Count(range, _) => format!("a number from {} to {}", range.start(), range.end()),
            Kind::Bytes(range, _) => {
                format!("a size from {} to {}", write_bytes(*range.start()), write_bytes(*range.end()))
            }
            Kind::Span(range, _) => {
                format!("a time from {} to {}", write_span(*range.start()), write_span(*range.end()))
            }
            Kind::Flag(_) => "true or false".to_owned(),
            Kind::Words(accepts, _) => (*accepts).to_owned(),
        }
    }
}

fn put<T: PartialOrd>(value: Option<T>, range: &RangeInclusive<T>, field: &mut T) -> bool {
    let accepted = value.filter(|value| range.contains(value));
    accepted.map(|value| *field = value).is_some()
}
