//! A source file, taken apart just far enough for the rules: comments, strings, test modules, functions, imports.

use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Source {
    /// From the root of the repository, with `/` between.
    pub(super) path: String,
    pub(super) text: String,
    /// `text` with comments and the insides of strings made blank, byte for byte.
    pub(super) code: String,
    /// `text` with comments made blank.
    pub(super) uncommented: String,
    tests: Vec<Range<usize>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// 1-based.
    pub(super) line_number: usize,
    pub(super) lines: usize,
    /// From its attributes to its last brace.
    place: Range<usize>,
}

impl Source {
    pub(super) fn read(root: &Path, file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        Self::new(file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"), text)
    }

    pub(super) fn new(path: String, text: String) -> Self {
        let (code, uncommented) = blank(&text);
        let tests = if path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/") {
            std::iter::once(0..text.len()).collect()
        } else {
            test_modules(&code)
        };
        Self { path, text, code, uncommented, tests }
    }

    pub(super) fn is_test(&self, place: usize) -> bool {
        self.tests.iter().any(|tests| tests.contains(&place))
    }

    pub(super) fn line_number(&self, place: usize) -> usize {
        self.text[..place].matches('\n').count() + 1
    }

    /// Lines outside tests.
    pub(super) fn lines(&self) -> usize {
        let in_tests: usize = self.tests.iter().map(|tests| self.text[tests.clone()].lines().count()).sum();
        self.text.lines().count().saturating_sub(in_tests)
    }

    /// The module of the crate the file belongs to: `journal` for `src/journal/lane.rs`.
    pub(super) fn module(&self) -> Option<&str> {
        let path = self.path.strip_prefix("src/")?;
        let module = path.split('/').next()?.trim_end_matches(".rs");
        (!matches!(module, "lib" | "main")).then_some(module)
    }

    /// The modules of the crate that code outside tests names, each with its place.
    pub(super) fn imports(&self) -> Vec<(usize, String)> {
        let roots = words(&self.code, "crate").chain(self.escapes()).filter(|place| !self.is_test(*place));
        roots.flat_map(|place| self.names_after(place)).collect()
    }

    /// Where code outside tests names the external crate `name`.
    pub(super) fn uses_of(&self, name: &str) -> Option<usize> {
        words(&self.code, name).find(|place| {
            let before = self.code[..*place].trim_end();
            let after = self.code[*place + name.len()..].trim_start();
            let is_path = after.starts_with("::") || (before.ends_with("use") && after.starts_with([';', ' ']));
            is_path && !before.ends_with("::") && !self.is_test(*place)
        })
    }

    pub(super) fn functions(&self) -> Vec<Function> {
        words(&self.code, "fn").filter_map(|place| self.function(place)).collect()
    }

    /// Whether `place` lies in a function whose name begins with one of `names`, or that runs on paused time.
    pub(super) fn may_sleep(&self, place: usize, names: &[&str]) -> bool {
        let around = |function: &Function| function.place.contains(&place);
        self.functions().into_iter().filter(around).any(|function| {
            let is_named = names.iter().any(|name| function.name.starts_with(name));
            is_named || self.code[function.place].contains("start_paused = true")
        })
    }

    fn function(&self, place: usize) -> Option<Function> {
        let rest = &self.code[place + 2..];
        let name: String = rest.trim_start().chars().take_while(|letter| is_word(*letter)).collect();
        let body = rest.find(['{', ';']).filter(|_| !name.is_empty())? + place + 2;
        if !self.code[body..].starts_with('{') {
            return None;
        }
        let end = closing(&self.code, body);
        let attributes = self.code[..place].rfind(['}', ';']).map_or(0, |before| before + 1);
        let lines = self.text[place..end].lines().count();
        Some(Function { name, line_number: self.line_number(place), lines, place: attributes..end })
    }

