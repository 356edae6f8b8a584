//! What generators write into metadata, in the forms that readers know.

use image::RgbImage;

use crate::error::Error;
use crate::generated::{PARAMETERS, parameters};
use crate::random::Random;
use crate::{jpeg, png};

/// Marker of the segment that holds XMP.
const APPLICATION_1: u8 = 0xe1;
const XMP_SIGNATURE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// Quality of the JPEG files that carry a declaration.
const QUALITY: u8 = 90;

/// One way to say that a generator made the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// Settings of a Stable Diffusion front end in a PNG text.
    SettingsInPng,
    /// The same in a JPEG comment.
    SettingsInComment,
    /// `ComfyUI`'s graph in a PNG text.
    GraphInPng,
    /// The IPTC digital source type in XMP.
    SourceTypeInXmp,
}

impl Declaration {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SettingsInPng,
        Self::SettingsInComment,
        Self::GraphInPng,
        Self::SourceTypeInXmp,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SettingsInPng => "settings in a PNG text",
            Self::SettingsInComment => "settings in a JPEG comment",
            Self::GraphInPng => "graph in a PNG text",
            Self::SourceTypeInXmp => "source type in XMP",
        }
    }

    /// The piece of evidence that reads it.
    #[must_use]
    pub const fn evidence(self) -> &'static str {
        match self {
            Self::SettingsInPng | Self::SettingsInComment => "marker.sd_parameters",
            Self::GraphInPng => "marker.comfyui_graph",
            Self::SourceTypeInXmp => "marker.dst_trained_algorithmic_media",
        }
    }

    /// A file of the picture that carries it.
    ///
    /// # Errors
    /// What the encoder says.
    pub fn write(self, picture: &RgbImage, random: &mut Random) -> Result<Vec<u8>, Error> {
        let jpeg_with = |segment: &[u8]| -> Result<Vec<u8>, Error> {
            let jpeg = jpeg::encode(picture, QUALITY)?;
            Ok(jpeg::with_segment(&jpeg, segment))
        };
        match self {
            Self::SettingsInPng => Ok(png::with_text(
                &png::encode(picture)?,
                PARAMETERS,
                &parameters(random),
            )),
            Self::SettingsInComment => jpeg_with(&jpeg::comment(&parameters(random))?),
            Self::GraphInPng => Ok(png::with_text(
                &png::encode(picture)?,
                "prompt",
                &graph(random),
            )),
            Self::SourceTypeInXmp => {
                let content = [XMP_SIGNATURE, SOURCE_TYPE.as_bytes()].concat();
                jpeg_with(&jpeg::segment(APPLICATION_1, &content)?)
            }
        }
    }
}

/// Two nodes of a graph.
fn graph(random: &mut Random) -> String {
    let seed = random.bits() >> 32;
    format!(
        r#"{{"3": {{"class_type": "KSampler", "inputs": {{"seed": {seed}, "steps": 20, "model": ["4", 0]}}}}, "4": {{"class_type": "CheckpointLoaderSimple", "inputs": {{"ckpt_name": "sd_xl_base_1.0.safetensors"}}}}}}"#
    )
}

const SOURCE_TYPE: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"#;

#[cfg(test)]
mod tests {
    use assay_forensics::{Hints, Limits, analyze};

    use super::*;

    #[test]
    fn each_is_read_by_the_rule_that_it_names() {
        let picture = RgbImage::new(16, 16);
        for declaration in Declaration::ALL {
            let bytes = declaration.write(&picture, &mut Random::new(4)).unwrap();
            let analysis = analyze(&bytes, &Hints::default(), &Limits::default());
            let found = analysis
                .evidence
                .iter()
                .find(|evidence| evidence.id == declaration.evidence());
            let weighs = found.is_some_and(|evidence| evidence.log10_lr().synthetic > 0.0);
            assert!(weighs, "{}", declaration.name());
        }
    }
}
