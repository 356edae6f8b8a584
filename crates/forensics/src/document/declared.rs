//! What metadata says: of the file, and of the pictures in it.

use super::gathered::{Facts, at};
use super::{PicturePlace, pictures, walk};
use crate::evidence::{Evidence, LogRatios};
use crate::limits::Limits;
use crate::marker::{MARKERS_MAX, Marker, Markers, markers};
use crate::metadata::{Metadata, metadata};
use crate::sniff::Sniff;
use crate::structure::Structure;

/// Reads the metadata of a file and the marks in it, and those of the pictures of a document.
#[must_use]
pub fn declared(
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
    limits: &Limits,
) -> (Metadata, Markers) {
    let mut metadata = metadata(bytes, sniff, structure, limits);
    let mut markers = markers(&metadata);
    let mut facts = Facts::default();
    for picture in pictures(Some(structure)) {
        let place = PicturePlace::of(picture);
        let data = picture.span.slice(bytes);
        let Ok((sniff, structure)) = walk(data, limits) else {
            continue;
        };
        read_picture(data, &sniff, structure, limits).add_to(
            &place,
            &mut metadata,
            &mut markers,
            &mut facts,
        );
    }
    metadata.facts.extend(facts.finish());
    (metadata, markers)
}

/// What one picture says of itself.
struct OfPicture {
    metadata: Metadata,
    markers: Markers,
    structure: Structure,
}

fn read_picture(data: &[u8], sniff: &Sniff, structure: Structure, limits: &Limits) -> OfPicture {
    let metadata = metadata(data, sniff, &structure, limits);
    OfPicture {
        markers: markers(&metadata),
        metadata,
        structure,
    }
}

impl OfPicture {
    fn add_to(
        self,
        place: &PicturePlace,
        metadata: &mut Metadata,
        markers: &mut Markers,
        facts: &mut Facts,
    ) {
        facts.take(place, self.structure.facts);
        facts.take(place, self.metadata.facts);
        facts.take(place, self.markers.facts);
        metadata.limits.extend(self.structure.limits);
        metadata.limits.extend(self.metadata.limits);
        let room = MARKERS_MAX.saturating_sub(markers.hits.len());
        let hits = self.markers.hits.into_iter().take(room);
        markers.hits.extend(hits.map(|hit| Marker {
            location: format!("object {}: {}", place.object, hit.location),
            ..hit
        }));
        // What a mark says is true or not of one picture, however many there are: it weighs what it weighs.
        let evidence = self.markers.evidence.into_iter();
        let weighing = evidence.filter(|evidence| evidence.log10_lr() != LogRatios::default());
        let told: Vec<Evidence> = weighing
            .map(|evidence| at(place, evidence))
            .take(room)
            .collect();
        if !told.is_empty() {
            // That there is no mark is not true any more.
            markers
                .evidence
                .retain(|evidence| evidence.finding != "none");
        }
        markers.evidence.extend(told);
    }
}
