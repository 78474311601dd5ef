//! Is a JPEG all there? The decoder fills what is missing with grey and says nothing.

/// Whether the picture's end-of-image marker is reached.
///
/// Walks the markers (ITU-T T.81, annex B): a segment is skipped by its length, so
/// that the end of an embedded thumbnail is not taken for the end of the picture;
/// in entropy-coded data `FF` is followed by `00` or a restart marker.
pub(super) fn reaches_its_end(bytes: &[u8]) -> bool {
    const STUFFED: u8 = 0x00;
    const TEMPORARY: u8 = 0x01;
    const RESTART_FIRST: u8 = 0xD0;
    const START_OF_IMAGE: u8 = 0xD8;
    const END_OF_IMAGE: u8 = 0xD9;

    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == 0xFF) {
        rest = &rest[at..];
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        rest = &rest[fill..];
        let Some((&code, after)) = rest.split_first() else {
            return false;
        };
        rest = match code {
            END_OF_IMAGE => return true,
            STUFFED | TEMPORARY | RESTART_FIRST..=START_OF_IMAGE => after,
            _ => {
                let Some(&[high, low]) = after.first_chunk() else {
                    return false;
                };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some(next) = after.get(length..) else {
                    return false;
                };
                next
            }
        };
    }
    false
}