    /// Chains of `super::` that are long enough to leave the module the file belongs to.
    fn escapes(&self) -> impl Iterator<Item = usize> {
        let depth = self.path.trim_end_matches("/mod.rs").matches('/').count();
        words(&self.code, "super").filter_map(move |place| {
            let chain = self.code[place..].split("::").take_while(|part| part.trim() == "super").count();
            let is_first = !self.code[..place].trim_end().ends_with("::");
            // The place of the last `super`, so that what follows it is the module.
            (is_first && chain >= depth).then(|| place + (chain - 1) * "super::".len())
        })
    }

    /// The first names after `crate` or `super` at `place`, one or a group in braces.
    fn names_after(&self, place: usize) -> Vec<(usize, String)> {
        let rest = self.code[place..].trim_start_matches(is_word);
        let Some(rest) = rest.strip_prefix("::") else { return Vec::new() };
        let mut names = vec![String::new()];
        let mut depth = 0;
        let mut in_head = true;
        for letter in rest.chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => {
                    names.push(String::new());
                    in_head = true;
                }
                letter if is_word(letter) && in_head && depth <= 1 => names.last_mut().unwrap().push(letter),
                letter if letter.is_whitespace() && depth == 1 => {}
                _ => in_head = false,
            }
            if depth == 0 && (!in_head || letter == '}') {
                break;
            }
        }
        names.into_iter().filter(|name| !name.is_empty()).map(|name| (place, name)).collect()
    }
}

/// Every `.rs` file under the directories `roots` of `root`.
pub(super) fn files(root: &Path, roots: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = roots.iter().map(|directory| root.join(directory)).collect();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The places of `word` standing by itself.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + use<'a> {
    code.match_indices(word)
        .map(|(place, _)| place)
        .filter(move |place| !code[..*place].ends_with(is_word) && !code[place + word.len()..].starts_with(is_word))
}

/// The place after the brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (place, letter) in code[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + place + 1;
        }
    }
    code.len()
}

fn test_modules(code: &str) -> Vec<Range<usize>> {
    let starts = code.match_indices("#[cfg(test)]").map(|(place, _)| place);
    starts
        .filter_map(|start| {
            let end = start + code[start..].find(['{', ';'])?;
            code[end..].starts_with('{').then(|| start..closing(code, end))
        })
        .collect()
}

/// `text` without comments and strings, and without comments only. Everything keeps its place.
fn blank(text: &str) -> (String, String) {
    let mut code = text.as_bytes().to_vec();
    let mut uncommented = code.clone();
    let mut place = 0;
    while place < text.len() {
        let (length, is_comment) = opaque(&text[place..], text[..place].ends_with(is_word));
        if length == 0 {
            place += 1;
            while !text.is_char_boundary(place) {
                place += 1;
            }
            continue;
        }
        wipe(&mut code[place..place + length]);
        if is_comment {
            wipe(&mut uncommented[place..place + length]);
        }
        place += length;
    }
    (String::from_utf8(code).unwrap(), String::from_utf8(uncommented).unwrap())
}

fn wipe(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// How long the comment, string or character at the start of `text` is, 0 when there is none, and whether it is a
/// comment.
fn opaque(text: &str, follows_word: bool) -> (usize, bool) {
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), true);
    }
    if text.starts_with("/*") {
        return (text.find("*/").map_or(text.len(), |end| end + 2), true);
    }
    if let Some(rest) = text.strip_prefix('r').filter(|_| !follows_word) {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if rest[hashes..].starts_with('"') {
            let open = hashes + 2;
            let close = format!("\"{}", "#".repeat(hashes));
            return (text[open..].find(&close).map_or(text.len(), |end| open + end + close.len()), false);
        }
    }
    if text.starts_with('"') {
        return (quoted(text, '"'), false);
    }
    let mut letters = text.chars();
    if letters.next() == Some('\'') {
        // A lifetime has no quote after its first letter.
        let (first, second) = (letters.next(), letters.next());
        if first == Some('\\') || second == Some('\'') {
            return (quoted(text, '\''), false);
        }
    }
    (0, false)
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return place + 1,
            _ => {}
        }
    }
    text.len()
}
