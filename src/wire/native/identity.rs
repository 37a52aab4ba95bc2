//! From the identity as it was spelt to the canonical one. Runs when the catalog meets a spelling for the first time.

use super::refusal::shown;
use crate::model::series::LABELS_MAX;
use crate::model::{Code, Identity, IdentityError, Labels, RawIdentity, Span};
use crate::wire::json::text::unescape;
use crate::wire::json::{Fault, Kind, Scanner};

type Refused = (Code, String);

/// The canonical identity that `raw` spells: escapes resolved, labels sorted.
///
/// # Errors
/// The code and the message to refuse the samples with.
pub fn identity(body: &[u8], raw: RawIdentity) -> Result<Identity, Refused> {
    let metric_type = text(body, raw.metric_type, "metric_type")?;
    let metric_name = text(body, raw.metric_name, "metric_name")?;
    let labels = labels(raw.labels.of(body))?;
    Identity::new(&metric_type, &metric_name, labels).map_err(refused)
}

fn text(body: &[u8], span: Span, what: &str) -> Result<Box<str>, Refused> {
    decoded(span.of(body), what)
}

/// Resolves the escapes of the bytes between two quotes.
fn decoded(raw: &[u8], what: &str) -> Result<Box<str>, Refused> {
    let bytes = unescape(raw).map_err(|_| (Code::InvalidText, format!("{what} holds a lone surrogate")))?;
    let text = String::from_utf8(bytes).map_err(|_| (Code::InvalidText, format!("{what} is not UTF-8")))?;
    Ok(text.into_boxed_str())
}

/// Reads the object `raw`; no bytes at all are no labels.
fn labels(raw: &[u8]) -> Result<Labels, Refused> {
    if raw.is_empty() {
        return Ok(Labels::default());
    }
    let mut scanner = Scanner::new(raw).map_err(malformed)?;
    scanner.expect(b'{', "a brace").map_err(malformed)?;
    let mut pairs = Vec::new();
    if scanner.token() == b'}' {
        return Ok(Labels::default());
    }
    let mut count = 0;
    loop {
        let pair = label(raw, &mut scanner)?;
        count += 1;
        if count <= LABELS_MAX {
            pairs.push(pair);
        }
        match scanner.token() {
            b',' => scanner.step(1),
            b'}' => break,
            _ => return Err(malformed(scanner.unexpected("a comma or a closing brace"))),
        }
    }
    if count > LABELS_MAX {
        return Err(refused(IdentityError::TooManyLabels { count }));
    }
    Labels::new(pairs).map_err(refused)
}

fn label(raw: &[u8], scanner: &mut Scanner<'_>) -> Result<(Box<str>, Box<str>), Refused> {
    if scanner.token() != b'"' {
        return Err(malformed(scanner.unexpected("a quoted name")));
    }
    let name = scanner.string().map_err(malformed)?.raw(raw);
    scanner.expect(b':', "a colon").map_err(malformed)?;
    let value = match Kind::of(scanner.token()) {
        Some(Kind::String) => scanner.string().map_err(malformed)?.raw(raw),
        Some(Kind::Null) => {
            scanner.literal("null").map_err(malformed)?;
            b""
        }
        Some(got) => {
            return Err((Code::InvalidLabels, format!("label \"{}\" must be a string, got {got}", shown(name))));
        }
        None => return Err(malformed(scanner.unexpected("a string"))),
    };
    Ok((decoded(name, "label name")?, decoded(value, "label value")?))
}

fn refused(error: IdentityError) -> Refused {
    (Code::of_identity(&error), error.to_string())
}

/// For spans that no decoder has checked: an answer, where a panic would be reachable from outside.
fn malformed(fault: Fault) -> Refused {
    (Code::InvalidLabels, format!("labels are not a JSON object: {fault}"))
}
