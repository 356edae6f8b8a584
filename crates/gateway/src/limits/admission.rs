//! Whether a call may begin: is there room for one more, and has its caller not called too often?

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::rates::Rates;
use crate::access::{Caller, Rule, Scope};
use crate::http::Route;
use crate::method::Method;
use crate::metric_definitions;
use crate::status::Refusal;

/// What is under way and what was done of late.
#[derive(Debug)]
pub(crate) struct Admission {
    rates: Rates,
    calls_max: usize,
    places: Arc<Semaphore>,
}

/// A call's place among those that are under way. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// At most `calls_max` calls at the same time, and each caller as often as `rates` say.
    pub(crate) fn new(calls_max: usize, rates: Rates) -> Self {
        Self {
            rates,
            calls_max,
            places: Arc::new(Semaphore::new(calls_max)),
        }
    }

    /// Lets a call of gRPC begin, or says why not. Whoever asks for health always may.
    pub(crate) fn admit_method(
        &self,
        method: Method,
        caller: &Caller,
    ) -> Result<Option<Place>, Refusal> {
        let Some(scope) = scope(Rule::of_method(method)) else {
            return Ok(None);
        };
        // Watchers have places of their own.
        let takes_place = method != Method::WatchJob;
        let place = takes_place.then(|| self.enter()).transpose()?;
        // Of a stream of submits each request counts.
        if method != Method::SubmitJobs {
            self.count(&caller.name, scope, Instant::now())?;
        }
        Ok(place)
    }

    /// Lets a request over HTTP begin, or says why not. Whoever asks for health always may.
    pub(crate) fn admit_route(
        &self,
        route: Route,
        caller: &Caller,
    ) -> Result<Option<Place>, Refusal> {
        let Some(scope) = scope(Rule::of_route(route)) else {
            return Ok(None);
        };
        let place = self.enter()?;
        self.count(&caller.name, scope, Instant::now())?;
        Ok(Some(place))
    }

    /// Counts one request of a stream of submits.
    pub(crate) fn admit_submit(&self, caller: &Caller) -> Result<(), Refusal> {
        self.count(&caller.name, Scope::Submit, Instant::now())
    }

    fn enter(&self) -> Result<Place, Refusal> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => Ok(Place { _permit: permit }),
            Err(_) => Err(Refusal::CallsFull {
                limit: self.calls_max,
            }),
        }
    }

    fn count(&self, caller: &Arc<str>, scope: Scope, now: Instant) -> Result<(), Refusal> {
        self.rates.take(caller, scope, now).map_err(|wait| {
            metric_definitions::rate_limited(scope);
            Refusal::RateLimited {
                scope,
                retry_after_ms: whole_ms(wait),
            }
        })
    }
}

/// What a call counts as, if it counts.
fn scope(rule: Rule) -> Option<Scope> {
    match rule {
        Rule::Nothing => None,
        Rule::Token => Some(Scope::Read),
        Rule::Scope(scope) => Some(scope),
    }
}

/// None too early.
fn whole_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::gcra::Quota;
    use super::*;

    #[test]
    fn as_many_calls_as_the_bound_have_a_place() {
        let admission = Admission::new(2, Rates::new(|_| None));
        let (one, _other) = (admission.enter().unwrap(), admission.enter().unwrap());
        let refused = admission.enter().unwrap_err();
        assert_eq!(refused, Refusal::CallsFull { limit: 2 });
        drop(one);
        admission.enter().unwrap();
    }

    #[test]
    fn whoever_calls_too_often_is_told_when_to_come_back() {
        let admission = Admission::new(1, Rates::new(|_| Quota::new(7, 1)));
        let (caller, now) = (Arc::from("ann"), Instant::now());
        let count = |now| admission.count(&caller, Scope::Submit, now);
        count(now).unwrap();
        let Err(Refusal::RateLimited {
            scope: Scope::Submit,
            retry_after_ms,
        }) = count(now)
        else {
            panic!("it comes too early");
        };
        assert_eq!(retry_after_ms, 8_572, "60 s / 7, rounded up");
        count(now + Duration::from_millis(retry_after_ms)).unwrap();
    }

    #[test]
    fn health_is_told_however_full_it_is_and_watchers_take_no_place() {
        let admission = Admission::new(1, Rates::new(|_| Quota::new(1, 2)));
        let caller = Caller::anybody();
        let method = |method| admission.admit_method(method, &caller);
        let place = method(Method::GetJob).unwrap();
        assert!(place.is_some());
        assert!(method(Method::WatchJob).unwrap().is_none());
        assert!(method(Method::GetHealth).unwrap().is_none());
        let health = admission.admit_route(Route::GetHealth, &caller);
        assert!(health.unwrap().is_none());
        let full = method(Method::SubmitJob).unwrap_err();
        assert_eq!(full, Refusal::CallsFull { limit: 1 });
        let early = method(Method::WatchJob).unwrap_err();
        assert_eq!(early.reason(), "RATE_LIMITED");
    }
}
