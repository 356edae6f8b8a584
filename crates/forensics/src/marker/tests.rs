use super::*;
use crate::metadata::{Exif, Place, Xmp};

const A1111: &str = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, \
                     Size: 512x512, Model hash: 6ce0161689";

fn text(place: Place, key: &str, value: &str) -> Metadata {
    Metadata {
        texts: vec![Text {
            place,
            key: key.to_owned(),
            value: value.to_owned(),
        }],
        ..Metadata::default()
    }
}

fn rules(metadata: &Metadata) -> Vec<String> {
    markers(metadata)
        .hits
        .into_iter()
        .map(|hit| hit.rule_id)
        .collect()
}

fn log10_synthetic(metadata: &Metadata) -> f64 {
    let evidence = markers(metadata).evidence;
    evidence
        .iter()
        .map(|item| item.log10_lr().synthetic)
        .fold(0.0, f64::max)
}

#[test]
fn forms_of_generators_are_known_by_their_form() {
    let prompt = r#"{"3":{"inputs":{"seed":1},"class_type":"KSampler"}}"#;
    let workflow = r#"{"nodes":[{"id":1,"type":"KSampler"}],"links":[]}"#;
    let table = [
        (Place::Png, "parameters", A1111, "sd_parameters"),
        (Place::Exif, "UserComment", A1111, "sd_parameters"),
        (Place::JpegComment, "COM", A1111, "sd_parameters"),
        (Place::Png, "prompt", prompt, "comfyui_graph"),
        (Place::Png, "workflow", workflow, "comfyui_graph"),
        (
            Place::Png,
            "invokeai_metadata",
            r#"{"seed":1}"#,
            "invokeai_metadata",
        ),
        (
            Place::Png,
            "sd-metadata",
            r#"{"model":"x"}"#,
            "invokeai_metadata",
        ),
        (
            Place::Png,
            "Dream",
            "\"a cat\" -s 50 -S 123",
            "invokeai_metadata",
        ),
        (Place::Png, "Software", "NovelAI", "novelai"),
        (Place::Png, "fooocus_scheme", "fooocus", "fooocus_scheme"),
        (
            Place::Png,
            "Description",
            "a cat --v 6 Job ID: 0a1b2c3d-0000-1111-2222-333344445555",
            "midjourney_job",
        ),
        (
            Place::Xmp,
            "Credit",
            "Made with Google AI",
            "google_ai_credit",
        ),
    ];
    for (place, key, value, rule) in table {
        let metadata = text(place, key, value);
        assert!(rules(&metadata).contains(&rule.to_owned()), "{rule} {key}");
        assert_eq!(log10_synthetic(&metadata), FORM_LOG10, "{rule}");
    }
}

#[test]
fn graph_in_exif_has_its_name_before_it() {
    let value = r#"prompt:{"3":{"class_type":"KSampler"}}"#;
    assert_eq!(rules(&text(Place::Exif, "Make", value)), ["comfyui_graph"]);
}

