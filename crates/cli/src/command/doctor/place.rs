//! Where a server would live: its folder, its disk, its ports.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::check::Check;
use super::folder::{Folder, existing, look_at};
use crate::terminal::plain;

const MIB: u64 = 1024 * 1024;
/// Less room than this is worth a word, in bytes.
const SPACE_GOOD_BYTES: u64 = 1024 * MIB;
/// With less room than this a server soon refuses jobs, in bytes.
const SPACE_MIN_BYTES: u64 = 64 * MIB;

/// The data folder: whether a server could open it. One that runs has it.
pub(crate) fn data_folder(folder: &Path, running: bool) -> Check {
    let name = "data folder";
    let place = plain(&folder.display().to_string());
    match look_at(folder) {
        Folder::Missing => Check::ok(name, &format!("{place} will be made")),
        Folder::Free => Check::ok(name, &format!("{place} is there and free")),
        Folder::InUse if running => {
            Check::ok(name, &format!("{place} is in use by the server that runs"))
        }
        Folder::InUse => Check::fail(
            name,
            &format!("{place} is in use by another process"),
            "stop that, or choose another with --data-dir",
        ),
        Folder::Unusable(why) => Check::fail(
            name,
            &format!("{place} cannot be used ({})", plain(&why)),
            "mend that, or choose another with --data-dir",
        ),
    }
}

/// Room on the disk that holds the data folder, or will hold it.
pub(crate) fn disk_space(folder: &Path) -> Check {
    let name = "disk space";
    match fs4::available_space(existing(folder)) {
        Ok(bytes) => disk_space_of(bytes),
        Err(error) => Check::warn(name, &format!("cannot be read ({error})"), ""),
    }
}

fn disk_space_of(bytes: u64) -> Check {
    let name = "disk space";
    let finding = format!("{} MiB are left for the data folder", bytes / MIB);
    let mend = "make room, or choose a folder on another disk with --data-dir";
    if bytes >= SPACE_GOOD_BYTES {
        Check::ok(name, &finding)
    } else if bytes >= SPACE_MIN_BYTES {
        Check::warn(name, &finding, mend)
    } else {
        Check::fail(name, &finding, mend)
    }
}

/// A port that a server would listen on: free, or held by a server of ours.
pub(crate) async fn port<Ours>(
    name: &'static str,
    address: &str,
    option: &str,
    is_ours: impl FnOnce(SocketAddr) -> Ours,
) -> Check
where
    Ours: Future<Output = bool>,
{
    if address.is_empty() {
        return Check::ok(name, "is turned off");
    }
    let Ok(parsed) = address.parse::<SocketAddr>() else {
        let finding = format!("`{}` is no address", plain(address));
        return Check::fail(name, &finding, "write it like 127.0.0.1:7400");
    };
    let error = match TcpListener::bind(parsed) {
        Ok(_) => return Check::ok(name, &format!("{parsed} is free")),
        Err(error) => error,
    };
    if error.kind() == ErrorKind::AddrInUse && is_ours(parsed).await {
        let finding =
            format!("{parsed} is taken by a server of Assay, as it should be while one runs");
        return Check::ok(name, &finding);
    }
    Check::fail(
        name,
        &format!("{parsed} cannot be listened on ({error})"),
        &format!("stop what listens there, or choose another with {option}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    #[test]
    fn little_room_warns_and_very_little_fails() {
        let status = |bytes| disk_space_of(bytes).status;
        assert_eq!(
            [status(SPACE_GOOD_BYTES), status(SPACE_GOOD_BYTES - 1)],
            [Status::Ok, Status::Warn]
        );
        assert_eq!(
            [status(SPACE_MIN_BYTES), status(SPACE_MIN_BYTES - 1)],
            [Status::Warn, Status::Fail]
        );
    }

    #[tokio::test]
    async fn a_taken_port_is_well_only_if_it_is_ours() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let status = async |address: &str, ours: bool| {
            let is_ours = |_| std::future::ready(ours);
            port("API port", address, "--listen", is_ours).await.status
        };
        let named = address.to_string();
        assert_eq!(status(&named, true).await, Status::Ok);
        assert_eq!(status(&named, false).await, Status::Fail);
        drop(taken);
        assert_eq!(status(&named, false).await, Status::Ok);
        assert_eq!(status("nonsense", true).await, Status::Fail);
        assert_eq!(status("", false).await, Status::Ok);
    }
}
