//! Goes through many dead letters, call by call.

use super::sum::{Answer, Sum};
use crate::client::Fault;
use crate::terminal::Terminal;

/// Calls until nothing more is done, or `most` are. Each call is told how many are left.
///
/// # Errors
/// When a call fails before anything was done; of a later one it is told what was done.
pub(crate) async fn go_through(
    mut sum: Sum,
    most: u32,
    terminal: Terminal,
    call: impl AsyncFn(u32) -> Result<Answer, Fault>,
) -> Result<Sum, Fault> {
    loop {
        match call(most.saturating_sub(sum.done())).await {
            Ok(answer) => {
                if !sum.add(answer) || sum.done() >= most {
                    return Ok(sum);
                }
            }
            Err(fault) if sum.done() > 0 => {
                terminal.note(&format!("assay: {fault}"));
                sum.stop(fault.word());
                return Ok(sum);
            }
            Err(fault) => return Err(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use assay_api::v1;

    use super::super::sum::Deed;
    use super::*;
    use crate::exit;

    const PLAIN: Terminal = Terminal {
        colours: false,
        bars: false,
    };

    /// Each call puts `pace` back, as many as are there; the last of them fails if it is `faulty`.
    async fn goes(
        most: u32,
        there: u32,
        pace: u32,
        faulty: bool,
    ) -> (Result<Sum, Fault>, Vec<u32>) {
        let (left, limits) = (RefCell::new(there), RefCell::new(Vec::new()));
        let call = async |limit: u32| -> Result<Answer, Fault> {
            limits.borrow_mut().push(limit);
            let mut left = left.borrow_mut();
            if faulty && *left <= pace {
                return Err(Fault::Changed { path: "x".into() });
            }
            let redriven = pace.min(limit).min(*left);
            *left -= redriven;
            let answer = v1::RedriveDeadLettersResponse {
                matched: redriven,
                redriven,
                more: *left > 0,
                ..v1::RedriveDeadLettersResponse::default()
            };
            Ok(answer.into())
        };
        let sum = go_through(Sum::of(Deed::Redrive, false), most, PLAIN, call).await;
        (sum, limits.into_inner())
    }

    #[tokio::test]
    async fn it_calls_until_there_are_no_more_or_enough() {
        let (sum, limits) = goes(100, 25, 10, false).await;
        assert_eq!((sum.unwrap().done(), limits), (25, vec![100, 90, 80]));
        let (sum, limits) = goes(15, 25, 10, false).await;
        let sum = sum.unwrap();
        assert_eq!((sum.done(), limits), (15, vec![15, 5]));
        assert!(sum.has_more());
    }

    #[tokio::test]
    async fn what_was_done_before_a_fault_is_told() {
        let (sum, _) = goes(100, 25, 10, true).await;
        let sum = sum.unwrap();
        assert_eq!((sum.done(), sum.code()), (20, exit::TROUBLE));
        assert_eq!(sum.json()["stopped"], "NO_ANSWER");
        let (sum, _) = goes(100, 5, 10, true).await;
        assert!(sum.is_err());
    }
}
