//! Sets of texts in which `*` stands for any run of characters, the empty one included.
//!
//! Matching is linear in the text: the pieces between the wildcards are searched left to right and the first place a
//! piece fits is kept, which never has to be taken back. Two sets with the same members are equal, whatever their order.

use memchr::memmem;

/// Texts and patterns; a text is in the set when one of them fits it as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextSet {
    /// Sorted, so that a long list costs a binary search.
    literals: Box<[Box<str>]>,
    patterns: Box<[Pattern]>,
}

/// A text with at least one `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pattern {
    prefix: Box<str>,
    middles: Box<[Box<str>]>,
    suffix: Box<str>,
}

impl TextSet {
    pub fn new<'a>(members: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut literals, mut patterns) = (Vec::new(), Vec::new());
        for member in members {
            match Pattern::new(member) {
                Some(pattern) => patterns.push(pattern),
                None => literals.push(Box::from(member)),
            }
        }
        literals.sort_unstable();
        literals.dedup();
        patterns.sort_unstable();
        patterns.dedup();
        Self { literals: literals.into_boxed_slice(), patterns: patterns.into_boxed_slice() }
    }

    /// How many steps [`TextSet::contains`] takes at most, the search among the literals being one.
    pub fn steps(&self) -> usize {
        1 + self.patterns.len()
    }

    /// The texts themselves, when none of them is a pattern.
    pub fn literals(&self) -> Option<&[Box<str>]> {
        self.patterns.is_empty().then_some(&self.literals)
    }

    pub fn contains(&self, text: &str) -> bool {
        self.literals.binary_search_by(|literal| literal.as_ref().cmp(text)).is_ok()
            || self.patterns.iter().any(|pattern| pattern.matches(text))
    }
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_once('*')?;
        let (between, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middles = between.split('*').filter(|piece| !piece.is_empty()).map(Box::from).collect();
        Some(Self { prefix: prefix.into(), middles, suffix: suffix.into() })
    }

    /// Compares bytes: a whole text within another is found at a character boundary, so the result is the same.
    fn matches(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(self.prefix.as_ref()) else { return false };
        let Some(rest) = rest.strip_suffix(self.suffix.as_ref()) else { return false };
        let mut rest = rest.as_bytes();
        for middle in &self.middles {
            let Some(place) = memmem::find(rest, middle.as_bytes()) else { return false };
            rest = &rest[place + middle.len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, with no thought for its cost.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            Some((byte, rest)) => text.first() == Some(byte) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_set_holds_what_one_of_its_members_fits(
            members in proptest::collection::vec("[ab*]{0,6}", 0..4),
            text in "[ab]{0,8}",
        ) {
            let expected = members.iter().any(|member| naive(member.as_bytes(), text.as_bytes()));
            let set = TextSet::new(members.iter().map(String::as_str));
            prop_assert_eq!(set.contains(&text), expected, "{:?} and {:?}", members, text);
        }
    }

    #[test]
    fn many_wildcards_on_a_long_text_stay_cheap() {
        let set = TextSet::new(["*a".repeat(60).as_str()]);
        let text = format!("{}b", "a".repeat(100_000));
        assert!(!set.contains(&text));
    }

    #[test]
    fn sets_are_equal_whatever_order_they_were_named_in() {
        assert_eq!(TextSet::new(["b", "a*", "a", "a*"]), TextSet::new(["a*", "a", "b"]));
    }
}
