//! Maps that analyses drew: grey PNG pictures, the brighter a place the more there is.

use std::collections::BTreeMap;

use super::result::ResultView;

/// Largest map that is put into a page, in bytes.
pub(crate) const MAP_BYTES_MAX: usize = 2 * 1024 * 1024;

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The maps of a result, by content id. One that is missing is not drawn.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    by_id: BTreeMap<String, Vec<u8>>,
}

impl Maps {
    /// The content ids of the maps that a page about this result has room for.
    pub(crate) fn named(result: &ResultView) -> impl Iterator<Item = &str> {
        let findings = super::findings::shown(result);
        let of_file = findings.filter(|(_, evidence)| evidence.picture.is_none());
        let ids = of_file.filter_map(|(_, evidence)| evidence.artifact.as_deref());
        ids.take(super::viewer::LAYERS_MAX)
    }

    /// Fetches the maps that a result names from where they are kept.
    pub(crate) fn fetch(
        result: &ResultView,
        mut content: impl FnMut(&str) -> Option<Vec<u8>>,
    ) -> Self {
        let mut by_id = BTreeMap::new();
        for id in Self::named(result) {
            if let Some(map) = content(id).filter(|map| is_map(map)) {
                by_id.insert(id.to_owned(), map);
            }
        }
        Self { by_id }
    }

    pub(super) fn get(&self, id: &str) -> Option<&[u8]> {
        self.by_id.get(id).map(Vec::as_slice)
    }
}

fn is_map(bytes: &[u8]) -> bool {
    bytes.len() <= MAP_BYTES_MAX && bytes.starts_with(PNG_SIGNATURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_png_within_the_bound_is_a_map() {
        let map = |bytes| {
            let mut map = PNG_SIGNATURE.to_vec();
            map.resize(bytes, 0);
            map
        };
        assert!(is_map(&map(MAP_BYTES_MAX)));
        assert!(!is_map(&map(MAP_BYTES_MAX + 1)));
        assert!(!is_map(b"<svg/>"));
    }
}
