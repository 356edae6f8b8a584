//! What tables and segments tell of who wrote the file.

use super::{AdobeColours, HuffmanTables, JpegLayout, adobe};
use crate::structure::Structure;

/// Facts of the encoder, for people.
pub(super) fn tell(layout: &JpegLayout, structure: &mut Structure) {
    if layout.progressive {
        structure.fact(
            "progressive",
            format!("progressive, {} scans", layout.scans),
        );
    }
    tell_quantisation(layout, structure);
    // Passes of rising detail cannot be coded well with the tables of the standard, so that says nothing there.
    if layout.huffman == Some(HuffmanTables::Own) && !layout.progressive {
        structure.fact(
            "own_huffman_tables",
            "Huffman tables made for this picture or by its encoder, not the examples of the standard",
        );
    }
    if layout.adobe == Some(AdobeColours::Plain) && layout.components.len() > 1 {
        structure.fact(
            "plain_colours",
            "colours are stored as they are, not as luma and chroma",
        );
    }
    if let Some(quality) = layout.ducky_quality {
        structure.fact(
            "ducky_quality",
            format!("\"Save for Web\" of Adobe Photoshop notes quality {quality}"),
        );
    }
}

fn tell_quantisation(layout: &JpegLayout, structure: &mut Structure) {
    let Some(quality) = layout.quality else {
        return;
    };
    let sampling = layout.sampling.as_deref().unwrap_or("one component");
    if quality.exact {
        structure.fact(
            "ijg_tables",
            format!(
                "quantisation tables of the IJG encoder at quality {}, as most software and some cameras use them; {sampling}",
                quality.quality
            ),
        );
        return;
    }
    structure.fact(
        "own_tables",
        format!(
            "quantisation tables of an encoder's own, nearest to IJG quality {}, {sampling}",
            quality.quality
        ),
    );
    if let Some(preset) = layout.luma_steps().and_then(adobe::preset) {
        structure.fact(
            "photoshop_tables",
            format!("a quantisation table of Adobe Photoshop, setting {preset}"),
        );
    }
}
