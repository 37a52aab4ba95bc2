//! Which browser pages may read our answers.
//!
//! Credentials are never allowed across origins: no dashboard uses cross-site cookies, and without them "any origin"
//! gives a page nothing that curl would not get.

use std::time::Duration;

use hyper::header::{self, HeaderMap, HeaderValue, InvalidHeaderValue};

/// Which origins may read answers, and for how long a browser may remember that.
#[derive(Clone, Debug)]
pub struct Cors {
    pub origins: Origins,
    pub max_age: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    Any,
    /// Exactly these, as the browser spells them (`https://host:port`). Empty: none.
    Listed(Vec<HeaderValue>),
}

impl Origins {
    /// From texts; `*` among them allows every origin.
    ///
    /// # Errors
    /// When a text cannot stand in a header.
    pub fn listed(origins: &[String]) -> Result<Self, InvalidHeaderValue> {
        if origins.iter().any(|origin| origin == "*") {
            return Ok(Self::Any);
        }
        Ok(Self::Listed(origins.iter().map(|origin| HeaderValue::from_str(origin)).collect::<Result<_, _>>()?))
    }

    /// Whether the page at `origin` may open what browsers do not check for us, such as a WebSocket. A client without
    /// an origin is no page.
    pub fn allows(&self, origin: Option<&HeaderValue>) -> bool {
        match (self, origin) {
            (Self::Listed(listed), Some(origin)) => listed.contains(origin),
            (Self::Any, _) | (_, None) => true,
        }
    }
}

impl Default for Cors {
    fn default() -> Self {
        Self { origins: Origins::Any, max_age: Duration::from_secs(600) }
    }
}

impl Cors {
    /// Adds what lets the page at `origin` read this answer. Requests without `Origin` do not come from a page, but a
    /// cache may keep their answer for one.
    pub fn allow(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        let allowed = match &self.origins {
            Origins::Any => origin.map(|_| HeaderValue::from_static("*")),
            Origins::Listed(listed) => {
                answer.append(header::VARY, HeaderValue::from_static("origin"));
                origin.filter(|origin| listed.contains(origin)).cloned()
            }
        };
        let Some(allowed) = allowed else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id, retry-after, location, etag"),
        );
    }

    /// Adds the answer to a preflight: the methods of the path, and whatever headers the page asked for.
    pub fn preflight(&self, asked: &HeaderMap, methods: HeaderValue, answer: &mut HeaderMap) {
        if !asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            return;
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        if let Some(headers) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(self.max_age.as_secs()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(cors: &Cors, origin: &'static str) -> Option<HeaderValue> {
        let mut answer = HeaderMap::new();
        cors.allow(Some(&HeaderValue::from_static(origin)), &mut answer);
        assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        answer.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    }

    #[test]
    fn any_origin_is_allowed_by_default_and_never_with_credentials() {
        assert_eq!(allowed(&Cors::default(), "https://a.example").unwrap(), "*");
    }

    #[test]
    fn a_list_allows_its_members_by_name_and_nobody_else() {
        let listed = Origins::Listed(vec![HeaderValue::from_static("https://a.example")]);
        let cors = Cors { origins: listed, ..Cors::default() };
        assert_eq!(allowed(&cors, "https://a.example").unwrap(), "https://a.example");
        assert_eq!(allowed(&cors, "https://b.example"), None);
    }

    #[test]
    fn sockets_are_open_to_listed_pages_and_to_clients_that_are_no_page() {
        let origin = |text| HeaderValue::from_static(text);
        let listed = Origins::Listed(vec![origin("https://a.example")]);
        assert!(listed.allows(Some(&origin("https://a.example"))) && listed.allows(None));
        assert!(!listed.allows(Some(&origin("https://b.example"))) && !listed.allows(Some(&origin("null"))));
        assert!(Origins::Any.allows(Some(&origin("https://b.example"))));
    }

    #[test]
    fn a_request_that_comes_from_no_page_gets_no_headers_but_what_caches_must_know() {
        let mut answer = HeaderMap::new();
        Cors::default().allow(None, &mut answer);
        assert!(answer.is_empty());
        let cors = Cors { origins: Origins::Listed(Vec::new()), ..Cors::default() };
        cors.allow(None, &mut answer);
        assert_eq!((answer.len(), &answer[header::VARY]), (1, &HeaderValue::from_static("origin")));
    }
}
