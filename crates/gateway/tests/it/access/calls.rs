//! All calls there are, as the contract and the description have them.

use assay_api::FILE_DESCRIPTOR_SET;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet, MethodDescriptorProto};
use serde_json::Value;

/// The description of HTTP.
const DESCRIPTION: &str = include_str!("../../../src/http/openapi.json");

/// A method of the API.
pub(super) struct Method {
    /// Such as `GetJob`.
    pub(super) name: String,
    /// Such as `/assay.v1.JobService/GetJob`.
    pub(super) path: String,
    /// The field of its request that names a job or a content, if it has one.
    pub(super) names: Option<String>,
}

/// The methods of the contract.
pub(super) fn methods() -> Vec<Method> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let ours = files.iter().filter(|file| file.package() == "assay.v1");
    let messages: Vec<_> = ours.clone().flat_map(|file| &file.message_type).collect();
    let mut methods = Vec::new();
    for service in ours.flat_map(|file| &file.service) {
        methods.extend(service.method.iter().map(|method| Method {
            name: method.name().to_owned(),
            path: format!("/assay.v1.{}/{}", service.name(), method.name()),
            names: named(method, &messages),
        }));
    }
    methods
}

/// The first field of a method's request, if it names something.
fn named(method: &MethodDescriptorProto, messages: &[&DescriptorProto]) -> Option<String> {
    let input = method.input_type().rsplit('.').next();
    let input = messages
        .iter()
        .find(|message| Some(message.name()) == input);
    let fields = &input.unwrap().field;
    let name = fields.iter().find(|field| field.number() == 1)?.name();
    ["job_id", "content_id"]
        .contains(&name)
        .then(|| name.to_owned())
}

/// An address with its method, and what the description says that it asks for.
pub(super) struct Operation {
    /// Such as `GET /api/async/jobs/{id}`.
    pub(super) line: String,
    /// The scope; empty if any token will do, none if no token is asked for.
    pub(super) scope: Option<String>,
}

/// The operations of the description.
pub(super) fn operations() -> Vec<Operation> {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = operation["security"][0]["bearer"].as_array();
            let scope = |scopes: &Vec<Value>| {
                let scope = scopes.first().and_then(Value::as_str);
                scope.unwrap_or_default().to_owned()
            };
            operations.push(Operation {
                line: format!("{} {path}", method.to_uppercase()),
                scope: scopes.map(scope),
            });
        }
    }
    operations
}
