//! The trust folder: one PEM file per list, and a file that says where each came from and when.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::trust::{ListKind, TRUST_FILE_BYTES_MAX, TrustLists, pem::Broken};

/// Authorities for signers, published by the C2PA.
pub const OFFICIAL_FILE: &str = "official.pem";
/// Authorities for signers, added by the operator.
pub const USER_FILE: &str = "user.pem";
/// Single signers, allowed by the operator.
pub const ALLOWED_FILE: &str = "allowed.pem";
/// Authorities for time-stamps.
pub const TIME_STAMP_FILE: &str = "time-stamp.pem";
/// Origins by list: `{"official": {"source": "https://...", "date": "2026-08-21"}}`.
pub const ORIGINS_FILE: &str = "origins.json";

const FILES: [(&str, ListKind); 4] = [
    (OFFICIAL_FILE, ListKind::Official),
    (USER_FILE, ListKind::User),
    (ALLOWED_FILE, ListKind::Allowed),
    (TIME_STAMP_FILE, ListKind::TimeStamp),
];

/// Where a list came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Address or name of the publisher.
    pub source: String,
    /// The day the list was published or fetched, as `YYYY-MM-DD`.
    pub date: String,
}

impl TrustLists {
    /// Loads all lists of a folder. A list without a file is not in force; other files are left alone, except for
    /// `.pem` files with a name that is no list's: that would be a list that silently does nothing.
    ///
    /// # Errors
    /// [`Error::ReadTrustFile`] if the folder or a file cannot be opened, [`Error::BrokenTrustFile`] if a file is not
    /// what its name says.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        refuse_unknown_lists(folder)?;
        let mut origins = read_origins(&folder.join(ORIGINS_FILE))?;
        let mut lists = Self::default();
        for (file, kind) in FILES {
            let path = folder.join(file);
            if let Some(pem) = read(&path)? {
                lists.insert(kind, &path, &pem, origins.remove(&kind))?;
            }
        }
        Ok(lists)
    }
}

fn refuse_unknown_lists(folder: &Path) -> Result<(), Error> {
    let unreadable = |source| Error::ReadTrustFile {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let known = FILES
            .iter()
            .any(|(file, _)| path.file_name() == Some(OsStr::new(file)));
        if !known && path.extension() == Some(OsStr::new("pem")) {
            let problem = "its name is not the name of a trust list".to_owned();
            let mend =
                "call it official.pem, user.pem, allowed.pem or time-stamp.pem, or remove it";
            return Err(Broken { problem, mend }.at(&path));
        }
    }
    Ok(())
}

