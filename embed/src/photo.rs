//! Bytes to an upright photo, bounded before memory is taken.

mod jpeg;
mod pixels;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

/// What a photo may cost to decode.
#[derive(Debug, Clone, Copy)]
pub struct DecodeLimits {
    /// Bytes of the file.
    pub max_bytes: u64,
    /// Width times height.
    pub max_pixels: u64,
    /// Bytes of memory for decoding, beside the file itself.
    pub max_memory: u64,
}

impl Default for DecodeLimits {
    /// 10 MB and 40 megapixels: what phones and cameras make. With 130 MB, 32 megapixels if EXIF
    /// data lay the photo on its side, 21 of a progressive JPEG (of the usual 4:2:0) and of PNG
    /// with 16 bits, 16 of that with transparency, 10 of WebP.
    fn default() -> Self {
        Self { max_bytes: 10_000_000, max_pixels: 40_000_000, max_memory: 130_000_000 }
    }
}

/// A photo as it is meant to be seen: turned as its EXIF data say, 8-bit RGB,
/// transparent parts laid over light grey.
#[derive(Debug, Clone)]
pub struct Photo {
    pixels: RgbImage,
}

/// Why bytes are not a photo.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhotoError {
    /// The file cannot be read.
    #[error("cannot read the photo: {0}")]
    Read(#[from] std::io::Error),
    /// Neither a photo nor another picture format.
    #[error("not an image: the first bytes belong to no picture format; send a JPEG, PNG or WebP")]
    NotAnImage,
    /// A picture, but not of a format that is read here.
    #[error("{format} is not supported; send a JPEG, PNG or WebP")]
    UnsupportedFormat {
        /// The format found.
        format: String,
    },
    /// The file is larger than allowed.
    #[error("the photo has {bytes} bytes, more than the {limit} allowed; send a smaller one")]
    TooManyBytes {
        /// Bytes of the file.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The picture is larger than allowed.
    #[error(
        "the photo has {width}x{height} pixels, more than the {limit} allowed for its kind; send a \
         smaller one"
    )]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Pixels allowed in all.
        limit: u64,
    },
    /// The file ends before the picture does.
    #[error("the photo is cut off before its end; send the whole file")]
    Truncated,
    /// The file does not follow its format.
    #[error("the photo is broken: {detail}")]
    Broken {
        /// What the decoder met.
        detail: String,
    },
}

impl Photo {
    /// Decodes a JPEG, PNG or WebP.
    ///
    /// Size is judged by the header, before memory for the pixels is taken.
    ///
    /// # Errors
    /// Says which limit is passed, or what is wrong with the bytes.
    pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Self, PhotoError> {
        let size = bytes.len() as u64;
        if size > limits.max_bytes {
            return Err(PhotoError::TooManyBytes { bytes: size, limit: limits.max_bytes });
        }
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
        let format = reader.format().ok_or(PhotoError::NotAnImage)?;
        if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
            return Err(PhotoError::UnsupportedFormat { format: format!("{format:?}") });
        }
        let mut allowed = Limits::default();
        allowed.max_alloc = Some(limits.max_memory);
        reader.limits(allowed);
        let mut decoder = reader.into_decoder()?;
        let orientation = decoder.orientation()?;
        let beside = match format {
            ImageFormat::Jpeg => jpeg::coefficient_bytes(bytes),
            ImageFormat::WebP => WEBP_WORK,
            _ => 0.0,
        };
        let cost = pixels::memory_per_pixel(decoder.color_type(), beside, orientation);
        let limit = limits.max_pixels.min((limits.max_memory as f64 / cost) as u64);
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > limit {
            return Err(PhotoError::TooManyPixels { width, height, limit });
        }
        if format == ImageFormat::Jpeg && !jpeg::reaches_its_end(bytes) {
            return Err(PhotoError::Truncated);
        }
        Ok(Self { pixels: pixels::read(decoder, orientation)? })
    }

    /// Reads and decodes a file, refusing one that is too large before it is read.
    ///
    /// # Errors
    /// As [`Photo::decode`], and when the file cannot be read.
    pub fn open(path: &Path, limits: &DecodeLimits) -> Result<Self, PhotoError> {
        Self::decode(&Self::read(path, limits)?, limits)
    }

    /// The bytes of a file that is not too large.
    pub(crate) fn read(path: &Path, limits: &DecodeLimits) -> Result<Vec<u8>, PhotoError> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        if size > limits.max_bytes {
            return Err(PhotoError::TooManyBytes { bytes: size, limit: limits.max_bytes });
        }
        let mut bytes = Vec::new();
        file.take(limits.max_bytes + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Takes pixels that are upright already.
    pub fn from_pixels(pixels: RgbImage) -> Self {
        Self { pixels }
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.pixels.width()
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.pixels.height()
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &RgbImage {
        &self.pixels
    }
}

/// Bytes of each pixel that a WebP decoder holds beside what it gives.
const WEBP_WORK: f64 = 9.0;

impl From<ImageError> for PhotoError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Truncated
            }
            other => Self::Broken { detail: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests;
