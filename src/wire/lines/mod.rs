//! Samples one a line, as they are exported and imported: NDJSON, and CSV under a head.
//!
//! ```text
//! {"server_id":"…","metric_type":"cpu","metric_name":"usage","labels":{"core":"0"},"timestamp":"…","value":45.2}
//!
//! server_id,metric_type,metric_name,labels,timestamp,value
//! …,cpu,usage,"{""core"":""0""}",2025-11-20T10:00:00Z,45.2
//! ```
//!
//! What is written is read back bit for bit, every float included, see [`spelling`]. Columns and fields may come in any
//! order, and unknown ones are passed over. The lines of NDJSON are read by [`super::native::decode_lines`].

pub mod spelling; // floats that are no numbers
pub mod write; // series and samples to lines
pub mod csv_text; // one field of CSV
mod record; // a record of CSV to its fields
pub mod csv; // records to points

use uuid::Uuid;

/// Asked for the server of a line that names its host: what the line says of the server's id (nil when nothing) and the
/// name of the host. Answers the id to use, nil for none.
pub type Naming<'a> = &'a mut dyn FnMut(Uuid, &[u8]) -> Uuid;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineFormat {
    #[default]
    Ndjson,
    Csv,
}

impl LineFormat {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}
