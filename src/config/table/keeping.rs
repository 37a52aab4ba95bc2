//! How long what is stored is kept.

use super::super::key::Key;
use super::super::retention::SPAN_MS;

pub(super) const RETENTION: &[Key] = &[
    Key::span("retention.raw", "30d", SPAN_MS, |draft| &mut draft.retention.raw).about(
        "How long samples are kept as they came; then an hour of them becomes a row of minutes. They stay until their \
         day has been rolled up to hours, however short this is.",
        "Too high: disk, one to two bytes a sample. Too low: details are gone before anyone asks for them.",
    ),
    Key::span("retention.minutes", "365d", SPAN_MS, |draft| &mut draft.retention.minutes).about(
        "How old minutes may get. When it is not longer than `retention.raw`, none are stored.",
        "Too high: disk. Too low: older times are shown by the hour only.",
    ),
    Key::span("retention.hours", "1826d", SPAN_MS, |draft| &mut draft.retention.hours).about(
        "How old hours may get.",
        "Too high: disk, though a day of a series is one row. Too low: last year cannot be compared with this one.",
    ),
    Key::words(
        "retention.overrides",
        "",
        "entries such as cpu/*@web-*=24h,7d,365d, with commas between",
        |draft, text| {
            text.clone_into(&mut draft.retention_overrides);
            true
        },
    )
    .about(
        "Other times for some series: TYPE/NAME@HOSTNAME=RAW,MINUTES,HOURS, where * stands for any run of characters. \
         The first entry that fits counts.",
        "Entries that keep less than before take effect at the next run.",
    ),
];
