//! Certificates in PEM text, read strictly enough that a damaged file is noticed.
//!
//! Not here: what a certificate says, and whether it is valid. That is the validator's.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::clip;
use crate::error::Error;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const CERTIFICATE: &str = "CERTIFICATE";
const LINE_CHARS: usize = 64;

/// What is wrong with a file, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) problem: String,
    pub(super) mend: &'static str,
}

impl Broken {
    pub(super) fn at(self, path: &Path) -> Error {
        Error::BrokenTrustFile {
            path: path.to_owned(),
            problem: self.problem,
            mend: self.mend,
        }
    }
}

/// The certificates of a PEM file, in DER. Text between the blocks is allowed, as many publishers put names there.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, Broken> {
    let Ok(text) = std::str::from_utf8(pem) else {
        return Err(broken(
            "it is not text".to_owned(),
            "store it as PEM, not as DER or PKCS #7",
        ));
    };
    let mut certificates = Vec::new();
    let mut open: Option<Open> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        open = match open {
            None if line.starts_with(BEGIN) => Some(Open::at(number, line)?),
            None => None,
            Some(block) if line.starts_with(END) => {
                certificates.push(block.close()?);
                None
            }
            Some(block) => Some(block.with(line)),
        };
    }
    match (open, certificates.is_empty()) {
        (Some(block), _) => Err(damaged(block.line, "never ends")),
        (None, true) => Err(broken(
            "it holds no certificate".to_owned(),
            "put PEM certificates in, or remove it",
        )),
        (None, false) => Ok(certificates),
    }
}

/// One certificate as a PEM block.
pub(crate) fn block(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut block = format!("{BEGIN}{CERTIFICATE}{DASHES}\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_CHARS));
        block.push_str(line);
        block.push('\n');
        rest = after;
    }
    block.push_str(&format!("{END}{CERTIFICATE}{DASHES}\n"));
    block
}

/// A block that has begun.
struct Open {
    line: usize,
    encoded: String,
}

impl Open {
    fn at(line: usize, text: &str) -> Result<Self, Broken> {
        let label = text.trim_start_matches(BEGIN).trim_end_matches(DASHES);
        if label == CERTIFICATE {
            return Ok(Self {
                line,
                encoded: String::new(),
            });
        }
        if label.ends_with("PRIVATE KEY") {
            let problem = format!("a private key begins on line {line}");
            return Err(broken(
                problem,
                "take the key out, and treat it as disclosed",
            ));
        }
        let problem = format!("a block {:?} begins on line {line}", clip(label));
        Err(broken(problem, "keep certificates only"))
    }

    fn with(mut self, line: &str) -> Self {
        self.encoded.push_str(line);
        self
    }

    fn close(self) -> Result<Vec<u8>, Broken> {
        let Ok(der) = STANDARD.decode(&self.encoded) else {
            return Err(damaged(self.line, "is not base64"));
        };
        if is_certificate(&der) {
            Ok(der)
        } else {
            Err(damaged(self.line, "is not a whole certificate"))
        }
    }
}

fn damaged(line: usize, how: &str) -> Broken {
    broken(
        format!("the certificate that begins on line {line} {how}"),
        "bring the file anew from its source",
    )
}

fn broken(problem: String, mend: &'static str) -> Broken {
    Broken { problem, mend }
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// The outer form of X.509: a sequence of the certified part, an algorithm and a signature, and nothing after it.
fn is_certificate(der: &[u8]) -> bool {
    let Some((SEQUENCE, inside, [])) = element(der) else {
        return false;
    };
    let Some((SEQUENCE, certified, rest)) = element(inside) else {
        return false;
    };
    let Some((SEQUENCE, _, rest)) = element(rest) else {
        return false;
    };
    !certified.is_empty() && matches!(element(rest), Some((BIT_STRING, _, [])))
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // Certificates are far below the four gigabytes that four digits can say.
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        (
            digits
                .iter()
                .fold(0, |length, digit| (length << 8) | usize::from(*digit)),
            rest,
        )
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The form of a certificate around some text.
    pub(in crate::trust) fn certificate(text: &str) -> Vec<u8> {
        let part = |tag: u8, content: &[u8]| {
            let mut der = vec![tag, 0x82];
            der.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
            der.extend(content);
            der
        };
        let inside = [
            part(SEQUENCE, text.as_bytes()),
            part(SEQUENCE, b""),
            part(BIT_STRING, b""),
        ]
        .concat();
        part(SEQUENCE, &inside)
    }

    fn problem(pem: &str) -> String {
        certificates(pem.as_bytes()).unwrap_err().problem
    }

    #[test]
    fn blocks_are_read_back_with_text_between_them_and_foreign_line_ends() {
        let (one, two) = (certificate("one"), certificate(&"two".repeat(100)));
        let file =
            format!("Some Root CA\n{}\n# and\n{}", block(&one), block(&two)).replace('\n', "\r\n");
        assert_eq!(certificates(file.as_bytes()), Ok(vec![one, two]));
    }

    #[test]
    fn every_kind_of_damage_is_one_sentence() {
        let good = block(&certificate("one"));
        assert_eq!(problem(""), "it holds no certificate");
        assert_eq!(
            certificates(b"\x30\x82\xff").unwrap_err().problem,
            "it is not text"
        );
        let half = &good[..good.len() - 30];
        assert_eq!(
            problem(&format!("{good}{half}")),
            "the certificate that begins on line 4 never ends"
        );
        assert_eq!(
            problem(&good.replace("MII", "M!I")),
            "the certificate that begins on line 1 is not base64"
        );
        let cut = block(&certificate("one")[..12]);
        assert_eq!(
            problem(&cut),
            "the certificate that begins on line 1 is not a whole certificate"
        );
        let mut longer = certificate("one");
        longer.push(0);
        assert_eq!(
            problem(&block(&longer)),
            "the certificate that begins on line 1 is not a whole certificate"
        );
    }

    #[test]
    fn keys_and_other_blocks_are_refused() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(problem(key), "a private key begins on line 1");
        assert_eq!(
            problem("\n-----BEGIN PKCS7-----\n"),
            "a block \"PKCS7\" begins on line 2"
        );
    }
}
