//! Counting values in bins.

/// Returns the edges of equally wide bins (one more than there are bins) and the number of values
/// in each. The last bin includes its right edge.
///
/// The values must be finite.
pub(super) fn count(values: &[f64], bins: usize) -> (Vec<f64>, Vec<f64>) {
    let Some((low, high)) = range(values) else { return (Vec::new(), Vec::new()) };
    let bins = bins.clamp(1, 10_000);
    // If all values are equal, the bin around them has width one.
    let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
    let edges: Vec<f64> =
        (0..=bins).map(|edge| low + (high - low) * (edge as f64 / bins as f64)).collect();
    (edges.clone(), filled(values, &edges))
}

/// Like [`count`], but chooses the bins by the Freedman-Diaconis rule (width 2·IQR/∛n), at most 80.
/// A few different whole numbers get one bin each.
pub(super) fn count_automatically(values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let Some((low, high)) = range(values) else { return (Vec::new(), Vec::new()) };
    if high - low <= 40.0 && values.iter().all(|value| value.fract() == 0.0) {
        let edges: Vec<f64> =
            (0..=(high - low) as usize + 1).map(|edge| low - 0.5 + edge as f64).collect();
        return (edges.clone(), filled(values, &edges));
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let quartile = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
    let width = 2.0 * (quartile(3) - quartile(1)) / (values.len() as f64).cbrt();
    let bins = if width > 0.0 {
        ((high - low) / width).ceil()
    } else {
        (values.len() as f64).log2().ceil() + 1.0
    };
    count(values, bins.clamp(1.0, 80.0) as usize)
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    // The range must be finite, too.
    Some((low.max(-1e300), values.iter().copied().reduce(f64::max)?.min(1e300)))
}

fn filled(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let (bins, low, high) = (edges.len() - 1, edges[0], edges[edges.len() - 1]);
    let mut counts = vec![0.0; bins];
    for value in values {
        let bin = ((value - low) / (high - low) * bins as f64) as usize;
        counts[bin.min(bins - 1)] += 1.0;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_are_counted() {
        assert_eq!(count(&[0.0, 1.0, 2.0, 3.0, 4.0], 2), (vec![0.0, 2.0, 4.0], vec![2.0, 3.0]));
        assert_eq!(count(&[7.0, 7.0], 1), (vec![6.5, 7.5], vec![2.0]));
        assert_eq!(count(&[], 3), (vec![], vec![]));
        for length in [1, 2, 3, 1000] {
            let values: Vec<f64> = (0..length).map(|x| (x as f64 * 0.7).sin()).collect();
            for (edges, counts) in [count(&values, 7), count_automatically(&values)] {
                assert_eq!(edges.len(), counts.len() + 1);
                assert_eq!(counts.iter().sum::<f64>(), length as f64);
            }
        }
    }

    #[test]
    fn whole_numbers_have_a_bin_each() {
        assert_eq!(
            count_automatically(&[1.0, 1.0, 3.0]),
            (vec![0.5, 1.5, 2.5, 3.5], vec![2.0, 0.0, 1.0])
        );
    }

    #[test]
    fn odd_distributions_have_bins() {
        let mut mostly_equal = vec![1.0; 100];
        mostly_equal.push(1.5);
        assert_eq!(count_automatically(&mostly_equal).1.len(), 8);
        assert!(count_automatically(&[f64::MIN, 0.5, f64::MAX]).1.len() < 100);
    }
}
