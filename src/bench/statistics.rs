//! Statistics of repeated measurements.

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Measurements in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// `None` if there are no measurements, as for the other statistics.
    pub fn min(&self) -> Option<f64> {
        self.0.iter().copied().reduce(f64::min)
    }

    pub fn max(&self) -> Option<f64> {
        self.0.iter().copied().reduce(f64::max)
    }

    /// The middle measurement; for an even number, the mean of the two in the middle.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            length if length % 2 == 1 => Some(sorted[middle]),
            _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        }
    }

    /// The smallest measurement that is at least as large as `percent` of all.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).copied()
    }

    /// Divides this sample by the other, round by round, because the noise of a round affects both.
    /// Rounds that only one of them has are dropped.
    pub fn ratios(&self, other: &Sample) -> Sample {
        Sample(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
    }

    /// The sum over all samples, round by round.
    pub fn sums<'a>(samples: impl Iterator<Item = &'a Sample>) -> Sample {
        samples
            .cloned()
            .reduce(|sum, sample| Sample(sum.0.iter().zip(&sample.0).map(|(a, b)| a + b).collect()))
            .unwrap_or_default()
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Sample {
        Sample(values.into_iter().collect())
    }
}

/// Includes the statistics, so that readers of the JSON need no arithmetic.
impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Sample", 4)?;
        fields.serialize_field("min", &self.min())?;
        fields.serialize_field("median", &self.median())?;
        fields.serialize_field("max", &self.max())?;
        fields.serialize_field("samples", &self.0)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        values.iter().copied().collect()
    }

    #[test]
    fn medians() {
        assert_eq!(sample(&[]).median(), None);
        assert_eq!(sample(&[3.0]).median(), Some(3.0));
        assert_eq!(sample(&[9.0, 1.0]).median(), Some(5.0));
        assert_eq!(sample(&[9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(sample(&[4.0, 9.0, 1.0, 2.0]).median(), Some(3.0));
    }

    #[test]
    fn percentiles() {
        assert_eq!(sample(&[]).percentile(90.0), None);
        assert_eq!(sample(&[7.0]).percentile(90.0), Some(7.0));
        let ten: Sample = (1..=10).rev().map(f64::from).collect();
        assert_eq!(
            (ten.percentile(90.0), ten.percentile(100.0), ten.percentile(0.0)),
            (Some(9.0), Some(10.0), Some(1.0))
        );
    }

    #[test]
    fn extremes() {
        assert_eq!((sample(&[]).min(), sample(&[]).max()), (None, None));
        assert_eq!(
            (sample(&[2.0, 1.0, 3.0]).min(), sample(&[2.0, 1.0, 3.0]).max()),
            (Some(1.0), Some(3.0))
        );
    }

    /// The ratio of other statistics could differ, although ours takes half as long in every round.
    #[test]
    fn ratios_are_taken_round_by_round() {
        let (ours, stock) = (sample(&[1.0, 10.0, 2.0]), sample(&[2.0, 20.0, 4.0]));
        assert_eq!(ours.ratios(&stock), sample(&[0.5, 0.5, 0.5]));
        assert_eq!(sample(&[1.0]).ratios(&stock), sample(&[0.5]));
    }

    #[test]
    fn sums_over_samples() {
        assert_eq!(
            Sample::sums([sample(&[1.0, 2.0]), sample(&[10.0, 20.0])].iter()),
            sample(&[11.0, 22.0])
        );
        assert_eq!(Sample::sums([].iter()), sample(&[]));
    }

    #[test]
    fn json_has_statistics_and_samples() {
        let json = serde_json::to_value(sample(&[2.0, 1.0])).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "min": 1.0, "median": 1.5, "max": 2.0, "samples": [2.0, 1.0] })
        );
    }
}
