//! Plain data that travels between stages. Knows no other module, does no I/O and reads no clock.

pub mod alert;
pub mod bucket;
pub mod committed;
pub mod entry;
pub mod intake;
pub mod month;
pub mod points;
pub mod reach;
pub mod reject;
pub mod sample;
pub mod series;
pub mod short_text;
pub mod text_set;
pub mod time;
pub mod verdict;

pub use bucket::{Bucket, Resolution};
pub use committed::{CommitListener, Committed, Origin};
pub use entry::{Document, Event, LogLine};
pub use intake::Intake;
pub use month::Month;
pub use points::{Batch, Points, RawIdentity, Span};
pub use reach::{Belonging, Reach, UserId, Whom, Whose};
pub use sample::Sample;
pub use series::{Identity, IdentityError, Labels, Series, SeriesDirectory, SeriesId, ServerKey};
pub use text_set::TextSet;
pub use time::Micros;
pub use verdict::{Code, Verdict, Verdicts};
