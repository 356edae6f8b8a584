//! Which content was touched lately, so that a burst of submits does not ask the disk each time.

use std::collections::HashMap;

use assay_core::id::Tenant;

use crate::{ContentId, TOUCH_REMEMBERED_MS};

/// Most touches that are remembered.
const REMEMBERED_MAX: usize = 4096;

/// The latest touch of each content; of two tenants' equal content, the later touch.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    touches: HashMap<ContentId, Touch>,
}

#[derive(Debug)]
struct Touch {
    tenant: Tenant,
    bytes: u64,
    at_ms: u64,
}

impl Recent {
    /// The size of content that was touched within the last [`TOUCH_REMEMBERED_MS`].
    pub(crate) fn bytes(&self, tenant: &Tenant, id: &ContentId, now_ms: u64) -> Option<u64> {
        let touch = self.touches.get(id)?;
        let known = touch.tenant == *tenant && is_fresh(touch, now_ms);
        known.then_some(touch.bytes)
    }

    pub(crate) fn remember(&mut self, tenant: Tenant, id: ContentId, bytes: u64, at_ms: u64) {
        if self.touches.len() >= REMEMBERED_MAX {
            self.touches.retain(|_, touch| is_fresh(touch, at_ms));
        }
        if self.touches.len() >= REMEMBERED_MAX {
            // All are fresh: any may go, the disk knows them.
            self.touches.clear();
        }
        let touch = Touch {
            tenant,
            bytes,
            at_ms,
        };
        self.touches.insert(id, touch);
    }

    pub(crate) fn forget(&mut self, id: &ContentId) {
        self.touches.remove(id);
    }
}

fn is_fresh(touch: &Touch, now_ms: u64) -> bool {
    now_ms.saturating_sub(touch.at_ms) < TOUCH_REMEMBERED_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> ContentId {
        ContentId::of(&number.to_be_bytes())
    }

    #[test]
    fn a_touch_is_remembered_for_its_tenant_and_its_time() {
        let (mut recent, tenant) = (Recent::default(), Tenant::default());
        recent.remember(tenant.clone(), id(1), 7, 1_000);
        let last_ms = 1_000 + TOUCH_REMEMBERED_MS - 1;
        assert_eq!(recent.bytes(&tenant, &id(1), last_ms), Some(7));
        assert_eq!(recent.bytes(&tenant, &id(1), last_ms + 1), None);
        assert_eq!(
            recent.bytes(&Tenant::new("other").unwrap(), &id(1), 1_000),
            None
        );
        recent.forget(&id(1));
        assert_eq!(recent.bytes(&tenant, &id(1), 1_000), None);
    }

    #[test]
    fn no_more_touches_are_kept_than_the_bound() {
        let (mut recent, tenant) = (Recent::default(), Tenant::default());
        for number in 0..REMEMBERED_MAX {
            recent.remember(tenant.clone(), id(number), 1, 1_000);
        }
        assert_eq!(recent.touches.len(), REMEMBERED_MAX);
        recent.remember(tenant.clone(), id(REMEMBERED_MAX), 1, 1_000);
        assert!(recent.touches.len() <= REMEMBERED_MAX);
        assert_eq!(recent.bytes(&tenant, &id(REMEMBERED_MAX), 1_000), Some(1));
    }
}
