//! Method and path to handler: one tree a method. Decides 404 and 405; knows nothing of what handlers do.

use std::fmt;
use std::sync::Arc;

use hyper::Method;
use hyper::header::HeaderValue;

use super::error::ErrorShape;
use super::gate::Terms;
use super::handler::Handler;
use super::request::{Params, percent};
use crate::auth::Access;

pub struct Router {
    trees: Vec<(Method, matchit::Router<Arc<Route>>)>,
    listed: Vec<(Method, &'static str, Access)>,
}

/// One handler with what the front must know about it.
pub(super) struct Route {
    pub(super) pattern: &'static str,
    pub(super) terms: Terms,
    pub(super) handler: Box<dyn Handler>,
}

/// What the router says about a method and a path.
pub(super) enum Found {
    Route(Arc<Route>, Params),
    /// The path is known; its methods, and the shape its errors have.
    OtherMethod(HeaderValue, ErrorShape),
    /// A placeholder of the path cannot be decoded.
    BadPath(ErrorShape),
    Nothing,
}

/// Two routes cannot both be taken, or a pattern is not one.
#[derive(Debug, thiserror::Error)]
#[error("cannot add route {method} {pattern}")]
pub struct RouteError {
    method: Method,
    pattern: &'static str,
    source: matchit::InsertError,
}

impl Router {
    pub fn builder() -> RouterBuilder {
        RouterBuilder { routes: Vec::new() }
    }

    /// Every method and pattern with what it asks of its callers, in the order they were added.
    pub fn routes(&self) -> &[(Method, &'static str, Access)] {
        &self.listed
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Found {
        let found = self.find_exactly(method, path);
        match (found, method) {
            // Who can be read can be asked for its head; the front drops the body.
            (None, &Method::HEAD) => self.find_exactly(&Method::GET, path),
            (found, _) => found,
        }
        .unwrap_or_else(|| self.allowed(path).map_or(Found::Nothing, |(allow, shape)| Found::OtherMethod(allow, shape)))
    }

    /// The methods of `path` as `Allow` lists them; `None` when no route has it.
    pub(super) fn allowed(&self, path: &str) -> Option<(HeaderValue, ErrorShape)> {
        let mut names = Vec::new();
        let mut shape = None;
        for (method, tree) in &self.trees {
            let Ok(found) = tree.at(path) else { continue };
            shape.get_or_insert(found.value.terms.shape);
            names.push(method.as_str());
        }
        let shape = shape?;
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        let allow = HeaderValue::from_str(&names.join(", ")).expect("method names are valid in a header");
        Some((allow, shape))
    }

    fn find_exactly(&self, method: &Method, path: &str) -> Option<Found> {
        let (_, tree) = self.trees.iter().find(|(candidate, _)| candidate == method)?;
        let matched = tree.at(path).ok()?;
        let route = matched.value;
        // No text of ours holds a NUL, and PostgreSQL cannot take one.
        let text = |value: &str| percent::decode(value, false).filter(|text| !text.contains('\0'));
        let decoded = |(name, value): (&str, &str)| Some((name.to_owned(), text(value)?));
        Some(match matched.params.iter().map(decoded).collect() {
            Some(params) => Found::Route(Arc::clone(route), params),
            None => Found::BadPath(route.terms.shape),
        })
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(&self.listed).finish()
    }
}

pub struct RouterBuilder {
    routes: Vec<(Method, Route)>,
}

impl RouterBuilder {
    /// `pattern` may hold `{name}` for one segment and end in `{*name}` for the rest. A path whose errors another
    /// system's clients read has that system's shape.
    #[must_use]
    pub fn route(
        mut self,
        terms: impl Into<Terms>,
        method: Method,
        pattern: &'static str,
        handler: impl Handler,
    ) -> Self {
        self.routes.push((method, Route { pattern, terms: terms.into(), handler: Box::new(handler) }));
        self
    }

    /// # Errors
    /// When two routes conflict or a pattern is malformed.
    pub fn build(self) -> Result<Router, RouteError> {
        let mut router = Router { trees: Vec::new(), listed: Vec::new() };
        for (method, route) in self.routes {
            router.add(method, route)?;
        }
        Ok(router)
    }
}

impl Router {
    fn add(&mut self, method: Method, route: Route) -> Result<(), RouteError> {
        let (pattern, access) = (route.pattern, route.terms.access);
        let index = self.trees.iter().position(|(candidate, _)| *candidate == method).unwrap_or_else(|| {
            self.trees.push((method.clone(), matchit::Router::new()));
            self.trees.len() - 1
        });
        match self.trees[index].1.insert(pattern, Arc::new(route)) {
            Ok(()) => self.listed.push((method, pattern, access)),
            Err(source) => return Err(RouteError { method, pattern, source }),
        }
        Ok(())
    }
}

impl fmt::Debug for RouterBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.routes.iter().map(|(method, route)| (method, route.pattern));
        out.debug_list().entries(routes).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Request, response};
    use super::*;

    async fn handler(_: Request) -> Result<response::Response, super::super::ApiError> {
        Ok(response::empty(hyper::StatusCode::OK))
    }

    fn router() -> Router {
        Router::builder()
            .route((Access::READ, ErrorShape::Structured), Method::GET, "/servers/{id}", handler)
            .route((Access::INGEST, ErrorShape::Text), Method::POST, "/ingest", handler)
            .route((Access::READ, ErrorShape::Structured), Method::GET, "/files/{*path}", handler)
            .build()
            .unwrap()
    }

    fn check(method: Method, path: &str, expected: &str) {
        let found = match router().find(&method, path) {
            Found::Route(route, params) => format!("{} {params:?}", route.pattern),
            Found::OtherMethod(allow, shape) => format!("{} {shape:?}", allow.to_str().unwrap()),
            Found::BadPath(_) => "bad path".to_owned(),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn a_route_is_found_with_its_parameters_decoded() {
        check(Method::GET, "/servers/a%20b", r#"/servers/{id} [("id", "a b")]"#);
        check(Method::HEAD, "/servers/1", r#"/servers/{id} [("id", "1")]"#);
        check(Method::GET, "/files/a/b", r#"/files/{*path} [("path", "a/b")]"#);
        check(Method::GET, "/servers/%ff", "bad path");
        check(Method::GET, "/servers/a%00b", "bad path");
    }

    #[test]
    fn a_known_path_with_another_method_names_its_methods_and_keeps_its_shape() {
        check(Method::GET, "/ingest", "POST, OPTIONS Text");
        check(Method::DELETE, "/servers/1", "GET, HEAD, OPTIONS Structured");
        check(Method::GET, "/nowhere", "nothing");
    }

    #[test]
    fn two_routes_for_one_path_are_refused() {
        let open = (Access::Open, ErrorShape::Structured);
        let builder = Router::builder().route(open, Method::GET, "/a", handler).route(open, Method::GET, "/a", handler);
        assert_eq!(builder.build().unwrap_err().to_string(), "cannot add route GET /a");
    }

    #[test]
    fn routes_are_listed_as_they_were_added() {
        let listed: Vec<_> = router().routes().iter().map(|(method, path, _)| format!("{method} {path}")).collect();
        assert_eq!(listed, ["GET /servers/{id}", "POST /ingest", "GET /files/{*path}"]);
    }
}
