//! The processes that a process started, as the system sees them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// What `/proc/net/tcp` calls a socket that listens.
const LISTENS: &str = "0A";
/// How it writes 127.0.0.1, and `/proc/net/tcp6` writes `::1`.
const LOOPBACK: [&str; 2] = ["0100007F", "00000000000000000000000001000000"];

/// A process and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) pid: u32,
    pub(crate) name: String,
}

impl Member {
    /// The value of one of the variables that it was started with.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let mut pairs = environment
            .split('\0')
            .filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(value.to_owned())
    }

    /// The numbers of its sockets.
    fn sockets(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(format!("/proc/{}/fd", self.pid)) else {
            return Vec::new();
        };
        let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        let number = |target: PathBuf| {
            let target = target.to_str()?.to_owned();
            let number = target.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(number.to_owned())
        };
        targets.filter_map(number).collect()
    }
}

/// Everything that a process started, and what that started.
pub(crate) fn descendants(of: u32) -> Vec<Member> {
    let processes = fs::read_dir("/proc").unwrap();
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let all: Vec<(Member, u32)> = pids.filter_map(about).collect();
    let mut found = BTreeSet::from([of]);
    loop {
        let children = all.iter().filter(|(_, parent)| found.contains(parent));
        let more: BTreeSet<u32> = children.map(|(child, _)| child.pid).collect();
        if more.is_subset(&found) {
            break;
        }
        found.extend(more);
    }
    found.remove(&of);
    let members = all.into_iter().map(|(member, _)| member);
    members
        .filter(|member| found.contains(&member.pid))
        .collect()
}

/// Addresses, as the system writes them, at which these listen for others than this machine, and how many they have
/// in all.
pub(crate) fn open_to_others(members: &[Member]) -> (Vec<String>, usize) {
    let sockets: BTreeSet<String> = members.iter().flat_map(Member::sockets).collect();
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap());
    let mut addresses = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines().skip(1)) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, state, socket) = (fields[1], fields[3], fields[9]);
        if state == LISTENS && sockets.contains(socket) {
            addresses.push(address.to_owned());
        }
    }
    let all = addresses.len();
    addresses.retain(|address| {
        let (host, _) = address.split_once(':').unwrap();
        !LOOPBACK.contains(&host)
    });
    (addresses, all)
}

/// A process and the id of its parent; nothing if it has ended meanwhile.
fn about(pid: u32) -> Option<(Member, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (begin, rest) = stat.rsplit_once(") ")?;
    let (_, name) = begin.split_once('(')?;
    let parent = rest.split(' ').nth(1)?.parse().ok()?;
    let name = name.to_owned();
    Some((Member { pid, name }, parent))
}
