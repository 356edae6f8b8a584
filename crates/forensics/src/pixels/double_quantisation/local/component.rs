//! Blocks that lie together.

use super::Field;

/// Blocks that touch along a side, and the rectangle around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) blocks: usize,
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

/// The pieces that cells above `least` form, the largest first.
pub(super) fn above(field: &Field, least: f32) -> Vec<Component> {
    let columns = field.columns();
    let mut open: Vec<bool> = field
        .cells()
        .iter()
        .map(|cell| cell.is_some_and(|value| value > least))
        .collect();
    let mut components = Vec::new();
    for start in 0..open.len() {
        if let Some(component) = take(start, columns, &mut open) {
            components.push(component);
        }
    }
    components.sort_by_key(|component| std::cmp::Reverse(component.blocks));
    components
}

/// The piece that `start` belongs to, if it is open; closes all of it.
fn take(start: usize, columns: usize, open: &mut [bool]) -> Option<Component> {
    let mut waiting = Vec::new();
    close(start, open, &mut waiting);
    let mut component: Option<Component> = None;
    while let Some(at) = waiting.pop() {
        let (x, y) = (at % columns, at / columns);
        component = Some(match component {
            None => Component::of(x, y),
            Some(component) => component.with(x, y),
        });
        let left = (x > 0).then(|| at - 1);
        let right = (x + 1 < columns).then(|| at + 1);
        let (above, below) = (at.checked_sub(columns), Some(at + columns));
        for next in [left, right, above, below].into_iter().flatten() {
            close(next, open, &mut waiting);
        }
    }
    component
}

fn close(at: usize, open: &mut [bool], waiting: &mut Vec<usize>) {
    if let Some(open) = open.get_mut(at).filter(|open| **open) {
        *open = false;
        waiting.push(at);
    }
}

impl Component {
    fn of(x: usize, y: usize) -> Self {
        Self {
            blocks: 1,
            left: x,
            top: y,
            right: x,
            bottom: y,
        }
    }

    fn with(self, x: usize, y: usize) -> Self {
        Self {
            blocks: self.blocks + 1,
            left: self.left.min(x),
            top: self.top.min(y),
            right: self.right.max(x),
            bottom: self.bottom.max(y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(rows: &[&str]) -> Field {
        let cells = rows.concat();
        let cells = cells.bytes().map(|byte| match byte {
            b'#' => Some(3.1),
            b'.' => Some(3.0),
            _ => None,
        });
        Field::new(rows[0].len(), cells.collect())
    }

    #[test]
    fn pieces_touch_along_sides_and_the_largest_comes_first() {
        let found = above(&field(&["#..##", "#.# #", "..###"]), 3.0);
        let sizes: Vec<usize> = found.iter().map(|piece| piece.blocks).collect();
        assert_eq!(sizes, [7, 2]);
        let largest = found[0];
        assert_eq!((largest.left, largest.top), (2, 0));
        assert_eq!((largest.right, largest.bottom), (4, 2));
    }

    #[test]
    fn rows_do_not_wrap() {
        let found = above(&field(&["..#", "#.."]), 3.0);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn nothing_above_is_nothing() {
        assert!(above(&field(&["...", ". ."]), 3.0).is_empty());
    }
}
