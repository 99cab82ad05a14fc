//! Pictures: which bytes are one, and how large it is.

/// What is assumed of a picture whose header says nothing usable.
const USUAL: (u32, u32) = (1280, 720);

/// Width and height; none for what is no picture that the server knows.
pub(crate) fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let size = bytes.get(16..20).and_then(big).zip(bytes.get(20..24).and_then(big));
        return Some(size.unwrap_or(USUAL));
    }
    if bytes.starts_with(b"GIF8") {
        return Some(gif(bytes).unwrap_or(USUAL));
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some(jpeg(bytes).unwrap_or(USUAL));
    }
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    webp.then_some(USUAL)
}

/// Whether the server takes a picture of this shape: <https://core.telegram.org/bots/api#sendphoto>.
pub(crate) fn is_acceptable(width: u32, height: u32) -> bool {
    let (short, long) = (width.min(height), width.max(height));
    short > 0 && width.saturating_add(height) <= 10_000 && long <= short.saturating_mul(20)
}

fn big(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn big_short(bytes: &[u8]) -> Option<u32> {
    Some(u16::from_be_bytes(bytes.try_into().ok()?).into())
}

fn gif(bytes: &[u8]) -> Option<(u32, u32)> {
    let little = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into());
    Some((little(6)?, little(8)?))
}

/// Walks the segments to the first frame header.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        let is_frame = (0xc0..=0xcf).contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            return Some((
                big_short(bytes.get(at + 7..at + 9)?)?,
                big_short(bytes.get(at + 5..at + 7)?)?,
            ));
        }
        at += 2 + usize::try_from(big_short(bytes.get(at + 2..at + 4)?)?).ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_from_headers() {
        let png = [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            &640u32.to_be_bytes(),
            &480u32.to_be_bytes(),
        ]
        .concat();
        assert_eq!(dimensions(&png), Some((640, 480)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x10\0\x20";
        assert_eq!(dimensions(jpeg), Some((32, 16)));
        assert_eq!(dimensions(b"%PDF-1.7"), None);
    }

    #[test]
    fn extreme_shapes_are_refused() {
        assert!(is_acceptable(4000, 3000));
        assert!(!is_acceptable(9000, 3000));
        assert!(!is_acceptable(2100, 100));
    }
}
