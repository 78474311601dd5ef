//! What the markers of a JPEG say before it is decoded (ITU-T T.81, annex B).

const STUFFED: u8 = 0x00;
const TEMPORARY: u8 = 0x01;
const PROGRESSIVE_FRAME: u8 = 0xC2;
const RESTART_FIRST: u8 = 0xD0;
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;

/// Whether the picture's end-of-image marker is reached: the decoder fills what is missing
/// with grey and says nothing.
pub(super) fn reaches_its_end(bytes: &[u8]) -> bool {
    Markers { rest: bytes }.any(|(code, _)| code == END_OF_IMAGE)
}

/// Bytes that a decoder holds of each pixel beside its colour: all coefficients of a
/// progressive picture, two bytes each, none of another.
pub(super) fn coefficient_bytes(bytes: &[u8]) -> f64 {
    let mut markers = Markers { rest: bytes };
    let frame = markers.find(|&(code, _)| code == PROGRESSIVE_FRAME);
    // Precision, height, width, number of components; then each one's id, sampling, table.
    let components = frame.and_then(|(_, content)| content.get(6..)).unwrap_or_default();
    let samplings = || {
        let samplings = components.as_chunks::<3>().0.iter();
        samplings.map(|&[_, sampling, _]| (f64::from(sampling >> 4), f64::from(sampling & 15)))
    };
    let (widest, highest) = samplings().fold((1.0, 1.0), |most: (f64, f64), (across, down)| {
        (most.0.max(across), most.1.max(down))
    });
    2.0 * samplings().map(|(across, down)| across * down).sum::<f64>() / (widest * highest)
}

/// Codes of the markers, each with the content of its segment.
///
/// A segment is skipped by its length, so that the end of an embedded thumbnail is not
/// taken for the end of the picture; in entropy-coded data `FF` is followed by `00` or a
/// restart marker. Ends where the bytes end, or a segment reaches beyond them.
struct Markers<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Markers<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.rest.iter().position(|&byte| byte == 0xFF)?;
            let rest = &self.rest[start..];
            let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
            let (&code, after) = rest[fill..].split_first()?;
            self.rest = after;
            match code {
                STUFFED | TEMPORARY | RESTART_FIRST..=START_OF_IMAGE => {}
                END_OF_IMAGE => return Some((code, &[])),
                _ => {
                    let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
                    self.rest = after.get(length..)?;
                    return Some((code, after.get(2..length).unwrap_or_default()));
                }
            }
        }
    }
}
