//! Which numbers of a document are series, and of what type, name and labels: rules as data, one table a dialect. The
//! same tables are printed into the documentation.
//!
//! A place is written `disk.partitions[]`: members with dots between, `[]` for the elements of an array, `*` for any
//! member. The first rule of a place counts. Numbers of places without a rule are series all the same, named by where
//! they stand; only places that a rule passes over are none.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::view::Value;
use crate::wire::json::{DEPTH_MAX, Kind};

/// Most series of one document; the numbers after that are counted as left out.
pub const SERIES_MAX: usize = 20_000;

/// What is made of the numbers at one place.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub at: &'static str,
    pub metric_type: &'static str,
    pub names: Names,
    pub labels: &'static [Label],
}

#[derive(Clone, Copy, Debug)]
pub enum Names {
    /// The numeric members of the object, each by its own name.
    Members,
    /// The same with other names for some of them.
    Renamed(&'static [(&'static str, &'static str)]),
    /// The same with a word before each name.
    Prefixed(&'static str),
    /// The number itself.
    This(&'static str),
    /// The number itself, named by its place in the array.
    ByPlace(&'static [&'static str]),
    /// Nothing: it is kept as part of the document only, and so is all that stands in it.
    Nothing,
}

/// A label and where its value is from.
#[derive(Clone, Copy, Debug)]
pub enum Label {
    /// The member of this name, a text or a number, under this label.
    Member(&'static str, &'static str),
    /// The place in the array, from zero.
    Index(&'static str),
    /// The name that stands for the nth `*`, from zero.
    Star(&'static str, usize),
}

/// A number that is a series.
#[derive(Debug)]
pub struct Found<'a> {
    pub metric_type: &'a str,
    pub metric_name: &'a str,
    pub labels: &'a [(Cow<'a, str>, Cow<'a, str>)],
    pub value: f64,
}

/// Hands each number of `document` to `take` and answers how many were left out: because there were too many, or because
/// no float can hold them.
pub fn find<'t>(document: Value<'t>, rules: &'static [Rule], mut take: impl FnMut(Found<'_>)) -> usize {
    let mut finding = Finding { rules, taken: 0, left_out: 0, take: &mut take };
    finding.walk(document, &mut Vec::new());
    finding.left_out
}

/// One step into the document.
#[derive(Clone, Debug)]
enum Step<'t> {
    Member(Cow<'t, str>),
    Element(usize),
}

struct Finding<'f> {
    rules: &'static [Rule],
    taken: usize,
    left_out: usize,
    take: &'f mut dyn FnMut(Found<'_>),
}

impl Finding<'_> {
    /// As deep as the document, which [`DEPTH_MAX`] bounds.
    fn walk<'t>(&mut self, value: Value<'t>, path: &mut Vec<Step<'t>>) {
        debug_assert!(path.len() <= DEPTH_MAX as usize);
        let rule = self.rules.iter().find(|rule| fits(rule.at, path));
        if rule.is_some_and(|rule| matches!(rule.names, Names::Nothing)) {
            return;
        }
        match value.kind() {
            Kind::Object => {
                let labels = rule.map(|rule| labels(rule, value, path));
                for (name, member) in value.members() {
                    path.push(Step::Member(name.clone()));
                    let has_own_rule = self.rules.iter().any(|rule| fits(rule.at, path));
                    match (rule, &labels, member.number()) {
                        (Some(rule), Some(labels), Some(number)) if !has_own_rule => {
                            self.member(rule, (&name, number), labels);
                        }
                        _ => self.walk(member, path),
                    }
                    path.pop();
                }
            }
            Kind::Array => {
                for (index, element) in value.elements().enumerate() {
                    path.push(Step::Element(index));
                    self.walk(element, path);
                    path.pop();
                }
            }
            Kind::Number => self.number(rule, value, path),
            Kind::Null | Kind::Boolean | Kind::String => {}
        }
    }

    fn member(&mut self, rule: &Rule, (name, value): (&str, f64), labels: &[(Cow<'_, str>, Cow<'_, str>)]) {
        // A member that is a label is not a measurement too.
        if rule.labels.iter().any(|label| matches!(label, Label::Member(member, _) if *member == name)) {
            return;
        }
        let prefixed;
        let metric_name = match rule.names {
            Names::Renamed(others) => {
                others.iter().find(|(member, _)| *member == name).map_or(name, |(_, other)| other)
            }
            Names::Prefixed(prefix) => {
                prefixed = format!("{prefix}{name}");
                &prefixed
            }
            Names::Members | Names::This(_) | Names::ByPlace(_) | Names::Nothing => name,
        };
        self.take(Found { metric_type: rule.metric_type, metric_name, labels, value });
    }

    /// A number that is no member of an object with a rule.
    fn number<'t>(&mut self, rule: Option<&Rule>, value: Value<'t>, path: &[Step<'t>]) {
        // One that 64 bits cannot hold.
        let Some(number) = value.number() else {
            self.left_out += 1;
            return;
        };
        let index =
            path.iter().rev().find_map(|step| if let Step::Element(index) = step { Some(*index) } else { None });
        let named = rule.and_then(|rule| match rule.names {
            Names::This(name) => Some((rule, name)),
            Names::ByPlace(names) => Some((rule, *names.get(index?)?)),
            _ => None,
        });
        match named {
            Some((rule, metric_name)) => {
                let labels = labels(rule, value, path);
                self.take(Found { metric_type: rule.metric_type, metric_name, labels: &labels, value: number });
            }
            None => self.unnamed(number, path),
        }
    }

    /// A number nobody has a rule for: the first member is its type, the others its name, places in arrays its labels.
    fn unnamed(&mut self, value: f64, path: &[Step<'_>]) {
        let mut members =
            path.iter().filter_map(|step| if let Step::Member(name) = step { Some(&**name) } else { None });
        let first = members.next().unwrap_or_default();
        let rest: Vec<&str> = members.collect();
        let (metric_type, metric_name) =
            if rest.is_empty() { (UNNAMED_TYPE, first.to_owned()) } else { (first, rest.join(".")) };
        let places = path.iter().filter_map(|step| if let Step::Element(index) = step { Some(*index) } else { None });
        let labels: Vec<_> = places
            .enumerate()
            .map(|(depth, index)| {
                let name = if depth == 0 { Cow::Borrowed("index") } else { Cow::Owned(format!("index{depth}")) };
                (name, Cow::Owned(index.to_string()))
            })
            .collect();
        if metric_name.is_empty() || metric_type.is_empty() {
            self.left_out += 1;
            return;
        }
        self.take(Found { metric_type, metric_name: &metric_name, labels: &labels, value });
    }

    fn take(&mut self, found: Found<'_>) {
        if self.taken >= SERIES_MAX {
            self.left_out += 1;
            return;
        }
        self.taken += 1;
        (self.take)(found);
    }
}

