//! Protobuf put together by hand, from the numbers of the published definitions and not from those of the decoder.

/// A field of a length.
pub(super) fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

pub(super) fn fixed(number: u8, bits: u64) -> Vec<u8> {
    [&[number << 3 | 1], bits.to_le_bytes().as_slice()].concat()
}

pub(super) fn small(number: u8, value: u8) -> Vec<u8> {
    assert!(value < 0x80);
    vec![number << 3, value]
}

pub(super) fn attribute(name: &str, value: &str) -> Vec<u8> {
    [part(1, name.as_bytes()), part(2, &part(1, value.as_bytes()))].concat()
}

/// A request with one resource and one scope.
pub(super) fn request(host: &str, metrics: &[Vec<u8>]) -> Vec<u8> {
    let resource = part(1, &part(1, &attribute("host.name", host)));
    let metrics: Vec<u8> = metrics.iter().flat_map(|metric| part(2, metric)).collect();
    part(1, &[resource, part(2, &metrics)].concat())
}

pub(super) fn gauge(name: &str, points: &[Vec<u8>]) -> Vec<u8> {
    let points: Vec<u8> = points.iter().flat_map(|point| part(1, point)).collect();
    [part(1, name.as_bytes()), part(5, &points)].concat()
}
