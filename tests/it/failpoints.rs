//! No released binary can be stopped or misled on purpose.

use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// The crate that can do it, and the feature that lets it in.
const CRATE: &str = "assay-failpoint";
const FEATURE: &str = "failpoints";
/// It names failpoints, in order to arm those of other programs, and has none.
const NAMES_THEM: &str = "assay-bench";

/// What Cargo would build here of the whole workspace. What only other platforms need, no build has downloaded.
fn resolved(options: &[&str]) -> Metadata {
    let here = ["--offline", "--filter-platform", "host-tuple"];
    let options = here.iter().chain(options);
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .other_options(options.map(ToString::to_string).collect::<Vec<_>>())
        .exec()
        .expect("resolve the workspace")
}

/// The packages that would hold failpoints.
fn faulty(metadata: &Metadata) -> Vec<String> {
    let resolve = metadata.resolve.as_ref().expect("features are resolved");
    let holds = |node: &&cargo_metadata::Node| {
        let armed = node
            .features
            .iter()
            .any(|feature| feature.as_str() == FEATURE);
        armed
            || node
                .deps
                .iter()
                .any(|dependency| dependency.name == CRATE.replace('-', "_"))
    };
    let holding = resolve.nodes.iter().filter(holds);
    let packages = holding.map(|node| metadata[&node.id].name.to_string());
    packages.filter(|name| name != NAMES_THEM).collect()
}

#[test]
fn an_ordinary_build_holds_no_failpoint() {
    let found = faulty(&resolved(&[]));
    assert!(
        found.is_empty(),
        "these hold failpoints without being asked: {found:#?}"
    );
    // The same look finds them where they are asked for, so it can fail.
    let found = faulty(&resolved(&["--all-features"]));
    for package in [
        "assay-core",
        "assay-service",
        "assay-worker-runtime",
        "assay-gateway",
        "assay-store",
    ] {
        assert!(
            found.iter().any(|name| name == package),
            "{package} has no failpoints to leave out: {found:#?}"
        );
    }
}

#[test]
fn nobody_takes_failpoints_by_default() {
    for package in &resolved(&[]).packages {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.name == CRATE)
        {
            assert!(
                dependency.optional || package.name == NAMES_THEM,
                "{} takes {CRATE} always",
                package.name
            );
        }
        let default = package.features.get("default").into_iter().flatten();
        let lets_in = default.filter(|feature| feature.contains(FEATURE));
        if package.name.starts_with("assay-") {
            assert_eq!(
                lets_in.count(),
                0,
                "{} lets failpoints in by default",
                package.name
            );
        }
    }
}

/// The released programs that boot as every service does.
const SERVICES: [&str; 3] = ["gateway", "scheduler", "verification-worker"];
/// Exit code of a configuration that can't be used.
const EXIT_CONFIG: i32 = 78;

#[test]
fn a_released_program_that_is_told_of_failpoints_refuses_to_start() {
    for service in SERVICES {
        let program = e2e::program(service).unwrap();
        let told = Command::new(program)
            .env("ASSAY__FAILPOINTS__ARMED", "submit.recorded=abort")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&told.stderr);
        assert_eq!(told.status.code(), Some(EXIT_CONFIG), "{service}: {said}");
        assert!(said.contains("failpoints"), "{service}: {said}");
    }
}
