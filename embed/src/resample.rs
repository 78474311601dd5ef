//! Shrinking without aliasing, and sampling along a similarity transform.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::geometry::{Point, Rect, Similarity};
use crate::pipeline::PipelineError;

/// A part of an image, in whole pixels inside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Region {
    /// All of `image`.
    pub(crate) fn all(image: &RgbImage) -> Self {
        Self { x: 0, y: 0, width: image.width(), height: image.height() }
    }

    /// As a rectangle.
    pub(crate) fn rect(&self) -> Rect {
        Rect {
            x: self.x as f32,
            y: self.y as f32,
            width: self.width as f32,
            height: self.height as f32,
        }
    }

    /// The pixels of `image` that `rect` touches; none if it lies outside.
    pub(crate) fn covering(image: &RgbImage, rect: &Rect) -> Option<Self> {
        let inside = rect.intersection(&Self::all(image).rect());
        if inside.area() == 0.0 {
            return None;
        }
        let (x, y) = (inside.x.floor(), inside.y.floor());
        Some(Self {
            x: x as u32,
            y: y as u32,
            width: ((inside.x + inside.width).ceil() - x) as u32,
            height: ((inside.y + inside.height).ceil() - y) as u32,
        })
    }
}

/// A region of `image` at another size. When it shrinks, each pixel is a weighted
/// mean over all that it covers.
pub(crate) fn resize(
    image: &RgbImage,
    region: Region,
    width: u32,
    height: u32,
) -> Result<RgbImage, PipelineError> {
    let failed = |error: &dyn std::fmt::Display| PipelineError::Resize(error.to_string());
    let source = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image)
        .map_err(|error| failed(&error))?;
    let mut resized = RgbImage::new(width, height);
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut resized)
        .map_err(|error| failed(&error))?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(region.x.into(), region.y.into(), region.width.into(), region.height.into());
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(resized)
}

/// The `width` x `height` image whose points `to_source` takes into `image`;
/// black where there is no image.
///
/// Bilinear. Where the image is finer than the result it is shrunk first, so that
/// no pixel of it is skipped.
pub(crate) fn warp(
    image: &RgbImage,
    to_source: &Similarity,
    width: u32,
    height: u32,
) -> Result<RgbImage, PipelineError> {
    let shrink = to_source.scale();
    let Some(region) = Region::covering(image, &reach(to_source, width, height)) else {
        return Ok(RgbImage::new(width, height));
    };
    if shrink <= 1.0 {
        return Ok(sample(image, to_source, width, height));
    }
    let smaller_width = (region.width as f32 / shrink).ceil().max(1.0);
    let smaller_height = (region.height as f32 / shrink).ceil().max(1.0);
    let smaller = resize(image, region, smaller_width as u32, smaller_height as u32)?;
    // Rounding up makes the two factors differ a little; the mean of both keeps a similarity.
    let factor =
        0.5 * (smaller_width / region.width as f32 + smaller_height / region.height as f32);
    let origin = Point::new(region.x as f32, region.y as f32);
    let to_smaller = Similarity {
        a: to_source.a * factor,
        b: to_source.b * factor,
        shift: Point::new(
            (to_source.shift.x - origin.x) * factor,
            (to_source.shift.y - origin.y) * factor,
        ),
    };
    Ok(sample(&smaller, &to_smaller, width, height))
}

/// The upright rectangle of the source that a warp reads, with the neighbours that
/// interpolation needs.
fn reach(to_source: &Similarity, width: u32, height: u32) -> Rect {
    let (right, bottom) = (width as f32, height as f32);
    let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)]
        .map(|(x, y)| to_source.apply(Point::new(x, y)));
    let margin = 2.0 * to_source.scale() + 1.0;
    let least = |pick: fn(&Point) -> f32| corners.iter().map(pick).fold(f32::INFINITY, f32::min);
    let most = |pick: fn(&Point) -> f32| corners.iter().map(pick).fold(f32::NEG_INFINITY, f32::max);
    Rect::from_corners(
        least(|corner| corner.x) - margin,
        least(|corner| corner.y) - margin,
        most(|corner| corner.x) + margin,
        most(|corner| corner.y) + margin,
    )
}

