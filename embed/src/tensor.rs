//! An image as a network's input.

use image::RgbImage;

use crate::model::{Colour, InputFormat, Layout};

/// Numbers in row-major order.
pub(crate) struct Tensor {
    /// `[1, C, H, W]` or `[1, H, W, C]`.
    pub(crate) shape: [usize; 4],
    pub(crate) values: Vec<f32>,
}

impl Tensor {
    /// An image of the size that it has already, as `format` wants its colours.
    pub(crate) fn from_image(image: &RgbImage, format: &InputFormat) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let scaled = |value: f32| (value - format.mean) * format.scale;
        let plane = |channel: usize| {
            image.iter().skip(channel).step_by(3).map(move |&value| scaled(value.into()))
        };
        let order = match format.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
            Colour::Grey => {
                let values = image.pixels().map(|pixel| scaled(luma(pixel.0))).collect();
                let shape = match format.layout {
                    Layout::Nchw => [1, 1, height, width],
                    Layout::Nhwc => [1, height, width, 1],
                };
                return Self { shape, values };
            }
        };
        match format.layout {
            Layout::Nchw => Self {
                shape: [1, 3, height, width],
                values: order.into_iter().flat_map(plane).collect(),
            },
            Layout::Nhwc => Self {
                shape: [1, height, width, 3],
                values: image
                    .pixels()
                    .flat_map(|pixel| order.map(|channel| scaled(pixel.0[channel].into())))
                    .collect(),
            },
        }
    }
}

/// Brightness as in ITU-R BT.601, 0 to 255.
fn luma([red, green, blue]: [u8; 3]) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn two_pixels(layout: Layout, colour: Colour) -> Tensor {
        let image =
            RgbImage::from_fn(
                2,
                1,
                |x, _| {
                    if x == 0 { Rgb([10, 20, 30]) } else { Rgb([110, 120, 130]) }
                },
            );
        let format = InputFormat { width: 2, height: 1, layout, colour, mean: 10.0, scale: 0.5 };
        Tensor::from_image(&image, &format)
    }

    #[test]
    fn planes_of_rgb() {
        let tensor = two_pixels(Layout::Nchw, Colour::Rgb);
        assert_eq!(tensor.shape, [1, 3, 1, 2]);
        assert_eq!(tensor.values, [0.0, 50.0, 5.0, 55.0, 10.0, 60.0]);
    }

    #[test]
    fn planes_of_bgr() {
        let tensor = two_pixels(Layout::Nchw, Colour::Bgr);
        assert_eq!(tensor.values, [10.0, 60.0, 5.0, 55.0, 0.0, 50.0]);
    }

    #[test]
    fn pixels_side_by_side() {
        let tensor = two_pixels(Layout::Nhwc, Colour::Rgb);
        assert_eq!(tensor.shape, [1, 1, 2, 3]);
        assert_eq!(tensor.values, [0.0, 5.0, 10.0, 50.0, 55.0, 60.0]);
        let tensor = two_pixels(Layout::Nhwc, Colour::Bgr);
        assert_eq!(tensor.values, [10.0, 5.0, 0.0, 60.0, 55.0, 50.0]);
    }

    #[test]
    fn grey_weighs_the_channels() {
        let first = (0.299 * 10.0 + 0.587 * 20.0 + 0.114 * 30.0 - 10.0) * 0.5;
        for (layout, shape) in [(Layout::Nchw, [1, 1, 1, 2]), (Layout::Nhwc, [1, 1, 2, 1])] {
            let tensor = two_pixels(layout, Colour::Grey);
            assert_eq!(tensor.shape, shape);
            assert!((tensor.values[0] - first).abs() < 1e-5);
            assert!((tensor.values[1] - (first + 50.0)).abs() < 1e-4);
        }
    }
}
