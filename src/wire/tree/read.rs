//! Bytes to nodes, in document order: a container is followed by what it holds.

use super::view::Value;
use crate::model::Span;
use crate::wire::json::{self, DEPTH_MAX, Kind, Scanner, Syntax, Text};

/// Most values of one document; a node takes some 32 bytes.
pub const NODES_MAX: usize = 200_000;

#[derive(Debug)]
pub struct Tree<'a> {
    body: &'a [u8],
    nodes: Vec<Node>,
}

/// One value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The name, when it is a member of an object.
    pub(super) name: Option<Text>,
    /// The bytes of the value.
    pub(super) span: Span,
    /// Where the next value that is not part of this one stands.
    pub(super) next: u32,
}

/// What is taken beyond the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leniency {
    Strict,
    /// `nan`, `inf` and the like as programs print them, read as null.
    PrintedNan,
}

/// Why a document has no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Json(#[from] json::Fault),
    #[error("the document has more than {NODES_MAX} values")]
    TooManyValues,
}

impl<'a> Tree<'a> {
    /// # Errors
    /// When `body` is not one JSON value, or holds too many.
    pub fn read(body: &'a [u8], leniency: Leniency) -> Result<Self, Fault> {
        let mut reader = Reader { scanner: Scanner::new(body)?, leniency, nodes: Vec::new(), open: Vec::new() };
        reader.document()?;
        Ok(Self { body, nodes: reader.nodes })
    }

    pub fn root(&self) -> Value<'_> {
        Value::new(self.body, &self.nodes, 0)
    }
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    leniency: Leniency,
    nodes: Vec<Node>,
    /// The containers that are open, innermost last: at most [`DEPTH_MAX`].
    open: Vec<usize>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        loop {
            let name = self.name()?;
            self.value(name)?;
            if !self.between()? {
                break;
            }
        }
        if self.scanner.token() != 0 || self.scanner.at() < self.scanner.body().len() {
            return Err(self.scanner.unexpected("the end of the document").into());
        }
        Ok(())
    }

    /// The name and the colon of the member that is next, when members are.
    fn name(&mut self) -> Result<Option<Text>, Fault> {
        let is_member = self.open.last().is_some_and(|open| self.nodes[*open].kind == Kind::Object);
        if !is_member {
            return Ok(None);
        }
        if self.scanner.token() != b'"' {
            return Err(self.scanner.unexpected("a quoted name").into());
        }
        let name = self.scanner.string()?;
        self.scanner.expect(b':', "a colon")?;
        Ok(Some(name))
    }

    /// The value that is next; of a container that holds something only its beginning.
    fn value(&mut self, name: Option<Text>) -> Result<(), Fault> {
        let first = self.scanner.token();
        let start = self.scanner.at();
        if self.nodes.len() >= NODES_MAX {
            return Err(Fault::TooManyValues);
        }
        let kind = match Kind::of(first) {
            Some(kind) if !self.is_printed_nan() => kind,
            _ if self.skip_printed_nan() => {
                self.push(Kind::Null, name, start);
                return Ok(());
            }
            _ => return Err(self.scanner.unexpected("a value").into()),
        };
        match kind {
            Kind::String => drop(self.scanner.string()?),
            Kind::Number => self.scanner.skip_number()?,
            Kind::Boolean => self.scanner.literal(if first == b't' { "true" } else { "false" })?,
            Kind::Null => self.scanner.literal("null")?,
            Kind::Array | Kind::Object => {
                if self.open.len() >= DEPTH_MAX as usize {
                    return Err(self.scanner.fault(Syntax::TooDeep).into());
                }
                self.scanner.step(1);
                self.open.push(self.nodes.len());
            }
        }
        self.push(kind, name, start);
        Ok(())
    }

    fn push(&mut self, kind: Kind, name: Option<Text>, start: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, name, span: Span::new(start, self.scanner.at()), next });
    }

    /// Passes over what stands between two values, closing what ends; false at the end of the document.
    fn between(&mut self) -> Result<bool, Fault> {
        loop {
            let Some(&open) = self.open.last() else { return Ok(false) };
            let (is_first, is_object) = (open + 1 == self.nodes.len(), self.nodes[open].kind == Kind::Object);
            match (self.scanner.token(), is_object) {
                (b'}', true) | (b']', false) => {
                    self.scanner.step(1);
                    self.open.pop();
                    let next = self.nodes.len() as u32;
                    let node = &mut self.nodes[open];
                    (node.span, node.next) = (Span::new(node.span.start as usize, self.scanner.at()), next);
                }
                _ if is_first => return Ok(true),
                (b',', _) => {
                    self.scanner.step(1);
                    return Ok(true);
                }
                (_, true) => return Err(self.scanner.unexpected("a comma or a closing brace").into()),
                (_, false) => return Err(self.scanner.unexpected("a comma or a closing bracket").into()),
            }
        }
    }

    fn is_printed_nan(&self) -> bool {
        self.leniency == Leniency::PrintedNan && printed_nan(self.scanner.rest()) > 0
    }

    fn skip_printed_nan(&mut self) -> bool {
        let length = if self.leniency == Leniency::PrintedNan { printed_nan(self.scanner.rest()) } else { 0 };
        self.scanner.step(length);
        length > 0
    }
}

/// How many bytes of `rest` spell a number that is none, as C and C++ print them; 0 for anything else.
fn printed_nan(rest: &[u8]) -> usize {
    let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let word = &rest[sign..];
    let spellings: [&[u8]; 6] = [b"nan(ind)", b"nan(snan)", b"nan", b"infinity", b"inf", b"1.#"];
    let found =
        spellings.iter().find(|known| word.len() >= known.len() && word[..known.len()].eq_ignore_ascii_case(known));
    let Some(found) = found else { return 0 };
    let tail = if found.ends_with(b"#") {
        word[found.len()..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
    } else {
        0
    };
    sign + found.len() + tail
}
