//! An image as a network's input.

use image::RgbImage;
use ndarray::Array4;

use crate::model::{Colour, InputFormat, Layout};

/// One image as a tensor of shape `[1, C, H, W]` or `[1, H, W, C]`, of the image's size.
pub(crate) fn from_image(image: &RgbImage, format: &InputFormat) -> Array4<f32> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let channels = match format.colour {
        Colour::Rgb | Colour::Bgr => 3,
        Colour::Grey => 1,
    };
    let bytes = image.as_raw();
    let value = |row: usize, column: usize, channel: usize| {
        let at = 3 * (row * width + column);
        let value = match format.colour {
            Colour::Rgb => bytes[at + channel].into(),
            Colour::Bgr => bytes[at + 2 - channel].into(),
            Colour::Grey => luma([bytes[at], bytes[at + 1], bytes[at + 2]]),
        };
        (value - format.mean) * format.scale
    };
    match format.layout {
        Layout::Nchw => {
            Array4::from_shape_fn((1, channels, height, width), |(_, channel, row, column)| {
                value(row, column, channel)
            })
        }
        Layout::Nhwc => {
            Array4::from_shape_fn((1, height, width, channels), |(_, row, column, channel)| {
                value(row, column, channel)
            })
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

    fn two_pixels(layout: Layout, colour: Colour) -> Array4<f32> {
        let image = RgbImage::from_fn(2, 1, |x, _| {
            if x == 0 {
                Rgb([10, 20, 30])
            } else {
                Rgb([110, 120, 130])
            }
        });
        let format = InputFormat {
            width: 2,
            height: 1,
            layout,
            colour,
            mean: 10.0,
            scale: 0.5,
        };
        from_image(&image, &format)
    }

    #[test]
    fn planes_of_rgb() {
        let tensor = two_pixels(Layout::Nchw, Colour::Rgb);
        assert_eq!(tensor.shape(), [1, 3, 1, 2]);
        assert_eq!(
            tensor.as_slice().unwrap(),
            [0.0, 50.0, 5.0, 55.0, 10.0, 60.0]
        );
    }

    #[test]
    fn planes_of_bgr() {
        let tensor = two_pixels(Layout::Nchw, Colour::Bgr);
        assert_eq!(
            tensor.as_slice().unwrap(),
            [10.0, 60.0, 5.0, 55.0, 0.0, 50.0]
        );
    }

    #[test]
    fn pixels_side_by_side() {
        let tensor = two_pixels(Layout::Nhwc, Colour::Rgb);
        assert_eq!(tensor.shape(), [1, 1, 2, 3]);
        assert_eq!(
            tensor.as_slice().unwrap(),
            [0.0, 5.0, 10.0, 50.0, 55.0, 60.0]
        );
    }

    #[test]
    fn grey_weighs_the_channels() {
        let tensor = two_pixels(Layout::Nchw, Colour::Grey);
        assert_eq!(tensor.shape(), [1, 1, 1, 2]);
        let first = (0.299 * 10.0 + 0.587 * 20.0 + 0.114 * 30.0 - 10.0) * 0.5;
        assert!((tensor[[0, 0, 0, 0]] - first).abs() < 1e-5);
        assert!((tensor[[0, 0, 0, 1]] - (first + 50.0)).abs() < 1e-4);
    }
}
