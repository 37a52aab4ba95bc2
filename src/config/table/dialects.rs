//! What the dialects of others leave open.

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::settings::InfluxStrings;

/// DNS allows no longer host name.
const HOST_BYTES_MAX: usize = 255;

pub(super) const INFLUX: &[Key] = &[
    Key::words("influx.strings", "count", "count or refuse", set_strings).about(
        "Fields of Influx lines that are texts, which no series can hold: left out and told in a header, or refused.",
        "refuse: agents that send texts beside numbers see an error with every request.",
    ),
    Key::words("influx.host_tags", "host,hostname", "names of tags, with commas between", |draft, text| {
        set_list(&mut draft.influx.host_tags, text)
    })
    .about(
        "The tag of an Influx line that names its server: the first of these that the line has. The others are labels.",
        "",
    ),
    Key::words("influx.default_host", "influx", "a host name", |draft, text| {
        set_host(&mut draft.influx.default_host, text)
    })
    .about("The server of Influx lines that have no such tag.", ""),
];

pub(super) const OTLP: &[Key] = &[
    Key::words(
        "otlp.host_attributes",
        "host.name,service.name,service.instance.id",
        "names of attributes, with commas between",
        |draft, text| set_list(&mut draft.otlp.host_attributes, text),
    )
    .about("The attribute of an OpenTelemetry resource that names its server: the first of these that it has.", ""),
    Key::words("otlp.default_host", "otlp", "a host name", |draft, text| set_host(&mut draft.otlp.default_host, text))
        .about("The server of OpenTelemetry resources that have no such attribute.", ""),
    Key::words(
        "otlp.resource_labels",
        "service.*,deployment.*,k8s.*,container.name,container.id",
        "names of attributes, with commas between; * at the end stands for any ending",
        |draft, text| set_list(&mut draft.otlp.resource_labels, text),
    )
    .about(
        "The attributes of an OpenTelemetry resource that become labels. The others are not stored.",
        "Too few: resources that differ in nothing else are taken for one.",
    ),
    Key::words("otlp.scope_labels", "true", "true or false", |draft, text| {
        text.parse().map(|flag| draft.otlp.scope_labels = flag).is_ok()
    })
    .about("Whether the name and the attributes of an OpenTelemetry scope become labels (`otel.scope.`).", ""),
];

fn set_strings(draft: &mut Draft, text: &str) -> bool {
    draft.influx.strings = match text {
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
