//! Values that a schema of the description allows, and some that it does not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;
use proptest::string::string_regex;
use serde_json::{Map, Value, json};

/// The longest list that is made.
const ITEMS_MAX: usize = 3;
/// Where numbers end that have no bound.
const NUMBER_MAX: i64 = 1_000_000;
/// How a name of content begins in its pattern.
const CONTENT: &str = "sha256:";
const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}";
const TIMES: [&str; 3] = [
    "1970-01-01T00:00:00Z",
    "2026-02-28T23:59:59.999+01:00",
    "9999-12-31T23:59:59Z",
];

/// Things that there are.
pub(super) struct Known {
    /// Ids; the first two are of jobs that have ended for ever.
    pub(super) jobs: Vec<String>,
    pub(super) contents: Vec<String>,
}

/// Follows a link of the description.
pub(super) fn resolved<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(link) => description.pointer(link.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Makes values.
pub(super) struct Values<'a> {
    pub(super) description: &'a Value,
    pub(super) known: &'a Known,
    /// Whether only jobs may be named that have ended.
    pub(super) only_ended: bool,
}

impl Values<'_> {
    /// What a schema allows.
    pub(super) fn allowed(&self, schema: &Value) -> BoxedStrategy<Value> {
        let schema = resolved(self.description, schema);
        if let Some(words) = schema["enum"].as_array() {
            return select(words.clone()).boxed();
        }
        // Beside a type it only says which members there must be.
        let schemas = schema["anyOf"].as_array();
        if let Some(schemas) = schemas.filter(|_| schema["type"].is_null()) {
            return Union::new(schemas.iter().map(|schema| self.allowed(schema))).boxed();
        }
        if let Some(types) = schema["type"].as_array() {
            let types = types.iter().filter_map(Value::as_str);
            return Union::new(types.map(|name| self.of_type(name, schema))).boxed();
        }
        self.of_type(schema["type"].as_str().unwrap_or("object"), schema)
    }

    fn of_type(&self, name: &str, schema: &Value) -> BoxedStrategy<Value> {
        let bound = |name, otherwise| schema[name].as_i64().unwrap_or(otherwise);
        match name {
            "string" => self.text(schema).prop_map(Value::from).boxed(),
            "integer" => {
                let range = bound("minimum", -NUMBER_MAX)..=bound("maximum", NUMBER_MAX);
                range.prop_map(Value::from).boxed()
            }
            "number" => any::<f32>().prop_map(Value::from).boxed(),
            "boolean" => any::<bool>().prop_map(Value::from).boxed(),
            "null" => Just(Value::Null).boxed(),
            "array" => {
                let items = vec(self.allowed(&schema["items"]), 0..=ITEMS_MAX);
                items.prop_map(Value::from).boxed()
            }
            "object" => self.object(schema),
            other => panic!("the description has the type {other}"),
        }
    }

    fn text(&self, schema: &Value) -> BoxedStrategy<String> {
        let pattern = schema["pattern"].as_str().unwrap_or(".{0,40}");
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        let made = string_regex(pattern).unwrap();
        match schema["format"].as_str() {
            Some("uuid") => {
                let mut jobs = self.known.jobs.clone();
                if self.only_ended {
                    jobs.truncate(2);
                }
                prop_oneof![4 => select(jobs), 1 => string_regex(UUID).unwrap()].boxed()
            }
            Some("date-time") => select(TIMES.map(str::to_owned).to_vec()).boxed(),
            _ if schema["contentEncoding"] == "base64" => vec(any::<u8>(), 1..40)
                .prop_map(|bytes| STANDARD.encode(bytes))
                .boxed(),
            _ if pattern.starts_with(CONTENT) => {
                prop_oneof![4 => select(self.known.contents.clone()), 1 => made].boxed()
            }
            _ => made.boxed(),
        }
    }

    fn object(&self, schema: &Value) -> BoxedStrategy<Value> {
        let required = schema["required"].as_array();
        let needs = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = schema["properties"].as_object();
        let members: Vec<_> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| {
                let value = self.allowed(schema);
                let value = if needs(name) {
                    value.prop_map(Some).boxed()
                } else {
                    prop::option::of(value).boxed()
                };
                (Just(name.clone()), value)
            })
            .collect();
        let more = if schema["additionalProperties"].is_object() {
            let value = self.allowed(&schema["additionalProperties"]);
            btree_map("[a-z]{1,8}", value, 0..=ITEMS_MAX).boxed()
        } else {
            Just(Default::default()).boxed()
        };
        (members, more)
            .prop_map(|(members, more)| {
                let given = members.into_iter();
                let given = given.filter_map(|(name, value)| Some((name, value?)));
                Value::Object(more.into_iter().chain(given).collect::<Map<_, _>>())
            })
            .boxed()
    }

    /// What a schema need not allow: something else, or an object with one member that is else or too many.
    pub(super) fn spoiled(&self, schema: &Value) -> BoxedStrategy<Value> {
        let parts = (self.allowed(schema), anything(), any::<Index>());
        parts
            .prop_map(|(mut value, other, index)| {
                let Some(members) = value.as_object_mut().filter(|all| !all.is_empty()) else {
                    return other;
                };
                let names = members.keys().cloned().chain(["unheardOf".to_owned()]);
                let name = index.get(&names.collect::<Vec<_>>()).clone();
                members.insert(name, other);
                value
            })
            .boxed()
    }
}

fn anything() -> BoxedStrategy<Value> {
    let odd = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("../.."),
        json!("\u{0}"),
        json!([]),
        json!({}),
        json!([[{"a": {"b": {"c": 1}}}]]),
    ];
    prop_oneof![select(odd.to_vec()), ".{0,300}".prop_map(Value::from)].boxed()
}
