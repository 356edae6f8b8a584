//! What boxes tell of a file's history. Facts, not votes: every messenger writes files anew, and honest tools do.
//!
//! That box trees tell writers apart is shown by Iuliani et al. (IEEE TIFS 2019) and Yang et al. (arXiv 2101.10795); the
//! rules here are the few that need no learned tree.

use super::boxes::{IsoBox, name};
use super::{IsoLayout, Movie};
use crate::structure::Structure;

/// Vendor boxes that are written out.
const VENDOR_BOXES_MAX: usize = 32;
/// Handlers that ffmpeg names when nobody else has named them.
const FFMPEG_HANDLERS: [&str; 3] = ["VideoHandler", "SoundHandler", "SubtitleHandler"];
/// How Apple's media framework begins the names of its handlers.
const APPLE_HANDLER: &str = "Core Media";
const APPLE: &str = "Apple";

/// From here on a track that does not play from its start is told: encoders leave out less, for sound that begins early.
const SKIPPED_MS_TOLD: u64 = 250;

/// Makers and the boxes in user data that only their cameras write.
const VENDORS: [(&str, &[&[u8; 4]]); 10] = [
    ("Canon", &[b"CNTH", b"CNDA", b"CNCV", b"CTMD", b"CNOP"]),
    ("Fuji", &[b"FFMV", b"MVTG", b"FUJI"]),
    (
        "GoPro",
        &[
            b"GPMF", b"FIRM", b"LENS", b"CAME", b"MUID", b"HMMT", b"BCID", b"GUSI",
        ],
    ),
    ("Kodak", &[b"KODA"]),
    ("Leica", &[b"LEIC"]),
    ("Nikon", &[b"NCDT", b"NCTG", b"NCTH", b"NCVW", b"NCHD"]),
    ("Panasonic", &[b"PANA"]),
    ("Pentax", &[b"PENT", b"PXMN", b"PXTH"]),
    ("Ricoh", &[b"RICO", b"RDTA", b"RMPL", b"RTHU"]),
    (
        "Samsung",
        &[b"smta", b"smrd", b"svss", b"SDLN", b"mdln", b"saut"],
    ),
];
/// The start of the type of user boxes that only cameras of Sony write.
const SONY_USER_TYPES: [&[u8]; 2] = [b"PROF!\xd2\x4f\xce", b"USMT!\xd2\x4f\xce"];
const SONY: &str = "Sony";

/// Notes a box that only one maker's cameras write.
pub(super) fn note_vendor(found: &IsoBox<'_>, vendor_boxes: &mut Vec<String>) {
    let by_name = VENDORS
        .iter()
        .find(|(_, boxes)| boxes.contains(&&found.kind))
        .map(|(maker, _)| format!("{maker} {}", name(found.kind)));
    let by_type = found.user_type.filter(|user_type| {
        SONY_USER_TYPES
            .iter()
            .any(|start| user_type.starts_with(start))
    });
    let Some(text) = by_name.or_else(|| by_type.map(|_| format!("{SONY} uuid"))) else {
        return;
    };
    if vendor_boxes.len() < VENDOR_BOXES_MAX && !vendor_boxes.contains(&text) {
        vendor_boxes.push(text);
    }
}

pub(super) fn tell(layout: &IsoLayout, structure: &mut Structure) {
    if layout.is_broken {
        structure.fact(
            "damaged_boxes",
            "a box is longer than the one that holds it, or shorter than its own header",
        );
    }
    if !layout.vendor_boxes.is_empty() {
        structure.fact("vendor_boxes", layout.vendor_boxes.join(", "));
    }
    if let Some(encoder) = &layout.encoder {
        structure.fact(
            "media_encoder",
            format!("the media itself names its encoder: {encoder}"),
        );
    }
    if let Some(items) = &layout.items {
        if !items.auxiliary.is_empty() {
            structure.fact("auxiliary_pictures", items.auxiliary.join(", "));
        }
        return;
    }
    if layout.is_fragmented {
        structure.fact("fragmented", "written in fragments, as for streaming");
    } else if layout.is_index_first == Some(true) {
        structure.fact(
            "fast_start",
            "the index comes before the media, as tools write it for the web; cameras, which do not know the index \
             before they stop, mostly write it behind",
        );
    }
    if let Some(movie) = &layout.movie {
        tell_movie(movie, structure);
        tell_make(layout, movie, structure);
    }
}

fn tell_movie(movie: &Movie, structure: &mut Structure) {
    let signs: Vec<String> = ffmpeg_signs(movie, structure);
    if !signs.is_empty() {
        structure.fact(
            "written_by_ffmpeg",
            format!(
                "{}: as ffmpeg writes, and the many apps, sites and messengers that use it",
                signs.join(", ")
            ),
        );
    }
    let edited: Vec<&str> = movie
        .tracks
        .iter()
        .filter(|track| track.edits > 1 || track.starts_at_ms() >= SKIPPED_MS_TOLD)
        .map(|track| track.kind.as_str())
        .collect();
    if !edited.is_empty() {
        structure.fact(
            "edit_list",
            format!(
                "tracks ({}) do not play from their start, or in pieces: as after a cut without encoding again",
                edited.join(", ")
            ),
        );
    }
    match (&movie.created, &movie.modified) {
        (Some(created), modified) => {
            let changed = modified.as_ref().filter(|modified| *modified != created);
            let changed = changed.map_or_else(String::new, |at| format!(", changed {at}"));
            structure.fact("container_dates", format!("made {created}{changed}"));
        }
        (None, _) if movie.has_header => structure.fact(
            "no_creation_time",
            "the container says zero where the time of recording belongs, as tools write that were told none",
        ),
        (None, _) => {}
    }
}

fn ffmpeg_signs(movie: &Movie, structure: &Structure) -> Vec<String> {
    let mut signs = Vec::new();
    let tags = structure.tags.iter();
    let writer = tags
        .filter(|tag| tag.key == "Software")
        .find(|tag| tag.value.starts_with("Lavf"));
    if let Some(writer) = writer {
        signs.push(format!("the writer \"{}\"", writer.value));
    }
    let handlers = movie.tracks.iter().map(|track| track.handler.as_str());
    for handler in handlers {
        let sign = format!("the handler \"{handler}\"");
        if FFMPEG_HANDLERS.contains(&handler) && !signs.contains(&sign) {
            signs.push(sign);
        }
    }
    signs
}

/// A file that names a camera should have what that maker's cameras write.
fn tell_make(layout: &IsoLayout, movie: &Movie, structure: &mut Structure) {
    let Some(make) = structure.tags.iter().find(|tag| tag.key == "Make") else {
        return;
    };
    let make = make.value.clone();
    let claimed = make.to_lowercase();
    let makers = VENDORS.iter().map(|(maker, _)| *maker);
    let Some(maker) = makers
        .chain([SONY, APPLE])
        .find(|maker| claimed.contains(&maker.to_lowercase()))
    else {
        return;
    };
    let has_own = if maker == APPLE {
        let mut tracks = movie.tracks.iter();
        tracks.any(|track| track.handler.starts_with(APPLE_HANDLER))
    } else {
        layout
            .vendor_boxes
            .iter()
            .any(|text| text.starts_with(maker))
    };
    if !has_own {
        structure.fact(
            "make_without_vendor_boxes",
            format!(
                "the file names a camera of {make}, and has nothing of what {maker} writes into its files: \
                 probably exported or written anew since"
            ),
        );
    }
}
