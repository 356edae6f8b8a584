//! How the page looks, and what it is forbidden to do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The only style of the page.
pub(super) const STYLE: &str = include_str!("page.css");

/// What a browser may do with the page (Content Security Policy, level 3): show pictures that stand in it, and follow
/// the one style, told by its hash. No script, no connection, no style from elsewhere, no form.
pub(super) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colours by name, as one block of declarations gives them.
    fn colours(block: &str) -> Vec<(&str, [f64; 3])> {
        let declarations = block
            .split(';')
            .filter_map(|part| part.trim().split_once(": #"));
        let colour = |hex: &str| {
            assert_eq!(hex.len(), 6, "{hex}");
            [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0)
        };
        declarations
            .map(|(name, hex)| (name.trim_start_matches("--"), colour(hex)))
            .collect()
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: [f64; 3]) -> f64 {
        let [red, green, blue] = colour.map(|part| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio (WCAG 2.2, 1.4.3).
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_told_from_its_ground_by_day_and_by_night() {
        let blocks: Vec<&str> = STYLE.split(":root {").skip(1).collect();
        assert_eq!(blocks.len(), 2, "light and dark");
        for block in blocks {
            let colours = colours(block.split('}').next().unwrap());
            let of = |wanted: &str| {
                let found = colours.iter().find(|(name, _)| *name == wanted);
                found.unwrap_or_else(|| panic!("{wanted}: {colours:?}")).1
            };
            for (ink, ground) in [
                ("ink", "page"),
                ("ink", "card"),
                ("faint", "page"),
                ("faint", "card"),
                ("link", "card"),
                ("good", "good-card"),
                ("alarm", "alarm-card"),
                ("open", "open-card"),
                ("ink", "good-card"),
                ("ink", "alarm-card"),
                ("ink", "open-card"),
                ("link", "good-card"),
                ("link", "alarm-card"),
                ("link", "open-card"),
            ] {
                let contrast = contrast(of(ink), of(ground));
                assert!(contrast >= 4.5, "{ink} on {ground}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn there_is_a_rule_for_every_layer_and_no_address() {
        let max = crate::report::viewer::LAYERS_MAX;
        for layer in 1..=max {
            let rule = format!("#view-{layer}:checked ~ .stage .layer-{layer}");
            assert!(STYLE.contains(&rule), "{rule}");
        }
        assert!(!STYLE.contains(&format!("#view-{}:", max + 1)));
        for outside in ["url(", "@import", "http", "</"] {
            assert!(!STYLE.contains(outside), "{outside}");
        }
    }

    #[test]
    fn the_policy_names_the_style_by_its_hash() {
        let policy = policy();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        // 32 bytes are 44 characters of base64.
        let hash = policy
            .split("'sha256-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        assert_eq!(hash.len(), 44);
    }
}
