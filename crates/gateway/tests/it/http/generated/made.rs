//! Requests, made from what the description says of their parts.

use std::fmt::Debug;
use std::slice;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::Operation;
use super::values::{Known, Values, resolved};

/// In how many requests out of ten a part is not made as the description says.
const SPOILED_OF_TEN: u8 = 2;
/// How many bytes a file has at most.
const FILE_BYTES_MAX: usize = 2_000;

/// A request, before it is bytes.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Makes requests, the same ones each time but for the names that the server makes up.
pub(super) struct Maker<'a> {
    description: &'a Value,
    known: &'a Known,
    runner: TestRunner,
}

impl<'a> Maker<'a> {
    pub(super) fn new(description: &'a Value, known: &'a Known) -> Self {
        Self {
            description,
            known,
            runner: TestRunner::deterministic(),
        }
    }

    pub(super) fn request(&mut self, operation: &Operation<'_>) -> Made {
        let values = Values {
            description: self.description,
            known: self.known,
            // The events of other jobs would not end.
            only_ended: operation.path.ends_with("/events"),
        };
        let mut path = operation.path.to_owned();
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        let parameters = operation.described["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            let parameter = resolved(self.description, parameter);
            if parameter["required"] != true && self.draw(any::<bool>()) {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let value = self.value(&values, &parameter["schema"]);
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &encoded(&value)),
                Some("query") => query.extend(pairs(name, &value)),
                _ => headers.push((name.to_owned(), self.draw("[!-~]{0,40}"))),
            }
        }
        let body = self.body(&values, operation, &mut headers);
        let line = format!("{} {path}?{}", operation.method, query.join("&"));
        Made {
            line,
            headers,
            body,
        }
    }

    fn body(
        &mut self,
        values: &Values<'_>,
        operation: &Operation<'_>,
        headers: &mut Vec<(String, String)>,
    ) -> Vec<u8> {
        let contents = operation.described["requestBody"]["content"].as_object();
        let Some((media, content)) = contents.and_then(|contents| contents.iter().next()) else {
            return Vec::new();
        };
        if !media.ends_with("json") {
            return self.draw(prop::collection::vec(any::<u8>(), 0..FILE_BYTES_MAX));
        }
        headers.push(("Content-Type".to_owned(), media.clone()));
        let body = self.value(values, &content["schema"]);
        body.to_string().into_bytes()
    }

    /// A value that its schema allows, mostly.
    fn value(&mut self, values: &Values<'_>, schema: &Value) -> Value {
        if self.draw(0..10_u8) < SPOILED_OF_TEN {
            self.draw(values.spoiled(schema))
        } else {
            self.draw(values.allowed(schema))
        }
    }

    fn draw<T: Debug>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.runner).unwrap().current()
    }
}

/// A parameter; a list is given once for each of its items.
fn pairs(name: &str, value: &Value) -> Vec<String> {
    let values = value
        .as_array()
        .map_or_else(|| slice::from_ref(value), Vec::as_slice);
    let values = values.iter().map(encoded);
    values.map(|value| format!("{name}={value}")).collect()
}

fn encoded(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
