//! Every address that is served over HTTP: the one table. The router, the counts and the tests of the description
//! (`openapi.json`) go by it.

use axum::routing::MethodFilter;

/// An address with its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    SubmitVerification,
    ListJobs,
    GetJob,
    GetProgress,
    GetResult,
    WatchEvents,
    CancelJob,
    RetryJob,
    UploadContent,
    GetContent,
    DownloadContent,
    ListDeadLetters,
    GetDeadLetter,
    RedriveDeadLetter,
    RedriveDeadLetters,
    UpdateDeadLetter,
    DeleteDeadLetter,
    PurgeDeadLetters,
    GetHealth,
    ListQueues,
    PauseQueue,
    ResumeQueue,
    PurgeQueue,
    GetMetrics,
    GetDescription,
}

/// What there is to say about a route.
struct Row {
    /// The method, a space, and the path.
    name: &'static str,
    /// The parameters that may follow the path.
    query: &'static [&'static str],
    /// What the system before this one said when the server was at fault.
    failure: Option<&'static str>,
}

/// The parameters of a list.
const LIST: &[&str] = &[
    "pageSize",
    "pageToken",
    "kind",
    "state",
    "createdFrom",
    "createdBefore",
];
/// The parameters of a list of dead letters.
const DEAD_LETTERS: &[&str] = &[
    "pageSize",
    "pageToken",
    "kind",
    "reason",
    "createdFrom",
    "createdBefore",
];

impl Route {
    pub(crate) const ALL: [Self; 25] = [
        Self::SubmitVerification,
        Self::ListJobs,
        Self::GetJob,
        Self::GetProgress,
        Self::GetResult,
        Self::WatchEvents,
        Self::CancelJob,
        Self::RetryJob,
        Self::UploadContent,
        Self::GetContent,
        Self::DownloadContent,
        Self::ListDeadLetters,
        Self::GetDeadLetter,
        Self::RedriveDeadLetter,
        Self::RedriveDeadLetters,
        Self::UpdateDeadLetter,
        Self::DeleteDeadLetter,
        Self::PurgeDeadLetters,
        Self::GetHealth,
        Self::ListQueues,
        Self::PauseQueue,
        Self::ResumeQueue,
        Self::PurgeQueue,
        Self::GetMetrics,
        Self::GetDescription,
    ];

    fn row(self) -> Row {
        let row = |name| Row {
            name,
            query: &[],
            failure: None,
        };
        let asked = |name, query| Row { query, ..row(name) };
        let known = |name, failure| Row {
            failure: Some(failure),
            ..row(name)
        };
        match self {
            Self::SubmitVerification => known("POST /api/async/verify", "Failed to submit job"),
            Self::ListJobs => asked("GET /api/async/jobs", LIST),
            Self::GetJob => row("GET /api/async/jobs/{id}"),
            Self::GetProgress => known(
                "GET /api/async/jobs/{id}/progress",
                "Failed to get progress",
            ),
            Self::GetResult => row("GET /api/async/jobs/{id}/result"),
            Self::WatchEvents => row("GET /api/async/jobs/{id}/events"),
            Self::CancelJob => row("DELETE /api/async/jobs/{id}"),
            Self::RetryJob => row("POST /api/async/jobs/{id}/retry"),
            Self::UploadContent => asked("POST /api/async/contents", &["name", "sha256"]),
            Self::GetContent => row("GET /api/async/contents/{id}"),
            Self::DownloadContent => row("GET /api/async/contents/{id}/data"),
            Self::ListDeadLetters => asked("GET /api/async/dead-letters", DEAD_LETTERS),
            Self::GetDeadLetter => row("GET /api/async/dead-letters/{id}"),
            Self::RedriveDeadLetter => row("POST /api/async/dead-letters/{id}/redrive"),
            Self::RedriveDeadLetters => row("POST /api/async/dead-letters/redrive"),
            Self::UpdateDeadLetter => row("PATCH /api/async/dead-letters/{id}"),
            Self::DeleteDeadLetter => asked("DELETE /api/async/dead-letters/{id}", &["etag"]),
            Self::PurgeDeadLetters => row("POST /api/async/dead-letters/purge"),
            Self::GetHealth => known("GET /api/async/health", "Failed to get health status"),
            Self::ListQueues => known("GET /api/async/queues", "Failed to get queue status"),
            Self::PauseQueue => row("POST /api/async/queues/{kind}/pause"),
            Self::ResumeQueue => row("POST /api/async/queues/{kind}/resume"),
            Self::PurgeQueue => row("POST /api/async/queues/{kind}/purge"),
            Self::GetMetrics => known("GET /api/async/metrics", "Failed to get metrics"),
            Self::GetDescription => row("GET /api/async/openapi.json"),
        }
    }