#[test]
fn what_only_resembles_a_form_is_no_hit() {
    let table = [
        (Place::Png, "parameters", "Steps: 20, Seed: 1"),
        (Place::Png, "prompt", "a cat"),
        (Place::Png, "prompt", r#"{"3":{"class_type":7}}"#),
        (Place::Png, "prompt", r#"{"3":"#),
        (Place::Png, "workflow", r#"{"nodes":[],"links":[]}"#),
        (Place::Png, "invokeai_metadata", "no json"),
        (Place::Png, "Description", "Job ID: unknown"),
        (
            Place::Png,
            "Description",
            "Job ID: 0a1b2c3d-0000-1111-2222-33334444555é",
        ),
        (
            Place::Exif,
            "ImageDescription",
            "Scan 7 Job ID: 0a1b2c3d-0000-1111-2222-333344445555",
        ),
        (
            Place::Png,
            "Description",
            "a cat --v 6 Job ID: 0a1b2c3d-0000-1111-2222-333344445555, printed",
        ),
        (
            Place::Xmp,
            "description",
            "Screen with the fields Steps:, Sampler: and Seed: of a generator",
        ),
        (
            Place::Png,
            "Description",
            "drawn in the manner of Midjourney",
        ),
        (Place::Exif, "ImageDescription", "edited in Photoshop"),
        (Place::Xmp, "DigitalSourceType", "somethingElse"),
    ];
    for (place, key, value) in table {
        assert!(rules(&text(place, key, value)).is_empty(), "{key}: {value}");
    }
}

#[test]
fn three_settings_are_a_form_and_two_are_not() {
    let all = [
        "Steps: 1",
        "Sampler: a",
        "CFG scale: 7",
        "Seed: 1",
        "Model hash: b",
    ];
    for some in 0..all.len() {
        let metadata = text(Place::Png, "parameters", &all[..=some].join(", "));
        assert_eq!(
            !rules(&metadata).is_empty(),
            some + 1 >= 3,
            "{} settings",
            some + 1
        );
    }
}

#[test]
fn source_types_are_known_by_their_last_part() {
    let address = |term: &str| format!("http://cv.iptc.org/newscodes/digitalsourcetype/{term}");
    let table = [
        ("trainedAlgorithmicMedia", Implies::Generated, FORM_LOG10),
        ("algorithmicMedia", Implies::Generated, FORM_LOG10),
        (
            "compositeWithTrainedAlgorithmicMedia",
            Implies::PartlyGenerated,
            NAME_LOG10,
        ),
        ("digitalCapture", Implies::Camera, 0.0),
        ("minorHumanEdits", Implies::Edited, 0.0),
    ];
    for (term, implies, log10_lr) in table {
        let address = address(term);
        for value in [
            address.clone(),
            address.replace("http:", "https:"),
            term.to_owned(),
        ] {
            let metadata = text(Place::Xmp, "DigitalSourceType", &value);
            assert_eq!(markers(&metadata).hits[0].implies, implies, "{value}");
            assert_eq!(log10_synthetic(&metadata), log10_lr, "{value}");
        }
    }
}

#[test]
fn names_weigh_less_than_forms_and_editors_nothing() {
    let generator = text(Place::Exif, "Software", "Midjourney v6");
    assert_eq!(log10_synthetic(&generator), NAME_LOG10);
    let editor = text(Place::Xmp, "CreatorTool", "Adobe Photoshop 25.0 (Windows)");
    assert_eq!(rules(&editor), ["editor_name"]);
    assert_eq!(log10_synthetic(&editor), 0.0);
    let found = markers(&editor);
    assert_eq!(
        found.facts[0].detail,
        "xmp.CreatorTool: Adobe Photoshop 25.0 (Windows)"
    );
    // It lays out pages and cards, most of them without its generator.
    let layout = text(Place::Container, "Software", "Microsoft Designer");
    assert_eq!(rules(&layout), ["editor_name"]);
    let comment = text(Place::JpegComment, "COM", "Created with GIMP");
    assert_eq!(rules(&comment), ["editor_name"]);
}

#[test]
fn whom_people_credit_is_no_name_of_software() {
    for credit in [
        "Midjourney founder on stage / Handout",
        "Jane Doe, Microsoft Designer",
        "Photo: Canva",
    ] {
        let metadata = text(Place::Xmp, "Credit", credit);
        assert!(rules(&metadata).is_empty(), "{credit}");
    }
    let alone = text(Place::Xmp, "Credit", " Midjourney ");
    assert_eq!(log10_synthetic(&alone), NAME_LOG10);
}

#[test]
fn a_generator_in_a_history_made_a_part() {
    let metadata = text(Place::Xmp, "softwareAgent", "Adobe Firefly");
    let found = markers(&metadata);
    assert_eq!(found.hits[0].implies, Implies::PartlyGenerated);
    assert_eq!(log10_synthetic(&metadata), NAME_LOG10);
    let explain = &found.evidence[0].explain;
    assert!(
        explain.contains("has parts made by a generator"),
        "{explain}"
    );
}

#[test]
fn camera_and_edits_are_facts() {
    let metadata = Metadata {
        exif: Some(Exif {
            make: Some("Acme".to_owned()),
            model: Some("A1".to_owned()),
            ..Exif::default()
        }),
        xmp: Some(Xmp {
            has_camera_raw: true,
            actions: vec!["saved".to_owned()],
            ..Xmp::default()
        }),
        ..Metadata::default()
    };
    let found = markers(&metadata);
    assert_eq!(found.hits.len(), 3);
    assert_eq!(found.hits[0].excerpt, "Acme A1");
    assert!(
        found
            .evidence
            .iter()
            .all(|item| item.log10_lr() == LogRatios::default())
    );
}

#[test]
fn nothing_found_says_nothing() {
    let found = markers(&Metadata::default());
    assert_eq!(found.evidence.len(), 1);
    assert_eq!(found.evidence[0].finding, "none");
    assert_eq!(found.evidence[0].log10_lr(), LogRatios::default());
}

#[test]
fn hits_are_bounded_and_clean() {
    let texts = (0..=MARKERS_MAX).map(|number| Text {
        place: Place::Png,
        key: format!("key{number}"),
        value: format!("\u{1b}[31m{A1111}"),
    });
    let metadata = Metadata {
        texts: texts.collect(),
        ..Metadata::default()
    };
    let found = markers(&metadata);
    assert_eq!(found.hits.len(), MARKERS_MAX);
    assert!(!found.hits[0].excerpt.contains(char::is_control));
    let fewer = Metadata {
        texts: metadata.texts[..MARKERS_MAX - 1].to_vec(),
        ..Metadata::default()
    };
    assert_eq!(markers(&fewer).hits.len(), MARKERS_MAX - 1);
}

#[test]
fn deep_json_is_survived() {
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    assert!(rules(&text(Place::Png, "prompt", &deep)).is_empty());
}
