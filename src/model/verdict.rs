//! Why an item of a request was refused. A refusal never touches the item's neighbours.

use super::series::IdentityError;

/// How many refusals of one request are spelt out; the others are only counted.
pub const VERDICTS_LISTED_MAX: usize = 100;

/// The stable, low-cardinality reason of a refusal: what clients match on and what the self-metrics count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The item is not an object, or one of its fields has the wrong type.
    InvalidType,
    /// The line cannot be read at all.
    MalformedLine,
    /// A required field is absent or null.
    MissingField,
    /// A field appears twice in one item, so neither value can be trusted.
    DuplicateField,
    /// The value is NaN or an infinity.
    NotFinite,
    /// The number cannot be held by a 64-bit float, such as `1e400`.
    NumberOutOfRange,
    /// The timestamp is not RFC 3339.
    InvalidTimestamp,
    /// The timestamp lies before the oldest one accepted.
    TooOld,
    /// The timestamp lies further in the future than is accepted.
    TooFarInFuture,
    /// The server id is not a UUID.
    InvalidServerId,
    /// No server is registered under the id.
    UnknownServer,
    /// The labels are not an object of strings.
    InvalidLabels,
    /// A type, name or label is empty where it must not be, too long, or holds a NUL.
    InvalidText,
    /// The server, or the whole store, has as many series as it may have.
    TooManySeries,
    /// There are as many servers as there may be.
    TooManyServers,
}

impl Code {
    pub const ALL: [Self; 15] = [
        Self::InvalidType,
        Self::MalformedLine,
        Self::MissingField,
        Self::DuplicateField,
        Self::NotFinite,
        Self::NumberOutOfRange,
        Self::InvalidTimestamp,
        Self::TooOld,
        Self::TooFarInFuture,
        Self::InvalidServerId,
        Self::UnknownServer,
        Self::InvalidLabels,
        Self::InvalidText,
        Self::TooManySeries,
        Self::TooManyServers,
    ];

    /// Why a text names no series.
    pub fn of_identity(error: &IdentityError) -> Self {
        match error {
            IdentityError::Empty { .. } | IdentityError::TooLong { .. } | IdentityError::Nul { .. } => {
                Self::InvalidText
            }
            IdentityError::TooManyLabels { .. }
            | IdentityError::LabelsTooLong { .. }
            | IdentityError::DuplicateLabel { .. } => Self::InvalidLabels,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidType => "invalid_type",
            Self::MalformedLine => "malformed_line",
            Self::MissingField => "missing_field",
            Self::DuplicateField => "duplicate_field",
            Self::NotFinite => "not_finite",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::TooOld => "too_old",
            Self::TooFarInFuture => "too_far_in_future",
            Self::InvalidServerId => "invalid_server_id",
            Self::UnknownServer => "unknown_server",
            Self::InvalidLabels => "invalid_labels",
            Self::InvalidText => "invalid_text",
            Self::TooManySeries => "too_many_series",
            Self::TooManyServers => "too_many_servers",
        }
    }
}

/// The refusal of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// 0-based position of the item in the request.
    pub index: u32,
    pub code: Code,
    pub message: String,
}

/// The refusals of one request: all counted, the first [`VERDICTS_LISTED_MAX`] spelt out.
#[derive(Debug, Default)]
pub struct Verdicts {
    listed: Vec<Verdict>,
    counts: [u32; Code::ALL.len()],
    /// A bit for each item that was refused: an item of several samples may be refused several times.
    items: Vec<u64>,
}

impl Verdicts {
    /// Refuses an item. The message is built only when it will be listed.
    pub fn refuse(&mut self, index: u32, code: Code, message: impl FnOnce() -> String) {
        self.counts[code as usize] += 1;
        let (word, bit) = (index as usize / 64, index % 64);
        if word >= self.items.len() {
            self.items.resize(word + 1, 0);
        }
        self.items[word] |= 1 << bit;
        if self.listed.len() < VERDICTS_LISTED_MAX {
            self.listed.push(Verdict { index, code, message: message() });
        }
    }

    pub fn listed(&self) -> &[Verdict] {
        &self.listed
    }

    pub fn total(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// How many items had something refused.
    pub fn items(&self) -> u32 {
        self.items.iter().map(|word| word.count_ones()).sum()
    }

    /// How many items were refused for each reason that occurred.
    pub fn counts(&self) -> impl Iterator<Item = (Code, u32)> {
        Code::ALL.into_iter().map(|code| (code, self.counts[code as usize])).filter(|(_, count)| *count > 0)
    }

    pub fn clear(&mut self) {
        self.listed.clear();
        self.counts = [0; Code::ALL.len()];
        self.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_counted_and_the_first_hundred_are_spelt_out() {
        let mut verdicts = Verdicts::default();
        for index in 0..250 {
            verdicts.refuse(index, Code::TooOld, || format!("item {index}"));
        }
        assert_eq!(verdicts.total(), 250);
        assert_eq!(verdicts.listed().len(), VERDICTS_LISTED_MAX);
        assert_eq!(verdicts.listed()[99].index, 99);
        assert_eq!(verdicts.counts().collect::<Vec<_>>(), [(Code::TooOld, 250)]);
    }

    #[test]
    fn an_item_that_is_refused_twice_is_one_item() {
        let mut verdicts = Verdicts::default();
        for index in [0, 63, 64, 63, 700, 700] {
            verdicts.refuse(index, Code::TooOld, String::new);
        }
        assert_eq!((verdicts.items(), verdicts.total()), (4, 6));
        verdicts.clear();
        assert_eq!(verdicts.items(), 0);
    }

    #[test]
    fn codes_index_their_own_place_in_the_table() {
        for (place, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place, "{}", code.as_str());
        }
    }
}
