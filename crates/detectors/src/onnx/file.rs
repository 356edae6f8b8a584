//! The file of a model: read whole, within a bound, and held against its hash before anything looks into it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::Unfit;

/// The largest file of a model that is read, in bytes. The format has no larger ones: a file is one message of Protocol
/// Buffers.
pub const MODEL_BYTES_MAX: u64 = (1 << 31) - 1;

/// Reads a file of at most `bytes_max` bytes that has this hash.
///
/// # Errors
/// It is not there, is none, is too large, or has another hash.
pub(super) fn read(path: &Path, sha256: &str, bytes_max: u64) -> Result<Vec<u8>, Unfit> {
    let unreadable =
        |error| Unfit::path(path, format_args!("name a file that can be read: {error}"));
    let too_large = || {
        Unfit::path(
            path,
            format_args!("name a file of at most {bytes_max} bytes"),
        )
    };
    // It is not opened before that is known: a pipe would wait for somebody who writes into it.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Unfit::path(path, "name a file, not something else"));
    }
    if metadata.len() > bytes_max {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let has_room = usize::try_from(metadata.len()).map(|size| bytes.try_reserve_exact(size));
    if !matches!(has_room, Ok(Ok(()))) {
        return Err(Unfit::path(path, "name a file that memory has room for"));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut file = file.take(bytes_max.saturating_add(1));
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large());
    }
    let found = assay_forensics::sha256(&bytes);
    if found != sha256 {
        let must = format!(
            "be that of {}, which is {found}: write that if it is the model you mean, else put the right file there",
            path.display()
        );
        return Err(Unfit::new("sha256", must));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"a model, or so";

    fn must(read: Result<Vec<u8>, Unfit>) -> (&'static str, String) {
        let unfit = read.unwrap_err();
        (unfit.field, unfit.must)
    }

    #[test]
    fn a_file_is_read_up_to_the_bound_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.onnx");
        fs::write(&path, BYTES).unwrap();
        let sha256 = assay_forensics::sha256(BYTES);
        let size = BYTES.len() as u64;
        assert_eq!(read(&path, &sha256, size), Ok(BYTES.to_vec()));
        let (field, must) = must(read(&path, &sha256, size - 1));
        assert_eq!(field, "path");
        assert!(
            must.starts_with("name a file of at most 13 bytes ("),
            "{must}"
        );
    }

    #[test]
    fn a_file_above_the_bound_of_the_format_is_not_even_opened() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // A hole: it takes no room.
        file.as_file().set_len(MODEL_BYTES_MAX + 1).unwrap();
        let (_, must) = must(read(file.path(), "", MODEL_BYTES_MAX));
        assert!(must.contains("at most 2147483647 bytes"), "{must}");
    }

    #[test]
    fn a_file_is_a_readable_one_with_the_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.onnx");
        let (field, missing) = must(read(&path, "", MODEL_BYTES_MAX));
        assert_eq!(field, "path");
        assert!(missing.contains("can be read: No such file"), "{missing}");
        let (field, none) = must(read(folder.path(), "", MODEL_BYTES_MAX));
        assert_eq!(field, "path");
        assert!(none.starts_with("name a file, not something else"));
        fs::write(&path, BYTES).unwrap();
        let other = assay_forensics::sha256(b"another model");
        let (field, must) = must(read(&path, &other, MODEL_BYTES_MAX));
        assert_eq!(field, "sha256");
        assert!(must.contains(&assay_forensics::sha256(BYTES)), "{must}");
    }
}
