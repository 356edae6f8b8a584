//! Which pictures of a document are looked at like pictures that came alone: the largest, and of all of them together no
//! more than of one picture.

use std::cmp::Reverse;

use super::JpegStream;
use crate::limits::Limits;
use crate::sniff::{Format, Hints, sniff};

/// Pictures of one document that are looked at.
pub const PICTURES_MAX: usize = 16;

/// The choice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The largest first, with their sizes by their own headers.
    pub(super) pictures: Vec<JpegStream>,
    /// Those beyond a bound, and those whose header cannot be read.
    pub(super) left_out: u32,
}

/// Chooses. A picture that stands in the document several times, as after it was saved again, is one.
pub(super) fn choose(bytes: &[u8], streams: &[JpegStream], limits: &Limits) -> Chosen {
    let mut known: Vec<JpegStream> = streams
        .iter()
        .filter_map(|stream| measured(bytes, *stream, limits))
        .collect();
    let mut chosen = Chosen::default();
    chosen.leave_out(streams.len() - known.len());
    // Of equals the first of the file stays the first.
    known.sort_by_key(|picture| Reverse(pixels(picture)));
    let (mut pixels_left, mut bytes_left) = (limits.pixels_max, limits.image_bytes_max);
    for picture in known {
        let data = picture.span.slice(bytes);
        let is_known = |other: &JpegStream| other.span.slice(bytes) == data;
        if chosen.pictures.iter().any(is_known) {
            continue;
        }
        let rest = (
            pixels_left.checked_sub(pixels(&picture)),
            bytes_left.checked_sub(picture.span.bytes),
        );
        match rest {
            (Some(pixels), Some(bytes)) if chosen.pictures.len() < PICTURES_MAX => {
                (pixels_left, bytes_left) = (pixels, bytes);
                chosen.pictures.push(picture);
            }
            _ => chosen.leave_out(1),
        }
    }
    chosen
}

impl Chosen {
    fn leave_out(&mut self, pictures: usize) {
        let pictures = u32::try_from(pictures).unwrap_or(u32::MAX);
        self.left_out = self.left_out.saturating_add(pictures);
    }
}

/// The picture with its size as its own header has it: what the document says of it may be anything.
fn measured(bytes: &[u8], stream: JpegStream, limits: &Limits) -> Option<JpegStream> {
    let sniff = sniff(stream.span.slice(bytes), &Hints::default(), limits).ok()?;
    let size = sniff.size.filter(|_| sniff.format == Format::Jpeg)?;
    Some(JpegStream {
        width: size.width,
        height: size.height,
        ..stream
    })
}

fn pixels(picture: &JpegStream) -> u64 {
    u64::from(picture.width) * u64::from(picture.height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{jpeg_of, picture};
    use crate::structure::Span;

    /// The files one behind the other, and where they lie; sizes as the document says, which is wrong.
    fn put_together(files: &[Vec<u8>]) -> (Vec<u8>, Vec<JpegStream>) {
        let mut bytes = Vec::new();
        let mut streams = Vec::new();
        for (object, file) in (1..).zip(files) {
            streams.push(JpegStream {
                object,
                span: Span::new(bytes.len(), file.len()),
                width: 9_999,
                height: 0,
            });
            bytes.extend(file);
        }
        (bytes, streams)
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        jpeg_of(&picture(width, height), 80)
    }

    fn objects(chosen: &Chosen) -> Vec<u32> {
        let pictures = chosen.pictures.iter();
        pictures.map(|picture| picture.object).collect()
    }

    #[test]
    fn the_largest_come_first_and_each_once() {
        let files = [jpeg(16, 8), jpeg(32, 24), b"no JPEG".to_vec(), jpeg(16, 8)];
        let (bytes, streams) = put_together(&files);
        let chosen = choose(&bytes, &streams, &Limits::default());
        assert_eq!((objects(&chosen), chosen.left_out), (vec![2, 1], 1));
        let sizes = chosen.pictures.iter().map(|it| (it.width, it.height));
        assert_eq!(sizes.collect::<Vec<_>>(), [(32, 24), (16, 8)]);
    }

    #[test]
    fn together_they_are_no_larger_than_one_picture_may_be() {
        let files = [jpeg(16, 16), jpeg(16, 8), jpeg(8, 8)];
        let (bytes, streams) = put_together(&files);
        let within = |limits: Limits| {
            let chosen = choose(&bytes, &streams, &limits);
            (objects(&chosen), chosen.left_out)
        };
        let of_pixels = |pixels_max| {
            within(Limits {
                pixels_max,
                ..Limits::default()
            })
        };
        assert_eq!(of_pixels(448), (vec![1, 2, 3], 0));
        assert_eq!(of_pixels(447), (vec![1, 2], 1));
        let of_bytes = |image_bytes_max| {
            within(Limits {
                image_bytes_max,
                ..Limits::default()
            })
        };
        let all = bytes.len() as u64;
        assert_eq!(of_bytes(all), (vec![1, 2, 3], 0));
        assert_eq!(of_bytes(all - 1), (vec![1, 2], 1));
    }

    #[test]
    fn pictures_are_counted() {
        let of = |count: u32| {
            let files: Vec<Vec<u8>> = (0..count).map(|n| jpeg(8 + n, 8)).collect();
            let (bytes, streams) = put_together(&files);
            let chosen = choose(&bytes, &streams, &Limits::default());
            (chosen.pictures.len(), chosen.left_out)
        };
        assert_eq!(of(16), (PICTURES_MAX, 0));
        assert_eq!(of(17), (PICTURES_MAX, 1));
    }
}
