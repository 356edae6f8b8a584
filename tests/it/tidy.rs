//! House rules that no compiler checks: size, names, words.

use super::sources::{self, Source};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const MAIN_LINES_MAX: usize = 10;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] = [
    "mod", "util", "utils", "common", "helper", "helpers", "types", "errors", "macros",
];

/// Fails with every place at once, so that one run shows all there is to mend.
fn expect_none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn files_are_short() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{} has {lines} lines", source.path))
    };
    let found: Vec<_> = sources::all().iter().filter_map(long).collect();
    expect_none("a file is one idea", &found);
}

#[test]
fn functions_are_short() {
    let found: Vec<_> = sources::all()
        .iter()
        .flat_map(|source| long_functions(&source.path, &source.text))
        .collect();
    expect_none("a function is one step", &found);
}

/// Functions over the bound. Formatted code ends a function where it began: at its own indent.
fn long_functions(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !begins_function(line) || line.ends_with('}') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let ends = |line: &&str| line.trim_end() == format!("{}}}", " ".repeat(indent));
        let without_body = |line: &&str| {
            line.trim_end().ends_with(';') && line.len() - line.trim_start().len() <= indent
        };
        let rest = lines.get(start..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|line| ends(line) || without_body(line))
            .unwrap_or(rest.len());
        if end >= FUNCTION_LINES_MAX {
            found.push(format!(
                "{path}:{} has a function of {} lines",
                start + 1,
                end + 1
            ));
        }
    }
    found
}

fn begins_function(line: &str) -> bool {
    let words = line.split_whitespace();
    let mut rest = words.skip_while(|word| {
        word.starts_with("pub") || ["const", "async", "unsafe", "extern", "default"].contains(word)
    });
    rest.next() == Some("fn")
}

#[test]
fn the_length_check_sees_a_long_function() {
    let body = |lines: usize| {
        format!(
            "impl T {{\n    pub async fn f() {{\n{}    }}\n}}\n",
            "        x();\n".repeat(lines)
        )
    };
    assert!(long_functions("f.rs", &body(FUNCTION_LINES_MAX - 2)).is_empty());
    assert_eq!(
        long_functions("f.rs", &body(FUNCTION_LINES_MAX - 1)).len(),
        1
    );
}

#[test]
fn a_main_is_a_title_page() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (source.path.ends_with("/main.rs")
            && source.path.contains("/src/")
            && lines > MAIN_LINES_MAX)
            .then(|| format!("{} has {lines} lines", source.path))
    };
    let found: Vec<_> = sources::all().iter().filter_map(long).collect();
    expect_none("a main says what runs, no more", &found);
}

#[test]
fn names_say_what_is_inside() {
    let empty = |source: &Source| {
        let stem = source
            .path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs");
        EMPTY_NAMES.contains(&stem).then(|| source.path.clone())
    };
    let found: Vec<_> = sources::all().iter().filter_map(empty).collect();
    expect_none("name a file after its idea", &found);
}

/// Words that product code does not hold, and the one file that may.
const BANNED: [(&str, &str); 8] = [
    ("todo!(", ""),
    ("unimplemented!(", ""),
    ("dbg!(", ""),
    ("#[allow(", ""),
    ("FIXME", ""),
    ("unbounded_channel", ""),
    ("tokio::spawn(", "crates/service/src/tasks.rs"),
    ("SystemTime::now", "crates/core/src/clock.rs"),
];

#[test]
fn product_code_is_finished() {
    let mut found = Vec::new();
    for source in sources::all().iter().filter(|source| source.is_product()) {
        for (number, line) in source.product_lines() {
            let code = line.split("//").next().unwrap_or_default();
            for (word, home) in BANNED {
                if code.contains(word) && source.path != home {
                    found.push(format!("{}:{number} says {word}", source.path));
                }
            }
        }
    }
    expect_none("these words do not stand in product code", &found);
}

#[test]
fn no_test_is_skipped() {
    let ignored = concat!("#[ig", "nore");
    let skipped = |source: &Source| source.text.contains(ignored).then(|| source.path.clone());
    let found: Vec<_> = sources::all().iter().filter_map(skipped).collect();
    expect_none("a test that does not run proves nothing", &found);
}

#[test]
fn every_crate_says_what_it_is_and_is_not() {
    let silent = |source: &Source| {
        let front = source.path.starts_with("crates/") && source.path.ends_with("/src/lib.rs");
        let says = source.text.starts_with("//! ") && source.text.contains("//! Not here");
        (front && !says).then(|| source.path.clone())
    };
    let found: Vec<_> = sources::all().iter().filter_map(silent).collect();
    expect_none(
        "begin lib.rs with a sentence, a contract and a \"Not here\"",
        &found,
    );
}
