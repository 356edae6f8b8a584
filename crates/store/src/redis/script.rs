//! Scripts that run inside Redis. Each is one atomic step, or a batch of them.

use std::sync::LazyLock;

use redis::Cmd;

use super::keys::entry;
use super::record::FIELDS;

/// What a script may do when Redis has no memory left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Room {
    /// Run all the same: what ends, frees or keeps work must not fail for want of memory.
    NotNeeded,
    /// Be refused: it brings new work.
    Needed,
}

/// A script, and the name that Redis knows it by.
#[derive(Debug)]
pub(crate) struct Script {
    code: String,
    sha: String,
}

impl Script {
    /// A script of `body`, which knows the fields of records and of entries by their
    /// names in capitals.
    pub(crate) fn new(room: Room, body: &str) -> Self {
        let flags = match room {
            Room::NotNeeded => "#!lua flags=allow-oom",
            Room::Needed => "#!lua",
        };
        let code = format!("{flags}\n{}\n{body}", fields());
        let sha = redis::Script::new(&code).get_hash().to_owned();
        Self { code, sha }
    }

    /// The text that Redis is given once.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// A call of the script for these keys. Its arguments go behind.
    pub(crate) fn call<'a>(&self, keys: impl ExactSizeIterator<Item = &'a str>) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.sha).arg(keys.len());
        for key in keys {
            call.arg(key);
        }
        call
    }
}

fn fields() -> String {
    let names = "REVISION, JOB, CHANGED, ENVELOPE, DEADLINE_MS, CHECKPOINT, TOMBSTONE, \
        ENTRY_JOB_ID, ENTRY_GENERATION";
    let of_entries = [entry::JOB_ID, entry::GENERATION];
    let fields = FIELDS.iter().chain(&of_entries);
    let fields: Vec<_> = fields.map(|field| format!("'{field}'")).collect();
    format!("local {names} = {}", fields.join(", "))
}

/// The script of the committer.
pub(crate) fn commit(room: Room) -> &'static Script {
    static FREE: LazyLock<Script> =
        LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("commit.lua")));
    static BOUND: LazyLock<Script> =
        LazyLock::new(|| Script::new(Room::Needed, include_str!("commit.lua")));
    match room {
        Room::NotNeeded => &FREE,
        Room::Needed => &BOUND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_work_needs_room() {
        assert!(
            commit(Room::NotNeeded)
                .code()
                .starts_with("#!lua flags=allow-oom\n")
        );
        assert!(commit(Room::Needed).code().starts_with("#!lua\n"));
        assert_ne!(commit(Room::NotNeeded).sha, commit(Room::Needed).sha);
    }

    #[test]
    fn a_call_names_its_keys() {
        let call = commit(Room::Needed).call(["a", "b"].into_iter());
        let packed = String::from_utf8(call.get_packed_command()).unwrap();
        assert!(
            packed.starts_with("*5\r\n$7\r\nEVALSHA\r\n$40\r\n"),
            "{packed}"
        );
        assert!(
            packed.ends_with("$1\r\n2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            "{packed}"
        );
    }
}
