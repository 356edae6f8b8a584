//! The page as a whole: what stands in it, in which order, and what never does.

use serde_json::{Value, json};

use super::*;

mod markup;

use markup::{Element, parse};

/// A result with something in every part.
fn sample() -> Value {
    json!({
        "schema": "verification.result/1",
        "job_id": "00000000-0000-0000-0000-000000000001",
        "content": {
            "sha256": "ab".repeat(32), "bytes": 1_234_567, "mime": "image/jpeg", "width": 400, "height": 300,
        },
        "verdict": {
            "label": "manipulated", "reason": null, "headline": "The findings speak.",
            "synthetic": { "log10_lr": 0.0, "posterior": 0.5, "verbal": "no support", "prior": 0.5 },
            "manipulated": { "log10_lr": 1.0, "posterior": 0.91, "verbal": "moderate support", "prior": 0.5 },
        },
        "provenance": {
            "c2pa": {
                "present": true, "state": "valid", "reason": "the signer is on none of the loaded trust lists",
                "trust_lists": [{ "label": "official@2026-08-21", "certificates": 30, "sha256": "cd".repeat(32),
                                  "warning": "it is three months old" }],
                "signer": { "issuer": "Acme", "common_name": "Camera 7", "serial_number": "1",
                            "algorithm": "Es256", "time": "2026-01-02T03:04:05Z" },
                "claim_generator": "Acme Cam", "title": "harbour.jpg",
                "signals": { "inception": ["capturedMedia"], "transformation": ["nonEditorial"] },
                "actions": [{ "action": "c2pa.created", "software_agent": "Acme Cam", "when": null,
                              "digital_source_type": "digitalCapture", "description": null }],
                "ingredients": [
                    { "depth": 1, "title": "raw", "format": "image/dng", "relationship": "parentOf",
                      "has_credential": true, "signer": "Camera 7", "broken": true,
                      "failures": ["assertion.dataHash.mismatch"],
                      "signals": { "inception": [], "transformation": [] } },
                    { "depth": 2, "title": "frame", "relationship": "componentOf" },
                ],
                "codes": [{ "code": "claimSignature.validated", "level": "success", "explanation": "it holds" }],
                "cut": true,
            },
            "declared": [
                { "rule": "exif_camera", "location": "exif.Make", "value": "Acme 7", "implies": "camera",
                  "signed": false },
            ],
        },
        "evidence": [
            { "id": "jpeg.dq_local", "family": "jpeg_history", "applicable": true, "finding": "region",
              "log10_lr": { "synthetic": 0.0, "manipulated": 1.0 }, "cap": 1.1,
              "calibration": { "n_clean": 40, "fp": 0 }, "metrics": { "area": 0.031 },
              "regions": [{ "x": 10, "y": 20, "w": 30, "h": 40 }], "artifact": "map-1",
              "explain": "Blocks here lack the double-save pattern of the rest.",
              "caveats": ["A caption also explains this."], "version": "1.0" },
            { "id": "structure.jpeg", "family": "jpeg_history", "applicable": true,
              "explain": "How the file is built tells its history." },
            { "id": "c2pa.credential", "family": "provenance_crypto", "applicable": true,
              "log10_lr": { "synthetic": -3.0, "manipulated": 0.0 }, "explain": "Somebody says it was captured." },
            { "id": "watermark", "family": "watermark", "applicable": false, "explain": "Too small for that." },
        ],
        "history": [{ "fact": "re_saved", "detail": "first quality about 75" }],
        "coverage": [
            { "question": "face_swap", "status": "not_tested", "why": "no detector configured" },
            { "question": "file_structure", "status": "tested", "why": "see evidence" },
            { "question": "declared_markers", "status": "aborted", "why": "out of time" },
            { "question": "voice_clone", "status": "not_applicable", "why": "it is a picture" },
            { "question": "smell", "status": "of_a_later_version", "why": "who knows" },
        ],
        "detectors": [{ "name": "acme", "version": "3", "status": "ok", "score": 0.93 }],
        "limits": { "hit": [{ "class": "limit_structure", "limit": "exif_entries_max", "max": 1000,
                              "detail": "entries after the first 1000" }] },
        "stages": [{ "stage": "sniff", "status": "ok", "reason": null, "cost_ms": 3 },
                   { "stage": "metadata", "status": "aborted", "reason": "timeout", "cost_ms": 60_000 }],
        "engine": { "version": "0.1.0", "ruleset": "2026.1", "duration_ms": 1900 },
        "of_a_later_version": { "unknown": [1] },
    })
}

