//! Ports for servers that must come back on the one they had.
//!
//! They lie below the range from which the system takes the ports of outgoing connections: while a server is
//! down, a client that tries again and again could otherwise be given its port, and meet itself.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

/// The lowest port that is handed out.
const PORT_MIN: u16 = 20_000;
/// How many there are.
const PORTS: u32 = 12_000;
/// Between the first choices of two processes of neighbouring ids; has no factor in common with [`PORTS`].
const STRIDE: u32 = 37;

/// A port of loopback that nobody listens on, and that this process was not given before.
///
/// # Errors
/// When all are taken.
pub fn free() -> anyhow::Result<u16> {
    static HANDED_OUT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..PORTS {
        let number = HANDED_OUT.fetch_add(1, Ordering::Relaxed);
        let port = nth(std::process::id(), number);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    None.with_context(|| format!("no port is free from {PORT_MIN} on, of {PORTS}"))
}

/// The port that a process tries as its `number`-th.
fn nth(pid: u32, number: u32) -> u16 {
    let offset = pid.wrapping_mul(STRIDE).wrapping_add(number) % PORTS;
    u16::try_from(offset).map_or(PORT_MIN, |offset| PORT_MIN.saturating_add(offset))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_process_tries_every_port_once() {
        let tried: BTreeSet<u16> = (0..PORTS).map(|number| nth(4711, number)).collect();
        assert_eq!(tried.len(), 12_000);
        assert_eq!(tried.first(), Some(&20_000));
        assert_eq!(tried.last(), Some(&31_999));
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let one = free().unwrap();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, one)).unwrap();
        let others: BTreeSet<u16> = (0..50).map(|_| free().unwrap()).collect();
        assert_eq!(others.len(), 50);
        assert!(!others.contains(&one));
    }
}
