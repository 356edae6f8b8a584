//! Who is trusted.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The largest file of certificates, in bytes. What systems bring has a quarter of that.
pub const CA_FILE_BYTES_MAX: usize = 1024 * 1024;

/// Whose signature makes a server's certificate good. Clones share it.
#[derive(Clone)]
pub struct Roots {
    client: Arc<ClientConfig>,
    file: Option<Arc<[u8]>>,
}

/// Why nobody can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// The file can't be read.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file is larger than any that holds only certificates.
    #[error("{path} is larger than {CA_FILE_BYTES_MAX} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is of another form.
    #[error("{path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// What the file holds is no certificate.
    #[error("certificate {number} in {path} cannot be read as one")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which, counted from 1.
        number: usize,
    },
    /// The system brings none.
    #[error("this system brings no certificates (package ca-certificates){why}")]
    NoneHere {
        /// What it says, if anything.
        why: String,
    },
}

impl fmt::Debug for Roots {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Roots")
            .field("from_a_file", &self.file.is_some())
            .finish_non_exhaustive()
    }
}

impl Roots {
    /// Trusts the certificates in `ca_file` and no others, or without one those that the system trusts.
    ///
    /// # Errors
    /// When there are none.
    pub fn read(ca_file: Option<&Path>) -> Result<Self, RootsError> {
        // Whoever makes a configuration of its own, as the client of Redis does, finds this provider and asks no further.
        // It may be there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (store, file) = match ca_file {
            Some(path) => {
                let pem = read_at_most(path)?;
                (of_file(path, &pem)?, Some(pem.into()))
            }
            None => (of_system()?, None),
        };
        let client = ClientConfig::builder()
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self {
            client: Arc::new(client),
            file,
        })
    }

    /// What the operator's file holds; `None` when the system's certificates are trusted.
    #[must_use]
    pub fn file(&self) -> Option<&[u8]> {
        self.file.as_deref()
    }

    /// Encrypts a connection to `host`, a name or an address, if that proves to be who answers.
    ///
    /// # Errors
    /// When it does not. [`Refusal::of`](crate::Refusal::of) says what is wrong with it.
    pub async fn encrypt(
        &self,
        host: &str,
        connection: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?
            .to_owned();
        TlsConnector::from(Arc::clone(&self.client))
            .connect(name, connection)
            .await
    }
}

fn read_at_most(path: &Path) -> Result<Vec<u8>, RootsError> {
    let unreadable = |error: io::Error| RootsError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(CA_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > CA_FILE_BYTES_MAX {
        let path = path.to_owned();
        return Err(RootsError::TooLarge { path });
    }
    Ok(bytes)
}

fn of_file(path: &Path, pem: &[u8]) -> Result<RootCertStore, RootsError> {
    let not_pem = || RootsError::NotPem {
        path: path.to_owned(),
    };
    let mut store = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
        let certificate = certificate.map_err(|_| not_pem())?;
        let added = store.add(certificate);
        added.map_err(|_| RootsError::Malformed {
            path: path.to_owned(),
            number,
        })?;
    }
    if store.is_empty() {
        return Err(not_pem());
    }
    Ok(store)
}

fn of_system() -> Result<RootCertStore, RootsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    // Systems keep some that are of no use here; the others are.
    let (added, _) = store.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map(|error| format!(": {error}"));
        let why = why.unwrap_or_default();
        return Err(RootsError::NoneHere { why });
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        made.cert.pem()
    }

    fn read(content: impl AsRef<[u8]>) -> Result<Roots, RootsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, content).unwrap();
        Roots::read(Some(&path))
    }

    #[test]
    fn any_number_of_certificates_may_be_in_a_file() {
        let one = certificate();
        let both = format!("# of the brokers\n{one}\n# and\n{}", certificate());
        for content in [&one, &both] {
            let roots = read(content).unwrap();
            assert_eq!(roots.file(), Some(content.as_bytes()));
        }
    }

    #[test]
    fn a_file_that_nobody_can_use_is_told_in_one_sentence() {
        let missing = Roots::read(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("cannot read /nowhere/ca.pem: No such file")
        );
        let wrong_end = certificate().replace("END CERTIFICATE", "END");
        let garbage = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
        for (content, said) in [
            ("", "holds no certificate in PEM form"),
            ("0\u{82}\u{1}", "holds no certificate in PEM form"),
            (&wrong_end, "holds no certificate in PEM form"),
            (garbage, "certificate 1 in"),
        ] {
            let error = read(content).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_largest_file_is_read_and_one_byte_more_is_not() {
        let one = certificate();
        let filled = |bytes: usize| format!("{one}{}", "\n".repeat(bytes - one.len()));
        assert!(read(filled(CA_FILE_BYTES_MAX)).is_ok());
        let error = read(filled(CA_FILE_BYTES_MAX + 1)).unwrap_err();
        assert!(
            matches!(error, RootsError::TooLarge { .. }),
            "{error} is not it"
        );
    }
}
