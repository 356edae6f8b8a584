//! The files that a target begins with: one or a few of each kind that its parser knows.

mod document;
mod picture;
mod sound;

use crate::samples;

/// The files of a target; none if there is no such target.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "jpeg" => picture::jpeg(),
        "levels" => picture::coded(),
        "png" => picture::png(),
        "webp" => picture::webp(),
        "tiff" | "exif" => picture::tiff(),
        "exif_thumbnail" => picture::thumbnails(),
        "iso_media" => picture::boxes(),
        "riff" => [sound::wav(), sound::avi()].concat(),
        "mp3" => sound::mp3(),
        "flac" => sound::flac(),
        "ogg" => sound::ogg(),
        "pdf" => document::pdf(),
        "xmp" => packets(),
        "png_text" => texts(),
        "markers" => marks(),
        "sniff" | "analysis" => every_kind(),
        _ => Vec::new(),
    }
}

/// Of each kind of whole file the first.
fn every_kind() -> Vec<Vec<u8>> {
    let kinds = [
        picture::jpeg(),
        picture::png(),
        picture::webp(),
        picture::tiff(),
        picture::boxes(),
        sound::wav(),
        sound::avi(),
        sound::mp3(),
        sound::flac(),
        sound::ogg(),
        document::pdf(),
    ];
    kinds
        .into_iter()
        .filter_map(|files| files.into_iter().next())
        .chain([
            b"just some words".to_vec(),
            b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(),
        ])
        .collect()
}

fn packets() -> Vec<Vec<u8>> {
    let history = "<xmpMM:History><rdf:Seq><rdf:li stEvt:action='saved' stEvt:softwareAgent='Adobe Photoshop'/>\
                   </rdf:Seq></xmpMM:History>";
    let source = "Iptc4xmpExt:DigitalSourceType='http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'";
    [
        samples::xmp("xmp:CreatorTool='GIMP 2.10'", ""),
        samples::xmp("", history),
        samples::xmp(
            source,
            "<dc:creator><rdf:Seq><rdf:li>x</rdf:li></rdf:Seq></dc:creator>",
        ),
    ]
    .map(String::into_bytes)
    .into()
}

fn texts() -> Vec<Vec<u8>> {
    let parameters = "parameters\0a lighthouse\nSteps: 20, Sampler: Euler a, Seed: 42, Model: x";
    let packed = |name: &[u8], text: &[u8]| [name, &samples::zlib(text)].concat();
    let packet = samples::xmp("xmp:CreatorTool='x'", "");
    [
        (0, parameters.as_bytes().to_vec()),
        (0, b"Software\0GIMP".to_vec()),
        (1, packed(b"Comment\0\0", b"packed words")),
        (2, b"Description\0\0\0en\0Beschreibung\0words".to_vec()),
        (2, packed(b"Title\0\x01\0\0\0", b"packed words")),
        (3, b"words to be packed".to_vec()),
        (4, packet.into_bytes()),
    ]
    .into_iter()
    .map(|(kind, text)| [vec![kind], text].concat())
    .collect()
}

fn marks() -> Vec<Vec<u8>> {
    let lines = [
        "0parameters=a lighthouse Negative prompt: x Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42",
        "2Software=Adobe Photoshop 25.0 (Windows)",
        "3Iptc4xmpExt:DigitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        "0prompt={\"3\": {\"class_type\": \"KSampler\"}}",
        "0invokeai_metadata={}",
        "4Comment=Lavf60.3.100",
    ];
    let all = lines.join("\n");
    lines
        .iter()
        .copied()
        .chain([all.as_str()])
        .map(|line| line.as_bytes().to_vec())
        .collect()
}
