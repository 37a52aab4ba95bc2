//! What `ARCHITECTURE.md` names is there: files, functions, tests, constants and settings. A description that has gone
//! stale is worse than none.

use std::fs;
use std::path::{Path, PathBuf};

/// A lower-case name with this many words is a test's.
const TEST_WORDS_MIN: usize = 5;
const FOLDERS: [&str; 7] = ["src", "sql", "tests", "benches", "load-tests", "fuzz", "scripts"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

/// What stands in backticks, outside of the drawings.
fn names(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every Rust file of the repository, joined.
fn code() -> String {
    let mut folders: Vec<PathBuf> = ["src", "tests/it", "benches", "load-tests/src"].map(|one| root().join(one)).into();
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                code.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    code
}

fn is_function_there(file: &str, function: &str) -> bool {
    let text = fs::read_to_string(root().join("src").join(file)).unwrap_or_default();
    text.contains(&format!("fn {function}(")) || text.contains(&format!("fn {function}<"))
}

fn is_made_of(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

/// Whether what `name` seems to stand for exists; `None` when it is not the sort of name that can be looked up.
fn exists(name: &str, code: &str, settings: &str) -> Option<bool> {
    let is_lower = |text: &str| is_made_of(text, |letter| letter.is_ascii_lowercase() || letter == '_');
    if let Some((file, function)) = name.split_once(".rs:") {
        return Some(is_function_there(&format!("{file}.rs"), function));
    }
    if FOLDERS.contains(&name.split('/').next()?) && !name.contains(' ') {
        return Some(root().join(name).exists());
    }
    if is_made_of(name, |letter| letter.is_ascii_uppercase() || letter == '_') {
        return Some(code.contains(&format!("const {name}: ")));
    }
    if let Some((group, key)) = name.split_once('.') {
        let is_file = || root().join(name).exists() || root().join("src").join(name).exists();
        let is_name = key == "rs" || (is_lower(group) && is_lower(key));
        return is_name.then(|| settings.contains(&format!("{name}\n")) || is_file());
    }
    let is_test = is_made_of(name, |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && name.split('_').count() >= TEST_WORDS_MIN;
    is_test.then(|| code.contains(&format!("fn {name}(")))
}

#[test]
fn whatever_the_description_names_is_there() {
    let (code, settings) = (code(), millrace::config::document::text());
    let looked_up: Vec<(String, bool)> = names(&architecture())
        .into_iter()
        .filter_map(|name| exists(&name, &code, &settings).map(|is_there| (name, is_there)))
        .collect();
    let missing: Vec<&str> =
        looked_up.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name.as_str()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(looked_up.len() > 100, "only {} names were understood", looked_up.len());
}

#[test]
fn a_number_behind_a_setting_is_its_default() {
    let (architecture, settings) = (architecture(), millrace::config::document::text());
    let mut compared = 0;
    for paragraph in settings.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let (name, about) = paragraph.trim().split_once('\n').unwrap();
        let default = about.lines().find_map(|line| line.trim().strip_prefix("default ")).unwrap().trim();
        for (place, quoted) in architecture.match_indices(&format!("`{name}` ")) {
            let rest = &architecture[place + quoted.len()..];
            if rest.starts_with(|letter: char| letter.is_ascii_digit()) {
                let shown: String = rest.chars().take(12).collect();
                assert!(rest.starts_with(&spelt_out(default)), "{name} is {default}, not {shown}");
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "only {compared} numbers were found");
}

/// `65536` is 65,536 for people, and `32MiB` is 32 MiB.
fn spelt_out(value: &str) -> String {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let mut text = String::new();
    for (place, digit) in number.chars().enumerate() {
        if place > 0 && (digits - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

#[test]
fn every_module_is_on_the_map() {
    let architecture = architecture();
    for path in fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_listed =
            ["main.rs", "lib.rs"].contains(&name.as_str()) || architecture.contains(&format!("| `src/{name}` |"));
        assert!(is_listed, "src/{name} is missing");
    }
}

#[test]
fn a_name_that_is_not_there_is_noticed() {
    let (code, settings) = (code(), millrace::config::document::text());
    let look_up = |name: &str| exists(name, &code, &settings);
    for gone in ["http/front.rs:vanish", "src/nowhere", concat!("GONE", "_MAX"), "http.gone", "no_such_test_is_there"] {
        assert_eq!(look_up(gone), Some(false), "{gone}");
    }
    for no_name in ["NaN", "200", "two words", "Hub::committed", "since="] {
        assert_eq!(look_up(no_name), None, "{no_name}");
    }
}
