//! The first words of a broker: enough of AMQP 0-9-1 to know that one listens, and which.

use std::io::{Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long connecting, and each read, may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// What a client says first: the name of the protocol and its version.
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// The longest frame that is taken.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// How a method frame of a connection begins: its type, and channel 0.
const METHOD_FRAME: [u8; 3] = [1, 0, 0];
/// How the payload of the first method, `connection.start`, begins: its class and its number.
const START: [u8; 4] = [0, 10, 0, 10];

/// Connects and returns the broker's `connection.start`, in which it tells what it is.
pub(super) fn greeting(address: SocketAddr) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(HEADER)?;
    read(&mut stream)
}

/// Whether the broker that greeted like this is the node whose name begins with `node`: it names itself after it.
pub(super) fn is_of(greeting: &[u8], node: &str) -> bool {
    let name = format!("{node}@").into_bytes();
    greeting.windows(name.len()).any(|window| window == name)
}

fn read(stream: &mut impl Read) -> Result<Vec<u8>> {
    let mut begin = [0; METHOD_FRAME.len()];
    stream.read_exact(&mut begin)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if begin != METHOD_FRAME || length > FRAME_BYTES_MAX {
        return Err(Error::other("this is not how a broker begins"));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    if !payload.starts_with(&START) {
        return Err(Error::other("this is not how a broker greets"));
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&METHOD_FRAME[..], &length, payload, b"\xce"].concat()
    }

    #[test]
    fn a_greeting_tells_whose_it_is() {
        let payload = [&START[..], b"...cluster_name...assay-7@here..."].concat();
        let greeting = read(&mut &frame(&payload)[..]).unwrap();
        assert!(is_of(&greeting, "assay-7"));
        assert!(!is_of(&greeting, "assay-77"));
        assert!(!is_of(&greeting, "say-8"));
    }

    #[test]
    fn what_is_no_greeting_is_refused() {
        assert!(read(&mut &b"HTTP/1.1 400 Bad Request"[..]).is_err());
        assert!(read(&mut &b"AMQP\x00\x00\x09\x01"[..]).is_err());
        assert!(read(&mut &frame(&[0, 10, 0, 50])[..]).is_err());
    }

    #[test]
    fn the_longest_frame_is_read_and_one_byte_more_is_not() {
        let longest = [&START[..], &vec![0; FRAME_BYTES_MAX - START.len()]].concat();
        assert!(read(&mut &frame(&longest)[..]).is_ok());
        assert!(read(&mut &frame(&[&longest[..], &[0]].concat())[..]).is_err());
    }
}
