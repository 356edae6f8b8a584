//! The admin port of a service, asked from outside.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long connecting and each part of an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How the answer of a service that is ready begins.
const READY: &str = "HTTP/1.1 200";
/// How the line of something begins that it lacks and could be ready without.
const LACKS: &str = "[~]";

/// Whether the service behind this admin port is ready. One that does not answer is not.
#[must_use]
pub fn is_ready(admin: SocketAddr) -> bool {
    get(admin, "/ready").is_ok_and(|answer| answer.starts_with(READY))
}

/// Whether the service behind this admin port is ready and does not say that it lacks something. One with a token says
/// nothing of that.
#[must_use]
pub fn is_whole(admin: SocketAddr) -> bool {
    let lacks = get(admin, "/ready?verbose").is_ok_and(|answer| answer.contains(LACKS));
    !lacks && is_ready(admin)
}

/// One HTTP GET: the whole answer, with its head.
///
/// # Errors
/// When nobody answers there.
pub fn get(admin: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers every request in these words.
    fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 1024];
                let length = stream.read(&mut request).unwrap();
                assert!(request[..length].starts_with(b"GET /ready"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(is_ready(answering("HTTP/1.1 200 OK\r\n\r\nready\n")));
        assert!(!is_ready(answering(
            "HTTP/1.1 503 Service Unavailable\r\n\r\n"
        )));
        let nobody = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(!is_ready(nobody));
        assert!(!is_whole(nobody));
    }

    #[test]
    fn what_is_lacked_is_seen() {
        let whole = "HTTP/1.1 200 OK\r\n\r\n[+] dependency rabbitmq: ok\nready\n";
        assert!(is_whole(answering(whole)));
        let lacking = "HTTP/1.1 200 OK\r\n\r\n[~] dependency rabbitmq: gone\nready\n";
        assert!(is_ready(answering(lacking)));
        assert!(!is_whole(answering(lacking)));
        assert!(!is_whole(answering(
            "HTTP/1.1 503 Service Unavailable\r\n\r\n"
        )));
    }
}
