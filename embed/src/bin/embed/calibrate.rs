//! `embed calibrate`

use std::path::PathBuf;

use clap::Subcommand;
use embed::eval::{Pair, lfw};
use embed::{Pipeline, SimilarityCurve};

use crate::Failure;
use crate::progress::Progress;

#[derive(Subcommand)]
pub(crate) enum Calibration {
    /// On the pairs of Labeled Faces in the Wild.
    Lfw {
        /// Directory with pairs.txt and a folder of images per person.
        root: PathBuf,
    },
}

/// Fits the curve, puts it beside the network, and says what pairs read by it.
pub(crate) fn run(calibration: &Calibration, pipeline: &Pipeline) -> Result<(), Failure> {
    let Calibration::Lfw { root } = calibration;
    let mut progress = Progress::new("images");
    let compared = lfw::compare(pipeline, root, |done, all| progress.show_of(done, all))?;
    progress.finish();
    let pairs = compared.folds.concat();
    let curve = SimilarityCurve::fit(&pairs)
        .ok_or("no curve fits: the pairs of one person are not the more alike ones")?;
    for (same, kind) in [(false, "different people"), (true, "one person")] {
        println!("{kind}: {}", quantiles(&pairs, same, curve));
    }
    println!("stored in {}", pipeline.store_similarity(curve)?.display());
    println!("similarity midpoint={:.4} slope={:.4}", curve.midpoint, curve.slope);
    Ok(())
}

fn quantiles(pairs: &[Pair], same: bool, curve: SimilarityCurve) -> String {
    let mut cosines: Vec<f32> =
        pairs.iter().filter(|pair| pair.same == same).map(|pair| pair.cosine).collect();
    cosines.sort_by(f32::total_cmp);
    let at = |percent: usize| {
        let cosine = cosines.get(percent * cosines.len().saturating_sub(1) / 100);
        let cosine = cosine.copied().unwrap_or(f32::NAN);
        format!("{percent} % up to {:.1} % (cosine {cosine:.3})", 100.0 * curve.at(cosine))
    };
    [5, 50, 95, 99].map(at).join(", ")
}
