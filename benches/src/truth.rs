//! Exact search, the measure of every other.

use vecstore::Metric;

use crate::Vectors;

/// The numbers of the `k` vectors of `base` that are nearest to each query, nearest first, from the
/// definition of the metric in f64.
pub fn exact(base: &Vectors, queries: &Vectors, metric: Metric, k: usize) -> Vec<Vec<u64>> {
    let norms: Vec<f64> = base.iter().map(|vector| dot(vector, vector).sqrt()).collect();
    let nearest = |query: &[f32]| {
        let distances = base.iter().zip(&norms).map(|(vector, norm)| match metric {
            Metric::Cosine => -dot(query, vector) / norm,
            Metric::InnerProduct => -dot(query, vector),
            Metric::SquaredEuclidean => norm * norm - 2.0 * dot(query, vector),
        });
        let mut all: Vec<(f64, u64)> = distances.zip(0..).collect();
        let k = k.min(all.len());
        if k < all.len() {
            all.select_nth_unstable_by(k, |a, b| a.0.total_cmp(&b.0));
        }
        all.truncate(k);
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.into_iter().map(|(_, number)| number).collect()
    };
    queries.iter().map(nearest).collect()
}

/// The share of the true results that were found, 0 to 1.
pub fn recall(truth: &[Vec<u64>], found: &[Vec<u64>]) -> f64 {
    let hits = |(truth, found): (&Vec<u64>, &Vec<u64>)| {
        truth.iter().filter(|number| found.contains(number)).count()
    };
    let total: usize = truth.iter().map(Vec::len).sum();
    truth.iter().zip(found).map(hits).sum::<usize>() as f64 / total as f64
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    // Four sums at once, so that the compiler can use vector instructions.
    let mut sums = [0f64; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail = a.remainder().iter().zip(b.remainder()).map(|(&a, &b)| f64::from(a) * f64::from(b));
    let tail: f64 = tail.sum();
    for (a, b) in a.zip(b) {
        for lane in 0..8 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    sums.iter().sum::<f64>() + tail
}
