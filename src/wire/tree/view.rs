//! Nodes to values.

use std::borrow::Cow;

use super::read::Node;
use crate::wire::json::{Kind, Scanner};

/// One value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Value<'t> {
    body: &'t [u8],
    nodes: &'t [Node],
    place: usize,
}

impl<'t> Value<'t> {
    pub(super) fn new(body: &'t [u8], nodes: &'t [Node], place: usize) -> Self {
        Self { body, nodes, place }
    }

    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The value as it stands in the document.
    pub fn raw(self) -> &'t [u8] {
        self.node().span.of(self.body)
    }

    /// The number, when it is a finite one. One that 64 bits cannot hold is none.
    pub fn number(self) -> Option<f64> {
        if self.kind() != Kind::Number {
            return None;
        }
        Scanner::new(self.raw()).ok()?.number().ok().filter(|number| number.is_finite())
    }

    /// The number, when it is a whole one, written with or without a fraction.
    pub fn integer(self) -> Option<i64> {
        if let Ok(text) = std::str::from_utf8(self.raw())
            && let (Kind::Number, Ok(integer)) = (self.kind(), text.parse())
        {
            return Some(integer);
        }
        /// Larger floats are not exact.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = self.number()?;
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    }

    pub fn boolean(self) -> Option<bool> {
        (self.kind() == Kind::Boolean).then(|| self.raw() == b"true")
    }

    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text, when it is one and holds no lone surrogate.
    pub fn text(self) -> Option<Cow<'t, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let text = Scanner::new(self.raw()).ok()?.string().ok()?;
        owned_text(text.decoded(self.raw()).ok()?)
    }

    /// What an array holds; nothing for anything else.
    pub fn elements(self) -> impl Iterator<Item = Value<'t>> {
        let is_array = self.kind() == Kind::Array;
        self.children().take_while(move |_| is_array)
    }

    /// What an object holds; nothing for anything else. A name with a lone surrogate is passed over.
    pub fn members(self) -> impl Iterator<Item = (Cow<'t, str>, Value<'t>)> {
        self.children().filter_map(|child| {
            let name = child.node().name?;
            Some((owned_text(name.decoded(child.body).ok()?)?, child))
        })
    }

    /// The first member of this name.
    pub fn get(self, name: &str) -> Option<Value<'t>> {
        self.members().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }

    fn node(self) -> &'t Node {
        &self.nodes[self.place]
    }

    fn children(self) -> impl Iterator<Item = Value<'t>> {
        let end = self.node().next as usize;
        let at = move |place: usize| (place < end).then_some(Value { place, ..self });
        std::iter::successors(at(self.place + 1), move |child| at(child.node().next as usize))
    }
}

fn owned_text(bytes: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}
