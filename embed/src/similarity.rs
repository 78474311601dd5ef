//! From the cosine of two embeddings to the figure that people see.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::eval::Pair;
use crate::files;
use crate::pipeline::PipelineError;

/// A logistic curve from cosine to a similarity between 0 and 1:
/// `1 / (1 + exp(-slope * (cosine - midpoint)))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimilarityCurve {
    /// The cosine whose similarity is one half.
    pub midpoint: f32,
    /// How fast the similarity grows, more than 0; four times the curve's slope at the midpoint.
    pub slope: f32,
}

impl SimilarityCurve {
    /// What two photos of one person should read; two of strangers the rest to 1.
    ///
    /// Not 1: the two kinds of pairs hardly overlap, so the curve of the probability that
    /// a pair shows one person is next to a step, and says 0 or 1 of everybody. The
    /// look-alikes that people come for lie between.
    const SAME_PERSON: f64 = 0.95;

    /// The similarity, 0 to 1, of two embeddings with this cosine.
    pub fn at(&self, cosine: f32) -> f32 {
        1.0 / (1.0 + (-self.slope * (cosine - self.midpoint)).exp())
    }

    /// The curve of least cross-entropy on pairs whose target is 0.95 where they show one
    /// person and 0.05 where they do not; both kinds weigh the same, however many there are.
    ///
    /// Logistic regression with softened targets, by Newton's method: Platt, "Probabilistic
    /// outputs for support vector machines", 1999, section 2.2, with softer targets than his.
    /// `None` unless the pairs of one person are the more alike ones.
    pub fn fit(pairs: &[Pair]) -> Option<Self> {
        let weights = [false, true]
            .map(|kind| 1.0 / pairs.iter().filter(|pair| pair.same == kind).count() as f64);
        if weights.iter().any(|weight| weight.is_infinite()) {
            return None;
        }
        let (mut slope, mut offset) = (0.0, 0.0);
        for _ in 0..100 {
            let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
            for pair in pairs {
                let cosine = f64::from(pair.cosine);
                let target = if pair.same { Self::SAME_PERSON } else { 1.0 - Self::SAME_PERSON };
                let weight = weights[usize::from(pair.same)];
                let read = 1.0 / (1.0 + (-slope * cosine - offset).exp());
                let (error, curvature) = (weight * (read - target), weight * read * (1.0 - read));
                gradient[0] += error * cosine;
                gradient[1] += error;
                hessian[0] += curvature * cosine * cosine;
                hessian[1] += curvature * cosine;
                hessian[2] += curvature;
            }
            let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
            let step = [
                (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
                (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
            ];
            slope -= step[0];
            offset -= step[1];
            if step[0].abs() < 1e-9 && step[1].abs() < 1e-9 {
                let fitted = Self { midpoint: (-offset / slope) as f32, slope: slope as f32 };
                return (slope > 0.0 && fitted.midpoint.is_finite()).then_some(fitted);
            }
        }
        None
    }
}

/// A fitted curve as it lies beside the file of its network: `fr_feature.similarity.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calibration {
    /// SHA-256 of the network's file.
    network_sha256: String,
    similarity: SimilarityCurve,
}

/// Where the curve of a network lies.
fn path_beside(network: &Path) -> PathBuf {
    network.with_extension("similarity.json")
}

/// The curve that was fitted to this very network, if one lies beside it.
pub(crate) fn read(network: &Path, sha256: &str) -> Result<Option<SimilarityCurve>, PipelineError> {
    let path = path_beside(network);
    let wrong = |detail: String| PipelineError::Curve { path: path.clone(), detail };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(PipelineError::Read { path, source }),
    };
    let found: Calibration =
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if found.network_sha256 != sha256 {
        return Err(wrong("it was fitted to another network".to_owned()));
    }
    Ok(Some(found.similarity))
}

/// Puts a curve beside its network; gives the path.
pub(crate) fn write(
    network: &Path,
    sha256: &str,
    similarity: SimilarityCurve,
) -> Result<PathBuf, PipelineError> {
    let path = path_beside(network);
    let calibration = Calibration { network_sha256: sha256.to_owned(), similarity };
    serde_json::to_vec_pretty(&calibration)
        .map_err(std::io::Error::from)
        .and_then(|json| files::replace(&path, &json))
        .map_err(|source| PipelineError::Write { path: path.clone(), source })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(cosines: &[f32], same: bool) -> Vec<Pair> {
        cosines.iter().map(|&cosine| Pair { cosine, same }).collect()
    }

    #[test]
    fn two_points_are_met_exactly() {
        // logit(0.95) = 2.944439: the slope is twice that over the distance.
        let curve =
            SimilarityCurve::fit(&[pairs(&[0.0], false), pairs(&[0.7], true)].concat()).unwrap();
        assert!((curve.midpoint - 0.35).abs() < 1e-5, "{curve:?}");
        assert!((curve.slope - 2.0 * 2.944_439 / 0.7).abs() < 1e-4, "{curve:?}");
        assert!((curve.at(0.7) - 0.95).abs() < 1e-5 && (curve.at(0.0) - 0.05).abs() < 1e-5);
    }

    #[test]
    fn how_many_pairs_of_a_kind_there_are_does_not_matter() {
        let different = [-0.1, 0.0, 0.1, 0.3];
        let same = [0.2, 0.5, 0.7];
        let once = [pairs(&different, false), pairs(&same, true)].concat();
        let more = [once.clone(), pairs(&different.repeat(4), false)].concat();
        let (once, more) =
            (SimilarityCurve::fit(&once).unwrap(), SimilarityCurve::fit(&more).unwrap());
        assert!((once.midpoint - more.midpoint).abs() < 1e-4, "{once:?} {more:?}");
        assert!((once.slope - more.slope).abs() < 1e-3, "{once:?} {more:?}");
    }

    #[test]
    fn pairs_that_say_nothing_give_no_curve() {
        for (different, same) in
            [(&[0.1, 0.2][..], &[][..]), (&[], &[0.5]), (&[0.4], &[0.4]), (&[0.7], &[0.1])]
        {
            let fitted =
                SimilarityCurve::fit(&[pairs(different, false), pairs(same, true)].concat());
            assert_eq!(fitted, None, "{different:?} {same:?}");
        }
    }

    #[test]
    fn a_curve_comes_back_for_its_own_network_only() {
        let folder = tempfile::tempdir().unwrap();
        let network = folder.path().join("net.onnx");
        assert!(read(&network, "abc").unwrap().is_none());
        let curve = SimilarityCurve { midpoint: 0.25, slope: 8.0 };
        write(&network, "abc", curve).unwrap();
        assert_eq!(read(&network, "abc").unwrap(), Some(curve));
        assert!(matches!(read(&network, "abd"), Err(PipelineError::Curve { .. })));
        std::fs::write(path_beside(&network), "{}").unwrap();
        assert!(matches!(read(&network, "abc"), Err(PipelineError::Curve { .. })));
    }
}
