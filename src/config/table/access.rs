//! Who is let in.

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::secret::Secret;
use super::super::settings::Anonymous;

pub(super) const ACCESS: &[Key] = &[
    Key::words("anonymous", "", "none, all, or ingest and read with a comma between", set_anonymous).about(
        "What is open to callers without credentials. Without it nothing is, and with `--dev` everything. Agents of \
         systems that have no tokens need ingest, their dashboards read; both concern the fleet only, not servers of \
         persons.",
        "all: whoever reaches the port may do everything.",
    ),
    Key::count("auth.cached_max", "131072", 16..=10_000_000, |draft| &mut draft.auth.cached_max).about(
        "Tokens whose owners are kept in memory; beyond it those not used for longest are looked up again.",
        "Too high: memory, some 400 bytes each. Too low: PostgreSQL is asked for every request.",
    ),
    Key::words("ingest_secret", "", "a text", |draft, text| {
        draft.auth.ingest_secret = Some(Secret::new(text));
        !text.is_empty()
    })
    .also("INGEST_SECRET")
    .secret()
    .about(
        "What agents sign their requests with. Without it signatures are not looked at. Never shown or logged.",
        "Too short: it can be guessed.",
    ),
];

fn set_anonymous(draft: &mut Draft, text: &str) -> bool {
    let mut surfaces: Vec<&str> = text.split(',').map(str::trim).collect();
    surfaces.sort_unstable();
    draft.anonymous = match surfaces.as_slice() {
        ["none"] => Some(Anonymous::Nothing),
        ["ingest"] => Some(Anonymous::Ingest),
        ["read"] => Some(Anonymous::Read),
        ["ingest", "read"] => Some(Anonymous::IngestAndRead),
        ["all"] => Some(Anonymous::Everything),
        _ => return false,
    };
    true
}
