//! From flags, environment and file to a [`Config`], or to everything that is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::distance::nearest;
use super::draft::Draft;
use super::env::{Environment, PREFIX};
use super::file;
use super::key::Key;
use super::problem::{Problem, Problems};
use super::settings::Config;
use super::table;

/// Names the file, when no flag does. It cannot stand in the file itself, so it is not a key of the table.
const FILE_VARIABLE: &str = "MILLRACE_CONFIG";

/// What the command line said.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub file: Option<PathBuf>,
    /// Dotted key and value; a later pair wins.
    pub settings: Vec<(String, String)>,
}

/// Reads all settings.
///
/// # Errors
/// Every problem there is, not just the first.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Config, Problems> {
    let mut problems = Vec::new();
    let mut given = from_file(flags, environment, &mut problems);
    take_environment(environment, &mut given, &mut problems);
    for (path, value) in &flags.settings {
        take(&mut given, path, value, format!("flag {path}"), &mut problems);
    }

    let mut draft = Draft::default();
    for key in table::keys() {
        if !key.default.is_empty() {
            let applied = key.apply(&mut draft, key.default);
            debug_assert!(applied, "the default of {} is accepted, see every_default_is_accepted", key.path);
        }
        if let Some(Given { value, origin }) = given.remove(key.path).filter(|given| !given.value.is_empty()) {
            if !key.apply(&mut draft, &value) {
                problems.push(bad_value(key, origin, &value));
            }
        }
    }
    match draft.finish(&mut problems) {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(Problems(problems)),
    }
}

/// A value and where it came from, in the words of who gave it.
#[derive(Debug)]
struct Given {
    value: String,
    origin: String,
}

fn from_file(flags: &Flags, environment: &Environment, problems: &mut Vec<Problem>) -> BTreeMap<&'static str, Given> {
    let mut given = BTreeMap::new();
    let Some(path) = flags.file.clone().or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from)) else {
        return given;
    };
    match file::read(&path) {
        Ok(pairs) => {
            for (key, value) in &pairs {
                take(&mut given, key, value, format!("{key} in {}", path.display()), problems);
            }
        }
        Err(problem) => problems.push(problem),
    }
    given
}

fn take_environment(environment: &Environment, given: &mut BTreeMap<&'static str, Given>, problems: &mut Vec<Problem>) {
    let variables: Vec<(String, &Key)> = table::keys().map(|key| (key.variable(), key)).collect();
    for (variable, key) in &variables {
        let names = [Some(variable.as_str()), key.plain_name];
        let found = names.into_iter().flatten().find_map(|name| Some((name, environment.get(name)?)));
        if let Some((name, value)) = found {
            given.insert(key.path, Given { value: value.to_owned(), origin: name.to_owned() });
        }
    }
    let is_known = |name: &str| name == FILE_VARIABLE || variables.iter().any(|(variable, _)| variable == name);
    for name in environment.prefixed_names().filter(|name| !is_known(name)) {
        // Compared without the prefix they all share, which would make everything look near.
        let known = variables.iter().map(|(variable, _)| &variable[PREFIX.len()..]);
        let near = nearest(&name[PREFIX.len()..], known).map(|near| format!("{PREFIX}{near}"));
        problems.push(Problem::Unknown { origin: name.to_owned(), did_you_mean: near });
    }
}

fn take(
    given: &mut BTreeMap<&'static str, Given>,
    path: &str,
    value: &str,
    origin: String,
    problems: &mut Vec<Problem>,
) {
    match table::keys().find(|key| key.path == path) {
        Some(key) => {
            given.insert(key.path, Given { value: value.to_owned(), origin });
        }
        None => {
            let near = nearest(path, table::keys().map(|key| key.path));
            problems.push(Problem::Unknown { origin, did_you_mean: near.map(str::to_owned) });
        }
    }
}

fn bad_value(key: &Key, origin: String, value: &str) -> Problem {
    let given = if key.secret { "the secret given".to_owned() } else { format!("{value:?}") };
    Problem::BadValue { origin, given, accepted: format!("give {}", key.accepts()) }
}

#[cfg(test)]
mod tests;
