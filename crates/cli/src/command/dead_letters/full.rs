//! Dead letters with all that is known of them, for whoever keeps them elsewhere.

use std::io;

use assay_api::v1::DeadLetter;
use futures::{StreamExt as _, stream};

use crate::client::{Client, Fault};

/// How many are asked for at a time.
const CALLS_MAX: usize = 16;
/// How many are told at a time: so much is kept waiting, however large payloads are.
const TOLD_MAX: usize = 64;

/// Asks for all of each that is listed and gives them to `take`, some at a time and in the same order. One that was put
/// back or forgotten since it was listed is none any more, and is left out.
///
/// # Errors
/// When the server stays away too long, or `take` fails.
pub(super) async fn tell(
    client: &Client,
    listed: Vec<DeadLetter>,
    mut take: impl FnMut(Vec<DeadLetter>) -> io::Result<()>,
) -> anyhow::Result<()> {
    let ids = listed.into_iter().filter_map(|letter| Some(letter.job?.id));
    let asked = ids.map(|id| async move { client.dead_letter_if_kept(&id).await });
    let mut told = stream::iter(asked).buffered(CALLS_MAX).chunks(TOLD_MAX);
    while let Some(some) = told.next().await {
        let kept = some.into_iter().filter_map(Result::transpose);
        take(kept.collect::<Result<_, Fault>>()?)?;
    }
    Ok(())
}
