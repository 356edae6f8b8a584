//! Reads that come while others are on their way go together, as steps do (`committer`): under load a worker asks for
//! the record of each job that it claims, and many commands of their own cost more than one row of them.

use std::sync::Arc;

use assay_core::id::JobId;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use redis::{Pipeline, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::committer::let_others_come;
use super::keys::Keys;
use super::link::{Link, LinkError};
use super::record::FIELDS;

/// Records that are read together.
const RECORDS_MAX: usize = 128;
/// Rows of reads that are on their way at a time.
const ROWS_MAX: usize = 2;
/// Reads that wait to be sent.
const WAITING_MAX: usize = 8_192;

type Answer = Result<Value, LinkError>;

struct Wanted {
    id: JobId,
    answer: oneshot::Sender<Answer>,
}

/// Where single records are asked for. Clones ask in the same place.
#[derive(Clone)]
pub(crate) struct Gatherer(mpsc::Sender<Wanted>);

impl Gatherer {
    /// Begins in `tasks`, and ends when nobody can ask any more.
    pub(crate) fn start(link: Link, keys: Arc<Keys>, tasks: &mut JoinSet<()>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tasks.spawn(run(link, keys, receiver));
        Self(sender)
    }

    /// The fields of a record.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn fields(&self, id: JobId) -> Answer {
        let closed = || LinkError::Unsent("it was closed".into());
        let (answer, receiver) = oneshot::channel();
        let wanted = Wanted { id, answer };
        self.0.send(wanted).await.map_err(|_| closed())?;
        receiver.await.unwrap_or_else(|_| Err(closed()))
    }
}

async fn run(link: Link, keys: Arc<Keys>, mut receiver: mpsc::Receiver<Wanted>) {
    let mut rows = FuturesUnordered::new();
    let (mut came, mut open) = (Vec::new(), true);
    while open || !rows.is_empty() {
        tokio::select! {
            Some(()) = rows.next() => {}
            count = receiver.recv_many(&mut came, RECORDS_MAX), if open && rows.len() < ROWS_MAX => {
                open = count > 0;
                if open {
                    let_others_come(&mut receiver, &mut came, RECORDS_MAX).await;
                    rows.push(read(&link, &keys, std::mem::take(&mut came)));
                }
            }
        }
    }
}

/// Reads records in one row. A key that holds something else spoils the row, so then each is read by itself.
async fn read(link: &Link, keys: &Keys, wanted: Vec<Wanted>) {
    let mut commands = Pipeline::with_capacity(wanted.len());
    for Wanted { id, .. } in &wanted {
        add(&mut commands, keys, *id);
    }
    match link.read_all(&commands).await {
        Ok(answers) => {
            for (wanted, fields) in wanted.into_iter().zip(answers) {
                wanted.tell(Ok(fields));
            }
        }
        Err(LinkError::Refused(_)) if wanted.len() > 1 => {
            for wanted in wanted {
                Box::pin(read(link, keys, vec![wanted])).await;
            }
        }
        Err(error) => {
            for wanted in wanted {
                wanted.tell(Err(error.clone()));
            }
        }
    }
}

impl Wanted {
    /// Whoever asked may be gone.
    fn tell(self, answer: Answer) {
        drop(self.answer.send(answer));
    }
}

/// Asks for the fields of a record.
pub(super) fn add(commands: &mut Pipeline, keys: &Keys, id: JobId) {
    let command = commands.cmd("HMGET");
    command.arg(keys.of(id).record(id)).arg(&FIELDS);
}
