//! Who is let in, and for how long.

use assay_core::clock::ManualClock;
use futures::FutureExt as _;
use tonic::codegen::http::HeaderValue;
use tonic::codegen::http::header::AUTHORIZATION;

use super::*;

fn made(name: &str, scopes: &str, expires: Option<&str>) -> NewToken {
    let mut entropy = [0; ENTROPY_BYTES];
    for (to, from) in entropy.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    new_token(name, "acme", scopes, expires, &entropy).unwrap()
}

fn access(made: &[&NewToken], clock: &Arc<ManualClock>) -> Access {
    let lines: Vec<_> = made.iter().map(|one| one.line.as_str()).collect();
    let tokens = Tokens::parse(&lines.join("\n")).unwrap();
    Access::guarded(tokens, Arc::<ManualClock>::clone(clock))
}

fn showing(token: &str) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

#[test]
fn without_tokens_there_is_one_caller_who_may_do_everything() {
    let access = Access::open(Arc::new(ManualClock::at(0)));
    assert!(access.is_open());
    for rule in [Rule::Nothing, Rule::Token, Rule::Scope(Scope::Admin)] {
        let caller = access.admit(rule, &HeaderMap::new()).unwrap();
        assert_eq!(caller, Caller::anybody());
        assert!(!caller.is_known() && !caller.is_stranger());
        assert!(access.lapse(&caller).now_or_never().is_none());
    }
}

#[test]
fn each_rule_asks_for_what_it_says() {
    let reads = made("reads", "read", None);
    let ended = made("ended", "read", Some("1970-01-01"));
    let access = access(&[&reads, &ended], &Arc::new(ManualClock::at(1)));
    assert!(!access.is_open());
    let caller = |token: &NewToken, rule| access.admit(rule, &showing(&token.token));
    let known = caller(&reads, Rule::Scope(Scope::Read)).unwrap();
    assert_eq!((&*known.name, known.tenant.as_str()), ("reads", "acme"));
    assert!(known.is_known());
    for rule in [Rule::Token, Rule::Nothing] {
        assert_eq!(caller(&reads, rule), Ok(known.clone()));
    }
    for scope in [Scope::Submit, Scope::Admin] {
        let refused = caller(&reads, Rule::Scope(scope));
        assert_eq!(refused, Err(Refusal::ScopeMissing(scope)));
    }
    let unknown = made("unknown", "admin", None);
    for rule in [Rule::Token, Rule::Scope(Scope::Read)] {
        assert_eq!(caller(&ended, rule), Err(Refusal::TokenExpired));
        assert_eq!(caller(&unknown, rule), Err(Refusal::TokenUnknown));
        let silent = access.admit(rule, &HeaderMap::new());
        assert_eq!(silent, Err(Refusal::TokenMissing));
    }
    for headers in [
        HeaderMap::new(),
        showing(&unknown.token),
        showing(&ended.token),
    ] {
        let stranger = access.admit(Rule::Nothing, &headers).unwrap();
        assert!(stranger.is_stranger() && !stranger.is_known());
    }
}

#[test]
fn a_stream_ends_with_its_token() {
    let (stays, goes) = (made("stays", "read", None), made("goes", "read", None));
    let clock = Arc::new(ManualClock::at(0));
    let access = access(&[&stays, &goes], &clock);
    let caller = |token: &NewToken| {
        let headers = showing(&token.token);
        access.admit(Rule::Token, &headers).unwrap()
    };
    let mut of_one = access.lapse(&caller(&stays));
    let mut of_other = access.lapse(&caller(&goes));
    assert!((&mut of_one).now_or_never().is_none());
    assert!((&mut of_other).now_or_never().is_none());
    let left = Tokens::parse(&stays.line).unwrap();
    access.tokens().unwrap().send_replace(Arc::new(left));
    assert!((&mut of_one).now_or_never().is_none());
    let ended = (&mut of_other).now_or_never();
    assert_eq!(ended, Some(Refusal::TokenUnknown));
}

#[test]
fn a_stream_ends_when_its_token_expires_or_is_changed() {
    let ends = made("ends", "read", Some("1970-01-01T00:00:01Z"));
    let clock = Arc::new(ManualClock::at(0));
    let access = access(&[&ends], &clock);
    let caller = access.admit(Rule::Token, &showing(&ends.token)).unwrap();
    let mut expires = access.lapse(&caller);
    let mut changes = access.lapse(&caller);
    assert!((&mut expires).now_or_never().is_none());
    assert!((&mut changes).now_or_never().is_none());
    let other = ends.line.replace("scopes=read", "scopes=submit");
    let other = Arc::new(Tokens::parse(&other).unwrap());
    let before = access.tokens().unwrap().send_replace(other);
    let ended = (&mut changes).now_or_never();
    assert_eq!(ended, Some(Refusal::TokenUnknown));
    clock.advance(1_000);
    access.tokens().unwrap().send_replace(before);
    let ended = (&mut expires).now_or_never();
    assert_eq!(ended, Some(Refusal::TokenExpired));
}
