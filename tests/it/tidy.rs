//! The house rules that can be checked, checked. `rules` holds them, `source` reads the files.

mod rules;
mod source;

use std::path::Path;

use source::{Function, Source};

const TABLE_BEGIN: &str = "<!-- configuration: begin; printed by `millrace config --markdown` -->\n";
const TABLE_END: &str = "<!-- configuration: end -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    source::files(root(), rules::ROOTS).iter().map(|file| Source::read(root(), file)).collect()
}

/// Fails with everything that is wrong, one line each.
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn collect(check: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources().iter().flat_map(check).collect()
}

#[test]
fn every_file_says_first_what_it_is_for() {
    assert_none(&collect(|source| {
        let has_header = source.text.starts_with("//! ");
        if has_header { Vec::new() } else { vec![format!("{}: begin with //!", source.path)] }
    }));
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&collect(|source| {
        let too_long = |function: &Function| function.lines > rules::FUNCTION_LINES_MAX;
        let mut problems: Vec<String> = source
            .functions()
            .into_iter()
            .filter(too_long)
            .map(|Function { name, line_number, lines, .. }| {
                format!("{}:{line_number}: fn {name}: {lines} lines", source.path)
            })
            .collect();
        if source.lines() > rules::FILE_LINES_MAX {
            problems.push(format!("{}: {} lines", source.path, source.lines()));
        }
        problems
    }));
}

#[test]
fn modules_import_in_one_direction() {
    assert_none(&collect(|source| {
        let Some(module) = source.module() else { return Vec::new() };
        let listed = |rules: &[(&str, &'static [&'static str])]| {
            rules.iter().find(|(name, _)| *name == module).map(|(_, modules)| *modules)
        };
        let (allowed, forbidden) = (listed(rules::ALLOWED), listed(rules::FORBIDDEN));
        let breaks = |name: &str| {
            let not_allowed = allowed.is_some_and(|allowed| !allowed.contains(&name));
            name != module && (not_allowed || forbidden.is_some_and(|forbidden| forbidden.contains(&name)))
        };
        let imports = source.imports().into_iter().filter(|(_, name)| breaks(name));
        imports
            .map(|(place, name)| format!("{}:{}: {module} may not know {name}", source.path, source.line_number(place)))
            .collect()
    }));
}

#[test]
fn external_crates_stay_in_their_homes() {
    assert_none(&collect(|source| {
        let is_at_home = |homes: &[&str]| homes.iter().any(|home| source.path.starts_with(home));
        let strangers = rules::HOMES.iter().filter(|(_, homes)| source.path.starts_with("src/") && !is_at_home(homes));
        strangers
            .filter_map(|(name, _)| Some((name, source.uses_of(name)?)))
            .map(|(name, place)| format!("{}:{}: {name} has another home", source.path, source.line_number(place)))
            .collect()
    }));
}

#[test]
fn what_is_forbidden_is_not_there() {
    assert_none(&collect(|source| {
        let mut problems = Vec::new();
        let mut add = |place: usize, what: &str, reason: &str| {
            problems.push(format!("{}:{}: {what}: {reason}", source.path, source.line_number(place)));
        };
        for (directory, what, reason) in rules::FORBIDDEN_TEXT {
            let places = source.uncommented.match_indices(what).map(|(place, _)| place);
            let here = source.path.starts_with(directory);
            places.filter(|place| here && !source.is_test(*place)).for_each(|place| add(place, what, reason));
        }
        for (what, reason) in rules::FORBIDDEN_CODE {
            source.code.match_indices(what).for_each(|(place, _)| add(place, what, reason));
        }
        let sleeps = source.code.match_indices(rules::SLEEP).map(|(place, _)| place);
        sleeps
            .filter(|place| source.is_test(*place) && !source.may_sleep(*place, rules::MAY_SLEEP))
            .for_each(|place| add(place, rules::SLEEP, "wait on a condition with a deadline"));
        problems
    }));
}

