//! Five points of a face onto the places where the embedding network expects them.

use faer::Mat;
use image::RgbImage;

use crate::geometry::{Point, Similarity};
use crate::pipeline::PipelineError;
use crate::resample::warp;

/// The photo turned and scaled so that the landmarks come to lie on the template, which
/// counts pixels by their centres.
///
/// # Errors
/// [`PipelineError::NoSuchFace`] when the landmarks span no area.
pub(crate) fn align(
    photo: &RgbImage,
    landmarks: &[Point; 5],
    template: &[Point; 5],
    (width, height): (u32, u32),
) -> Result<RgbImage, PipelineError> {
    let template = template.map(|point| Point::new(point.x + 0.5, point.y + 0.5));
    let to_template = fit_similarity(landmarks, &template).ok_or(PipelineError::NoSuchFace)?;
    warp(photo, &to_template.inverse(), width, height)
}

/// The similarity transform that takes `from` nearest to `to` in the sense of least
/// squares: Umeyama, "Least-squares estimation of transformation parameters between
/// two point patterns", PAMI 13(4), 1991, equations 34–43.
///
/// Never a reflection. `None` when the points are not finite or lie in one place,
/// so that no scale or rotation is defined.
fn fit_similarity(from: &[Point], to: &[Point]) -> Option<Similarity> {
    let count = from.len().min(to.len()) as f64;
    let (from_x, from_y) = mean(from, count);
    let (to_x, to_y) = mean(to, count);
    let mut covariance = Mat::<f64>::zeros(2, 2);
    let mut variance = 0.0;
    for (p, q) in from.iter().zip(to) {
        let (px, py) = (f64::from(p.x) - from_x, f64::from(p.y) - from_y);
        let (qx, qy) = (f64::from(q.x) - to_x, f64::from(q.y) - to_y);
        variance += (px * px + py * py) / count;
        covariance[(0, 0)] += qx * px / count;
        covariance[(0, 1)] += qx * py / count;
        covariance[(1, 0)] += qy * px / count;
        covariance[(1, 1)] += qy * py / count;
    }
    if !(variance.is_finite() && variance > 0.0) {
        return None;
    }
    let svd = covariance.svd().ok()?;
    let (u, v, singular) = (svd.U(), svd.V(), svd.S().column_vector());
    // The smallest singular value changes sign where the best orthogonal matrix would mirror.
    let mirrored = u.determinant() * v.determinant() < 0.0;
    let sign = if mirrored { -1.0 } else { 1.0 };
    let scale = (singular[0] + sign * singular[1]) / variance;
    // Rotation U diag(1, sign) V^T, of which the first column is enough in two dimensions.
    let cosine = u[(0, 0)] * v[(0, 0)] + sign * u[(0, 1)] * v[(0, 1)];
    let sine = u[(1, 0)] * v[(0, 0)] + sign * u[(1, 1)] * v[(0, 1)];
    let (a, b) = (scale * cosine, scale * sine);
    let shift_x = to_x - (a * from_x - b * from_y);
    let shift_y = to_y - (b * from_x + a * from_y);
    let fitted =
        Similarity { a: a as f32, b: b as f32, shift: Point::new(shift_x as f32, shift_y as f32) };
    (fitted.scale().is_normal()).then_some(fitted)
}

fn mean(points: &[Point], count: f64) -> (f64, f64) {
    let sum = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + f64::from(point.x), y + f64::from(point.y)));
    (sum.0 / count, sum.1 / count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FACE: [Point; 5] = [
        Point::new(38.3, 51.7),
        Point::new(73.5, 51.5),
        Point::new(56.0, 71.7),
        Point::new(41.5, 92.4),
        Point::new(70.7, 92.2),
    ];

    fn error(fit: &Similarity, from: &[Point], to: &[Point]) -> f32 {
        from.iter()
            .zip(to)
            .map(|(from, to)| {
                let fitted = fit.apply(*from);
                (fitted.x - to.x).powi(2) + (fitted.y - to.y).powi(2)
            })
            .sum()
    }

    #[test]
    fn a_quarter_turn_with_doubling_is_found() {
        let known = Similarity { a: 0.0, b: 2.0, shift: Point::new(5.0, -3.0) };
        let fit = fit_similarity(&FACE, &FACE.map(|point| known.apply(point))).unwrap();
        assert!((fit.a - known.a).abs() < 1e-5 && (fit.b - known.b).abs() < 1e-5, "{fit:?}");
    }

    /// The example of section III of the paper: three points against their noisy mirror image.
    #[test]
    fn umeyamas_own_example() {
        let from = [Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(0.0, 2.0)];
        let to = [Point::new(0.0, 0.0), Point::new(-1.0, 0.0), Point::new(0.0, 2.0)];
        let fit = fit_similarity(&from, &to).unwrap();
        assert!((fit.scale() - 0.721).abs() < 1e-3, "{fit:?}");
        assert!((fit.a / fit.scale() - 0.832).abs() < 1e-3, "{fit:?}");
        assert!((fit.b / fit.scale() + 0.555).abs() < 1e-3, "{fit:?}");
        assert!((fit.shift.x + 0.8).abs() < 1e-3 && (fit.shift.y - 0.4).abs() < 1e-3, "{fit:?}");
    }

    #[test]
    fn a_mirrored_face_is_rotated_and_never_mirrored() {
        let mirrored = FACE.map(|point| Point::new(112.0 - point.x, point.y));
        let fit = fit_similarity(&mirrored, &FACE).unwrap();
        assert!(fit.scale() > 0.0 && error(&fit, &mirrored, &FACE) > 1.0);
    }

    #[test]
    fn points_that_define_no_transform_give_none() {
        let one_place = [Point::new(7.0, 7.0); 5];
        assert!(fit_similarity(&one_place, &FACE).is_none());
        assert!(fit_similarity(&FACE, &one_place).is_none());
        let mut broken = FACE;
        broken[2].x = f32::NAN;
        assert!(fit_similarity(&broken, &FACE).is_none());
        broken[2].x = f32::INFINITY;
        assert!(fit_similarity(&broken, &FACE).is_none());
    }

    proptest! {
        #[test]
        fn any_similarity_is_recovered(
            angle in -3.1f32..3.1,
            scale in 0.05f32..20.0,
            x in -500f32..500.0,
            y in -500f32..500.0,
        ) {
            let known = Similarity {
                a: scale * angle.cos(),
                b: scale * angle.sin(),
                shift: Point::new(x, y),
            };
            let to = FACE.map(|point| known.apply(point));
            let fit = fit_similarity(&FACE, &to).unwrap();
            for (from, to) in FACE.iter().zip(&to) {
                let fitted = fit.apply(*from);
                prop_assert!((fitted.x - to.x).abs() < 0.01 && (fitted.y - to.y).abs() < 0.01);
            }
        }

        #[test]
        fn no_nearby_transform_fits_noisy_points_better(
            noise in prop::collection::vec(-6f32..6.0, 10),
            nudge in prop::array::uniform4(-0.05f32..0.05),
        ) {
            let mut to = FACE;
            for (point, shift) in to.iter_mut().zip(noise.chunks(2)) {
                point.x += shift[0];
                point.y += shift[1];
            }
            let fit = fit_similarity(&FACE, &to).unwrap();
            let other = Similarity {
                a: fit.a + nudge[0],
                b: fit.b + nudge[1],
                shift: Point::new(fit.shift.x + nudge[2], fit.shift.y + nudge[3]),
            };
            prop_assert!(error(&fit, &FACE, &to) <= error(&other, &FACE, &to) + 1e-2);
        }
    }
}
