//! What `assay dev` says when everything is up.

use std::net::SocketAddr;

use assay_embedded::Embedded;

use crate::server::Server;
use crate::terminal::{Terminal, Tone};

/// The banner: addresses, data folder, promise, and what to type next.
pub(crate) fn lines(
    embedded: &Embedded,
    admin: Option<SocketAddr>,
    terminal: Terminal,
) -> Vec<String> {
    let server = Server::at(embedded.address());
    let title = format!("assay {} is ready", env!("CARGO_PKG_VERSION"));
    let mut lines = vec![terminal.paint(Tone::Strong, &title)];
    let mut add = |name: &str, text: &str| lines.push(format!("  {name:<12} {text}"));
    add("API", &format!("{server} (gRPC)"));
    if let Some(http) = embedded.http_address() {
        add(
            "HTTP/JSON",
            &format!("http://{http}/api/async (described by /openapi.json there)"),
        );
    }
    if let Some(admin) = admin {
        add(
            "admin port",
            &format!("http://{admin} (/live, /ready, /metrics)"),
        );
    }
    add("data folder", &embedded.data_dir().display().to_string());
    add(
        "promise",
        &format!("an acknowledged job is {}", embedded.promise()),
    );
    add("next", &format!("assay verify{} PATH", server.option()));
    add("stop", "Ctrl-C");
    lines
}
