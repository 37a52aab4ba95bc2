//! One metric as it is answered by queries and pushed to subscribers.

use crate::model::{Labels, Micros, Series};
use crate::wire::json::write::{write_json_number, write_json_string};

/// Appends `{"id":…,"server_id":…,"metric_type":…,"metric_name":…,"value":…,"labels":{…},"timestamp":…}`.
pub fn write_metric(out: &mut Vec<u8>, id: u64, series: &Series, time: Micros, value: f64) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
    out.extend_from_slice(b",\"server_id\":\"");
    out.extend_from_slice(series.server_id.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
    out.extend_from_slice(b"\",\"metric_type\":");
    write_json_string(out, series.identity.metric_type());
    out.extend_from_slice(b",\"metric_name\":");
    write_json_string(out, series.identity.metric_name());
    out.extend_from_slice(b",\"value\":");
    write_json_number(out, value);
    out.extend_from_slice(b",\"labels\":");
    write_labels(out, series.identity.labels());
    out.extend_from_slice(b",\"timestamp\":\"");
    time.write_rfc3339(out);
    out.extend_from_slice(b"\"}");
}

/// Appends the labels as an object, sorted by name; no labels are `{}`.
pub fn write_labels(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b'{');
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_json_string(out, name);
        out.push(b':');
        write_json_string(out, value);
    }
    out.push(b'}');
}
