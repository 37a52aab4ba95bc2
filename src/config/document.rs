//! The table of keys for people: Markdown for the README, text for `millrace config`.

use super::key::Key;
use super::table;

/// The table of the README, from its first line to its last.
pub fn markdown() -> String {
    let mut text =
        String::from("| variable | default | accepts | what it is for, and where it hurts |\n|---|---|---|---|\n");
    for key in table::keys() {
        let default = if key.default.is_empty() { "-".to_owned() } else { format!("`{}`", key.default) };
        let names = names(key).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        let line = format!("| {names} | {default} | {} | {} {} |", key.accepts(), key.purpose, key.risk);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The same for a terminal, a paragraph a key.
pub fn text() -> String {
    let mut text = String::new();
    for key in table::keys() {
        let names = names(key).collect::<Vec<_>>().join(" or ");
        let default = if key.default.is_empty() { "none" } else { key.default };
        text.push_str(&format!("{}\n    variable  {names}\n    accepts   {}\n", key.path, key.accepts()));
        text.push_str(&format!("    default   {default}\n"));
        for sentence in [key.purpose, key.risk].into_iter().filter(|sentence| !sentence.is_empty()) {
            text.push_str(&format!("    {sentence}\n"));
        }
        text.push('\n');
    }
    text
}

/// The variables that are looked at, in the order of their weight.
fn names(key: &Key) -> impl Iterator<Item = String> {
    [Some(key.variable()), key.plain_name.map(str::to_owned)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_row_and_no_cell_breaks_its_row() {
        let markdown = markdown();
        assert_eq!(markdown.lines().count(), table::keys().count() + 2);
        for line in markdown.lines() {
            assert_eq!(line.matches('|').count(), 5, "{line}");
        }
        for key in table::keys() {
            assert!(text().contains(key.path));
        }
    }
}
