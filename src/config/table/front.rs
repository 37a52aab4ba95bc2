//! Where the server is reached, and what it takes from a connection.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::super::draft::Draft;
use super::super::key::Key;

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

pub(super) const PLACE: &[Key] = &[
    Key::flag("dev", |draft| &mut draft.dev)
        .about("Development: a PostgreSQL of our own, loopback only, open access.", "DATABASE_URL is not looked at."),
    Key::words("data_dir", "data", "the path of a directory", |draft, text| {
        draft.data_dir = PathBuf::from(text);
        true
    })
    .about("Where the PostgreSQL of `--dev` keeps its data.", ""),
    Key::words("listen", "", "addresses such as 127.0.0.1:8080, with commas between", set_listen).about(
        "The addresses to listen on. Without it, the port below: on 127.0.0.1 with `--dev`, else on 0.0.0.0.",
        "",
    ),
    Key::words("port", "8080", "a port from 1 to 65535", set_port)
        .also("PORT")
        .about("The port, where `listen` names no address.", ""),
    Key::words("tls.certificate", "", "the path of a PEM file", |draft, text| {
        draft.tls_certificate = Some(PathBuf::from(text));
        true
    })
    .about("The certificate chain. Given with its key, every listener speaks TLS.", ""),
    Key::words("tls.key", "", "the path of a PEM file", |draft, text| {
        draft.tls_key = Some(PathBuf::from(text));
        true
    })
    .about("The private key of the certificate.", ""),
];

pub(super) const HTTP: &[Key] = &[
    Key::count("http.connections_max", "10000", 1..=1_000_000, |draft| &mut draft.http.connections_max).about(
        "Connections at one time; at the bound new ones wait to be accepted.",
        "Too high: file descriptors run out. Too low: agents time out while connecting.",
    ),
    Key::bytes("http.body_bytes_max", "32MiB", KIB..=GIB, |draft| &mut draft.http.body_bytes_max).about(
        "The largest request body as sent; larger ones are answered 413.",
        "Too high: few requests fill the memory. Too low: bulk senders are refused.",
    ),
    Key::bytes("http.inflated_bytes_max", "128MiB", KIB..=GIB, |draft| &mut draft.http.inflated_bytes_max).about(
        "The largest request body once inflated; larger ones are answered 413.",
        "Too high: a tiny request can take much memory. Too low: well compressed bulk is refused.",
    ),
    Key::bytes("http.in_flight_bytes_max", "256MiB", MIB..=64 * GIB, |draft| &mut draft.http.in_flight_bytes_max)
        .about(
            "All request bodies in memory at one time; at the bound requests are answered 503.",
            "Too high: the process is killed for its memory. Too low: bursts are refused.",
        ),
    Key::span("http.header_timeout", "10s", 100..=HOUR_MS, |draft| &mut draft.http.header_timeout).about(
        "How long the head of a request may take.",
        "Too high: slow clients hold connections. Too low: bad links never get through.",
    ),
    Key::span("http.body_timeout", "30s", 100..=HOUR_MS, |draft| &mut draft.http.body_timeout).about(
        "How long a body may stand still before it is given up.",
        "Too high: stalled clients hold memory. Too low: bad links never get through.",
    ),
    Key::span("http.idle_timeout", "75s", 100..=HOUR_MS, |draft| &mut draft.http.idle_timeout).about(
        "How long a connection may wait for its next request.",
        "Too high: idle agents fill the connections. Too low: agents connect anew each time; keep it above the \
         idle time of a load balancer in front.",
    ),
    Key::span("http.drain_deadline", "20s", SECOND_MS..=HOUR_MS, |draft| &mut draft.http.drain_deadline).about(
        "How long a stopping server waits for requests it has accepted.",
        "Too high: whoever stops it loses patience first. Too low: requests are cut off.",
    ),
    Key::words("http.cors_origins", "*", "* or origins such as https://a.example, with commas between", set_origins)
        .about("Web pages of these origins may call the API and open live sessions; no cookies are allowed across origins.", ""),
];

fn set_listen(draft: &mut Draft, text: &str) -> bool {
    let addresses: Result<Vec<SocketAddr>, _> = text.split(',').map(|address| address.trim().parse()).collect();
    addresses.map(|addresses| draft.listen = addresses).is_ok()
}

fn set_port(draft: &mut Draft, text: &str) -> bool {
    let port = text.parse().ok().filter(|port| *port != 0);
    port.map(|port| draft.port = port).is_some()
}

fn set_origins(draft: &mut Draft, text: &str) -> bool {
    let origins: Vec<String> = text.split(',').map(|origin| origin.trim().to_owned()).collect();
    let is_origin = |origin: &String| {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        host.is_some_and(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'))
    };
    let accepted = origins == ["*"] || origins.iter().all(is_origin);
    if accepted {
        draft.http.cors_origins = origins;
    }
    accepted
}