#[test]
fn the_readme_shows_the_settings_as_they_are() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.split_once(TABLE_BEGIN).and_then(|(_, rest)| rest.split_once(TABLE_END));
    let (shown, _) = table.expect("the README has the two marks");
    assert!(shown == millrace::config::document::markdown(), "put the output of `millrace config --markdown` there");
}

#[test]
fn every_reference_of_the_api_description_leads_somewhere() {
    let text = std::fs::read_to_string(root().join("openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let references: Vec<&str> = text.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!references.is_empty());
    let lost = references.into_iter().filter(|place| document.pointer(place).is_none());
    assert_none(&lost.map(|place| format!("openapi.json: {place}")).collect::<Vec<_>>());
}

#[test]
fn the_api_description_lists_every_reason_of_a_refusal() {
    let text = std::fs::read_to_string(root().join("openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let codes = millrace::model::Code::ALL.map(millrace::model::Code::as_str);
    assert_eq!(document["components"]["schemas"]["Refusal"]["properties"]["code"]["enum"], serde_json::json!(codes));
}

mod of_the_reader {
    //! The rules are only as good as what reads the files.

    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path.to_owned(), text.to_owned())
    }

    fn imports(path: &str, text: &str) -> Vec<String> {
        source(path, text).imports().into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn imports_are_found_in_every_form() {
        let text = "use crate::a::B; use crate::{c::{D, E}, f}; fn g() { crate::h::i(); }";
        assert_eq!(imports("src/x/y.rs", text), ["a", "c", "f", "h"]);
        assert_eq!(imports("src/x/mod.rs", "use super::a::B;"), ["a"]);
        assert_eq!(imports("src/x/y.rs", "use super::a::B; use super::super::c::D;"), ["c"]);
        assert_eq!(imports("src/x/y.rs", "// crate::a\nlet b = \"crate::c\";"), [""; 0]);
        assert_eq!(imports("src/x/y.rs", "#[cfg(test)]\nmod tests { use crate::a; }"), [""; 0]);
    }

    #[test]
    fn external_crates_are_found_and_names_like_them_are_not() {
        assert!(source("src/x.rs", "use toml::Table;").uses_of("toml").is_some());
        assert!(source("src/x.rs", "fn f() { toml::from_str(t) }").uses_of("toml").is_some());
        assert!(source("src/x.rs", "use crate::toml::Table; let toml = 1; my_toml::x()").uses_of("toml").is_none());
    }

    #[test]
    fn strings_comments_and_characters_are_blank_and_nothing_else_is() {
        let text = "a(\"}\\\"{\", '{', '\\'', r#\"\"}\"#, b\"{\"); // {\n/* { */ fn f<'a>(x: &'a str) {}";
        let source = source("src/x.rs", text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.code.matches(['{', '}']).count(), 2, "{}", source.code);
        assert!(source.code.contains("fn f<'a>(x: &'a str) {}"));
        assert!(source.uncommented.contains("r#\"\"}\"#") && !source.uncommented.contains("// {"));
    }

    #[test]
    fn sleeping_is_for_paused_time_and_for_those_who_look_again() {
        let may_sleep = |text: &str| {
            let source = source("tests/it/x.rs", text);
            source.may_sleep(source.code.find("sleep").unwrap(), &["until"])
        };
        assert!(may_sleep("fn a() {}\n#[tokio::test(start_paused = true)]\nasync fn b() { sleep() }"));
        assert!(may_sleep("async fn until_ready() { while !ready() { sleep() } }"));
        assert!(!may_sleep("#[tokio::test(start_paused = true)]\nasync fn a() {}\nasync fn b() { sleep() }"));
    }

    #[test]
    fn functions_are_measured_and_tests_do_not_count_as_lines() {
        let text = "//! x\nfn a() {\n    b();\n}\ntype F = fn();\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
        let source = source("src/x.rs", text);
        let measured: Vec<_> = source
            .functions()
            .into_iter()
            .map(|function| (function.name, function.line_number, function.lines))
            .collect();
        assert_eq!(measured, [("a".to_owned(), 2, 3), ("c".to_owned(), 8, 1)]);
        assert_eq!(source.lines(), 5);
    }
}
