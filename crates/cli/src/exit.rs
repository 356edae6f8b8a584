//! Exit codes. Scripts rely on them: a number is never given another meaning.

use std::process::ExitCode;

/// All went well.
pub(crate) const OK: u8 = 0;
/// A wrong command line, a file that cannot be read, a server that does not answer or refuses.
pub(crate) const TROUBLE: u8 = 1;
/// `verify`: something is synthetic, manipulated or altered after signing.
pub(crate) const SUSPICIOUS: u8 = 2;
/// A job ended without a result.
pub(crate) const JOB_FAILED: u8 = 3;

/// What `assay verify --help` says about them.
pub(crate) const VERIFY_HELP: &str = "\
Exit codes:
  0  every file was verified and none looks suspicious
  1  wrong usage, a file that cannot be read, trouble with the server, a report that cannot be written,
     or results that nobody read
  2  at least one file is synthetic, manipulated or altered after signing
  3  at least one job ended without a result
If several apply, the code is the first of 2, 3, 1 that does: a finding is never hidden.
130 and 143 mean that SIGINT or SIGTERM stopped the command.";

/// What `assay calibrate --help` says about the folder and about them.
pub(crate) const CALIBRATE_HELP: &str = "\
The folder, of which one class is needed and one of the others is of use:
  FOLDER/authentic    photographs that nobody changed, as many as there are: they bound all weights
  FOLDER/manipulated  files that were changed in places, in the ways that are to be found
  FOLDER/synthetic    files that a generator made
Files lie in these folders directly or deeper; hidden files and links are passed over. What is written
holds counts and hashes, no picture. It is good for files like these, and for the rules of this version.

Exit codes:
  0  the calibration was written; what was skipped is told
  1  wrong usage, a folder without the files that are needed, or a file that cannot be written
130 and 143 mean that SIGINT or SIGTERM stopped the command; nothing was written then.";

/// What the help of commands about single jobs says.
pub(crate) const JOB_HELP: &str = "\
Exit codes:
  0  all went well
  1  wrong usage, or trouble with the server
  3  the job ended without a result";

/// What the help of all other commands says.
pub(crate) const PLAIN_HELP: &str = "\
Exit codes:
  0  all went well
  1  wrong usage, or trouble with the server";

/// What the help of commands says that go through many things.
pub(crate) const MANY_HELP: &str = "\
Exit codes:
  0  all went well
  1  wrong usage, trouble with the server, or something was left as it is; what and why is told";

/// What `assay dev --help` says.
pub(crate) const DEV_HELP: &str = "\
Exit codes:
  0    stopped in order, by SIGTERM, Ctrl-C or SIGINT
  1    wrong usage, or it could not start or go on; one sentence says why
  78   the configuration is wrong; one sentence says what to change
  130  a second SIGINT stopped it at once
  143  a second SIGTERM stopped it at once";

/// What several files came to, as one exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Verified and suspicious.
    pub(crate) suspicious: usize,
    /// Jobs without a result.
    pub(crate) failed: usize,
    /// Files that never became a job's result for other reasons.
    pub(crate) trouble: usize,
}

impl Tally {
    /// The code that [`VERIFY_HELP`] promises.
    pub(crate) fn code(self) -> u8 {
        if self.suspicious > 0 {
            SUSPICIOUS
        } else if self.failed > 0 {
            JOB_FAILED
        } else if self.trouble > 0 {
            TROUBLE
        } else {
            OK
        }
    }
}

/// The code of a command that ended, for the operating system.
pub(crate) fn code(code: u8) -> ExitCode {
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_never_hidden_by_trouble_elsewhere() {
        let tally = |suspicious, failed, trouble| {
            let tally = Tally {
                suspicious,
                failed,
                trouble,
            };
            tally.code()
        };
        assert_eq!(tally(0, 0, 0), OK);
        assert_eq!(tally(0, 0, 7), TROUBLE);
        assert_eq!(tally(0, 1, 7), JOB_FAILED);
        assert_eq!(tally(1, 1, 7), SUSPICIOUS);
    }
}
