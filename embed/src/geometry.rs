//! Points, rectangles and similarity transforms in the plane; y points down.

use serde::{Deserialize, Serialize};

/// A point, in pixels; `(0, 0)` is the upper left corner of the upper left pixel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// The point `(x, y)`.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

/// An upright rectangle, in pixels; it may reach beyond the photo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width, not negative.
    pub width: f32,
    /// Height, not negative.
    pub height: f32,
}

impl Rect {
    /// The rectangle between two corners.
    pub(crate) fn from_corners(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { x: left, y: top, width: (right - left).max(0.0), height: (bottom - top).max(0.0) }
    }

    /// The point in the middle.
    pub fn center(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Width times height.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// One of the same shape, with its middle at `center`.
    pub(crate) fn scaled_to(&self, scale: f32, center: Point) -> Self {
        let (width, height) = (self.width * scale, self.height * scale);
        Self { x: center.x - width / 2.0, y: center.y - height / 2.0, width, height }
    }

    /// Turned by a quarter around its middle.
    pub(crate) fn lying(&self) -> Self {
        Self { width: self.height, height: self.width, ..*self }.scaled_to(1.0, self.center())
    }

    /// The part that both rectangles cover; of no area if they are apart.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self::from_corners(
            self.x.max(other.x),
            self.y.max(other.y),
            (self.x + self.width).min(other.x + other.width),
            (self.y + self.height).min(other.y + other.height),
        )
    }

    /// Intersection over union, 0 to 1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let both = self.intersection(other).area();
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
}

/// A rotation, a uniform scale and a shift:
/// `x' = a x - b y + shift.x`, `y' = b x + a y + shift.y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    /// Scale times cosine of the angle.
    pub(crate) a: f32,
    /// Scale times sine of the angle.
    pub(crate) b: f32,
    /// Where the origin goes.
    pub(crate) shift: Point,
}

impl Similarity {
    /// What turns by `angle` (radians, from the x axis towards the y axis: clockwise as seen)
    /// and scales, and takes `from` to `to`.
    pub(crate) fn turn_and_scale(angle: f32, scale: f32, from: Point, to: Point) -> Self {
        let (a, b) = (scale * angle.cos(), scale * angle.sin());
        let shift = Point::new(to.x - (a * from.x - b * from.y), to.y - (b * from.x + a * from.y));
        Self { a, b, shift }
    }

    /// Where `point` goes.
    pub(crate) fn apply(&self, point: Point) -> Point {
        Point::new(
            self.a * point.x - self.b * point.y + self.shift.x,
            self.b * point.x + self.a * point.y + self.shift.y,
        )
    }

    /// By how much lengths grow.
    pub(crate) fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// The transform back. The scale must not be zero.
    pub(crate) fn inverse(&self) -> Self {
        let squared_scale = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / squared_scale, -self.b / squared_scale);
        let rotation = Self { a, b, shift: Point::new(0.0, 0.0) };
        let shift = rotation.apply(Point::new(-self.shift.x, -self.shift.y));
        Self { a, b, shift }
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;

    use super::*;

    #[test]
    fn overlap_of_known_rectangles() {
        let unit = Rect { x: 0.0, y: 0.0, width: 2.0, height: 2.0 };
        let shifted = Rect { x: 1.0, ..unit };
        let apart = Rect { x: 5.0, ..unit };
        let empty = Rect { width: 0.0, height: 0.0, ..unit };
        assert_eq!(unit.overlap(&unit), 1.0);
        assert!((unit.overlap(&shifted) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(unit.overlap(&apart), 0.0);
        assert_eq!(empty.overlap(&empty), 0.0, "no division by zero");
    }

    #[test]
    fn a_rectangle_lies_down_around_its_middle() {
        let standing = Rect { x: 10.0, y: 20.0, width: 2.0, height: 4.0 };
        assert_eq!(standing.lying(), Rect { x: 9.0, y: 21.0, width: 4.0, height: 2.0 });
    }

    #[test]
    fn a_turn_goes_around_its_point() {
        let (from, to) = (Point::new(1.0, 1.0), Point::new(10.0, 20.0));
        let turn = Similarity::turn_and_scale(FRAC_PI_2, 2.0, from, to);
        let [right, center] = [Point::new(2.0, 1.0), from].map(|point| turn.apply(point));
        assert!((center.x - 10.0).abs() < 1e-5 && (center.y - 20.0).abs() < 1e-5, "{center:?}");
        assert!((right.x - 10.0).abs() < 1e-5 && (right.y - 22.0).abs() < 1e-5, "{right:?}");
    }

    #[test]
    fn inverse_goes_back() {
        let there = Similarity { a: 0.3, b: -1.7, shift: Point::new(12.0, -5.0) };
        let point = there.inverse().apply(there.apply(Point::new(31.0, 77.0)));
        assert!((point.x - 31.0).abs() < 1e-4 && (point.y - 77.0).abs() < 1e-4, "{point:?}");
    }
}
