//! The values of one series: a clamped random walk that can be replayed from the seed.
//!
//! Values are whole hundredths between 10.00 and 99.99, so that each is written in five characters and patched into a
//! prepared body. Each move is a hash of (seed, series, step), so a series costs twelve bytes of state.

pub(crate) const CENTS_MIN: i32 = 1000;
pub(crate) const CENTS_MAX: i32 = 9999;

/// Yields the value of each step in turn, in hundredths.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    key: u64,
    step: u64,
    cents: i32,
}

impl Walk {
    pub(crate) fn new(seed: u64, series: u64) -> Self {
        let key = mix(seed ^ mix(series));
        let range = (CENTS_MAX - CENTS_MIN) as u64;
        Self { key, step: 0, cents: CENTS_MIN + (key % range) as i32 }
    }

    pub(crate) fn next_cents(&mut self) -> i32 {
        let bits = mix(self.key.wrapping_add(self.step.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        self.step += 1;
        // Four bytes add up to a bell curve; two thirds of it have a deviation of about one hundred, that is 1.00.
        let sum: i32 = bits.to_le_bytes()[..4].iter().map(|byte| i32::from(*byte)).sum();
        self.cents = (self.cents + (sum - 510) * 2 / 3).clamp(CENTS_MIN, CENTS_MAX);
        self.cents
    }
}

/// The number whose decimal spelling is `cents` hundredths.
pub(crate) fn value(cents: i32) -> f64 {
    // Both are exact, so the quotient is the float nearest to the decimal: what parsing the text gives.
    f64::from(cents) / 100.0
}

/// Spreads every bit of `x` over the whole word (the finaliser of splitmix64).
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_is_the_same_whenever_it_is_replayed_and_differs_between_series() {
        let take = |series| {
            let mut walk = Walk::new(7, series);
            (0..1000).map(|_| walk.next_cents()).collect::<Vec<_>>()
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }

    #[test]
    fn steps_are_about_one_and_values_stay_in_range() {
        let mut walk = Walk::new(7, 3);
        let values: Vec<i32> = (0..10_000).map(|_| walk.next_cents()).collect();
        assert!(values.iter().all(|cents| (CENTS_MIN..=CENTS_MAX).contains(cents)));
        let squares: f64 = values.windows(2).map(|pair| f64::from(pair[1] - pair[0]).powi(2)).sum();
        let deviation = (squares / 9_999.0).sqrt();
        assert!((80.0..120.0).contains(&deviation), "{deviation}");
    }

    #[test]
    fn the_value_of_cents_is_what_parsing_their_text_gives() {
        for cents in CENTS_MIN..=CENTS_MAX {
            let parsed: f64 = format!("{}.{:02}", cents / 100, cents % 100).parse().unwrap();
            assert_eq!(value(cents).to_bits(), parsed.to_bits());
        }
    }
}
