//! What each call asks of its caller: the one table, over gRPC and over HTTP. Pure.

use super::scope::Scope;
use crate::http::Route;
use crate::method::Method;

/// The services of gRPC itself that tell whether a server serves, and nothing else.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// What a call asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing: orchestrators ask for health, and have no token. Whoever shows one is told more.
    Nothing,
    /// Any token: what is told is nobody's.
    Token,
    /// A token with this scope.
    Scope(Scope),
}

impl Rule {
    /// The rule of a method.
    pub(crate) fn of_method(method: Method) -> Self {
        match method {
            Method::GetHealth => Self::Nothing,
            Method::GetServerInfo => Self::Token,
            Method::GetJob
            | Method::ListJobs
            | Method::WatchJob
            | Method::GetJobResult
            | Method::GetContent
            | Method::DownloadContent
            | Method::ListDeadLetters
            | Method::GetDeadLetter => Self::Scope(Scope::Read),
            Method::SubmitJob
            | Method::SubmitJobs
            | Method::CancelJob
            | Method::RetryJob
            | Method::RedriveDeadLetter
            | Method::UploadContent => Self::Scope(Scope::Submit),
            Method::ListQueues
            | Method::PauseQueue
            | Method::ResumeQueue
            | Method::PurgeQueue
            | Method::UpdateDeadLetter
            | Method::RedriveDeadLetters
            | Method::DeleteDeadLetter
            | Method::PurgeDeadLetters
            | Method::ListWorkers => Self::Scope(Scope::Admin),
        }
    }

    /// The rule of an address.
    pub(crate) fn of_route(route: Route) -> Self {
        match route {
            Route::GetHealth => Self::Nothing,
            Route::GetDescription => Self::Token,
            Route::ListJobs
            | Route::GetJob
            | Route::GetProgress
            | Route::GetResult
            | Route::WatchEvents
            | Route::GetContent
            | Route::DownloadContent
            | Route::ListDeadLetters
            | Route::GetDeadLetter => Self::Scope(Scope::Read),
            Route::SubmitVerification
            | Route::CancelJob
            | Route::RetryJob
            | Route::RedriveDeadLetter
            | Route::UploadContent => Self::Scope(Scope::Submit),
            Route::RedriveDeadLetters
            | Route::UpdateDeadLetter
            | Route::DeleteDeadLetter
            | Route::PurgeDeadLetters
            | Route::ListQueues
            | Route::PauseQueue
            | Route::ResumeQueue
            | Route::PurgeQueue
            | Route::GetMetrics => Self::Scope(Scope::Admin),
        }
    }

    /// The rule of a path of gRPC, and its method if it is one of ours. What nobody knows asks for a token, as
    /// reflection does.
    pub(crate) fn of_path(path: &str) -> (Self, Option<Method>) {
        match Method::of_path(path) {
            Some(method) => (Self::of_method(method), Some(method)),
            None if path.starts_with(HEALTH) => (Self::Nothing, None),
            None => (Self::Token, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_the_rules_of_their_methods() {
        for method in Method::ALL {
            let path = format!("/{}", method.name());
            let expected = (Rule::of_method(method), Some(method));
            assert_eq!(Rule::of_path(&path), expected);
        }
        assert_eq!(
            Rule::of_path("/grpc.health.v1.Health/Check"),
            (Rule::Nothing, None)
        );
        for unknown in [
            "",
            "/",
            "assay.v1.JobService/GetJob",
            "/assay.v1.JobService/GetJobs",
            "/assay.v1.JobService/GetJob/",
            "/grpc.health.v1.HealthX/Check",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ] {
            assert_eq!(Rule::of_path(unknown), (Rule::Token, None), "{unknown}");
        }
    }

    #[test]
    fn nothing_but_health_is_told_to_strangers() {
        let open = |rule: &Rule| *rule == Rule::Nothing;
        let methods = Method::ALL.map(Rule::of_method);
        assert_eq!(methods.iter().filter(|rule| open(rule)).count(), 1);
        let routes = Route::ALL.map(Rule::of_route);
        assert_eq!(routes.iter().filter(|rule| open(rule)).count(), 1);
    }
}
