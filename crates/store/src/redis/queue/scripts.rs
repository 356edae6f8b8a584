//! The scripts of the queue.

use std::sync::LazyLock;

use crate::redis::script::{Room, Script};

/// Takes entries.
pub(super) static TAKE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("take.lua")));
/// Forgets entries.
pub(super) static ACKNOWLEDGE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("acknowledge.lua")));
/// Settles entries.
pub(super) static SETTLE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("settle.lua")));
/// Adds an envelope that no record holds: it brings new work.
pub(super) static PUBLISH: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::Needed, include_str!("publish.lua")));
/// Tells what the streams hold.
pub(super) static SURVEY: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("survey.lua")));
/// Forgets consumers that left.
pub(super) static LEAVE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("leave.lua")));
/// Puts leases where the reaper finds them.
pub(super) static NOTE_LEASES: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        Room::NotNeeded,
        "redis.call('ZADD', KEYS[1], 'NX', unpack(ARGV))",
    )
});
/// Finds entries that are held and not touched.
pub(super) static IDLE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("idle.lua")));
