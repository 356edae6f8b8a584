//! What each fact of the history says, in a few words; the fact's own particulars follow them.

use super::Table;

/// Facts of a file's history.
pub(super) const FACTS: Table = &[
    ("re_saved", "Saved as a JPEG more than once"),
    ("edited", "Names software for editing"),
    ("camera_claim", "Names a camera"),
    ("thumbnail", "Has a small preview inside"),
    ("maker_note", "Has a note by the maker of a camera"),
    (
        "size_contradiction",
        "Metadata gives another size than the picture has",
    ),
    (
        "date_contradiction",
        "Dates in the metadata contradict each other",
    ),
    (
        "software_after_camera",
        "Software seems to have saved it after the camera",
    ),
    ("trailing_data", "Has data after its end"),
    ("truncated", "Ends too early"),
    ("bad_checksum", "A checksum does not fit"),
    ("animated", "Has several pictures, one after the other"),
    ("progressive", "Is saved in several passes"),
    (
        "ijg_tables",
        "Compressed with the tables that most software uses",
    ),
    ("own_tables", "Compressed with tables of its own"),
    ("stray_bytes", "Has bytes that belong to no part of it"),
    ("jumbf", "Has a box that may hold a credential"),
    ("second_exif", "Has camera metadata twice"),
    ("exif_damaged", "Camera metadata is damaged"),
    ("exif_unreadable", "Camera metadata cannot be read"),
    (
        "altered_after_signing",
        "Carries a signature for other bytes",
    ),
    (
        "credential_tampered",
        "The signed statement itself was changed",
    ),
    (
        "credential_expired",
        "The signer's certificate was not valid at the time",
    ),
    ("credential_revoked", "The signer's certificate was revoked"),
    (
        "credential_invalid",
        "A check of the signed statement failed",
    ),
    (
        "credential_unreadable",
        "The signed statement cannot be read",
    ),
    (
        "credential_elsewhere",
        "Points to a signed statement that lies elsewhere",
    ),
    (
        "ingredient_broken",
        "Something it was made from has a broken signed statement",
    ),
    ("writer", "Names the program that wrote it"),
    (
        "written_by_ffmpeg",
        "Written by FFmpeg, a program that many others use",
    ),
    ("media_encoder", "Names the program that encoded it"),
    ("vendor_boxes", "Has parts that only certain makers write"),
    (
        "make_without_vendor_boxes",
        "Names a camera, without the parts that its maker writes",
    ),
    ("no_creation_time", "Does not say when it was recorded"),
    ("container_dates", "Gives dates"),
    ("document_dates", "Gives dates"),
    ("fast_start", "Put in order for playing over a network"),
    ("fragmented", "Written in pieces, as for streaming"),
    (
        "edit_list",
        "Plays from elsewhere than its start, or in pieces",
    ),
    ("auxiliary_pictures", "Has further pictures inside"),
    ("item_outside_file", "Points to metadata behind its end"),
    ("item_scattered", "Has metadata in several pieces"),
    ("damaged_boxes", "Has damaged parts"),
    ("damaged_objects", "Has damaged parts"),
    ("unread_objects", "Has parts that were not read"),
    (
        "wrong_container_size",
        "Gives itself another size than it has",
    ),
    ("polyglot", "Is a file of two kinds at once"),
    ("audio_format", "The form of the sound"),
    ("clipping", "The sound is overdriven"),
    ("digital_silence", "The sound is exactly silent in places"),
    ("dc_offset", "The sound is not centred"),
    ("format_changes", "The form of the sound changes within"),
    (
        "frames_interrupted",
        "The sound is interrupted by something else",
    ),
    ("no_sound_hash", "Has no checksum of its sound"),
    ("pages_missing", "Parts are missing by their numbers"),
    (
        "broadcast_extension",
        "Has notes as broadcasters write them",
    ),
    ("revisions", "Holds earlier versions of itself"),
    ("signatures", "Is signed"),
    ("after_signature", "Something was added after a signature"),
    (
        "signature_gap",
        "A signature leaves out a part that can be changed",
    ),
    (
        "not_permitted",
        "Changed in a way that its signer did not permit",
    ),
    ("active_content", "Has content that acts by itself"),
    ("encrypted", "Is encrypted"),
    ("jpeg_pictures", "Has JPEG pictures inside"),
    ("late_header", "Has something before its beginning"),
    ("xref_broken", "Its table of contents is damaged"),
    ("xref_loop", "Its table of contents leads in a circle"),
    ("mislabelled", "Is called something else than it is"),
    ("metadata_loop", "Its metadata leads in a circle"),
    (
        "library_after_camera",
        "Names a camera, and is written as software writes",
    ),
    ("photoshop_tables", "Compressed as Adobe Photoshop does"),
    ("ducky_quality", "Saved for the web by Adobe Photoshop"),
    (
        "own_huffman_tables",
        "Compressed with code tables of its own",
    ),
    ("plain_colours", "Stores its colours in an unusual way"),
    (
        "thumbnail_of_another_encoder",
        "The small preview was written by another program",
    ),
    (
        "xmp_incomplete",
        "A part of its descriptive metadata is missing",
    ),
    (
        "xmp_refused",
        "Descriptive metadata was not read, as it is of a forbidden form",
    ),
    ("xmp_unreadable", "Descriptive metadata cannot be read"),
    ("bandwidth", "How high its sound reaches"),
    ("multi_picture", "Has further pictures behind the first"),
    ("ducky_segment", "Saved for the web by Adobe Photoshop"),
    (
        "photoshop_segment",
        "Has notes as Adobe Photoshop writes them",
    ),
    ("adobe_segment", "Written by a program that follows Adobe"),
    ("jfif_thumbnail", "Has a small preview inside"),
    ("jpeg_grid", "Shows the blocks of a JPEG that it once was"),
    (
        "cropped_after_jpeg",
        "Cut, or put into a larger picture, after it was a JPEG",
    ),
    (
        "two_jpeg_grids",
        "Shows the blocks of two JPEGs, one over the other",
    ),
    (
        "turned_since_thumbnail",
        "Turned since the small preview was made",
    ),
    (
        "cropped_since_thumbnail",
        "Cropped since the small preview was made",
    ),
    (
        "tones_changed_since_thumbnail",
        "Brightness or contrast changed since the small preview was made",
    ),
    (
        "negative_since_thumbnail",
        "Turned into its negative since the small preview was made",
    ),
    (
        "producer_contradiction",
        "Names different programs as the one that made it",
    ),
];

#[cfg(test)]
mod tests;
