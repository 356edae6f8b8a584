//! Nothing is answered but what a rule allows, over both edges.

use assay_api::v1 as pb;
use assay_gateway::NewToken;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::calls::{methods, operations};
use super::{House, expired, token};
use crate::fixture::{detail, reason};

/// What each method asks for. `-` is nothing, `*` is any token.
const RULES: &[(&str, &str)] = &[
    ("SubmitJob", "submit"),
    ("SubmitJobs", "submit"),
    ("GetJob", "read"),
    ("ListJobs", "read"),
    ("WatchJob", "read"),
    ("CancelJob", "submit"),
    ("RetryJob", "submit"),
    ("GetJobResult", "read"),
    ("UploadContent", "submit"),
    ("GetContent", "read"),
    ("DownloadContent", "read"),
    ("GetHealth", "-"),
    ("ListQueues", "admin"),
    ("PauseQueue", "admin"),
    ("ResumeQueue", "admin"),
    ("PurgeQueue", "admin"),
    ("ListDeadLetters", "read"),
    ("GetDeadLetter", "read"),
    ("UpdateDeadLetter", "admin"),
    ("RedriveDeadLetter", "submit"),
    ("RedriveDeadLetters", "admin"),
    ("DeleteDeadLetter", "admin"),
    ("PurgeDeadLetters", "admin"),
    ("ListWorkers", "admin"),
    ("GetServerInfo", "*"),
];

fn rule(method: &str) -> &'static str {
    let row = RULES.iter().find(|(name, _)| *name == method);
    row.unwrap_or_else(|| panic!("{method} has no rule: say here what it asks for"))
        .1
}

/// One token for each scope.
fn scoped() -> [(&'static str, NewToken); 3] {
    ["read", "submit", "admin"].map(|scope| (scope, token("acme", scope)))
}

async fn house() -> House {
    let [(_, read), (_, submit), (_, admin)] = scoped();
    House::of(&[&read, &submit, &admin, &expired()]).await
}

/// Why a call was refused for its token, if it was.
fn refusal(answer: &Result<Vec<()>, Status>) -> Option<String> {
    let status = answer.as_ref().err()?;
    let for_it = matches!(
        status.code(),
        Code::Unauthenticated | Code::PermissionDenied
    );
    for_it.then(|| reason(status))
}

#[tokio::test]
async fn every_method_asks_for_what_its_rule_says() {
    let house = house().await;
    for method in methods() {
        let (path, rule) = (method.path.as_str(), rule(&method.name));
        for (shown, why) in [
            (None, "TOKEN_MISSING"),
            (Some(token("acme", "read,admin")), "TOKEN_UNKNOWN"),
            (Some(expired()), "TOKEN_EXPIRED"),
        ] {
            let answer = house.call(path, shown.as_ref(), ()).await;
            let expected = (rule != "-").then_some(why);
            assert_eq!(refusal(&answer).as_deref(), expected, "{path}");
        }
        for (scope, token) in scoped() {
            let answer = house.call(path, Some(&token), ()).await;
            let may = [scope, "*", "-"].contains(&rule);
            let expected = (!may).then_some("SCOPE_MISSING");
            assert_eq!(refusal(&answer).as_deref(), expected, "{path} with {scope}");
            if let Some(status) = answer.err().filter(|_| !may) {
                assert_eq!(status.code(), Code::PermissionDenied);
                assert_eq!(detail(&status, "scope"), rule);
            }
        }
    }
}

#[tokio::test]
async fn every_address_asks_for_what_the_description_says() {
    let house = house().await;
    for operation in operations() {
        let line = operation.line.replace("{id}", "x").replace("{kind}", "x");
        let rule = operation.scope.as_deref();
        for (shown, why) in [
            (None, "TOKEN_MISSING"),
            (Some(token("acme", "read,admin")), "TOKEN_UNKNOWN"),
            (Some(expired()), "TOKEN_EXPIRED"),
        ] {
            let answer = house.ask(&line, shown.as_ref(), "").await;
            if rule.is_none() {
                assert!(answer.status < 400, "{line}");
                continue;
            }
            answer.problem(401, why);
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("Bearer"), "{challenge}");
        }
        for (scope, token) in scoped() {
            let answer = house.ask(&line, Some(&token), "").await;
            let may = rule.is_none_or(|rule| rule.is_empty() || rule == scope);
            if may {
                assert!(![401, 403].contains(&answer.status), "{line} with {scope}");
                continue;
            }
            let told = answer.problem(403, "SCOPE_MISSING");
            assert_eq!(told["scope"].as_str(), rule, "{line} with {scope}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("insufficient_scope"), "{challenge}");
        }
    }
}

#[tokio::test]
async fn what_is_no_call_of_ours_asks_for_a_token_too() {
    let house = house().await;
    let [(_, read), ..] = scoped();
    for path in [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/assay.v1.JobService/DropJobs",
        "/other.Service/Call",
    ] {
        let silent = house.call(path, None, ()).await;
        assert_eq!(refusal(&silent).as_deref(), Some("TOKEN_MISSING"), "{path}");
        let shown: Result<Vec<()>, _> = house.call(path, Some(&read), ()).await;
        let code = shown.err().map(|status| status.code());
        let is_served = path.contains("reflection");
        assert_eq!(code == Some(Code::Unimplemented), !is_served, "{path}");
        assert_ne!(code, Some(Code::Unauthenticated), "{path}");
    }
}

#[tokio::test]
async fn health_is_told_to_everybody_and_its_parts_to_those_with_a_token() {
    let house = house().await;
    let [(_, read), ..] = scoped();
    let mut health = HealthClient::new(house.fixture.channel.clone());
    health.check(HealthCheckRequest::default()).await.unwrap();
    let path = "/assay.v1.AdminService/GetHealth";
    let parts = async |token: Option<&NewToken>| {
        let told: Vec<pb::GetHealthResponse> = house.call(path, token, ()).await.unwrap();
        assert_eq!(told[0].status(), pb::HealthStatus::Healthy);
        let over_http = house.ask("GET /api/async/health", token, "").await;
        let over_http = over_http.expect(200);
        assert_eq!(over_http["status"], "healthy");
        let names = over_http["components"].as_object().unwrap().len();
        (told[0].components.len(), names)
    };
    assert_eq!(parts(None).await, (0, 0));
    assert_eq!(parts(Some(&expired())).await, (0, 0));
    assert_eq!(parts(Some(&read)).await, (4, 6));
}