/// The type of numbers that stand at the top of a document.
const UNNAMED_TYPE: &str = "host";

/// The labels of a rule that have a value here, in the rule's order.
fn labels<'t>(rule: &Rule, value: Value<'t>, path: &[Step<'t>]) -> Vec<(Cow<'t, str>, Cow<'t, str>)> {
    let of = |label: &Label| -> Option<(Cow<'t, str>, Cow<'t, str>)> {
        match *label {
            Label::Member(member, name) => {
                let value = value.get(member)?;
                let text = match value.kind() {
                    Kind::String => value.text()?,
                    Kind::Number => Cow::Owned(String::from_utf8_lossy(value.raw()).into_owned()),
                    _ => return None,
                };
                Some((Cow::Borrowed(name), text)).filter(|(_, text)| !text.is_empty())
            }
            Label::Index(name) => {
                let index = path.iter().rev().find_map(|step| match step {
                    Step::Element(index) => Some(*index),
                    Step::Member(_) => None,
                })?;
                Some((Cow::Borrowed(name), Cow::Owned(index.to_string())))
            }
            Label::Star(name, nth) => {
                let place = rule.at.split('.').enumerate().filter(|(_, part)| part.starts_with('*')).nth(nth)?.0;
                let member = path.iter().filter_map(|step| match step {
                    Step::Member(member) => Some(member.clone()),
                    Step::Element(_) => None,
                });
                Some((Cow::Borrowed(name), member.clone().nth(place)?))
            }
        }
    };
    rule.labels.iter().filter_map(of).collect()
}

