//! The nearest known name to a misspelt one.

/// The known name with the fewest edits, when few enough that it was probably meant: a third of the name.
pub(super) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = known.map(|name| (edits(given, name), name)).min_by_key(|(distance, _)| *distance)?;
    (distance <= name.len() / 3).then_some(name)
}

/// How many bytes must be inserted, removed or replaced to make one text of the other. One row of the usual table is
/// kept; names are short.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, left) in left.bytes().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (place, right) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (left, right, count) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(edits(left, right), count, "{left} {right}");
            assert_eq!(edits(right, left), count, "{right} {left}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered_unless_nothing_is_near() {
        let known = || ["http.body_bytes_max", "log.level"].into_iter();
        assert_eq!(nearest("http.body_byte_max", known()), Some("http.body_bytes_max"));
        assert_eq!(nearest("smtp.host", known()), None);
    }
}
