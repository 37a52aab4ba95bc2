//! Samples of one series, thinned out so that a drawing of them looks as if they were all there. Pure.

use crate::model::Micros;

/// Keeps at most `points_max` samples: of each of equal stretches of time the least and the greatest one.
#[derive(Debug)]
pub(super) struct Thinner {
    from: Micros,
    stretch_micros: i64,
    points_max: usize,
    kept: Vec<(Micros, f64)>,
}

impl Thinner {
    pub(super) fn new(from: Micros, to: Micros, points_max: usize) -> Self {
        let stretches = i64::try_from(points_max / 2).unwrap_or(i64::MAX).max(1);
        let range = to.0.saturating_sub(from.0).max(1);
        let stretch_micros = range / stretches + i64::from(range % stretches != 0);
        Self { from, stretch_micros, points_max, kept: Vec::new() }
    }

    /// Takes samples that are later than those before. What is no number cannot be drawn.
    pub(super) fn add(&mut self, times: &[Micros], values: &[f64]) {
        let samples = times.iter().copied().zip(values.iter().copied());
        self.kept.extend(samples.filter(|(_, value)| !value.is_nan()));
        if self.kept.len() > self.points_max {
            self.thin();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn finish(self) -> Vec<(Micros, f64)> {
        self.kept
    }

    fn thin(&mut self) {
        let stretch = |time: Micros| (time.0 - self.from.0) / self.stretch_micros;
        let mut thinned = Vec::with_capacity(self.points_max);
        for samples in self.kept.chunk_by(|left, right| stretch(left.0) == stretch(right.0)) {
            let by_value = |left: &&(Micros, f64), right: &&(Micros, f64)| left.1.total_cmp(&right.1);
            let (Some(&least), Some(&greatest)) = (samples.iter().min_by(by_value), samples.iter().max_by(by_value))
            else {
                continue;
            };
            let (earlier, later) = if least.0 <= greatest.0 { (least, greatest) } else { (greatest, least) };
            thinned.push(earlier);
            thinned.extend((earlier.0 != later.0).then_some(later));
        }
        self.kept = thinned;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_least_and_the_greatest_of_each_stretch_are_kept_however_the_samples_came(
            times in prop::collection::btree_set(0_i64..1_000, 0..200),
            piece in 1_usize..50,
            points_max in 2_usize..40,
        ) {
            let samples: Vec<(Micros, f64)> = times.iter().map(|time| (Micros(*time), (time * 37 % 101) as f64)).collect();
            let mut thinner = Thinner::new(Micros(0), Micros(1_000), points_max);
            for piece in samples.chunks(piece) {
                let (times, values): (Vec<Micros>, Vec<f64>) = piece.iter().copied().unzip();
                thinner.add(&times, &values);
            }
            let stretch = thinner.stretch_micros;
            let kept = thinner.finish();
            prop_assert!(kept.len() <= points_max && kept.is_sorted_by(|left, right| left.0 < right.0));
            prop_assert!(kept.iter().all(|sample| samples.contains(sample)));
            if samples.len() <= points_max {
                prop_assert_eq!(&kept, &samples);
            }
            let extremes = |samples: &[(Micros, f64)]| -> Vec<(f64, f64)> {
                samples
                    .chunk_by(|left, right| left.0.0 / stretch == right.0.0 / stretch)
                    .map(|of_one| of_one.iter().fold((f64::MAX, f64::MIN), |(least, greatest), (_, value)| {
                        (least.min(*value), greatest.max(*value))
                    }))
                    .collect()
            };
            prop_assert_eq!(extremes(&kept), extremes(&samples));
        }
    }
}
