//! What became of asking a detector outside of Assay, in words for people.

/// Words of the schema and what they mean: each completes "detector acme ...".
const STATUSES: [(&str, &str); 7] = [
    ("ok", "has answered"),
    (
        "unstable",
        "changes its mind when the picture is saved again or made smaller, so what it says does not count",
    ),
    (
        "not_applicable",
        "does not look at such a file, or finds nothing in it to look at",
    ),
    ("unavailable", "gave no answer that could be used"),
    ("timeout", "gave no answer in time"),
    (
        "circuit_open",
        "failed too often of late and was left alone",
    ),
    (
        "misconfigured",
        "cannot be asked until its settings are mended",
    ),
];

/// What became of it. A word of a later version is shown as it is, with blanks.
pub(crate) fn fared(status: &str) -> String {
    let known = STATUSES.iter().find(|(word, _)| *word == status);
    known.map_or_else(
        || status.replace('_', " "),
        |(_, words)| (*words).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use assay_detectors::Status;

    use super::*;

    #[test]
    fn every_status_has_words() {
        for status in Status::ALL {
            assert_ne!(fared(status.as_str()), status.as_str(), "{status:?}");
        }
        assert_eq!(fared("gone_fishing"), "gone fishing");
    }
}