fn whole() -> Picture {
    Picture::Whole {
        mime: "image/jpeg",
        bytes: b"picture".to_vec(),
    }
}

fn map(id: &str) -> Option<Vec<u8>> {
    (id == "map-1").then(|| b"\x89PNG\r\n\x1a\nmap".to_vec())
}

fn written_as(name: &str, result: &Value, picture: &Picture) -> String {
    let result = ResultView::read(result).unwrap();
    let maps = Maps::fetch(&result, map);
    page(&Page {
        name,
        result: &result,
        picture,
        maps: &maps,
        written_s: 1_700_000_000,
    })
}

fn written(result: &Value) -> String {
    written_as("harbour.jpg", result, &whole())
}

/// The elements of a page, which is well-formed.
fn elements(page: &str) -> Vec<Element> {
    parse(page).unwrap_or_else(|why| panic!("{why}\n{page}"))
}

/// Where each of the texts stands, all of them in this order.
fn assert_in_order(page: &str, texts: &[&str]) {
    let mut from = 0;
    for text in texts {
        let at = page[from..].find(text);
        from += at.unwrap_or_else(|| panic!("{text:?} is missing or out of order: {page}"));
    }
}

#[test]
fn the_verdict_is_first_and_the_gaps_stand_beside_the_findings() {
    assert_in_order(
        &written(&sample()),
        &[
            "harbour.jpg</bdi></h1>",
            "1,234,567 bytes",
            "Manipulated</h2>",
            "The findings support that this file was changed in places",
            "The findings speak.",
            "3 questions were not tested or not answered",
            "What was found</h2>",
            "The findings are about as probable if the file is wholly or partly synthetic as if not.",
            "The findings are about 10 times more probable if the file was changed in places than if the file was \
             not changed in places. In words: <b>moderate support</b>.",
            "Speaks for a generator or a change</h3>",
            "<b>Finding 1. </b>Blocks here lack",
            "Taken alone, this is about 10 times more probable if the file was changed in places",
            "A caption also explains this.",
            "30 × 40 from 10, 20.",
            "tried on 40 clean files with 0 false alarms",
            "Speaks against it</h3>",
            "<b>Finding 3. </b>Somebody says",
            "about 1,000 times more probable if the file is not synthetic than if",
            "weighs neither way</h3>",
            "<b>Finding 2. </b>How the file is built",
            "What was not tested</h2>",
            "Not tested</h3>",
            "<b>Whether a face was replaced</b>: no detector configured",
            "<b>smell</b>: who knows",
            "Begun, and not brought to an end</h3>",
            "out of time",
            "Does not apply to such a file</h3>",
            "Tested</h3>",
            "Too small for that.",
            "Where it says it comes from</h2>",
            "anybody can sign such a statement",
            "not to be relied on",
            "Camera 7",
            "taken by a camera or recorder; changes that leave the content alone",
            "official, of 2026-08-21",
            "30 certificates. But: it is three months old",
            "What the signer says was done</h3>",
            "What it was made from</h3>",
            "A check of its statement failed",
            "assertion.dataHash.mismatch",
            "a list in it was cut",
            "anybody can write that",
            "Acme 7",
            "That would mean: taken by a camera.",
            "history</h2>",
            "<b>Saved as a JPEG more than once</b>: <bdi class=\"quote\">first quality about 75",
            "Limits that were reached</h2>",
            "it took too long",
            "exif entries (at most 1,000)",
            "Technical details</h2>",
            "2026.1",
            "acme 3",
            "area</bdi> 0.0310",
            "it holds",
            "Written at 2023-11-14T22:13:20Z",
        ],
    );
}

#[test]
fn there_is_no_percentage_of_fake_nor_a_detectors_score() {
    let page = written(&sample());
    let body = page.split("</style>").nth(1).unwrap();
    for never in ["%", "0.93", "0.91", "posterior"] {
        assert!(!body.contains(never), "{never}: {body}");
    }
}

