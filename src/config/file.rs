//! The TOML file as flat pairs of dotted key and text, so that a value is judged alike wherever it came from.

use std::io::Read;
use std::path::Path;

use toml::{Table, Value};

use super::problem::Problem;

/// A configuration is a page or two; more is a mistake, such as the path of a data file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// # Errors
/// When the file cannot be read, is too large or is not TOML.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Problem> {
    let unreadable = |source| Problem::FileUnreadable { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Problem::FileTooLarge { path: path.to_owned(), bytes_max: FILE_BYTES_MAX });
    }
    parse(&text).map_err(|(line_number, message)| Problem::FileSyntax { path: path.to_owned(), line_number, message })
}

/// # Errors
/// The 1-based line and the message, when `text` is not TOML.
fn parse(text: &str) -> Result<Vec<(String, String)>, (usize, String)> {
    let table: Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        (before.matches('\n').count() + 1, error.message().to_owned())
    })?;
    let mut pairs = Vec::new();
    flatten("", &table, &mut pairs);
    Ok(pairs)
}

/// The parser bounds how deep tables nest, and so the recursion.
fn flatten(prefix: &str, table: &Table, pairs: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(table) => flatten(&key, table, pairs),
            value => pairs.push((key, text(value))),
        }
    }
}

/// Lists are written with commas, as they are in a variable.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_become_dotted_keys_and_lists_become_commas() {
        let pairs = parse("port = 80\nlisten = ['a:1', 'b:2']\n[http]\nbody_bytes_max = '1MiB'\n").unwrap();
        let mut pairs: Vec<_> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
        pairs.sort_unstable();
        assert_eq!(pairs, [("http.body_bytes_max", "1MiB"), ("listen", "a:1,b:2"), ("port", "80")]);
    }

    #[test]
    fn a_syntax_error_names_its_line_and_does_not_quote_it() {
        let (line_number, message) = parse("port = 80\n[database]\nurl = 'postgres://a:hunter2@b\n").unwrap_err();
        assert_eq!(line_number, 3);
        assert!(!message.contains("hunter2"), "{message}");
    }
}
