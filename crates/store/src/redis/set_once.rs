//! Values that are written once and then only read: when the store began, how many groups there are.

use std::sync::LazyLock;

use super::link::{Link, LinkError};
use super::record::bytes;
use super::script::{Room, Script};

/// A process must be able to start when there is no memory left: it may be the one that ends jobs.
static SET_ONCE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("set_once.lua")));

/// Writes `value` to each of `keys` that has none; answers what the first of them has.
pub(super) async fn set_once(
    link: &Link,
    keys: &[&str],
    value: impl redis::ToRedisArgs,
) -> Result<String, LinkError> {
    let mut call = SET_ONCE.call(keys.iter().copied());
    call.arg(value);
    let first = link.run(&SET_ONCE, &call).await?;
    let first = bytes(&first).and_then(|first| std::str::from_utf8(first).ok());
    let none = || LinkError::Unsent("it does not keep what it is told".into());
    first.map(str::to_owned).ok_or_else(none)
}