fn sample(image: &RgbImage, to_source: &Similarity, width: u32, height: u32) -> RgbImage {
    let mut sampled = RgbImage::new(width, height);
    let stretch = 3 * LANES;
    for (y, row) in (0..height).zip(sampled.chunks_exact_mut(3 * width.max(1) as usize)) {
        for (x, pixels) in (0..width).step_by(LANES).zip(row.chunks_mut(stretch)) {
            sample_stretch(image, to_source, Point::new(x as f32, y as f32), pixels);
        }
    }
    sampled
}

/// So many pixels of a row are mixed at once.
const LANES: usize = 16;

/// What each of some pixels is mixed of.
#[derive(Default)]
struct Corners {
    /// The pixels to the upper left, upper right, lower left and lower right of each, a byte for a channel.
    colours: [[u32; LANES]; 4],
    right_share: [f32; LANES],
    lower_share: [f32; LANES],
}

impl Corners {
    /// A channel of all of them.
    fn mixed(&self, channel: u32) -> [u8; LANES] {
        std::array::from_fn(|lane| {
            let value =
                |corner: usize| f32::from((self.colours[corner][lane] >> (8 * channel)) as u8);
            let along = |left: f32, right: f32| left + self.right_share[lane] * (right - left);
            let (upper, lower) = (along(value(0), value(1)), along(value(2), value(3)));
            (0.5 + upper + self.lower_share[lane] * (lower - upper)) as i32 as u8
        })
    }
}

/// Up to [`LANES`] pixels of a row from `first` on.
fn sample_stretch(image: &RgbImage, to_source: &Similarity, first: Point, pixels: &mut [u8]) {
    let (last_x, last_y) = (image.width() as f32 - 1.0, image.height() as f32 - 1.0);
    let mut corners = Corners::default();
    let (mut left, mut top, mut inside) = ([0; LANES], [0; LANES], [false; LANES]);
    let mut places = [Point::new(0.0, 0.0); LANES];
    for lane in 0..LANES {
        let center = to_source.apply(Point::new(first.x + lane as f32 + 0.5, first.y + 0.5));
        let at = Point::new(center.x - 0.5, center.y - 0.5);
        inside[lane] = (at.x >= 0.0) & (at.y >= 0.0) & (at.x < last_x) & (at.y < last_y);
        // Inside both are positive, so this is the floor.
        (left[lane], top[lane]) = (at.x as i32, at.y as i32);
        corners.right_share[lane] = at.x - left[lane] as f32;
        corners.lower_share[lane] = at.y - top[lane] as f32;
        places[lane] = at;
    }
    let (values, stride) = (image.as_raw(), 3 * image.width() as usize);
    // Two pixels beside each other, each with the first byte of the next.
    let pair = |start: usize| {
        let &[a, b, c, d, e, f, g] = values.get(start..)?.first_chunk()?;
        Some([[a, b, c, d], [d, e, f, g]].map(u32::from_le_bytes))
    };
    let (pixels, _) = pixels.as_chunks_mut::<3>();
    for lane in 0..pixels.len() {
        let start = || top[lane] as usize * stride + 3 * left[lane] as usize;
        let pairs = inside[lane].then(start).and_then(|at| Some((pair(at)?, pair(at + stride)?)));
        inside[lane] = pairs.is_some();
        if let Some(([upper_left, upper_right], [lower_left, lower_right])) = pairs {
            let colours = [upper_left, upper_right, lower_left, lower_right];
            corners.colours.iter_mut().zip(colours).for_each(|(all, one)| all[lane] = one);
        }
    }
    let [red, green, blue] = [0, 1, 2].map(|channel| corners.mixed(channel));
    for (lane, pixel) in pixels.iter_mut().enumerate() {
        let mixed = [red[lane], green[lane], blue[lane]];
        *pixel = if inside[lane] { mixed } else { bilinear_at_edge(image, places[lane]) };
    }
}

