//! What the dialects of others leave open.

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::settings::InfluxStrings;

/// DNS allows no longer host name.
const HOST_BYTES_MAX: usize = 255;
/// No series has a longer metric type.
const TYPE_BYTES_MAX: usize = 256;

pub(super) const INFLUX: &[Key] = &[
    Key::words("influx.strings", "count", "count or refuse", set_strings).about(
        "Fields of Influx lines that are texts, which no series can hold: left out and told in a header, or refused.",
        "refuse: agents that send texts beside numbers see an error with every request.",
    ),
    Key::words("influx.host_tags", "host,hostname", "names of tags, with commas between", set_host_tags).about(
        "The tag of an Influx line that names its server: the first of these that the line has. The others are labels.",
        "",
    ),
    Key::words("influx.default_host", "influx", "a host name", set_default_host)
        .about("The server of Influx lines that have no such tag.", ""),
];

pub(super) const PROMETHEUS: &[Key] = &[
    Key::words("prometheus.metric_type", "prometheus", "a text of up to 256 bytes", set_metric_type)
        .about("The metric type of all samples from Prometheus; their names and labels stay what they are.", ""),
    Key::words("prometheus.host_labels", "instance", "names of labels, with commas between", set_host_labels).about(
        "The label whose host part names the server of a sample from Prometheus: the first of these that it has. It stays a label.",
        "",
    ),
    Key::words("prometheus.default_host", "prometheus", "a host name", set_prometheus_host)
        .about("The server of samples from Prometheus that have no such label.", ""),
];

fn set_strings(draft: &mut Draft, text: &str) -> bool {
    draft.influx.strings = match text {
        "count" => InfluxStrings::Count,
        "refuse" => InfluxStrings::Refuse,
        _ => return false,
    };
    true
}

fn set_host_tags(draft: &mut Draft, text: &str) -> bool {
    set_names(&mut draft.influx.host_tags, text)
}

fn set_default_host(draft: &mut Draft, text: &str) -> bool {
    set_text(&mut draft.influx.default_host, text, HOST_BYTES_MAX)
}

fn set_metric_type(draft: &mut Draft, text: &str) -> bool {
    set_text(&mut draft.prometheus.metric_type, text, TYPE_BYTES_MAX)
}

fn set_host_labels(draft: &mut Draft, text: &str) -> bool {
    set_names(&mut draft.prometheus.host_labels, text)
}

fn set_prometheus_host(draft: &mut Draft, text: &str) -> bool {
    set_text(&mut draft.prometheus.default_host, text, HOST_BYTES_MAX)
}

fn set_names(field: &mut Vec<String>, text: &str) -> bool {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    let accepted = !names.iter().any(String::is_empty);
    if accepted {
        *field = names;
    }
    accepted
}

fn set_text(field: &mut String, text: &str, bytes_max: usize) -> bool {
    let accepted = (1..=bytes_max).contains(&text.len()) && !text.contains('\0');
    if accepted {
        text.clone_into(field);
    }
    accepted
}
