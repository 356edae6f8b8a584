use std::error::Error;

use assay_core::port::JobStore;
use assay_store::{DATABASE_FILE, EmbeddedStore, OpenError};
use redb::{Database, TableDefinition};

use crate::bench_folder::{BenchFolder, id, spec};

fn refusal(opened: Result<EmbeddedStore, OpenError>) -> OpenError {
    match opened {
        Ok(_) => panic!("the store opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_folder_is_made_and_used_by_one_store_at_a_time() {
    let bench = BenchFolder::new();
    let folder = bench.folder.path().join("new/deeper");
    let store = bench.try_open(&folder).unwrap();
    let error = refusal(bench.try_open(&folder));
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "open data folder {}: another process uses it, stop that one or choose another folder",
            folder.display()
        )
    );
    store.submit(id(1), spec()).await.unwrap();
    drop(store);
    bench.try_open(&folder).unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let bench = BenchFolder::new();
    let file = bench.folder.path().join("file");
    std::fs::write(&file, b"in the way").unwrap();
    let error = refusal(bench.try_open(&file.join("folder")));
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("write to data folder "),
        "{error}"
    );
    assert!(error.source().is_some());
}

#[tokio::test]
async fn something_else_is_not_taken_for_a_database() {
    let bench = BenchFolder::new();
    let file = bench.folder.path().join(DATABASE_FILE);
    std::fs::write(
        &file,
        b"a letter to the tax office, of some length".repeat(1_000),
    )
    .unwrap();
    let error = refusal(bench.try_open(bench.folder.path()));
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    let kept = std::fs::read(&file).unwrap();
    assert!(kept.starts_with(b"a letter"), "it is left alone");
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let bench = BenchFolder::new();
    drop(bench.open());
    let file = bench.folder.path().join(DATABASE_FILE);
    let database = Database::open(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let table: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
        let mut meta = transaction.open_table(table).unwrap();
        meta.insert("format", 2_u32.to_le_bytes().as_slice())
            .unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let error = refusal(bench.try_open(bench.folder.path()));
    assert_eq!(
        error.to_string(),
        format!(
            "open database {}: it has format 2 and this version reads up to 1, use the version that wrote it",
            file.display()
        )
    );
}

#[tokio::test]
async fn a_setting_that_cannot_work_is_named() {
    let mut bench = BenchFolder::new();
    bench.config.batch_operations_max = 0;
    let error = refusal(bench.try_open(bench.folder.path()));
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "set store.batch_operations_max to 1 or more, not 0");
}

#[tokio::test]
async fn a_closed_store_refuses_and_ends_its_streams() {
    use assay_core::port::{Interest, RefusalReason, StoreError};
    let bench = BenchFolder::new();
    let store = bench.open();
    let mut stream = store.events(Interest::All).await.unwrap();
    store.close().await;
    assert_eq!(stream.next().await, None);
    let refused = store.submit(id(1), spec()).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::Refused {
                reason: RefusalReason::ShuttingDown,
                ..
            })
        ),
        "{refused:?}"
    );
}
