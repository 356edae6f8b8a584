//! How often each caller may call, by the scope that a call asks for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::gcra::{Cell, Quota};
use crate::access::Scope;

/// Callers, by what they do, that are remembered at the same time. Names are those of tokens, so there are far fewer; those
/// of tokens that are gone are forgotten when there is no room.
const CELLS_MAX: usize = 65_536;
/// When to try again if not even one caller can be forgotten.
const CROWDED: Duration = Duration::from_secs(1);

/// What every caller has used of their quotas.
#[derive(Debug)]
pub(crate) struct Rates {
    read: Option<Quota>,
    submit: Option<Quota>,
    admin: Option<Quota>,
    cells_max: usize,
    cells: Mutex<HashMap<(Arc<str>, Scope), Cell>>,
}

impl Rates {
    /// The quota of each caller by scope; none is no limit.
    pub(crate) fn new(quota: impl Fn(Scope) -> Option<Quota>) -> Self {
        Self {
            read: quota(Scope::Read),
            submit: quota(Scope::Submit),
            admin: quota(Scope::Admin),
            cells_max: CELLS_MAX,
            cells: Mutex::default(),
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// How long it comes too early.
    pub(crate) fn take(
        &self,
        caller: &Arc<str>,
        scope: Scope,
        now: Instant,
    ) -> Result<(), Duration> {
        let Some(quota) = self.quota(scope) else {
            return Ok(());
        };
        let key = (Arc::clone(caller), scope);
        let mut cells = self.cells.lock();
        if let Some(cell) = cells.get_mut(&key) {
            return cell.take(quota, now);
        }
        if cells.len() >= self.cells_max {
            cells.retain(|_, cell| !cell.is_idle(now));
        }
        if cells.len() >= self.cells_max {
            return Err(CROWDED);
        }
        let mut cell = Cell::new(now);
        let taken = cell.take(quota, now);
        cells.insert(key, cell);
        taken
    }

    fn quota(&self, scope: Scope) -> Option<Quota> {
        match scope {
            Scope::Read => self.read,
            Scope::Submit => self.submit,
            Scope::Admin => self.admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn one_a_second(scope: Scope) -> Option<Quota> {
        (scope != Scope::Admin).then(|| Quota::new(60, 1)).flatten()
    }

    fn caller(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    #[test]
    fn callers_and_scopes_do_not_get_into_each_other_s_way() {
        let (rates, now) = (Rates::new(one_a_second), Instant::now());
        let take = |name, scope| rates.take(&caller(name), scope, now);
        assert_eq!(take("ann", Scope::Read), Ok(()));
        assert_eq!(take("ann", Scope::Read), Err(SECOND));
        assert_eq!(take("ann", Scope::Submit), Ok(()));
        assert_eq!(take("bob", Scope::Read), Ok(()));
        for _ in 0..100 {
            assert_eq!(take("ann", Scope::Admin), Ok(()), "no limit");
        }
        assert_eq!(rates.cells.lock().len(), 3, "nothing is kept without one");
        let later = rates.take(&caller("ann"), Scope::Read, now + SECOND);
        assert_eq!(later, Ok(()));
    }

    #[test]
    fn no_more_callers_are_remembered_than_the_bound_and_those_that_are_idle_are_forgotten() {
        let mut rates = Rates::new(one_a_second);
        rates.cells_max = 2;
        let now = Instant::now();
        let take = |name, now| rates.take(&caller(name), Scope::Read, now);
        assert_eq!((take("ann", now), take("bob", now)), (Ok(()), Ok(())));
        assert_eq!(take("cid", now), Err(CROWDED), "both are needed");
        assert_eq!(take("ann", now), Err(SECOND), "nothing was forgotten");
        assert_eq!(take("cid", now + SECOND), Ok(()));
        assert_eq!(rates.cells.lock().len(), 1);
        assert_eq!(take("ann", now + SECOND), Ok(()));
    }

    #[test]
    fn a_scope_has_the_word_that_the_configuration_has() {
        for scope in Scope::ALL {
            let key = format!("[gateway.rate_limits.{scope}]");
            assert!(crate::DEFAULTS.contains(&key), "{key}");
        }
    }
}
