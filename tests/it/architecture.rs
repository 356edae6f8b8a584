//! Who may use whom. The layers of ARCHITECTURE.md, held against the manifests.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Our crates by layer; a crate uses lower layers only.
const LAYERS: [(&str, u8); 19] = [
    // Below the words, because rules can be forgotten on purpose too.
    ("assay-failpoint", 0),
    ("assay-core", 1),
    ("assay-forensics", 1),
    ("assay-api", 1),
    ("assay-tls", 1),
    ("assay-queue", 2),
    ("assay-store", 2),
    ("assay-blob", 2),
    ("assay-provenance", 2),
    ("assay-service", 2),
    ("assay-worker-runtime", 3),
    ("assay-detectors", 3),
    ("assay-backend", 3),
    ("assay-gateway", 4),
    ("assay-scheduler", 4),
    ("assay-verification-worker", 4),
    ("assay-embedded", 5),
    ("assay-cli", 6),
    // May be used by tests of any layer, so it stands right above the words.
    ("assay-test-support", 2),
];

/// Crates for developers. They may use everything; no product crate uses them outside of its tests.
const DEVELOPMENT: [&str; 7] = [
    "assay-probe",
    "assay-bench",
    "assay-corpus",
    "assay-demo",
    "assay-faulty",
    "assay-test-support",
    "e2e",
];

/// Client libraries, and the only product crates that may name them. Crates for developers may too: the bench speaks to
/// Redis and to RabbitMQ bare, to know how fast they are with nothing of ours in between.
const HOMES: [(&str, &[&str]); 22] = [
    ("lapin", &["assay-queue"]),
    ("async-rs", &["assay-queue"]),
    ("async-compat", &["assay-queue"]),
    ("redis", &["assay-store"]),
    ("deadpool-redis", &["assay-store"]),
    ("redb", &["assay-store"]),
    ("object_store", &["assay-blob"]),
    ("image", &["assay-forensics", "assay-detectors"]),
    ("rustfft", &["assay-forensics"]),
    ("c2pa", &["assay-provenance"]),
    ("rten", &["assay-detectors"]),
    ("rustls", &["assay-tls"]),
    ("rustls-native-certs", &["assay-tls"]),
    ("tokio-rustls", &["assay-tls"]),
    ("opentelemetry", &["assay-service"]),
    ("opentelemetry-otlp", &["assay-service"]),
    ("tracing-subscriber", &["assay-service"]),
    ("config", &["assay-service"]),
    ("metrics-exporter-prometheus", &["assay-service"]),
    ("clap", &["assay-cli"]),
    ("indicatif", &["assay-cli"]),
    (
        "tonic",
        &[
            "assay-api",
            "assay-gateway",
            "assay-scheduler",
            "assay-detectors",
            "assay-cli",
        ],
    ),
];

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("read the workspace's manifests")
}

fn is_development(package: &str) -> bool {
    DEVELOPMENT.contains(&package)
}

/// What a package uses when it runs: tests and build scripts left out.
fn uses(package: &Package) -> impl Iterator<Item = &str> {
    let normal =
        |dependency: &&cargo_metadata::Dependency| dependency.kind == DependencyKind::Normal;
    package
        .dependencies
        .iter()
        .filter(normal)
        .map(|dependency| dependency.name.as_str())
}

#[test]
fn every_crate_has_a_place() {
    let layers = BTreeMap::from(LAYERS);
    for package in &workspace().packages {
        let name = package.name.as_str();
        assert!(
            layers.contains_key(name) || is_development(name),
            "give {name} a layer here and in ARCHITECTURE.md"
        );
    }
}

#[test]
fn a_crate_uses_lower_layers_only() {
    let layers = BTreeMap::from(LAYERS);
    for package in &workspace().packages {
        let Some(layer) = layers.get(package.name.as_str()) else {
            continue;
        };
        for used in uses(package) {
            if let Some(below) = layers.get(used) {
                assert!(
                    below < layer,
                    "{} (layer {layer}) uses {used} (layer {below})",
                    package.name
                );
            }
        }
    }
}

#[test]
fn no_product_crate_uses_a_development_crate() {
    for package in &workspace().packages {
        if is_development(&package.name) {
            continue;
        }
        for used in uses(package) {
            assert!(
                !is_development(used),
                "{} uses {used}, which is for tests",
                package.name
            );
        }
    }
}

#[test]
fn each_client_library_has_one_home() {
    let homes = BTreeMap::from(HOMES);
    for package in &workspace().packages {
        if is_development(&package.name) {
            continue;
        }
        for used in uses(package) {
            if let Some(allowed) = homes.get(used) {
                assert!(
                    allowed.contains(&package.name.as_str()),
                    "{} names {used}",
                    package.name
                );
            }
        }
    }
}
