//! Certificates for private servers that encrypt.
//!
//! ```ignore
//! let authority = Authority::new()?;
//! let server = authority.sign(&["localhost"])?;
//! let options = RedisOptions::new(Appendfsync::EverySec).tls(port::free()?, &server);
//! // clients trust `authority.file()`
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

/// Somebody who signs for servers. Its files go with it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    file: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
    signed: AtomicU32,
}

/// What a server proves with who it is. The files are its authority's.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its certificate.
    pub certificate: PathBuf,
    /// The key that only it has.
    pub key: PathBuf,
}

impl Authority {
    /// One that nobody has heard of before.
    ///
    /// # Errors
    /// When its file can't be written.
    pub fn new() -> anyhow::Result<Self> {
        let mut about = CertificateParams::default();
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("authority of a test {:08x}", rand::random::<u32>());
        about.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(about, KeyPair::generate()?)?;
        let folder = tempfile::Builder::new().prefix("assay-ca-").tempdir()?;
        let file = folder.path().join("ca.pem");
        fs::write(&file, issuer.pem()).context("write the certificate of a CA")?;
        Ok(Self {
            folder,
            file,
            issuer,
            signed: AtomicU32::new(0),
        })
    }

    /// The file of its certificate, which clients trust.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Signs for a server that goes by `names`, which are names or addresses.
    ///
    /// # Errors
    /// When a name is none, or a file can't be written.
    pub fn sign(&self, names: &[&str]) -> anyhow::Result<Identity> {
        self.write(&params(names)?)
    }

    /// The same, but what it signs has been of no use since the year 2001.
    ///
    /// # Errors
    /// As those of [`Authority::sign`].
    pub fn sign_expired(&self, names: &[&str]) -> anyhow::Result<Identity> {
        let mut about = params(names)?;
        about.not_after = date_time_ymd(2001, 1, 1);
        self.write(&about)
    }

    fn write(&self, about: &CertificateParams) -> anyhow::Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = about.signed_by(&key, &self.issuer)?;
        let number = self.signed.fetch_add(1, Ordering::Relaxed);
        let file = |end: &str| self.folder.path().join(format!("server-{number}.{end}"));
        let identity = Identity {
            certificate: file("pem"),
            key: file("key"),
        };
        fs::write(&identity.certificate, certificate.pem()).context("write a certificate")?;
        fs::write(&identity.key, key.serialize_pem()).context("write its key")?;
        Ok(identity)
    }
}

fn params(names: &[&str]) -> anyhow::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    Ok(CertificateParams::new(names)?)
}
