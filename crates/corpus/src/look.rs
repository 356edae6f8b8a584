//! One file in the eyes of all analyses.

mod stopwatch;

use std::collections::BTreeMap;
use std::time::Duration;

use assay_forensics::{
    Analysis, Content, Evidence, Found, Hints, Inspection, Limits, LogRatios, Priors, Region,
    Stages, Verdict, fingerprint, inspect, judge, markers, metadata, sha256, sniff, structure,
};

use crate::error::Error;
use stopwatch::Stopwatch;

/// What all analyses say about one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Pixels of the picture, in millions.
    pub megapixels: f64,
    /// What analyses of pixels found, and what metadata says.
    pub findings: Vec<Finding>,
    /// What follows from all of it.
    pub verdict: Verdict,
}

/// What one analysis found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it says.
    pub found: Found,
    /// How long it took, with decoding; nothing for what metadata says, or if it is told with another of the same work.
    pub cost: Option<Duration>,
}

/// Asks all analyses, as [`assay_forensics::analyze`] does, and looks at the clock meanwhile.
///
/// # Errors
/// [`Error::Unseen`] if the file cannot be looked at: files of the corpus can.
pub fn look(bytes: &[u8]) -> Result<Look, Error> {
    let unseen = |why: String| Error::Unseen { why };
    let limits = Limits::default();
    let sniff = sniff(bytes, &Hints::default(), &limits).map_err(|it| unseen(it.to_string()))?;
    let structure = structure(bytes, &sniff, &limits).map_err(|it| unseen(it.to_string()))?;
    let metadata = metadata(bytes, &sniff, &structure, &limits);
    let markers = markers(&metadata);
    let fingerprint = fingerprint(bytes, &sniff, &structure, &limits);
    let picture = fingerprint
        .picture
        .ok_or_else(|| unseen(format!("{:?}", fingerprint.missing)))?;
    let declared = markers.evidence.iter().cloned();
    let mut findings: Vec<Finding> = declared.map(Finding::untimed).collect();
    let mut inspections = BTreeMap::new();
    for inspection in Inspection::ALL {
        let watch = Stopwatch::start();
        let found = inspect(inspection, bytes, &sniff, &structure, &limits);
        let cost = watch.stop();
        findings.extend(timed(&found, cost));
        inspections.insert(inspection, found);
    }
    let format = sniff.format;
    let stages = Stages {
        sniff: Some(sniff),
        structure: Some(structure),
        metadata: Some(metadata),
        markers: Some(markers),
        fingerprint: Some(fingerprint),
        inspections,
        ..Stages::default()
    };
    let content = Content {
        sha256: sha256(bytes),
        bytes: bytes.len() as u64,
        mime: format.mime().to_owned(),
        width: Some(picture.width),
        height: Some(picture.height),
    };
    let analysis = Analysis::assemble(content, format, stages);
    let circumstances = analysis.circumstances();
    Ok(Look {
        megapixels: f64::from(picture.width) * f64::from(picture.height) / 1e6,
        verdict: judge(&analysis.evidence, Priors::default(), circumstances),
        findings,
    })
}

/// What several share is told with the first of them.
fn timed(found: &[Found], cost: Duration) -> impl Iterator<Item = Finding> {
    let costs = std::iter::once(Some(cost)).chain(std::iter::repeat(None));
    found
        .iter()
        .cloned()
        .zip(costs)
        .map(|(found, cost)| Finding { found, cost })
}

impl Look {
    /// The finding of this id.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|finding| finding.found.evidence.id == id)
    }
}

impl Finding {
    fn untimed(evidence: Evidence) -> Self {
        Self {
            found: evidence.into(),
            cost: None,
        }
    }

    /// Which piece of evidence it is.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.found.evidence.id
    }

    /// Whether it speaks to the verdict.
    #[must_use]
    pub fn weighs(&self) -> bool {
        self.found.evidence.log10_lr() != LogRatios::default()
    }

    /// Whether it says that something is there: to the verdict, or to the reader.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.found.evidence.applicable && (self.weighs() || !self.found.facts.is_empty())
    }

    /// How well the best of its regions fits what was changed: the area that both share over the area that either
    /// covers, 0 to 1; nothing if it names no region.
    #[must_use]
    pub fn overlap(&self, changed: Region) -> Option<f64> {
        let regions = self.found.evidence.regions.iter();
        regions
            .map(|region| overlap(*region, changed))
            .max_by(f64::total_cmp)
    }
}

fn overlap(one: Region, other: Region) -> f64 {
    let shared = |begins: [u32; 2], lengths: [u32; 2]| {
        let end = (begins[0] + lengths[0]).min(begins[1] + lengths[1]);
        f64::from(end.saturating_sub(begins[0].max(begins[1])))
    };
    let area = |region: Region| f64::from(region.w) * f64::from(region.h);
    let both =
        shared([one.x, other.x], [one.w, other.w]) * shared([one.y, other.y], [one.h, other.h]);
    let either = area(one) + area(other) - both;
    if either > 0.0 { both / either } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: Region = Region {
        x: 10,
        y: 10,
        w: 10,
        h: 10,
    };

    #[test]
    fn regions_overlap_by_what_they_share() {
        assert_eq!(overlap(SQUARE, SQUARE), 1.0);
        let half = Region { w: 5, ..SQUARE };
        assert_eq!(overlap(SQUARE, half), 0.5);
        let beside = Region { x: 20, ..SQUARE };
        assert_eq!(overlap(SQUARE, beside), 0.0);
        let nothing = Region {
            w: 0,
            h: 0,
            ..SQUARE
        };
        assert_eq!(overlap(nothing, nothing), 0.0);
    }
}