#[test]
fn the_page_is_well_formed_and_every_name_in_it_is_found() {
    let elements = elements(&written(&sample()));
    let values = |name: &str| -> Vec<&str> {
        elements
            .iter()
            .filter_map(|element| element.attribute(name))
            .collect()
    };
    let ids = values("id");
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    let named = [values("for"), values("aria-labelledby")].concat();
    assert!(named.len() > 8);
    assert!(
        named.iter().all(|id| ids.contains(id)),
        "{named:?}: {ids:?}"
    );
    let links = values("href")
        .into_iter()
        .filter(|link| !link.starts_with("data:"));
    for link in links {
        let id = link
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{link} leads away"));
        assert!(ids.contains(&id), "{link}");
    }
}

#[test]
fn headings_lead_through_it_and_pictures_have_a_text() {
    let elements = elements(&written(&sample()));
    let levels = elements.iter().filter_map(|element| {
        let level = element.name.strip_prefix('h')?.parse::<u32>().ok()?;
        Some(level)
    });
    let levels: Vec<u32> = levels.collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(
        levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
        "none is left out: {levels:?}"
    );
    let language = elements
        .iter()
        .find(|element| element.name == "html")
        .unwrap();
    assert_eq!(language.attribute("lang"), Some("en"));
    for element in elements.iter().filter(|element| element.name == "img") {
        assert!(
            element
                .attribute("alt")
                .is_some_and(|alt| alt.contains("harbour.jpg"))
        );
    }
    let drawing = elements
        .iter()
        .find(|element| element.name == "svg")
        .unwrap();
    assert!(drawing.attribute("aria-label").is_some());
}

#[test]
fn nothing_runs_and_nothing_comes_from_elsewhere() {
    let page = written(&sample());
    let elements = elements(&page);
    for element in &elements {
        let never = [
            "script",
            "link",
            "iframe",
            "object",
            "embed",
            "form",
            "base",
            "foreignobject",
        ];
        assert!(
            !never.contains(&element.name.to_ascii_lowercase().as_str()),
            "{element:?}"
        );
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && name != "style", "{element:?}");
            if name == "src" || name == "href" {
                let is_inside = value.starts_with("data:image/") || value.starts_with('#');
                assert!(is_inside, "{element:?}");
            }
        }
    }
    let policy = elements
        .iter()
        .find(|element| element.attribute("http-equiv").is_some());
    let policy = policy.unwrap().attribute("content").unwrap();
    assert!(
        policy.starts_with("default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-")
    );
    assert_in_order(
        &page,
        &[
            "<head>",
            "Content-Security-Policy",
            "<title>",
            "<style>",
            "<body>",
        ],
    );
}

/// A result in which every text is hostile.
fn hostile(value: &Value, text: &str) -> Value {
    match value {
        Value::String(_) => Value::String(text.to_owned()),
        Value::Array(items) => items.iter().map(|item| hostile(item, text)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, item)| (name.clone(), hostile(item, text)))
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[test]
fn what_a_stranger_wrote_stays_text() {
    let long = "x".repeat(100_000);
    let plain = elements(&written(&hostile(&sample(), "x"))).len();
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title></style></bdi></details></svg><h1>Authentic</h1>",
        "<!-- ",
        "]]>",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "gpj.\u{202e}exe",
        "a\0b\u{1b}[2J\r\n\u{2028}c\u{feff}",
        &long,
    ] {
        let page = written_as(text, &hostile(&sample(), text), &whole());
        assert_eq!(elements(&page).len(), plain, "{text:?} became markup");
        let forbidden = |character: char| {
            (character.is_control() && character != '\n')
                || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{feff}')
        };
        assert!(!page.contains(forbidden), "{text:?}");
        assert!(page.len() < 400_000, "{text:.20}: {} bytes", page.len());
    }
}

#[test]
fn a_result_of_any_length_makes_a_page_of_bounded_length() {
    let mut result = sample();
    let evidence = json!({
        "applicable": true, "explain": "x".repeat(2_000), "artifact": "map-1", "log10_lr": { "synthetic": 1.0 },
        "caveats": vec!["y"; 300], "regions": vec![json!({ "x": 1, "y": 1, "w": 5, "h": 5 }); 300],
    });
    result["evidence"] = Value::Array(vec![evidence; 210]);
    result["history"] = Value::Array(vec![json!({ "fact": "f", "detail": "d" }); 1_200]);
    let page = written(&result);
    assert!(page.len() < 4_000_000, "{}", page.len());
    assert!(page.contains("10 more are in the result"));
    assert!(page.contains("1000 more are in the result"));
    let layers = elements(&page);
    let drawn = layers
        .iter()
        .filter(|element| element.name == "image")
        .count();
    assert_eq!(drawn, viewer::LAYERS_MAX);
}

