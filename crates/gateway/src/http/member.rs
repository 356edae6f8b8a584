//! Plain members of a body: what is wrong is noted, what is missing or null is absent. Pure.

use prost_types::Timestamp;

use super::json::{Members, Node};
use super::query::shortened;
use super::view;
use crate::convert::Fields;

/// A text. An empty one counts as missing.
pub(super) fn text(fields: &mut Fields, field: &str, node: Option<Node>) -> Option<String> {
    match node {
        Some(Node::Text(text)) if !text.is_empty() => Some(text),
        Some(Node::Text(_) | Node::Null) | None => None,
        Some(other) => {
            fields.refuse(field, format!("must be a text, is {}", other.sort()));
            None
        }
    }
}

/// True or false; false if it is missing.
pub(super) fn flag(fields: &mut Fields, field: &str, node: Option<Node>) -> bool {
    match node {
        Some(Node::Bool(flag)) => flag,
        Some(Node::Null) | None => false,
        Some(other) => {
            let must = format!("must be true or false, is {}", other.sort());
            fields.refuse(field, must);
            false
        }
    }
}

/// A whole number from `least` to `most`; `default` if it is missing.
pub(super) fn number(
    fields: &mut Fields,
    field: &str,
    node: Option<Node>,
    (least, default, most): (u32, u32, u32),
) -> u32 {
    let read = match node {
        Some(Node::Null) | None => return default,
        Some(Node::Number(number) | Node::Decimal(number)) => number.parse().ok(),
        Some(Node::Bool(_) | Node::Text(_) | Node::Object(_) | Node::Other) => None,
    };
    let fits = read.filter(|number| (least..=most).contains(number));
    fits.unwrap_or_else(|| {
        fields.refuse(
            field,
            format!("must be a whole number from {least} to {most}"),
        );
        default
    })
}

/// A point in time.
pub(super) fn time(fields: &mut Fields, field: &str, node: Option<Node>) -> Option<Timestamp> {
    let text = text(fields, field, node)?;
    let time = view::read_time(&text);
    time.map_err(|must| fields.refuse(field, must)).ok()
}

/// Names what is left once everything `known` was taken out.
pub(super) fn none_left(fields: &mut Fields, body: &Members, known: &str) {
    for name in body.keys() {
        let must = format!("is no member here: there are {known}");
        fields.refuse(shortened(name), must);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_holds_its_bounds_at_n_and_beyond() {
        let read = |text: &str| {
            let mut fields = Fields::default();
            let node = Node::Number(text.to_owned());
            let number = number(&mut fields, "limit", Some(node), (1, 5, 9));
            fields.finish().map(|()| number).ok()
        };
        assert_eq!((read("1"), read("9")), (Some(1), Some(9)));
        for wrong in ["0", "10", "-1", "1.5", "99999999999"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let mut fields = Fields::default();
        assert_eq!(number(&mut fields, "limit", None, (1, 5, 9)), 5);
        assert!(fields.finish().is_ok());
    }
}
