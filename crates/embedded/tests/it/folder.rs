use std::os::unix::fs::PermissionsExt;

use assay_embedded::Error;
use assay_service::shutdown::Drained;
use assay_store::OpenError;

use crate::process::{Probe, Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_made_for_its_owner_and_used_by_one_process() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("a/data");
    let first = Process::start(&folder, &Probe::new(0)).await.unwrap();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let second = Process::start(&folder, &Probe::new(0)).await;
    assert!(matches!(second, Err(Error::Store(OpenError::InUse { .. }))));
    assert_eq!(first.stop(20_000).await, Drained::InTime);
    let third = Process::start(&folder, &Probe::new(0)).await.unwrap();
    assert_eq!(third.stop(20_000).await, Drained::InTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_folder_is_told() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let said = match Process::start(&folder, &Probe::new(0)).await {
            Ok(_) => panic!("it started"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains("choose another folder"), "{said}");
        assert!(said.contains(&folder.display().to_string()), "{said}");
    }
}
