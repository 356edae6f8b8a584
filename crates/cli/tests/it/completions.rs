use std::process::{Command, Stdio};

use crate::program::Home;

#[test]
fn a_shell_reads_the_script() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let printed = home.run(&["completions", shell]);
        assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
        assert!(printed.out.contains("dead-letters"), "{shell}");
    }
    let script = home.run(&["completions", "bash"]).out;
    let script = home.write("completions.bash", script.as_bytes());
    let offered = "source \"$1\"; COMP_WORDS=(assay dead-letters re); COMP_CWORD=2; \
                   _assay assay re dead-letters; echo \"${COMPREPLY[@]}\"";
    let completed = Command::new("bash")
        .args(["-c", offered, "bash", &script])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let offered = String::from_utf8(completed.stdout).unwrap();
    assert_eq!(offered.trim(), "redrive");
}
