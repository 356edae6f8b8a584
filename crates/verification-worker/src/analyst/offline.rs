//! Keeps a process from the network: the kernel refuses it every socket (seccomp(2), mode filter).
//!
//! A child has no socket when it begins, so without a new one it reaches nobody: neither the network nor a server of this
//! machine.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads,
};

/// What is refused. A ring takes calls to the kernel past every filter, a socket among them.
const REFUSED: [libc::c_long; 2] = [libc::SYS_socket, libc::SYS_io_uring_setup];

/// Puts the filter on all threads of this process, and on what they start, for good.
pub(super) fn go_offline() -> Result<(), Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    // A call without conditions is refused whatever its arguments are.
    let calls: BTreeMap<_, _> = REFUSED.map(|call| (call, Vec::new())).into();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    apply_filter_all_threads(&program)
}
