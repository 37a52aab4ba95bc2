//! JSON as Python's writer indents it: two spaces a level, floats as Python shows them, nothing beyond ASCII.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

use crate::wire::systems::python;

/// The text of a value. Members stand in the order of the type's fields.
pub(super) fn indented(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Indented(PrettyFormatter::new()));
    // Writing to memory cannot fail, and the types that are written here have no maps.
    if value.serialize(&mut serializer).is_err() {
        out.clear();
    }
    String::from_utf8(out).unwrap_or_default()
}

struct Indented(PrettyFormatter<'static>);

impl Formatter for Indented {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python::float(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for character in fragment.chars() {
            match character {
                // Delete is ASCII, and stands as it is.
                _ if character.is_ascii() => writer.write_all(&[character as u8])?,
                _ => {
                    for unit in character.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Inner {
        z: f64,
        a: Option<i64>,
    }

    #[derive(Serialize)]
    struct Outer<'a> {
        text: &'a str,
        list: Vec<Inner>,
        none: Vec<Inner>,
    }

    #[test]
    fn values_are_indented_and_escaped_as_python_does_it() {
        let list = vec![Inner { z: 8.0, a: None }, Inner { z: 1e16, a: Some(-1) }];
        let value = Outer { text: "C:\\ \"é\" \u{1}\n\t𝄞\u{7f}", list, none: Vec::new() };
        let expected = "{\n  \"text\": \"C:\\\\ \\\"\\u00e9\\\" \\u0001\\n\\t\\ud834\\udd1e\u{7f}\",\n  \"list\": [\n    {\n      \
            \"z\": 8.0,\n      \"a\": null\n    },\n    {\n      \"z\": 1e+16,\n      \"a\": -1\n    }\n  ],\n  \"none\": []\n}";
        assert_eq!(indented(&value), expected);
        let python = serde_json::from_str::<serde_json::Value>(expected).unwrap();
        assert_eq!(python["list"][0]["z"], 8.0);
    }
}
