//! The fields of a `multipart/form-data` body, which is how pages send a form that they put together themselves. Files in
//! it are passed over.

/// More fields than any form of ours has.
const FIELDS_MAX: usize = 32;
/// RFC 2046 allows no longer one.
const BOUNDARY_BYTES_MAX: usize = 70;

/// The boundary that a content type names; `None` when it is of another kind.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?.trim_matches('"');
    (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()).then_some(boundary)
}

/// Names and values; `None` when the body is broken off, or has too many.
pub(super) fn fields(body: &str, boundary: &str) -> Option<Vec<(String, String)>> {
    let delimiter = format!("--{boundary}");
    let (_, mut rest) = body.split_once(&delimiter)?;
    let between = format!("\r\n{delimiter}");
    let mut fields = Vec::new();
    while !rest.starts_with("--") {
        let (part, after) = rest.strip_prefix("\r\n")?.split_once(&between)?;
        let (head, value) = part.split_once("\r\n\r\n")?;
        if let Some(name) = name(head) {
            if fields.len() == FIELDS_MAX {
                return None;
            }
            fields.push((name.to_owned(), value.to_owned()));
        }
        rest = after;
    }
    Some(fields)
}

/// The name of a field; a file has none here.
fn name(head: &str) -> Option<&str> {
    let is_it = |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
    let parameters = head.split("\r\n").find(is_it)?;
    let of = |name: &str| parameters.split(';').find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='));
    of("filename").is_none().then(|| of("name"))?.map(|name| name.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nann\r\n--x\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\nb\r\n--x\r\n\
        Content-Disposition: form-data; name=\"password\"\r\n\r\na=b&c\r\n--x--\r\n";

    #[test]
    fn fields_are_read_and_files_passed_over() {
        let pairs = fields(BODY, "x").unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("username", "ann"), ("password", "a=b&c")]);
        assert_eq!(boundary("multipart/form-data; boundary=x"), Some("x"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), Some("a b"));
        assert_eq!(boundary("application/x-www-form-urlencoded; boundary=x"), None);
    }

    #[test]
    fn what_is_broken_off_anywhere_is_none() {
        let whole = BODY.find("--x--").unwrap() + "--x--".len();
        for end in 0..whole {
            assert_eq!(fields(&BODY[..end], "x"), None, "{end}");
        }
        assert!(fields(&BODY[..whole], "x").is_some());
    }
}
