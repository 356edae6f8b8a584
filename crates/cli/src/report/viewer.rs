//! The picture, and over it what findings point at: maps and outlines, one finding at a time, without a script.

use super::html::Html;
use super::maps::Maps;
use super::picture::{Picture, Withheld};
use super::ratio::{Question, Side, side};
use super::result::{Evidence, ResultView};
use super::turn::Turn;
use super::{Page, findings};

/// Most findings that can be drawn over the picture; `page.css` has a rule for each.
pub(super) const LAYERS_MAX: usize = 12;

/// Longest beginning of a finding on its button, in characters.
const BUTTON_CHARS_MAX: usize = 70;

/// A number over the picture is so many times smaller than the picture's longer side.
const NUMBER_PART: u32 = 30;

/// Grey to red, the brighter the less transparent: maps are grey.
const TINT: &str = "<defs><filter id=\"tint\" color-interpolation-filters=\"sRGB\"><feColorMatrix type=\"matrix\" \
    values=\"0 0 0 0 1  0 0 0 0 0.08  0 0 0 0 0.2  0.75 0 0 0 0\"/></filter></defs>";

const HOW_TO_READ: &str = "Choose a finding to see where it points. An outline is a place that the finding names. On a \
    map, the redder a place, the more the test sees there. What that weighs, and what else may explain it, stands \
    with the finding below.";

/// What one finding draws.
struct Layer<'a> {
    number: usize,
    evidence: &'a Evidence,
    map: Option<&'a [u8]>,
}

/// Writes the section; nothing if there is nothing to see of such a file.
pub(super) fn write(html: &mut Html, page: &Page<'_>) {
    let layers = layers(page.result, page.maps);
    let is_image = page.result.mime().starts_with("image/");
    if layers.is_empty() && !is_image && *page.picture == Picture::Withheld(Withheld::NotShown) {
        return;
    }
    let attributes = [("class", "card"), ("aria-labelledby", "picture")];
    html.element("section", &attributes, |html| {
        html.line("h2", &[("id", "picture")], "The picture");
        match page.result.size() {
            Some(size) if !layers.is_empty() => write_viewer(html, page, &layers, size),
            _ => write_plain(html, page),
        }
        match page.picture {
            Picture::Whole { .. } => html.line(
                "p",
                &[("class", "faint")],
                "This page holds the file itself, with all its metadata: who gets the page gets the file.",
            ),
            Picture::Withheld(why) => html.line("p", &[], &why.to_string()),
        }
    });
}

/// Findings that name places or have a map.
fn layers<'a>(result: &'a ResultView, maps: &'a Maps) -> Vec<Layer<'a>> {
    findings::shown(result)
        .map(|(number, evidence)| Layer {
            number,
            evidence,
            map: evidence.artifact.as_deref().and_then(|id| maps.get(id)),
        })
        // What is about a picture inside of the file cannot be laid over the file.
        .filter(|layer| layer.evidence.picture.is_none())
        .filter(|layer| layer.map.is_some() || !layer.evidence.regions.is_empty())
        .take(LAYERS_MAX)
        .collect()
}

fn write_plain(html: &mut Html, page: &Page<'_>) {
    if let Picture::Whole { mime, bytes } = page.picture {
        html.element("div", &[("class", "stage")], |html| {
            html.picture("img", &[("alt", &alt(page))], "src", (*mime, bytes));
        });
    }
}

fn write_viewer(html: &mut Html, page: &Page<'_>, layers: &[Layer<'_>], size: (u32, u32)) {
    html.line("p", &[], HOW_TO_READ);
    html.element("fieldset", &[("class", "viewer")], |html| {
        html.line("legend", &[], "Over the picture");
        let first = first_shown(layers);
        write_button(html, 0, "nothing", first.is_none());
        for (index, layer) in (1..).zip(layers) {
            let label = format!(
                "finding {}: {}",
                layer.number,
                beginning(&layer.evidence.explain)
            );
            write_button(html, index, &label, first == Some(index));
        }
        write_stage(html, page, layers, size);
    });
    if page.result.content.orientation.is_none() && !page.result.metadata_was_read() {
        html.line(
            "p",
            &[("class", "faint")],
            "The picture is shown as it is stored. Other programs may turn it.",
        );
    }
}

