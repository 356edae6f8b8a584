//! One data folder, one process, no server.
//!
//! Jobs that have not ended live in memory and in the file; those that have ended live in the file. Every
//! change goes through one `writer` thread, which syncs many of them at once. Readers see
//! what is committed and nothing else.

mod batch;
mod clockwork;
mod commit;
mod control;
mod disk;
mod entry;
mod fingerprints;
mod folder;
mod history;
mod journal;
mod list;
mod parts;
mod port;
mod replay;
mod reply;
mod shelf;
mod steps;
mod stream;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use assay_core::clock::Clock;
use assay_core::port::{HandOut, StoreError};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, watch};

pub use folder::{DATABASE_FILE, LOCK_FILE, OpenError};

use crate::StoreConfig;
use batch::Batch;
use disk::Fault;
use folder::{Folder, Medium};
use replay::{prepare, replay};
use reply::{closed, reply, writer_panicked};
use shelf::Shelf;
use stream::{Announcer, Listeners};
use writer::{Answer, Operation, Shared, Writer};

/// The store of one process. Dropping it answers what was asked before, then gives the folder free.
pub struct EmbeddedStore {
    shared: Arc<RwLock<Shared>>,
    sender: Mutex<Option<mpsc::Sender<Operation>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Ends with the writer's thread, however that ends.
    writer_lives: watch::Receiver<()>,
    listeners: Listeners,
}

/// The store can change nothing any more, and nobody asked it to end.
#[derive(Debug, thiserror::Error)]
#[error("write to the store's file: its thread panicked, the log says where; start again")]
pub struct WriterPanicked;

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("EmbeddedStore").finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the store in `folder`, which is made if need be. Jobs whose worker died with the process
    /// before are taken from it, and everything that is queued is handed out before this returns.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the folder and what to do.
    pub fn open(
        folder: &Path,
        config: StoreConfig,
        clock: Arc<dyn Clock>,
        hand_out: Arc<dyn HandOut>,
    ) -> Result<Self, OpenError> {
        config
            .validate()
            .map_err(|source| OpenError::Config { source })?;
        let file = folder.join(DATABASE_FILE).display().to_string();
        let medium = Box::new(Folder::lock(folder)?);
        Self::over(medium, &file, config, clock, hand_out)
    }

    /// Opens the store on any medium.
    fn over(
        medium: Box<dyn Medium>,
        file: &str,
        config: StoreConfig,
        clock: Arc<dyn Clock>,
        hand_out: Arc<dyn HandOut>,
    ) -> Result<Self, OpenError> {
        let unreadable = |fault: Fault| OpenError::Unreadable {
            file: file.to_owned(),
            source: Box::new(fault),
        };
        let database = medium.open(config.cache_bytes)?;
        let now_ms = clock.now_ms();
        let epoch_ms = prepare(&database, now_ms, file)?;
        let replayed =
            replay(&database, epoch_ms, config.retention(), now_ms).map_err(unreadable)?;
        let shared = Arc::new(RwLock::new(Shared {
            shelf: replayed.shelf,
            database: Some(Arc::new(database)),
            broken: String::new(),
        }));
        let (sender, receiver) = mpsc::channel(config.pending_operations_max);
        let (announcer, listeners) = Announcer::new(config.event_lag_max);
        let mut writer = Writer {
            shared: Arc::clone(&shared),
            receiver,
            medium,
            file: file.to_owned(),
            config,
            clock,
            hand_out,
            announcer,
            clockwork: replayed.clockwork,
            journal: replayed.journal,
            last_commit: replayed.last_commit,
            epoch_started_at_ms: replayed.epoch_started_at_ms,
            disk_full_until_ms: 0,
            row: Vec::new(),
        };
        writer.start().map_err(unreadable)?;
        let (lives, writer_lives) = watch::channel(());
        let thread = std::thread::Builder::new().name("store-writer".into());
        let writer = thread
            .spawn(move || {
                let _until_it_ends = lives;
                writer.run();
            })
            .map_err(|source| OpenError::Thread { source })?;
        Ok(Self {
            shared,
            sender: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
            writer_lives,
            listeners,
        })
    }

    /// Waits until the store has ended. What is read after that is what was committed last.
    ///
    /// # Errors
    /// [`WriterPanicked`] when nobody closed it: the process must end and open the file again.
    pub async fn ended(&self) -> Result<(), WriterPanicked> {
        let mut lives = self.writer_lives.clone();
        // Nothing is ever sent: it ends with its sender.
        while lives.changed().await.is_ok() {}
        match *self.sender.lock() {
            Some(_) => Err(WriterPanicked),
            None => Ok(()),
        }
    }

    /// Ends the store: what was asked before is answered, later calls are refused, listeners hear the end.
    pub async fn close(&self) {
        let Some(writer) = self.stop() else {
            return;
        };
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the store's writer thread panicked");
        }
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        drop(self.sender.lock().take());
        self.writer.lock().take()
    }

    /// Has the writer do `step`, and waits until what it did is on disk.
    async fn change<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
        not_written: fn() -> StoreError,
    ) -> Result<T, StoreError> {
        let sender = self.sender.lock().clone();
        let sender = sender.ok_or_else(closed)?;
        let (reply, answer) = reply();
        let operation: Operation = Box::new(move |batch| -> Answer {
            let result = step(batch);
            Box::new(move |outcome| reply.send(result, outcome, not_written))
        });
        sender
            .send(operation)
            .await
            .map_err(|_| writer_panicked())?;
        answer.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable {
                why: "its file can't be opened; see the log".into(),
            })
        })
    }

    /// Reads what is committed.
    fn read<T>(
        &self,
        read: impl FnOnce(&Shelf, &redb::Database) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let shared = self.shared.read();
        let Some(database) = &shared.database else {
            return Err(StoreError::Unavailable {
                why: shared.broken.clone(),
            });
        };
        read(&shared.shelf, database).map_err(batch::unavailable)
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        if let Some(writer) = self.stop()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer thread panicked");
        }
    }
}
