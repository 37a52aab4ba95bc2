//! The way of a sample: what is admitted, how it is named, how it is committed, and the database it goes to.

use super::super::key::Key;
use super::super::secret::DatabaseUrl;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

pub(super) const DATABASE: &[Key] = &[
    Key::words("database.url", "", "postgres://user:password@host:port/name or host=... user=...", |draft, text| {
        draft.database_url_given = true;
        draft.database_url = DatabaseUrl::parse(text);
        draft.database_url.is_some()
    })
    .also("DATABASE_URL")
    .secret()
    .about("The PostgreSQL server, 14 or newer. Needed unless `--dev`. Never shown or logged.", ""),
    Key::count("database.connections_max", "16", 1..=1_000, |draft| &mut draft.database.connections_max).about(
        "Connections for queries and jobs, beside one for each journal lane.",
        "Too high: PostgreSQL runs out of connections. Too low: queries wait for each other.",
    ),
    Key::span("database.connect_timeout", "5s", 100..=HOUR_MS, |draft| &mut draft.database.connect_timeout).about(
        "How long connecting may take.",
        "Too high: a dead server is noticed late. Too low: a busy one is taken for dead.",
    ),
    Key::span("database.wait_timeout", "5s", 10..=HOUR_MS, |draft| &mut draft.database.wait_timeout).about(
        "How long a request waits for a free connection before it is answered 503.",
        "Too high: requests pile up. Too low: a short burst is refused.",
    ),
    Key::span("database.statement_timeout", "20s", 100..=DAY_MS, |draft| &mut draft.database.statement_timeout).about(
        "How long PostgreSQL may work on one statement of a request.",
        "Too high: a lost query holds its connection. Too low: long ranges cannot be read.",
    ),
];

pub(super) const ADMIT: &[Key] = &[
    Key::count("admit.samples_per_second", "0", 0..=1_000_000_000, |draft| &mut draft.admit.samples_per_second).about(
        "Samples per second from one client address (IPv6: from a /64); beyond it 429. 0: no limit.",
        "Too low: honest agents are refused, those behind one gateway first.",
    ),
    Key::span("admit.burst", "10s", 100..=HOUR_MS, |draft| &mut draft.admit.burst).about(
        "How much of its rate an idle client can save up.",
        "Too high: the limit binds late. Too low: agents that send rarely but much are refused.",
    ),
    Key::count("admit.clients_max", "65536", 16..=10_000_000, |draft| &mut draft.admit.clients_max).about(
        "Clients whose rate is kept; at the bound those nearest to a full allowance are forgotten.",
        "Too high: memory, some 40 bytes each. Too low: busy clients are forgiven too early.",
    ),
    Key::span("window.past", "", 1_000..=36_500 * DAY_MS, |draft| &mut draft.window.past).about(
        "How old a sample may be. Without it, and at most, as old as anything is kept: the longest time of \
         `retention`. Clocks that start at 1970 or 2000, and seconds sent as milliseconds, are refused by it.",
        "Too low: late data is refused.",
    ),
    Key::span("window.future", "1h", 0..=3_650 * DAY_MS, |draft| &mut draft.window.future).about(
        "How far ahead of our clock a sample may be.",
        "Too high: a fast clock hides newer samples behind its own. Too low: small clock errors are refused.",
    ),
    Key::count("catalog.servers_max", "100000", 1..=10_000_000, |draft| &mut draft.catalog.servers_max).about(
        "Servers in all; beyond it a registration is refused.",
        "Too high: a script that registers in a loop fills the catalog.",
    ),
    Key::count("catalog.series_max", "2000000", 1..=100_000_000, |draft| &mut draft.catalog.series_max).about(
        "Series in all; beyond it samples of new series are refused, known ones are not.",
        "Too high: memory, some 300 bytes each. Too low: new servers go unseen.",
    ),
    Key::count("catalog.series_per_server_max", "10000", 1..=100_000_000, |draft| {
        &mut draft.catalog.series_per_server_max
    })
    .about(
        "Series of one server; beyond it samples of its new series are refused.",
        "Too high: one agent with a request id in a label uses up the total. Too low: large hosts lose series.",
    ),
];

pub(super) const JOURNAL: &[Key] = &[
    Key::count("journal.lanes", "2", 1..=64, |draft| &mut draft.journal.lanes).about(
        "Writers to PostgreSQL, each a thread and a connection.",
        "Too high: threads and commits compete for cores and disk. Too low: one commit holds up all others.",
    ),
    Key::count("journal.flush_samples_max", "65536", 1_000..=10_000_000, |draft| &mut draft.journal.flush_samples_max)
        .about(
            "A commit takes no further request once it has this many samples.",
            "Too high: those who wait, wait longer. Too low: more commits for the same samples.",
        ),
    Key::span("journal.commit_wait", "5s", 100..=HOUR_MS, |draft| &mut draft.journal.commit_wait).about(
        "How long a request waits for its commit before it is answered 503. Its samples may be committed yet; \
         sending them again changes nothing.",
        "Too high: clients give up first. Too low: a slow disk becomes an error.",
    ),
];