/// Whether `at` is the place that `path` leads to.
fn fits(at: &str, path: &[Step<'_>]) -> bool {
    let mut path = path.iter();
    for part in at.split('.').filter(|part| !part.is_empty()) {
        let (name, arrays) = part.find("[]").map_or((part, ""), |cut| part.split_at(cut));
        let is_named = match path.next() {
            Some(Step::Member(member)) => name == "*" || name == member,
            _ => false,
        };
        let is_in_arrays = (0..arrays.len() / "[]".len()).all(|_| matches!(path.next(), Some(Step::Element(_))));
        if !is_named || !is_in_arrays {
            return false;
        }
    }
    path.next().is_none()
}

/// The rules as the rows of a table: place, type, name, labels.
pub fn table(rules: &[Rule]) -> String {
    let mut text = String::from("| where it stands | type | name | labels |\n|---|---|---|---|\n");
    for rule in rules {
        let labels: Vec<String> = rule.labels.iter().map(describe).collect();
        let (metric_type, names) = match rule.names {
            Names::Members => (rule.metric_type, "the member's".to_owned()),
            Names::Renamed(others) => {
                let others: Vec<String> =
                    others.iter().map(|(member, name)| format!("`{member}` is `{name}`")).collect();
                (rule.metric_type, format!("the member's, but {}", others.join(", ")))
            }
            Names::Prefixed(prefix) => (rule.metric_type, format!("`{prefix}` and the member's")),
            Names::This(name) => (rule.metric_type, format!("`{name}`")),
            Names::ByPlace(names) => (rule.metric_type, format!("`{}`", names.join("`, `"))),
            Names::Nothing => ("-", "no series, part of the document".to_owned()),
        };
        let at = if rule.at.is_empty() { "at the top" } else { rule.at };
        let metric_type = if metric_type == "-" { metric_type.to_owned() } else { format!("`{metric_type}`") };
        // Writing to a `String` cannot fail.
        writeln!(text, "| `{at}` | {metric_type} | {names} | {} |", labels.join(", ")).unwrap_or_default();
    }
    text
}

fn describe(label: &Label) -> String {
    match label {
        Label::Member(member, name) if member == name => format!("`{name}`"),
        Label::Member(member, name) => format!("`{name}` from `{member}`"),
        Label::Index(name) => format!("`{name}`, the place from 0"),
        Label::Star(name, _) => format!("`{name}`, what `*` stands for"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Leniency, Tree};
    use super::*;

    const RULES: &[Rule] = &[
        Rule { at: "", metric_type: "system", names: Names::Renamed(&[("up", "uptime")]), labels: &[] },
        Rule { at: "cpu", metric_type: "cpu", names: Names::Members, labels: &[] },
        Rule {
            at: "cpu.cores[]",
            metric_type: "cpu",
            names: Names::This("core_usage"),
            labels: &[Label::Index("core")],
        },
        Rule { at: "cpu.load[]", metric_type: "cpu", names: Names::ByPlace(&["load1", "load5"]), labels: &[] },
        Rule {
            at: "disks[]",
            metric_type: "disk",
            names: Names::Prefixed("d_"),
            labels: &[Label::Member("device", "device"), Label::Member("no", "number")],
        },
        Rule {
            at: "heat.*[]",
            metric_type: "sensor",
            names: Names::Members,
            labels: &[Label::Star("group", 0), Label::Member("label", "sensor")],
        },
        Rule { at: "processes", metric_type: "", names: Names::Nothing, labels: &[] },
    ];

    fn found(document: &str) -> Vec<String> {
        let tree = Tree::read(document.as_bytes(), Leniency::Strict).unwrap();
        let mut all = Vec::new();
        let left_out = find(tree.root(), RULES, |found| {
            let labels: Vec<String> = found.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            all.push(format!("{}/{}{{{}}} {}", found.metric_type, found.metric_name, labels.join(","), found.value));
        });
        assert_eq!(left_out, 0);
        all
    }

    #[test]
    fn every_number_is_a_series_by_its_rule() {
        let document = r#"{"up":7,"name":"a","cpu":{"usage":1.5,"cores":[2,3],"load":[4,5,6],"freq":{"max":8}},
            "disks":[{"device":"sda","no":1,"used":9,"free":10,"ok":true},{"used":11}],
            "heat":{"board":[{"label":"x","current":40}]},"processes":[{"pid":1,"cpu":2}]}"#;
        let expected = [
            "system/uptime{} 7",
            "cpu/usage{} 1.5",
            "cpu/core_usage{core=0} 2",
            "cpu/core_usage{core=1} 3",
            "cpu/load1{} 4",
            "cpu/load5{} 5",
            "cpu/load{index=2} 6",
            "cpu/freq.max{} 8",
            "disk/d_used{device=sda,number=1} 9",
            "disk/d_free{device=sda,number=1} 10",
            "disk/d_used{} 11",
            "sensor/current{group=board,sensor=x} 40",
        ];
        assert_eq!(found(document), expected);
    }

    #[test]
    fn numbers_without_a_rule_are_named_by_where_they_stand() {
        assert_eq!(found(r#"{"gpus":[{"load":1},{"load":2}]}"#), ["gpus/load{index=0} 1", "gpus/load{index=1} 2"]);
        assert_eq!(found(r#"{"x":{"y":[[1,2]]}}"#), ["x/y{index=0,index1=0} 1", "x/y{index=0,index1=1} 2"]);
    }

    #[test]
    fn a_document_with_too_many_numbers_says_how_many_were_left_out() {
        let document = format!("{{\"x\":[{}0]}}", "1,".repeat(SERIES_MAX + 4));
        let tree = Tree::read(document.as_bytes(), Leniency::Strict).unwrap();
        let mut taken = 0;
        let left_out = find(tree.root(), RULES, |_| taken += 1);
        assert_eq!((taken, left_out), (SERIES_MAX, 5));
    }

    #[test]
    fn the_rules_print_as_a_table() {
        let table = table(RULES);
        assert!(table.contains("| `cpu.cores[]` | `cpu` | `core_usage` | `core`, the place from 0 |"), "{table}");
        assert!(
            table.contains("| `disks[]` | `disk` | `d_` and the member's | `device`, `number` from `no` |"),
            "{table}"
        );
        assert!(table.contains("| `processes` | - | no series, part of the document |  |"), "{table}");
    }
}
