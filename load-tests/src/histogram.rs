//! Latencies of one worker, merged at the end. The only place that knows the histogram crate.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer waits are counted as this long.
const LATENCY_US_MAX: u64 = 120_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

/// What is reported of many latencies, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) count: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, SIGNIFICANT_DIGITS);
        Self(histogram.expect("the bounds are constants that the crate accepts"))
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, latency: Duration) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.0.saturating_record(latency_us);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the bounds of this module");
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0;
        Quantiles {
            count: self.0.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: self.0.max() as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_workers_read_like_one() {
        let (mut one, mut two) = (Latencies::default(), Latencies::default());
        (1..=500).for_each(|ms| one.record(Duration::from_millis(ms)));
        (501..=1000).for_each(|ms| two.record(Duration::from_millis(ms)));
        one.merge(&two);
        let quantiles = one.quantiles();
        assert_eq!(quantiles.count, 1000);
        assert!((quantiles.p50_ms - 500.0).abs() < 1.0, "{quantiles:?}");
        assert!((quantiles.p99_ms - 990.0).abs() < 1.0, "{quantiles:?}");
    }

    #[test]
    fn an_endless_wait_is_counted_as_the_longest_known() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_secs(100_000));
        assert!(latencies.quantiles().max_ms >= 120_000.0);
    }
}
