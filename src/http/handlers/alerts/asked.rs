//! Parameters of the lists of alerting: lists with commas, numbers, pages.

use uuid::Uuid;

use crate::http::ApiError;
use crate::http::query::Query;

/// Values one parameter may list.
const MEMBERS_MAX: usize = 1_000;
const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;

pub(super) fn bad(name: &str, needed: &str) -> ApiError {
    ApiError::bad_request("bad_parameter", format!("{name} is not {needed}"))
}

pub(super) fn get<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query.get(name).filter(|text| !text.is_empty())
}

/// All that is listed, by commas or by repeating the name.
pub(super) fn members(query: &Query, name: &str) -> Result<Vec<String>, ApiError> {
    let values = query.pairs().filter(|(key, _)| *key == name).flat_map(|(_, value)| value.split(','));
    let members: Vec<String> =
        values.filter(|value| !value.is_empty()).take(MEMBERS_MAX + 1).map(str::to_owned).collect();
    if members.len() > MEMBERS_MAX {
        return Err(ApiError::bad_request("bad_parameter", format!("{name} lists more than {MEMBERS_MAX} values")));
    }
    Ok(members)
}

/// The same, of words that there are.
pub(super) fn words(query: &Query, name: &str, known: &[&str]) -> Result<Vec<String>, ApiError> {
    let members = members(query, name)?;
    match members.iter().all(|member| known.contains(&member.as_str())) {
        true => Ok(members),
        false => Err(bad(name, &format!("made of {}", known.join(", ")))),
    }
}

pub(super) fn numbers(query: &Query, name: &str) -> Result<Vec<i64>, ApiError> {
    members(query, name)?.iter().map(|text| text.parse().map_err(|_| bad(name, "made of numbers"))).collect()
}

pub(super) fn ids(query: &Query, name: &str) -> Result<Vec<Uuid>, ApiError> {
    members(query, name)?.iter().map(|text| Uuid::try_parse(text).map_err(|_| bad(name, "a UUID"))).collect()
}

pub(super) fn limit(query: &Query) -> Result<i64, ApiError> {
    let limit = get(query, "limit").map_or(Some(LIMIT_DEFAULT), |text| text.parse().ok());
    limit.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| bad("limit", "a number from 1 to 1000"))
}

pub(super) fn flag(query: &Query, name: &'static str) -> Result<Option<bool>, ApiError> {
    match get(query, name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(bad(name, "true or false")),
    }
}

/// Two numbers with a dot between, where a page ended.
pub(super) fn cursor<T: std::str::FromStr, U: std::str::FromStr>(query: &Query) -> Result<Option<(T, U)>, ApiError> {
    let Some(text) = get(query, "cursor") else { return Ok(None) };
    let parts = text.split_once('.').and_then(|(first, second)| Some((first.parse().ok()?, second.parse().ok()?)));
    parts.map(Some).ok_or_else(|| bad("cursor", "one of ours"))
}

/// Whether there is another page: one more was asked for than the page holds, and is taken away.
pub(super) fn has_more<T>(found: &mut Vec<T>, limit: i64) -> bool {
    let has_more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    has_more
}
