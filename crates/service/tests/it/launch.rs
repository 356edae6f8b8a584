use std::collections::BTreeMap;
use std::ffi::OsString;

use assay_service::bootstrap::{EXIT_CONFIG, EXIT_USAGE, Terminal, launch};
use assay_service::{BoxError, Context};

use crate::process::PROBE;

/// Exit code, standard output and standard error of a service binary.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let map = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    let environment: BTreeMap<String, String> = variables.iter().map(map).collect();
    let mut terminal = Terminal {
        out: &mut out,
        err: &mut err,
    };
    let arguments = arguments.iter().map(OsString::from);
    let program = |context: Context| async move {
        // Once it has begun, nothing that it did not ask for holds readiness back.
        tokio::task::yield_now().await;
        assert!(context.readiness.is_ready());
        Ok::<(), BoxError>(())
    };
    let code = launch(&PROBE, arguments, environment, &mut terminal, program);
    (
        code,
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

#[test]
fn a_configuration_is_checked_down_to_what_only_the_component_knows() {
    let (code, out, _) = run(&["--check-config"], &[]);
    assert_eq!((code, out.as_str()), (0, "the configuration is usable\n"));
    let (code, _, err) = run(&["--check-config"], &[("ASSAY__PROBE__SIZE", "0")]);
    let sentence = "probe: `probe.size` must be at least 1, but environment variable ASSAY__PROBE__SIZE \
                    holds 0\n";
    assert_eq!((code, err.as_str()), (EXIT_CONFIG, sentence));
    let (code, _, err) = run(&[], &[("ASSAY__ADMIN__LISTEN", "0.0.0.0:1")]);
    assert_eq!(code, EXIT_CONFIG);
    assert!(err.contains("unless `admin.bearer_token` is set"), "{err}");
}

#[test]
fn a_configuration_is_printed_without_secrets() {
    let (code, out, _) = run(
        &["--print-config"],
        &[("ASSAY__ADMIN__BEARER_TOKEN", "s3cret")],
    );
    assert_eq!(code, 0);
    assert!(out.contains("probe.size = 3  # the default\n"), "{out}");
    assert!(
        out.contains("ASSAY__ADMIN__BEARER_TOKEN") && !out.contains("s3cret"),
        "{out}"
    );
}

#[test]
fn a_wrong_command_line_is_told_in_one_sentence() {
    let (code, _, err) = run(&["--port=1"], &[]);
    assert_eq!(
        (code, err.as_str()),
        (
            EXIT_USAGE,
            "probe: there is no option `--port=1`; see --help\n"
        )
    );
    assert!(run(&["--help"], &[]).1.contains("--check-config"));
    assert_eq!(run(&["--version"], &[]).1, "probe 1.2.3\n");
}

// One test only: the globals of a process can be taken once.
#[test]
fn a_whole_process_runs_and_a_taken_port_stops_the_next() {
    assert_eq!(run(&[], &[("ASSAY__ADMIN__LISTEN", "127.0.0.1:0")]).0, 0);
    let (code, _, err) = run(&[], &[("ASSAY__ADMIN__LISTEN", "127.0.0.1:0")]);
    assert_eq!(
        (code, err.as_str()),
        (
            1,
            "probe: install the log subscriber: another one is installed\n"
        )
    );
}

#[cfg(not(feature = "failpoints"))]
#[test]
fn a_build_without_failpoints_refuses_to_be_told_of_any() {
    let armed = ("ASSAY__FAILPOINTS__ARMED", "submit.recorded=abort");
    let (code, _, err) = run(&["--check-config"], &[armed]);
    assert_eq!(code, EXIT_CONFIG);
    assert!(err.contains("ASSAY__FAILPOINTS__ARMED"), "{err}");
}

#[cfg(feature = "failpoints")]
#[test]
fn a_build_with_failpoints_checks_what_is_armed() {
    let check = |plan| run(&["--check-config"], &[("ASSAY__FAILPOINTS__ARMED", plan)]);
    assert_eq!(check("submit.recorded=abort,settle.between=pause@3").0, 0);
    let (code, _, err) = check("submit.recorded=skip");
    assert_eq!(code, EXIT_CONFIG);
    assert!(err.contains("`failpoints.armed` must be a plan"), "{err}");
}
