//! How many calls may be repeated: a share of all, so that an ill detector is not drowned by its own clients.

/// Of a hundred calls, so many may be repetitions.
pub const RETRY_PERCENT: u32 = 10;
/// What one repetition costs; a call earns [`RETRY_PERCENT`] of it.
const RETRY_COST: u32 = 100;
/// The most that can be saved up: ten repetitions.
const SAVED_MAX: u32 = 10 * RETRY_COST;

/// Earns with every call, and pays for repetitions.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    saved: u32,
}

impl RetryBudget {
    /// A budget that affords one repetition before it has earned any: a process that asks rarely may have one too.
    pub(crate) fn new() -> Self {
        Self { saved: RETRY_COST }
    }

    /// A call was made.
    pub(crate) fn earn(&mut self) {
        self.saved = (self.saved + RETRY_PERCENT).min(SAVED_MAX);
    }

    /// Pays for a repetition, if it can be afforded.
    pub(crate) fn pay(&mut self) -> bool {
        let left = self.saved.checked_sub(RETRY_COST);
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(budget: &mut RetryBudget) -> usize {
        std::iter::from_fn(|| budget.pay().then_some(())).count()
    }

    #[test]
    fn one_call_in_ten_may_be_repeated() {
        let mut budget = RetryBudget::new();
        assert_eq!(paid(&mut budget), 1);
        let repeated = (0..1_000).filter(|_| {
            budget.earn();
            budget.pay()
        });
        assert_eq!(repeated.count(), 100);
    }

    #[test]
    fn no_more_than_ten_repetitions_are_saved_up() {
        let mut budget = RetryBudget::new();
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!(paid(&mut budget), 10);
    }
}
