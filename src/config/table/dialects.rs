//! What the dialects of others leave open.

use std::net::SocketAddr;

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::settings::InfluxStrings;

const HOUR_MS: u64 = 3_600_000;
const OPEN_TO_ALL: &str = "Nobody is asked who he is: whoever reaches the address can write.";

/// DNS allows no longer host name.
const HOST_BYTES_MAX: usize = 255;
/// No series has a longer metric type.
const TYPE_BYTES_MAX: usize = 256;

pub(super) const INFLUX: &[Key] = &[
    Key::words("influx.strings", "count", "count or refuse", set_strings).about(
        "Fields of Influx lines that are texts, which no series can hold: left out and told in a header, or refused.",
        "refuse: agents that send texts beside numbers see an error with every request.",
    ),
    Key::words("influx.host_tags", "host,hostname", "names of tags, with commas between", |draft, text| {
        set_list(&mut draft.dialects.influx.host_tags, text)
    })
    .about(
        "The tag of an Influx line that names its server: the first of these that the line has. The others are labels.",
        "",
    ),
    Key::words("influx.default_host", "influx", "a host name", |draft, text| {
        set_host(&mut draft.dialects.influx.default_host, text)
    })
    .about("The server of Influx lines that have no such tag.", ""),
];

pub(super) const PROMETHEUS: &[Key] = &[
    Key::words("prometheus.metric_type", "prometheus", "a text of up to 256 bytes", set_metric_type)
        .about("The metric type of all samples from Prometheus; their names and labels stay what they are.", ""),
    Key::words("prometheus.host_labels", "instance", "names of labels, with commas between", |draft, text| {
        set_list(&mut draft.dialects.prometheus.host_labels, text)
    }).about(
        "The label whose host part names the server of a sample from Prometheus: the first of these that it has. It stays a label.",
        "",
    ),
    Key::words("prometheus.default_host", "prometheus", "a host name", |draft, text| {
        set_host(&mut draft.dialects.prometheus.default_host, text)
    })
        .about("The server of samples from Prometheus that have no such label.", ""),
];

pub(super) const OTLP: &[Key] = &[
    Key::words(
        "otlp.host_attributes",
        "host.name,service.name,service.instance.id",
        "names of attributes, with commas between",
        |draft, text| set_list(&mut draft.dialects.otlp.host_attributes, text),
    )
    .about("The attribute of an OpenTelemetry resource that names its server: the first of these that it has.", ""),
    Key::words("otlp.default_host", "otlp", "a host name", |draft, text| {
        set_host(&mut draft.dialects.otlp.default_host, text)
    })
    .about("The server of OpenTelemetry resources that have no such attribute.", ""),
    Key::words(
        "otlp.resource_labels",
        "service.*,deployment.*,k8s.*,container.name,container.id",
        "names of attributes, with commas between; * at the end stands for any ending",
        |draft, text| set_list(&mut draft.dialects.otlp.resource_labels, text),
    )
    .about(
        "The attributes of an OpenTelemetry resource that become labels. The others are not stored.",
        "Too few: resources that differ in nothing else are taken for one.",
    ),
    Key::words("otlp.scope_labels", "true", "true or false", |draft, text| {
        text.parse().map(|flag| draft.dialects.otlp.scope_labels = flag).is_ok()
    })
    .about("Whether the name and the attributes of an OpenTelemetry scope become labels (`otel.scope.`).", ""),
];

pub(super) const GRAPHITE: &[Key] = &[
    Key::words("graphite.listen", "", "an address such as 127.0.0.1:2003", |draft, text| {
        set_address(&mut draft.dialects.graphite.listen, text)
    })
    .about("Where lines of Graphite are taken, over TCP and UDP. Without it nowhere.", OPEN_TO_ALL),
    Key::words("graphite.default_host", "graphite", "a host name", |draft, text| {
        set_host(&mut draft.dialects.graphite.default_host, text)
    })
    .about("The server of Graphite lines without a tag `host` or `hostname`.", ""),
    Key::count("graphite.connections_max", "1000", 1..=1_000_000, |draft| &mut draft.dialects.graphite.connections_max)
        .about("Connections at one time; at the bound new ones wait to be accepted.", ""),
    Key::span("graphite.flush_interval", "1s", 10..=HOUR_MS, |draft| &mut draft.dialects.graphite.flush_interval)
        .about(
            "How long lines are gathered before they are committed, when they are few.",
            "Too high: samples are seen late. Too low: many small commits.",
        ),
];

pub(super) const STATSD: &[Key] = &[
    Key::words("statsd.listen", "", "an address such as 127.0.0.1:8125", |draft, text| {
        set_address(&mut draft.dialects.statsd.listen, text)
    })
    .about("Where StatsD is taken, over UDP and TCP. Without it nowhere.", OPEN_TO_ALL),
    Key::words("statsd.default_host", "statsd", "a host name", |draft, text| {
        set_host(&mut draft.dialects.statsd.default_host, text)
    })
    .about("The server of StatsD lines without a tag `host` or `hostname`.", ""),
    Key::count("statsd.connections_max", "1000", 1..=1_000_000, |draft| &mut draft.dialects.statsd.connections_max)
        .about("Connections at one time; at the bound new ones wait to be accepted.", ""),
    Key::span("statsd.flush_interval", "10s", 10..=HOUR_MS, |draft| &mut draft.dialects.statsd.flush_interval).about(
        "The interval whose counts, timers and sets come to one sample each.",
        "Too high: less is known of what happened when. Too low: more samples than it is worth.",
    ),
];

pub(super) const RICHARDOPS: &[Key] = &[
    Key::flag("richardops.console", |draft| &mut draft.dialects.richardops.console).about(
        "Whether each RichardOps report is shown on the console as well, as that system did.",
        "true: the console of a busy server is of no use for anything else.",
    ),
    Key::words("richardops.ingest_log", "", "the path of a file", |draft, text| {
        draft.dialects.richardops.ingest_log = Some(text.into());
        true
    })
    .about(
        "The file that RichardOps reports are written to as well, a line of JSON each, as that system did. It is put aside as `.1` when it has 256 MiB.",
        "Whoever may read it reads what agents sent.",
    ),
];

fn set_address(address: &mut Option<SocketAddr>, text: &str) -> bool {
    *address = text.parse().ok();
    address.is_some()
}

fn set_strings(draft: &mut Draft, text: &str) -> bool {
    draft.dialects.influx.strings = match text {
        "count" => InfluxStrings::Count,
        "refuse" => InfluxStrings::Refuse,
        _ => return false,
    };
    true
}

fn set_list(list: &mut Vec<String>, text: &str) -> bool {
    let words: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    let accepted = !words.iter().any(String::is_empty);
    if accepted {
        *list = words;
    }
    accepted
}

fn set_host(host: &mut String, text: &str) -> bool {
    let accepted = (1..=HOST_BYTES_MAX).contains(&text.len()) && !text.contains('\0');
    if accepted {
        text.clone_into(host);
    }
    accepted
}

fn set_metric_type(draft: &mut Draft, text: &str) -> bool {
    let accepted = (1..=TYPE_BYTES_MAX).contains(&text.len()) && !text.contains('\0');
    if accepted {
        text.clone_into(&mut draft.dialects.prometheus.metric_type);
    }
    accepted
}
