//! How a refusal is told: as the status of a call, or as one result of a stream.

use std::collections::HashMap;

use assay_api::{ERROR_DOMAIN, v1 as pb};
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::{Refusal, Violation};
use crate::convert;

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.record();
        let metadata: HashMap<String, String> = refusal
            .metadata()
            .map(|(key, value)| (key.to_owned(), value))
            .into_iter()
            .collect();
        let mut details = ErrorDetails::with_error_info(refusal.reason(), ERROR_DOMAIN, metadata);
        let fields = refusal.violations().iter();
        let fields: Vec<_> = fields
            .map(|wrong| FieldViolation::new(&wrong.field, &wrong.description))
            .collect();
        if !fields.is_empty() {
            details.set_bad_request(fields);
        }
        if let Some(after) = refusal.retry_after() {
            details.set_retry_info(Some(after));
        }
        Self::with_error_details(refusal.code(), refusal.to_string(), details)
    }
}

impl From<Refusal> for pb::SubmitError {
    fn from(refusal: Refusal) -> Self {
        refusal.record();
        let violation = |wrong: &Violation| pb::FieldViolation {
            field: wrong.field.clone(),
            description: wrong.description.clone(),
        };
        Self {
            code: refusal.code().into(),
            message: refusal.to_string(),
            reason: refusal.reason().to_owned(),
            metadata: refusal
                .metadata()
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect(),
            field_violations: refusal.violations().iter().map(violation).collect(),
            retry_after: refusal.retry_after().map(|after| {
                convert::duration(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
            }),
        }
    }
}