    /// The method, a space, and the path.
    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    /// The path, with `{id}` or `{kind}` where the name of something goes.
    pub(crate) fn path(self) -> &'static str {
        self.name().split_once(' ').map_or("", |(_, path)| path)
    }

    /// The path to one thing.
    pub(super) fn path_to(self, id: &str) -> String {
        self.path().replace("{id}", id)
    }

    /// Which method it answers. GET answers HEAD, too.
    pub(super) fn filter(self) -> MethodFilter {
        match self.name().split_once(' ') {
            Some(("POST", _)) => MethodFilter::POST,
            Some(("DELETE", _)) => MethodFilter::DELETE,
            Some(("PATCH", _)) => MethodFilter::PATCH,
            Some(_) | None => MethodFilter::GET,
        }
    }

    /// Whether it changes nothing.
    pub(super) fn is_question(self) -> bool {
        self.filter() == MethodFilter::GET
    }

    /// The parameters that may follow the path.
    pub(super) fn query(self) -> &'static [&'static str] {
        self.row().query
    }

    /// What the system before this one said when the server was at fault.
    pub(super) fn failure(self) -> Option<&'static str> {
        self.row().failure
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::super::overview::DESCRIPTION;
    use super::*;
    use crate::access::Rule;

    /// Method and path of every operation, and its parameters of one place.
    fn described(place: &str) -> BTreeSet<(String, Vec<String>)> {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut operations = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let parameters = operation["parameters"].as_array();
                let mut names: Vec<_> = parameters
                    .into_iter()
                    .flatten()
                    .map(|parameter| resolved(&description, parameter))
                    .filter(|parameter| parameter["in"] == place)
                    .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                    .collect();
                names.sort_unstable();
                operations.insert((format!("{} {path}", method.to_uppercase()), names));
            }
        }
        operations
    }

    fn resolved<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(link) => description.pointer(link.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    #[test]
    fn the_description_and_the_table_say_the_same() {
        let query = Route::ALL.map(|route| {
            let mut names: Vec<_> = route.query().iter().map(ToString::to_string).collect();
            names.sort_unstable();
            (route.name().to_owned(), names)
        });
        assert_eq!(described("query"), BTreeSet::from(query));
        let path = Route::ALL.map(|route| {
            let named = ["id", "kind"].into_iter();
            let named = named.filter(|name| route.path().contains(&format!("{{{name}}}")));
            (route.name().to_owned(), named.map(str::to_owned).collect())
        });
        assert_eq!(described("path"), BTreeSet::from(path));
    }

    #[test]
    fn the_description_says_what_each_operation_asks_for() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        for route in Route::ALL {
            let (method, path) = route.name().split_once(' ').unwrap();
            let operation = &description["paths"][path][method.to_lowercase()];
            let expected = match Rule::of_route(route) {
                Rule::Nothing => json!([{}, {"bearer": []}]),
                Rule::Token => json!([{"bearer": []}]),
                Rule::Scope(scope) => json!([{"bearer": [scope.word()]}]),
            };
            assert_eq!(operation["security"], expected, "{}", route.name());
        }
        assert_eq!(
            description["components"]["securitySchemes"]["bearer"]["scheme"],
            "bearer"
        );
    }

    /// Calls `see` with every link of a value.
    fn links(value: &Value, see: &mut impl FnMut(&str)) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if name == "$ref" {
                        see(member.as_str().unwrap());
                    }
                    links(member, see);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| links(item, see)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_link_of_the_description_leads_somewhere() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut seen = 0;
        links(&description, &mut |link| {
            let target = description.pointer(link.trim_start_matches('#'));
            assert!(target.is_some(), "{link}");
            seen += 1;
        });
        assert!(seen > 20);
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_how_it_fails() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut names = BTreeSet::new();
        for methods in description["paths"].as_object().unwrap().values() {
            for operation in methods.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name}");
                assert!(operation["responses"]["default"].is_object(), "{name}");
            }
        }
    }
}
