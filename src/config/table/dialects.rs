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
    Key::words("influx.host_tags", "host,hostname", "names of tags, with commas between", set_host_tags).about(
        "The tag of an Influx line that names its server: the first of these that the line has. The others are labels.",
        "",
    ),
    Key::words("influx.default_host", "influx", "a host name", set_default_host)
        .about("The server of Influx lines that have no such tag.", ""),
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
    let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
    let accepted = !tags.iter().any(String::is_empty);
    if accepted {
        draft.influx.host_tags = tags;
    }
    accepted
}

fn set_default_host(draft: &mut Draft, text: &str) -> bool {
    let accepted = (1..=HOST_BYTES_MAX).contains(&text.len()) && !text.contains('\0');
    if accepted {
        draft.influx.default_host = text.to_owned();
    }
    accepted
}
