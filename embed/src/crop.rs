//! The part of a photo that an embedding network is shown.

use image::RgbImage;

use crate::align::align;
use crate::geometry::Rect;
use crate::model::{Crop, EmbeddingModel};
use crate::pipeline::{Face, PipelineError};
use crate::resample::{Region, resize};

/// The face as the embedding network wants it, at the size of its input.
///
/// # Errors
/// [`PipelineError::NoSuchFace`] when the face's landmarks span no area or its box lies
/// outside the photo.
pub(crate) fn cut_out(
    photo: &RgbImage,
    face: &Face,
    model: &EmbeddingModel,
) -> Result<RgbImage, PipelineError> {
    let (width, height) = (model.network.input.width, model.network.input.height);
    match &model.crop {
        Crop::Template(template) => align(photo, &face.landmarks, template, (width, height)),
        Crop::Box { margin } => {
            let region = Region::covering(photo, &grown(&face.bounds, *margin))
                .ok_or(PipelineError::NoSuchFace)?;
            resize(photo, region, width, height)
        }
    }
}

/// The box made wider and higher by a share of itself, around its middle.
fn grown(bounds: &Rect, share: f32) -> Rect {
    let (width, height) = (bounds.width * (1.0 + share), bounds.height * (1.0 + share));
    let center = bounds.center();
    Rect { x: center.x - width / 2.0, y: center.y - height / 2.0, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_shared_by_both_sides() {
        let face = Rect { x: 100.0, y: 50.0, width: 80.0, height: 100.0 };
        let expected = Rect { x: 90.0, y: 37.5, width: 100.0, height: 125.0 };
        assert_eq!(grown(&face, 0.25), expected);
    }
}
