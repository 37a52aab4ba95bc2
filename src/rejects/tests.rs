//! Which refusals are kept, with which bytes, and what happens when there are too many.

use super::*;
use crate::model::Code;
use waiting::WAITING_MAX;

fn occasion(body: &[u8]) -> Occasion<'_> {
    Occasion { at: Micros(1), sender: Arc::default(), dialect: "influx", body, first_item: 0 }
}

fn verdict(index: u32) -> Verdict {
    Verdict { index, code: Code::TooOld, message: format!("item {index}") }
}

fn lines(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    body.split(|byte| *byte == b'\n').map(move |line| {
        let span = start..start + line.len();
        start = span.end + 1;
        span
    })
}

#[test]
fn a_reject_has_the_bytes_of_its_item_and_not_those_of_its_neighbours() {
    let (rejects, body) = (Rejects::default(), b"a 1\nb 2\nc 3");
    rejects.keep(&occasion(body), &[verdict(2), verdict(0), verdict(2), verdict(9)], lines(body));
    let kept: Vec<_> = rejects.waiting.take(9).into_iter().map(|reject| (reject.item, reject.raw)).collect();
    let expected = [(0, &b"a 1"[..]), (2, b"c 3"), (2, b"c 3"), (9, b"")];
    assert_eq!(kept, expected.map(|(item, raw)| (Some(item), raw.to_vec())));
}

#[test]
fn of_one_request_only_so_many_are_kept() {
    let rejects = Rejects::default();
    let refused: Vec<Verdict> = (0..100).map(verdict).collect();
    rejects.keep(&occasion(b""), &refused, std::iter::empty());
    assert_eq!(rejects.waiting.take(usize::MAX).len(), KEPT_OF_REQUEST_MAX);
    assert_eq!(rejects.dropped(), 0, "they were refused, and are counted there");
}

#[test]
fn when_too_many_wait_the_oldest_go_and_are_counted() {
    let rejects = Rejects::default();
    for index in 0..WAITING_MAX as u32 + 5 {
        rejects.keep(&occasion(b""), &[verdict(index)], std::iter::empty());
    }
    assert_eq!(rejects.dropped(), 5);
    let taken = rejects.waiting.take(10);
    assert_eq!(taken[0].item, Some(5));
    rejects.keep(&occasion(b""), &[verdict(0)], std::iter::empty());
    rejects.waiting.put_back(taken);
    assert_eq!(rejects.dropped(), 6, "there is room for all but one again");
    assert_eq!(rejects.waiting.take(1)[0].item, Some(6));
}

#[test]
fn secrets_are_taken_out_and_long_items_are_cut_between_characters() {
    let text = format!("password=hunter2 {}", "é".repeat(RAW_BYTES_MAX));
    let kept = String::from_utf8(shown(text.as_bytes())).unwrap();
    assert!(!kept.contains("hunter2") && kept.len() <= RAW_BYTES_MAX && kept.ends_with('é'), "{kept}");
    let half = format!("{} token=hunter2", "x".repeat(RAW_BYTES_MAX - 8));
    assert!(!String::from_utf8(shown(half.as_bytes())).unwrap().contains("hunt"));
    assert_eq!(shown(&[0xff; 2_000]), [0xff; RAW_BYTES_MAX]);
    let rejects = Rejects::default();
    rejects.keep_whole(&occasion(b"body"), "bad_body", "Authorization: Bearer hunter2");
    assert!(!rejects.waiting.take(1)[0].message.contains("hunter2"));
}
