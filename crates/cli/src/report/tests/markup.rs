//! A strict reader of the markup that pages are written in: what it takes, every browser takes alike.

/// An element as it is opened.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// All elements, in their order.
///
/// # Errors
/// What is not well-formed.
pub(super) fn parse(page: &str) -> Result<Vec<Element>, String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let mut elements = Vec::new();
    let mut open: Vec<String> = Vec::new();
    while let Some((text, after)) = rest.split_once('<') {
        check_text(text, &open)?;
        let (tag, after) = after.split_once('>').ok_or("a tag without an end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open
                .pop()
                .ok_or_else(|| format!("</{name}> closes nothing"))?;
            if opened != name {
                return Err(format!("</{name}> closes <{opened}>"));
            }
            continue;
        }
        let (tag, is_void) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let element = read_tag(tag)?;
        if !is_void {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    if !rest.is_empty() || !open.is_empty() {
        return Err(format!("open at the end: {open:?}, left: {rest:?}"));
    }
    Ok(elements)
}

fn check_text(text: &str, open: &[String]) -> Result<(), String> {
    let is_style = open.last().is_some_and(|name| name == "style");
    if text.contains('>') && !is_style {
        return Err(format!("a stray > in {text:?}"));
    }
    if open.is_empty() && !text.is_empty() {
        return Err(format!("text outside of everything: {text:?}"));
    }
    for after in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        if !known.iter().any(|entity| after.starts_with(entity)) {
            return Err(format!("a stray & before {after:?}"));
        }
    }
    Ok(())
}

fn read_tag(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    if name.is_empty()
        || !name
            .chars()
            .all(|character| character.is_ascii_alphanumeric())
    {
        return Err(format!("no name: {tag:?}"));
    }
    let mut attributes = Vec::new();
    while !rest.is_empty() {
        let (attribute, after) = rest
            .split_once("=\"")
            .ok_or_else(|| format!("no value: {tag:?}"))?;
        let (value, after) = after
            .split_once('"')
            .ok_or_else(|| format!("no end: {tag:?}"))?;
        let is_name = |character: char| character.is_ascii_alphabetic() || character == '-';
        if attribute.is_empty() || !attribute.chars().all(is_name) {
            return Err(format!("no attribute: {attribute:?} in {tag:?}"));
        }
        attributes.push((attribute.to_owned(), value.to_owned()));
        rest = match after.strip_prefix(' ') {
            Some(rest) if !rest.is_empty() => rest,
            None if after.is_empty() => after,
            Some(_) | None => return Err(format!("after a value: {tag:?}")),
        };
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
    })
}
