//! Requests that are made up from the description: every answer is one that the description names, in the shape that it
//! gives, and none is a fault of the server.

use std::collections::{BTreeMap, BTreeSet};

use assay_core::retry::DeadLetterReason;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{Answer, JOBS, request, send};
use crate::fixture::Fixture;
use crate::worker::inline;

mod made;
mod values;

use made::{Made, Maker};
use values::{Known, resolved};

/// Requests for each operation.
const REQUESTS: usize = 10;

/// One method of one path.
struct Operation<'a> {
    method: String,
    path: &'a str,
    described: &'a Value,
}

fn operations(description: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase(),
                path,
                described,
            });
        }
    }
    operations
}

/// Jobs in several states, and a content. The first two jobs have ended for ever.
async fn known(fixture: &Fixture) -> Known {
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(fixture.verify().await);
        let work = fixture.work().await;
        match jobs.len() {
            1 => work.succeed(inline("{}")).await,
            2 => work.fail().await,
            _ => work.die(DeadLetterReason::CrashLoop).await,
        }
    }
    let stopped = fixture.verify().await;
    let line = format!("DELETE {JOBS}/{stopped}");
    fixture.ask(&line).await.expect(200);
    jobs.insert(1, stopped);
    jobs.push(fixture.verify().await);
    let contents = vec![fixture.upload(b"abc").await];
    Known { jobs, contents }
}

async fn answer(fixture: &Fixture, made: &Made) -> Answer {
    let headers: Vec<_> = made
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    send(fixture.http, &request(&made.line, &headers, &made.body)).await
}

/// The description, and what was made of it.
struct Judge<'a> {
    description: &'a Value,
    /// By the text of their schemas: they are made slowly.
    validators: BTreeMap<String, Validator>,
}

impl<'a> Judge<'a> {
    fn new(description: &'a Value) -> Self {
        Self {
            description,
            validators: BTreeMap::new(),
        }
    }

    /// Fails unless an answer is as the description says.
    fn check(&mut self, operation: &Operation<'_>, made: &Made, answer: &Answer) {
        let body = String::from_utf8_lossy(&answer.body);
        let told = format!("{made:?}\n{} {body}", answer.status);
        assert!(answer.status < 500, "{told}");
        let responses = &operation.described["responses"];
        let own = responses.get(answer.status.to_string());
        assert!(
            own.is_some() || answer.status >= 400,
            "it says none: {told}"
        );
        let response = own.unwrap_or_else(|| &responses["default"]);
        let contents = resolved(self.description, response)["content"].as_object();
        let Some(contents) = contents else {
            assert!(answer.body.is_empty(), "{told}");
            return;
        };
        let media = answer.header("content-type");
        let media = media.split(';').next().unwrap_or_default();
        let content = contents.get(media);
        let content = content.unwrap_or_else(|| panic!("it says no {media}: {told}"));
        if media.ends_with("json") {
            let wrong = self.wrong(&content["schema"], &answer.json());
            assert!(wrong.is_empty(), "{wrong:?}: {told}");
        }
    }

    /// What is wrong with a document.
    fn wrong(&mut self, schema: &Value, document: &Value) -> Vec<String> {
        let make = || {
            let mut schema = schema.clone();
            schema["components"] = self.description["components"].clone();
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            options.build(&schema).unwrap()
        };
        let validator = self.validators.entry(schema.to_string());
        let errors = validator.or_insert_with(make).iter_errors(document);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }
}

#[tokio::test]
async fn every_answer_is_as_the_description_says() {
    let fixture = Fixture::new().await;
    let description = fixture.ask("GET /api/async/openapi.json").await.expect(200);
    let known = known(&fixture).await;
    let (mut maker, mut judge) = (Maker::new(&description, &known), Judge::new(&description));
    let operations = operations(&description);
    let mut went_well = BTreeSet::new();
    for operation in &operations {
        for _ in 0..REQUESTS {
            let made = maker.request(operation);
            let answer = answer(&fixture, &made).await;
            judge.check(operation, &made, &answer);
            if answer.status < 300 {
                went_well.insert(format!("{} {}", operation.method, operation.path));
            }
        }
    }
    // Or nothing but refusals would have been looked at.
    assert!(went_well.len() * 4 >= operations.len() * 3, "{went_well:?}");
}

#[test]
fn an_answer_of_another_shape_is_noticed() {
    let description: Value = json!({
        "components": {"schemas": {"Time": {"type": "string", "format": "date-time"}}}
    });
    let link = json!({"$ref": "#/components/schemas/Time"});
    let mut judge = Judge::new(&description);
    let mut wrong = |document: &str| judge.wrong(&link, &document.into()).len();
    assert_eq!((wrong("2026-01-01T00:00:00Z"), wrong("soon")), (0, 1));
}
