//! Same person or not, judged by a threshold on the cosine.

/// The cosine of two photos and whether they show the same person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Cosine of the two embeddings.
    pub cosine: f32,
    /// Whether both show one person.
    pub same: bool,
}

/// How well a threshold on the cosine separates pairs of one person from pairs of two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verification {
    /// Share of right answers, mean over the folds.
    pub accuracy: f64,
    /// Standard deviation of the folds' accuracies.
    pub std: f64,
    /// Share of same-person pairs accepted by a threshold that lets through at most
    /// one in a thousand pairs of different persons, over all folds.
    pub tar_at_far_001: f64,
    /// The same with one in a hundred.
    pub tar_at_far_01: f64,
}

impl Verification {
    /// Cross-validation: each fold is judged by the threshold that is best on all others.
    ///
    /// This is the protocol of Huang et al., "Labeled Faces in the Wild", 2007, section
    /// III, with outside training data. `None` with fewer than two folds or an empty one.
    pub fn of(folds: &[Vec<Pair>]) -> Option<Self> {
        if folds.len() < 2 || folds.iter().any(Vec::is_empty) {
            return None;
        }
        let accuracies: Vec<f64> = (0..folds.len())
            .map(|tested| {
                let others = folds.iter().enumerate().filter(|&(fold, _)| fold != tested);
                let training = others.flat_map(|(_, pairs)| pairs).copied().collect();
                accuracy(&folds[tested], best_threshold(training))
            })
            .collect();
        let count = accuracies.len() as f64;
        let mean = accuracies.iter().sum::<f64>() / count;
        let variance = accuracies.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let all: Vec<Pair> = folds.iter().flatten().copied().collect();
        Some(Self {
            accuracy: mean,
            std: variance.sqrt(),
            tar_at_far_001: tar_at_far(&all, 0.001),
            tar_at_far_01: tar_at_far(&all, 0.01),
        })
    }
}

fn accuracy(pairs: &[Pair], threshold: f32) -> f64 {
    let right = pairs.iter().filter(|pair| (pair.cosine > threshold) == pair.same).count();
    right as f64 / pairs.len() as f64
}

/// The threshold with the most right answers, half-way between the two cosines it parts.
fn best_threshold(mut pairs: Vec<Pair>) -> f32 {
    pairs.sort_by(|one, other| one.cosine.total_cmp(&other.cosine));
    // Below the lowest cosine everything is accepted; moving up past a pair rejects it.
    let mut right = pairs.iter().filter(|pair| pair.same).count() as i64;
    let mut best = (right, f32::NEG_INFINITY);
    for (at, pair) in pairs.iter().enumerate() {
        right += if pair.same { -1 } else { 1 };
        let next = pairs.get(at + 1).map_or(pair.cosine, |next| next.cosine);
        if right > best.0 && (next > pair.cosine || at + 1 == pairs.len()) {
            best = (right, f32::midpoint(pair.cosine, next));
        }
    }
    best.1
}

/// Share of same-person pairs above the lowest threshold that at most `far` of the others pass.
fn tar_at_far(pairs: &[Pair], far: f64) -> f64 {
    let cosines = |same: bool| -> Vec<f32> {
        pairs.iter().filter(|pair| pair.same == same).map(|pair| pair.cosine).collect()
    };
    let (genuine, mut impostors) = (cosines(true), cosines(false));
    impostors.sort_by(|one, other| other.total_cmp(one));
    let may_pass = (far * impostors.len() as f64) as usize;
    let threshold = impostors.get(may_pass).copied().unwrap_or(f32::NEG_INFINITY);
    let accepted = genuine.iter().filter(|&&cosine| cosine > threshold).count();
    accepted as f64 / genuine.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(same: &[f32], different: &[f32]) -> Vec<Pair> {
        let of = |cosines: &[f32], same| -> Vec<Pair> {
            cosines.iter().map(|&cosine| Pair { cosine, same }).collect()
        };
        [of(same, true), of(different, false)].concat()
    }

    #[test]
    fn the_threshold_comes_from_the_other_folds() {
        // Fold 0 alone would be split perfectly at 0.25; the others say about 0.55.
        let folds = [
            pairs(&[0.3, 0.8], &[0.1, 0.2]),
            pairs(&[0.7, 0.8], &[0.1, 0.5]),
            pairs(&[0.6, 0.9], &[0.2, 0.5]),
        ];
        let result = Verification::of(&folds).unwrap();
        // By 0.55 fold 0 has one error, 0.3. The others are judged by 0.25, as is best
        // with fold 0 among the rest, and have one error each, 0.5.
        assert_eq!((result.accuracy, result.std), (0.75, 0.0));
    }

    #[test]
    fn a_clean_split_is_found_and_ties_are_not_split() {
        assert_eq!(best_threshold(pairs(&[0.75], &[0.25])), 0.5);
        let tied = best_threshold(pairs(&[0.5, 0.9], &[0.5, 0.1]));
        assert!((0.1..0.5).contains(&tied) || (0.5..0.9).contains(&tied), "{tied}");
        assert_eq!(accuracy(&pairs(&[0.5, 0.9], &[0.5, 0.1]), tied), 0.75);
    }

    #[test]
    fn one_in_a_thousand_may_pass() {
        let different: Vec<f32> = (0..2000).map(|n| n as f32 / 4000.0).collect();
        let all = pairs(&[0.4980, 0.4993, 0.6, 0.7], &different);
        // Two of 2000 may pass: 0.49975 and 0.4995; the third, 0.49925, is the threshold.
        assert_eq!(tar_at_far(&all, 0.001), 0.75);
        // Twenty may pass; the next, 0.49475, is the threshold, which 0.498 passes, too.
        assert_eq!(tar_at_far(&all, 0.01), 1.0);
    }

    #[test]
    fn too_little_to_judge_is_none() {
        assert_eq!(Verification::of(&[pairs(&[0.5], &[0.1])]), None);
        assert_eq!(Verification::of(&[pairs(&[0.5], &[0.1]), Vec::new()]), None);
    }
}
