//! Which server a command talks to.

use std::fmt;
use std::str::FromStr;

/// Where `assay dev` listens unless told otherwise, and where commands look for a server.
pub(crate) const DEFAULT: &str = "http://127.0.0.1:7400";

/// The option that names a server.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// Address of the server
    #[arg(long, value_name = "URL", default_value = DEFAULT)]
    pub(crate) server: Server,
}

/// The address of a server, as `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server(String);

impl Server {
    /// The address as an URL.
    pub(crate) fn url(&self) -> &str {
        &self.0
    }

    /// What a command must be told to find this server: empty, or the option with a blank before it.
    pub(crate) fn option(&self) -> String {
        if self.0 == DEFAULT {
            String::new()
        } else {
            format!(" --server {self}")
        }
    }

    /// The server at a socket address.
    pub(crate) fn at(address: std::net::SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Server {
    type Err = String;

    /// Reads `http://host:port`; the scheme may be left out.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return Err(
                "TLS is not spoken here: write http:// and the address of a proxy that \
                        speaks it"
                    .to_owned(),
            );
        }
        let authority = text.strip_prefix("http://").unwrap_or(text);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let uri = format!("http://{authority}");
        let parsed = uri.parse::<tonic::transport::Uri>().ok();
        let named = |uri: &tonic::transport::Uri| uri.port().is_some() && uri.path() == "/";
        match parsed.filter(named) {
            Some(_) => Ok(Self(uri)),
            None => Err(format!("write it like {DEFAULT}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_may_be_left_out_and_the_port_may_not() {
        let parse = |text: &str| text.parse::<Server>().map(|server| server.0);
        assert_eq!(parse("127.0.0.1:1"), Ok("http://127.0.0.1:1".to_owned()));
        assert_eq!(parse("http://[::1]:7/"), Ok("http://[::1]:7".to_owned()));
        for wrong in ["", "localhost", "http://a:b", "a:1/path", "ftp://a:1"] {
            assert_eq!(
                parse(wrong),
                Err(format!("write it like {DEFAULT}")),
                "{wrong}"
            );
        }
        assert!(parse("https://a:1").unwrap_err().contains("TLS"));
        assert_eq!(parse(DEFAULT), Ok(DEFAULT.to_owned()));
    }

    #[test]
    fn the_next_command_names_the_server_only_if_it_must() {
        assert_eq!(Server::at(([127, 0, 0, 1], 7400).into()).option(), "");
        let other = Server::at(([127, 0, 0, 1], 1).into());
        assert_eq!(other.option(), " --server http://127.0.0.1:1");
    }
}
