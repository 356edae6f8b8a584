//! A process and those that it started: some run their jobs in children.

use std::collections::BTreeSet;

use anyhow::Context;

use crate::process;

/// Where the parent stands in a stat line, behind the name.
const PARENT: usize = 1;

/// CPU seconds that a process and all below it have used, user and system. Those that have ended do not count: what
/// runs jobs stays.
///
/// # Errors
/// When it does not run.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let mut seconds = process::cpu_seconds(pid)?;
    for child in below(pid, &parents()?) {
        // It may have ended just now.
        seconds += process::cpu_seconds(child).unwrap_or(0.0);
    }
    Ok(seconds)
}

/// All processes that descend from `pid`.
///
/// # Errors
/// When the system does not tell.
pub fn descendants(pid: u32) -> anyhow::Result<BTreeSet<u32>> {
    Ok(below(pid, &parents()?))
}

/// Every process of the machine with its parent.
fn parents() -> anyhow::Result<Vec<(u32, u32)>> {
    let entries = std::fs::read_dir("/proc").context("list the processes")?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = names.filter_map(|name| name.parse().ok());
    let with_parent = |pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, parent_in(&stat)?))
    };
    Ok(pids.filter_map(with_parent).collect())
}

/// All that descend from `pid`.
fn below(pid: u32, parents: &[(u32, u32)]) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut generation = vec![pid];
    while let Some(parent) = generation.pop() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        for (child, _) in children {
            if found.insert(*child) {
                generation.push(*child);
            }
        }
    }
    found
}

fn parent_in(stat: &str) -> Option<u32> {
    // The name is in brackets and may hold anything, brackets too.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(PARENT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_family_is_all_that_descend_from_one() {
        let parents = [(2, 1), (3, 2), (4, 3), (5, 1), (6, 7)];
        assert_eq!(below(2, &parents), BTreeSet::from([3, 4]));
        assert_eq!(below(1, &parents), BTreeSet::from([2, 3, 4, 5]));
        assert!(below(4, &parents).is_empty());
        assert_eq!(parent_in("12 (a (b) c) S 77 12 12 0"), Some(77));
    }

    #[test]
    fn a_child_is_found_and_counted() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let here = std::process::id();
        assert!(below(here, &parents().unwrap()).contains(&child.id()));
        assert!(cpu_seconds(here).unwrap() >= 0.0);
        assert!(cpu_seconds(0).is_err());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