fn read_origins(path: &Path) -> Result<BTreeMap<ListKind, Origin>, Error> {
    let Some(json) = read(path)? else {
        return Ok(BTreeMap::new());
    };
    let mend =
        "write it as {\"official\": {\"source\": \"https://...\", \"date\": \"2026-08-21\"}}";
    let broken = |problem: String| Broken { problem, mend }.at(path);
    let origins: BTreeMap<ListKind, Origin> =
        serde_json::from_slice(&json).map_err(|e| broken(e.to_string()))?;
    for (kind, origin) in &origins {
        if day_of(&origin.date).is_none() {
            return Err(broken(format!(
                "the date of {} is not a day of the calendar",
                kind.name()
            )));
        }
    }
    Ok(origins)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let unreadable = |source| Error::ReadTrustFile {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    let one_too_many = TRUST_FILE_BYTES_MAX as u64 + 1;
    file.take(one_too_many)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > TRUST_FILE_BYTES_MAX {
        let problem = format!("it is larger than {TRUST_FILE_BYTES_MAX} bytes");
        return Err(Broken {
            problem,
            mend: "keep only the certificates that are needed",
        }
        .at(path));
    }
    Ok(Some(bytes))
}

/// The number of a day `YYYY-MM-DD`, counted from 1970-01-01. `None` if there is no such day.
pub(super) fn day_of(date: &str) -> Option<i64> {
    let digits = date.bytes().enumerate().all(|(i, byte)| {
        if i == 4 || i == 7 {
            byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    });
    if date.len() != 10 || !digits {
        return None;
    }
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_in_month = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    // A year that begins in March has its leap day at the end, so that months have fixed places in it.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days_before_year =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days_before_month = (153 * month + 2) / 5;
    Some(days_before_year + days_before_month + day - 1 - DAYS_TO_1970)
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pem::{self, tests::certificate};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            fs::write(folder.path().join(file), text).unwrap();
        }
        folder
    }

    fn refusal(files: &[(&str, &str)]) -> String {
        TrustLists::from_folder(folder(files).path())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn lists_are_loaded_with_their_origins() {
        let pem = pem::block(&certificate("a"));
        let origins =
            r#"{"official": {"source": "https://example.test/list", "date": "2026-08-21"}}"#;
        let twice = format!("{pem}{pem}");
        let files = [
            (OFFICIAL_FILE, twice.as_str()),
            (USER_FILE, &pem),
            (ORIGINS_FILE, origins),
            ("README", "hello"),
        ];
        let summaries = TrustLists::from_folder(folder(&files).path())
            .unwrap()
            .summaries();
        let found: Vec<_> = summaries
            .iter()
            .map(|list| (list.label(), list.certificates))
            .collect();
        assert_eq!(
            found,
            [
                ("official@2026-08-21".to_owned(), 2),
                ("user@undated".to_owned(), 1)
            ]
        );
        assert_eq!(summaries[0].sha256.len(), 64);
        assert_ne!(summaries[0].sha256, summaries[1].sha256);
    }

    #[test]
    fn an_empty_folder_trusts_nobody_and_a_missing_one_is_an_error() {
        assert_eq!(
            TrustLists::from_folder(folder(&[]).path()).unwrap(),
            TrustLists::default()
        );
        let error = TrustLists::from_folder(Path::new("/nowhere/trust")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "read /nowhere/trust: make it readable for this user, or remove it"
        );
    }

    #[test]
    fn a_broken_file_is_one_sentence_that_names_it() {
        let text = refusal(&[(USER_FILE, "hello")]);
        assert!(
            text.ends_with(
                "user.pem: it holds no certificate; put PEM certificates in, or remove it"
            ),
            "{text}"
        );
        let text = refusal(&[("oficial.pem", "")]);
        assert!(
            text.contains(
                "oficial.pem: its name is not the name of a trust list; call it official.pem"
            ),
            "{text}"
        );
    }

    #[test]
    fn broken_origins_are_refused() {
        assert!(refusal(&[(ORIGINS_FILE, "{")]).contains("origins.json: EOF"));
        let unknown = r#"{"oficial": {"source": "x", "date": "2026-08-21"}}"#;
        assert!(refusal(&[(ORIGINS_FILE, unknown)]).contains("unknown variant `oficial`"));
        let no_day = r#"{"user": {"source": "x", "date": "2026-02-29"}}"#;
        assert!(
            refusal(&[(ORIGINS_FILE, no_day)])
                .contains("the date of user is not a day of the calendar")
        );
    }

    #[test]
    fn files_are_bounded() {
        let pem = pem::block(&certificate("a"));
        let full = format!("{pem}{}", " ".repeat(TRUST_FILE_BYTES_MAX - pem.len()));
        assert!(TrustLists::from_folder(folder(&[(USER_FILE, &full)]).path()).is_ok());
        assert!(refusal(&[(USER_FILE, &format!("{full} "))]).contains("larger than 1048576 bytes"));
    }

    #[test]
    fn days_are_counted_and_impossible_days_refused() {
        assert_eq!(day_of("1970-01-01"), Some(0));
        assert_eq!(day_of("1969-12-31"), Some(-1));
        assert_eq!(day_of("2000-02-29"), Some(11_016));
        assert_eq!(day_of("2026-11-24"), Some(20_781));
        for wrong in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-1-1",
            "+026-01-01",
            "",
        ] {
            assert_eq!(day_of(wrong), None, "{wrong}");
        }
    }
}
