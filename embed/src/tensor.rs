//! An image as a network's input.

use image::RgbImage;

use crate::model::{Colour, InputFormat, Layout, Values};

/// Numbers in row-major order.
pub(crate) struct Tensor {
    /// `[1, C, H, W]` or `[1, H, W, C]`.
    pub(crate) shape: [usize; 4],
    pub(crate) values: Vec<f32>,
}

impl Tensor {
    /// An image of the size that it has already, as `format` wants its colours.
    pub(crate) fn from_image(image: &RgbImage, format: &InputFormat) -> Self {
        let mut tensor = Self::unscaled(image, format);
        let (mean, scale) = match format.values {
            Values::Fixed { mean, scale } => (mean, scale),
            Values::PerImage => standardising(&tensor.values),
        };
        for value in &mut tensor.values {
            *value = (*value - mean) * scale;
        }
        tensor
    }

    /// The shape of every image of this format.
    pub(crate) fn shape_of(format: &InputFormat) -> [usize; 4] {
        let (width, height) = (format.width as usize, format.height as usize);
        let channels = if format.colour == Colour::Grey { 1 } else { 3 };
        match format.layout {
            Layout::Nchw => [1, channels, height, width],
            Layout::Nhwc => [1, height, width, channels],
        }
    }

    /// The channels in their order and layout, 0 to 255.
    fn unscaled(image: &RgbImage, format: &InputFormat) -> Self {
        let (pixels, _) = image.as_chunks::<3>();
        let plane = |channel: usize| pixels.iter().map(move |pixel| f32::from(pixel[channel]));
        let order = match format.colour {
            Colour::Rgb => Some([0, 1, 2]),
            Colour::Bgr => Some([2, 1, 0]),
            Colour::Grey => None,
        };
        let mut values = Vec::with_capacity(3 * pixels.len());
        match (order, format.layout) {
            (None, _) => values.extend(pixels.iter().map(|&pixel| luma(pixel))),
            (Some(order), Layout::Nchw) => {
                for channel in order {
                    values.extend(plane(channel));
                }
            }
            (Some(order), Layout::Nhwc) => {
                for pixel in pixels {
                    values.extend(order.map(|channel| f32::from(pixel[channel])));
                }
            }
        }
        Self { shape: Self::shape_of(format), values }
    }
}

/// The mean, and the factor that makes the standard deviation 1; no deviation counts as
/// less than `1 / sqrt(n)`, so that a plain image is not divided by zero.
fn standardising(values: &[f32]) -> (f32, f32) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let squares = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>();
    let deviation = (squares / count).sqrt().max(1.0 / count.sqrt());
    (mean as f32, (1.0 / deviation) as f32)
}

/// Brightness as in ITU-R BT.601, 0 to 255.
pub(crate) fn luma([red, green, blue]: [u8; 3]) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn two_pixels_as(layout: Layout, colour: Colour, values: Values) -> Tensor {
        let pixels = [[10, 20, 30], [110, 120, 130]];
        let image = RgbImage::from_fn(2, 1, |x, _| Rgb(pixels[x as usize]));
        Tensor::from_image(&image, &InputFormat { width: 2, height: 1, layout, colour, values })
    }

    fn two_pixels(layout: Layout, colour: Colour) -> Tensor {
        two_pixels_as(layout, colour, Values::Fixed { mean: 10.0, scale: 0.5 })
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

    /// `x = numpy.array([10, 20, 30, 110, 120, 130.]); (x - x.mean()) / x.std()`
    const STANDARDISED: [f32; 6] =
        [-1.184_313, -0.986_928, -0.789_542, 0.789_542, 0.986_928, 1.184_313];

    #[test]
    fn each_image_standardised_for_itself() {
        let tensor = two_pixels_as(Layout::Nhwc, Colour::Rgb, Values::PerImage);
        for (value, expected) in tensor.values.iter().zip(STANDARDISED) {
            assert!((value - expected).abs() < 1e-5, "{value} {expected}");
        }
        let planes = two_pixels_as(Layout::Nchw, Colour::Bgr, Values::PerImage).values;
        for (value, at) in planes.iter().zip([2, 5, 1, 4, 0, 3]) {
            assert!((value - STANDARDISED[at]).abs() < 1e-5, "{value}");
        }
    }

    #[test]
    fn a_plain_image_standardised_is_zero() {
        let format = InputFormat {
            width: 2,
            height: 2,
            layout: Layout::Nhwc,
            colour: Colour::Rgb,
            values: Values::PerImage,
        };
        let plain = RgbImage::from_pixel(2, 2, Rgb([77; 3]));
        assert_eq!(Tensor::from_image(&plain, &format).values, [0.0; 12]);
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