/// What is drawn first, and printed: the finding that weighs most; nothing if none weighs.
fn first_shown(layers: &[Layer<'_>]) -> Option<usize> {
    let weight = |layer: &Layer<'_>| {
        let weights = Question::ALL.map(|question| question.weight(layer.evidence).abs());
        weights.into_iter().fold(0.0, f64::max)
    };
    let weighing = (1..)
        .zip(layers)
        .filter(|(_, layer)| side(weight(layer)) != Side::Neither);
    // Of equals the first.
    let heaviest = weighing.min_by(|(_, one), (_, other)| weight(other).total_cmp(&weight(one)));
    heaviest.map(|(index, _)| index)
}

fn write_button(html: &mut Html, index: usize, label: &str, is_checked: bool) {
    let id = format!("view-{index}");
    let attributes = [
        ("type", "radio"),
        ("name", "view"),
        ("id", id.as_str()),
        ("checked", ""),
    ];
    let shown = attributes.len() - usize::from(!is_checked);
    html.void("input", attributes.get(..shown).unwrap_or_default());
    html.line("label", &[("for", &id)], label);
}

fn beginning(text: &str) -> String {
    let mut beginning: String = text.chars().take(BUTTON_CHARS_MAX).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}

fn write_stage(html: &mut Html, page: &Page<'_>, layers: &[Layer<'_>], size: (u32, u32)) {
    let content = &page.result.content;
    let turn = Turn::new(content.orientation, size);
    let class = match (page.picture, content.orientation) {
        (Picture::Withheld(_), _) => "stage empty",
        // Marks that cannot be turned alike are right only over pixels that are not turned.
        (Picture::Whole { .. }, None) => "stage stored",
        (Picture::Whole { .. }, Some(_)) => "stage",
    };
    html.element("div", &[("class", class)], |html| {
        if let Picture::Whole { mime, bytes } = page.picture {
            html.picture("img", &[("alt", &alt(page))], "src", (*mime, bytes));
        }
        let (width, height) = turn.size();
        let view = format!("0 0 {width} {height}");
        let attributes = [
            ("class", "layers"),
            ("viewBox", view.as_str()),
            ("preserveAspectRatio", "none"),
            ("role", "img"),
            (
                "aria-label",
                "Marks of the chosen finding; the finding says its places in words",
            ),
        ];
        html.element("svg", &attributes, |html| {
            html.literal(TINT);
            for (index, layer) in (1..).zip(layers) {
                write_layer(html, index, layer, turn, size);
            }
        });
    });
}

fn write_layer(html: &mut Html, index: usize, layer: &Layer<'_>, turn: Turn, stored: (u32, u32)) {
    let class = format!("layer layer-{index}");
    html.element("g", &[("class", &class)], |html| {
        if let Some(map) = layer.map {
            let (width, height) = (stored.0.to_string(), stored.1.to_string());
            let matrix = turn.matrix();
            let attributes = [
                ("width", width.as_str()),
                ("height", height.as_str()),
                ("preserveAspectRatio", "none"),
                ("transform", matrix.as_str()),
                ("filter", "url(#tint)"),
            ];
            html.picture("image", &attributes, "href", ("image/png", map));
        }
        write_outlines(html, layer, turn);
    });
}

/// A dark line within a light one, so that it is seen on any picture, and the finding's number in its corner.
fn write_outlines(html: &mut Html, layer: &Layer<'_>, turn: Turn) {
    let (width, height) = turn.size();
    let letter = (width.max(height) / NUMBER_PART).max(1);
    let regions = layer.evidence.regions.iter().take(super::list::ENTRIES_MAX);
    for region in regions.filter_map(|region| turn.region(*region)) {
        let [x, y, w, h] =
            [region.x, region.y, region.w, region.h].map(|number| number.to_string());
        for class in ["halo", "outline"] {
            html.void(
                "rect",
                &[
                    ("class", class),
                    ("x", &x),
                    ("y", &y),
                    ("width", &w),
                    ("height", &h),
                ],
            );
        }
        let baseline = region.y.saturating_add(letter).to_string();
        let size = letter.to_string();
        html.line(
            "text",
            &[("x", &x), ("y", &baseline), ("font-size", &size)],
            &layer.number.to_string(),
        );
    }
}

fn alt(page: &Page<'_>) -> String {
    let size = page.result.size();
    let size = size.map_or_else(String::new, |(width, height)| {
        format!(", {width} × {height} pixels")
    });
    format!("The file that was verified, {}{size}", page.name)
}