/// The colour at a point, which counts pixels by their centres, between the four nearest, of which some may
/// lie outside, which is black.
fn bilinear_at_edge(image: &RgbImage, at: Point) -> [u8; 3] {
    let (left, top) = (at.x.floor(), at.y.floor());
    let (right_share, lower_share) = (at.x - left, at.y - top);
    let mut mixed = [0.5; 3];
    for (dy, row_share) in [(0.0, 1.0 - lower_share), (1.0, lower_share)] {
        for (dx, column_share) in [(0.0, 1.0 - right_share), (1.0, right_share)] {
            let (column, row) = (left + dx, top + dy);
            if column < 0.0 || row < 0.0 {
                continue;
            }
            if let Some(pixel) = image.get_pixel_checked(column as u32, row as u32) {
                for (sum, &value) in mixed.iter_mut().zip(&pixel.0) {
                    *sum += row_share * column_share * f32::from(value);
                }
            }
        }
    }
    mixed.map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn ramp(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 9]))
    }

    #[test]
    fn the_identity_changes_nothing() {
        let image = ramp(40, 30);
        let identity =
            Similarity::turn_and_scale(0.0, 1.0, Point::new(0.0, 0.0), Point::new(0.0, 0.0));
        assert_eq!(warp(&image, &identity, 40, 30).unwrap(), image);
    }

    #[test]
    fn a_shift_by_half_a_pixel_takes_the_mean() {
        let image = RgbImage::from_fn(2, 1, |x, _| Rgb([100 * x as u8; 3]));
        let half = Similarity::turn_and_scale(0.0, 1.0, Point::new(0.0, 0.0), Point::new(0.5, 0.0));
        assert_eq!(warp(&image, &half, 1, 1).unwrap().get_pixel(0, 0), &Rgb([50; 3]));
    }

    #[test]
    fn a_quarter_turn_is_exact() {
        let image = ramp(20, 20);
        let turn = Similarity { a: 0.0, b: 1.0, shift: Point::new(20.0, 0.0) };
        assert_eq!(warp(&image, &turn, 20, 20).unwrap(), image::imageops::rotate270(&image));
    }

    #[test]
    fn shrinking_averages_and_does_not_skip() {
        let checkers = RgbImage::from_fn(800, 800, |x, y| Rgb([255 * ((x + y) % 2) as u8; 3]));
        let shrink =
            Similarity::turn_and_scale(0.0, 7.3, Point::new(0.0, 0.0), Point::new(20.0, 20.0));
        let small = warp(&checkers, &shrink, 100, 100).unwrap();
        for pixel in small.pixels() {
            assert!(pixel.0[0].abs_diff(127) <= 6, "{pixel:?}");
        }
    }

    #[test]
    fn outside_is_black_and_far_outside_costs_nothing() {
        let image = RgbImage::from_pixel(10, 10, Rgb([200; 3]));
        for shift in [1e6, f32::INFINITY, f32::NAN] {
            let away =
                Similarity::turn_and_scale(0.0, 1e3, Point::new(0.0, 0.0), Point::new(shift, 0.0));
            let black = warp(&image, &away, 4, 4).unwrap();
            assert!(black.pixels().all(|pixel| pixel.0 == [0; 3]), "{shift}");
        }
        let across =
            Similarity::turn_and_scale(0.0, 1.0, Point::new(0.0, 0.0), Point::new(5.0, 0.0));
        let half = warp(&image, &across, 10, 10).unwrap();
        assert_eq!(half.get_pixel(0, 5), &Rgb([200; 3]));
        assert_eq!(half.get_pixel(9, 5), &Rgb([0; 3]));
    }
}
