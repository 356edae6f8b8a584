//! The files of the demo, what they are, and what should be said about them.

use std::fs;
use std::path::{Path, PathBuf};

use assay_corpus::{camera, generated};
use assay_provenance::USER_FILE;
use assay_provenance::test_signer::TestAuthority;

use crate::{copied, signed};

/// Why material could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be written.
    #[error("write {}: choose a folder that is writable and has room", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A picture cannot be made.
    #[error("make a picture")]
    Picture {
        /// Why.
        #[source]
        source: assay_corpus::Error,
    },
    /// The photograph cannot be signed.
    #[error("sign the photograph")]
    Sign {
        /// The signer's words.
        #[source]
        source: assay_provenance::Error,
    },
    /// The signed photograph has no pixels that could be changed.
    #[error("alter the signed photograph: no bits of its scan can be flipped")]
    NothingToAlter,
}

/// A verdict label, as results spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Proven by a trusted credential.
    Authentic,
    /// Made by a generator.
    Synthetic,
    /// Changed in one place after it was taken.
    Manipulated,
    /// Not what was signed.
    AlteredAfterSigning,
    /// No verdict.
    Inconclusive,
}

impl Label {
    /// The spelling in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::Synthetic => "synthetic",
            Self::Manipulated => "manipulated",
            Self::AlteredAfterSigning => "altered_after_signing",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// One file with its story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it is, in a line.
    pub story: &'static str,
    /// The verdict without any trust list.
    pub expected: Label,
    /// The verdict with the trust folder of the material.
    pub expected_with_trust: Label,
}

/// All that [`make`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// The files, in the order in which they are told.
    pub files: Vec<File>,
    /// A trust folder with the authority behind the signed files. Its key is gone.
    pub trust_folder: PathBuf,
}

const TRUST_FOLDER: &str = "trust";
const SIGNED_NAME: &str = "signed.jpg";
const FALSE_PICTURE: &str = "This is a text. Somebody gave it the name of a picture.\n";

/// Makes all files of the demo in `folder`, which is created. The same seed makes the same pictures.
///
/// # Errors
/// [`Error::Write`] if the folder cannot be written; the others only if a part of this crate fails.
pub fn make(folder: &Path, seed: u64) -> Result<Material, Error> {
    let authority =
        TestAuthority::new("Assay demo camera").map_err(|source| Error::Sign { source })?;
    let photograph = camera::FIRST.take(seed).map_err(picture)?;
    let signed = signed::sign(&authority, &photograph, SIGNED_NAME)?;
    let altered = signed::alter(&signed)?;
    let painting = generated::paint(seed).map_err(picture)?;
    let copied = copied::make(seed).map_err(picture)?;
    let authority_pem = authority
        .authority_pem()
        .map_err(|source| Error::Sign { source })?;

    let trust_folder = folder.join(TRUST_FOLDER);
    create(&trust_folder)?;
    write(&trust_folder.join(USER_FILE), authority_pem.as_bytes())?;
    let told = tell([photograph.jpeg, signed, altered, copied, painting]);
    let files = told
        .into_iter()
        .map(|(name, bytes, story, expected, expected_with_trust)| {
            let path = folder.join(name);
            write(&path, &bytes)?;
            Ok(File {
                path,
                story,
                expected,
                expected_with_trust,
            })
        });
    Ok(Material {
        files: files.collect::<Result<_, Error>>()?,
        trust_folder,
    })
}

/// A file's name, bytes and story, and its verdict without and with the trust folder.
type Told = (&'static str, Vec<u8>, &'static str, Label, Label);

/// Every file with its story, in the order in which they are told.
fn tell([photograph, signed, altered, copied, painting]: [Vec<u8>; 5]) -> [Told; 6] {
    [
        (
            "camera.jpg",
            photograph,
            "a photograph as the camera wrote it",
            Label::Inconclusive,
            Label::Inconclusive,
        ),
        (
            SIGNED_NAME,
            signed,
            "that photograph, signed by the camera",
            Label::Inconclusive,
            Label::Authentic,
        ),
        (
            "signed-altered.jpg",
            altered,
            "the signed photograph, with bits flipped afterwards",
            Label::AlteredAfterSigning,
            Label::AlteredAfterSigning,
        ),
        (
            "copied.jpg",
            copied,
            "a photograph in which a part hides another one",
            Label::Manipulated,
            Label::Manipulated,
        ),
        (
            "generated.png",
            painting,
            "a picture with a generator's settings inside",
            Label::Synthetic,
            Label::Synthetic,
        ),
        (
            "renamed.jpg",
            FALSE_PICTURE.as_bytes().to_vec(),
            "a text under a picture's name",
            Label::Inconclusive,
            Label::Inconclusive,
        ),
    ]
}

fn picture(source: assay_corpus::Error) -> Error {
    Error::Picture { source }
}

fn create(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::Write {
        path: folder.to_owned(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}
