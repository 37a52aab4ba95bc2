//! Access and refresh tokens: JSON Web Tokens signed with HMAC-SHA256, as one of the source systems hands them out.
//!
//! Only that algorithm is known, whatever a token says of itself, and a token of one kind is never taken for the other.
//! Whether its person still may do anything is not known here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::Keys;
use crate::model::Micros;

/// Longer tokens are none of ours.
const TOKEN_BYTES_MAX: usize = 4096;
const MICROS_A_SECOND: i64 = 1_000_000;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The name of the person.
    pub sub: String,
    /// In seconds since 1970.
    pub exp: i64,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The number of a refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// The number of the person: names may be given to someone else later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<i64>,
    /// The signing in it comes from: when that is ended, so is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Access,
    Refresh,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
}

/// The token that says `claims`.
pub fn issue(keys: &Keys, claims: &Claims) -> String {
    let header = Header { alg: "HS256".to_owned(), typ: Some("JWT".to_owned()) };
    let text = format!("{}.{}", part(&header), part(claims));
    let signature = BASE64.encode(keys.sign_token(&text));
    format!("{text}.{signature}")
}

/// What `token` says, when it was signed with our secret, is of that kind and its time is not over.
pub fn read(keys: &Keys, token: &str, kind: Kind, now: Micros) -> Option<Claims> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (text, signature) = token.rsplit_once('.')?;
    if !keys.token_is_ours(text, &BASE64.decode(signature).ok()?) {
        return None;
    }
    let (header, claims) = text.split_once('.')?;
    let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    let is_known = header.alg == "HS256" && header.typ.as_deref().is_none_or(|typ| typ == "JWT");
    (is_known && claims.kind == kind && now.0.div_euclid(MICROS_A_SECOND) < claims.exp).then_some(claims)
}

/// Whether it has the form of such a token.
pub fn looks_like_one(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

fn part(value: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(value).expect("texts and numbers can be written as JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_700_000_000_000_000);

    fn keys() -> Keys {
        Keys::new(b"a secret of no fewer than 32 bytes")
    }

    fn claims(kind: Kind, exp: i64) -> Claims {
        Claims { sub: "ann".into(), exp, kind, jti: None, uid: Some(1), sid: None }
    }

    /// Signed with our secret, whatever it says.
    fn signed(header: &str, claims: &str) -> String {
        let text = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        format!("{text}.{}", BASE64.encode(keys().sign_token(&text)))
    }

    #[test]
    fn a_token_says_what_it_was_made_to_say_until_its_time_is_over() {
        let token = issue(&keys(), &claims(Kind::Access, 1_700_000_001));
        assert!(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."), "as others write it: {token}");
        assert_eq!(read(&keys(), &token, Kind::Access, NOW), Some(claims(Kind::Access, 1_700_000_001)));
        assert_eq!(read(&keys(), &token, Kind::Access, Micros(NOW.0 + 1_000_000)), None, "over");
        assert_eq!(read(&keys(), &token, Kind::Refresh, NOW), None, "of the other kind");
        assert_eq!(read(&Keys::new(b"another"), &token, Kind::Access, NOW), None);
    }

    #[test]
    fn a_token_of_another_program_with_the_same_secret_is_taken() {
        let token = signed(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"bob","exp":1700000001,"type":"access"}"#);
        let read = read(&keys(), &token, Kind::Access, NOW).unwrap();
        assert_eq!((read.sub.as_str(), read.uid, read.sid), ("bob", None, None));
    }

    #[test]
    fn no_other_algorithm_is_taken_however_the_token_is_signed() {
        let claims = r#"{"sub":"bob","exp":1700000001,"type":"access"}"#;
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512","typ":"JWT"}"#,
            r#"{"alg":"RS256","typ":"JWT"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":"JWT","crit":["x"]}"#,
            r#"{"alg":"HS256","kid":"../key"}"#,
            "[]",
        ] {
            assert_eq!(read(&keys(), &signed(header, claims), Kind::Access, NOW), None, "{header}");
        }
        let unsigned = format!("{}.{}.", BASE64.encode(r#"{"alg":"none"}"#), BASE64.encode(claims));
        assert_eq!(read(&keys(), &unsigned, Kind::Access, NOW), None);
    }

    #[test]
    fn what_is_changed_or_torn_is_not_taken() {
        let token = issue(&keys(), &claims(Kind::Access, 1_700_000_001));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            let read = read(&keys(), &changed, Kind::Access, NOW);
            assert!(read.is_none(), "{place}: {read:?}");
        }
        for torn in ["", ".", "..", "a.b.c", &token[..token.len() - 1], &token.repeat(40)] {
            assert_eq!(read(&keys(), torn, Kind::Access, NOW), None, "{torn}");
        }
        for claims in ["{}", r#"{"sub":"a","exp":"1","type":"access"}"#, r#"{"sub":"a","type":"access"}"#] {
            assert_eq!(read(&keys(), &signed(r#"{"alg":"HS256"}"#, claims), Kind::Access, NOW), None, "{claims}");
        }
    }

    #[test]
    fn two_dots_make_a_token() {
        assert!(looks_like_one("a.b.c") && !looks_like_one("a.b") && !looks_like_one("a.b.c.d"));
    }
}