#[test]
fn a_result_of_which_nothing_is_known_is_no_all_clear() {
    let picture = Picture::Withheld(Withheld::NotShown);
    let page = written_as("x", &json!({}), &picture);
    elements(&page);
    for said in [
        "The result does not say. Take nothing as tested.",
        "No test has a finding on this file.",
        "is not known: the test gave no answer",
        "Nothing that a test recognised.",
        "This is neither an all-clear nor a suspicion.",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Authentic</h2>") && !page.contains("id=\"picture\""));
}

#[test]
fn every_part_may_be_missing() {
    let whole = sample();
    for part in whole.as_object().unwrap().keys() {
        let mut result = whole.clone();
        result.as_object_mut().unwrap().remove(part);
        elements(&written(&result));
    }
}

#[test]
fn findings_are_drawn_over_the_picture_and_the_heaviest_first() {
    let page = written(&sample());
    assert_in_order(
        &page,
        &[
            "<legend>",
            "id=\"view-0\"/><label for=\"view-0\">nothing</label>",
            "id=\"view-1\" checked=\"\"/><label for=\"view-1\">finding 1: Blocks here",
            "<div class=\"stage stored\"><img alt=",
            "viewBox=\"0 0 400 300\"",
            "class=\"layer layer-1\"><image width=\"400\" height=\"300\"",
            "<rect class=\"halo\" x=\"10\" y=\"20\" width=\"30\" height=\"40\"/>",
        ],
    );
    assert!(page.contains("who gets the page gets the file"));
}

#[test]
fn a_map_that_is_missing_leaves_the_outlines() {
    let result = ResultView::read(&sample()).unwrap();
    let page = page(&Page {
        name: "x",
        result: &result,
        picture: &whole(),
        maps: &Maps::default(),
        written_s: 0,
    });
    assert!(!page.contains("<image") && page.contains("<rect class=\"outline\""));
}

#[test]
fn marks_turn_with_the_picture() {
    let mut result = sample();
    result["content"]["orientation"] = json!(6);
    let page = written(&result);
    assert_in_order(
        &page,
        &[
            "<div class=\"stage\"><img",
            "viewBox=\"0 0 300 400\"",
            "transform=\"matrix(0 1 -1 0 300 0)\"",
            "x=\"240\" y=\"10\" width=\"40\" height=\"30\"",
        ],
    );
}

#[test]
fn a_picture_of_a_document_is_named_and_not_drawn_over_the_file() {
    let mut result = sample();
    result["evidence"][0]["picture"] = json!({ "object": 12, "offset": 10_432 });
    let page = written(&result);
    assert!(page.contains("object 12, whose file begins at byte 10,432."));
    assert!(!page.contains("<fieldset") && !page.contains("<image"));
}

#[test]
fn that_others_may_turn_the_picture_is_said_only_if_its_metadata_was_not_read() {
    let note = "Other programs may turn it.";
    let mut result = sample();
    assert!(written(&result).contains(note));
    result["stages"][1]["status"] = json!("ok");
    assert!(!written(&result).contains(note));
}

#[test]
fn without_the_picture_marks_stand_on_an_empty_ground_and_the_page_says_why() {
    let picture = Picture::Withheld(Withheld::Bytes);
    let page = written_as("x", &sample(), &picture);
    assert!(page.contains("<div class=\"stage empty\"><svg"));
    assert!(page.contains("larger than 8 MiB"));
    assert!(!page.contains("<img"));
}

#[test]
fn a_picture_without_marks_is_shown_alone() {
    let mut result = sample();
    result["evidence"] = json!([]);
    let page = written(&result);
    assert!(page.contains("<div class=\"stage\"><img") && !page.contains("<fieldset"));
}

#[test]
fn no_credential_is_no_reproach() {
    let mut result = sample();
    result["provenance"] = json!({ "c2pa": { "state": "absent" } });
    let page = written(&result);
    assert!(page.contains("Most platforms remove them, so that says nothing."));
    assert!(!page.contains("Trust lists that were in force"));
}
