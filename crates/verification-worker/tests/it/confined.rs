//! What the kernel refuses a child, tried by a child.

use std::os::unix::ffi::OsStrExt;

use assay_verification_worker::analyst::{
    AbortReason, Bounds, Confinement, StageOutcome, StageReport, Work,
};
use serde_json::{Value, json};

use crate::child::{Deaf, PATIENCE, alone, analyse, analyst, bounds, file, none_left, time};

fn answer(reports: &[StageReport]) -> &Value {
    match &reports[0].outcome {
        StageOutcome::Ok(value) => value,
        StageOutcome::Aborted(abort) => panic!("{abort:?}"),
    }
}

#[tokio::test]
async fn a_child_reaches_nobody() {
    let _alone = alone().await;
    let reports = analyse(bounds(), &["call-out"], PATIENCE).await;
    let refused = "PermissionDenied";
    let everywhere = json!({ "tcp": refused, "udp": refused, "unix": refused });
    assert_eq!(answer(&reports), &everywhere);
}

#[tokio::test]
async fn a_child_opens_as_many_files_as_it_may() {
    let _alone = alone().await;
    for open_files_max in [16, 17] {
        let confinement = Confinement {
            open_files_max,
            ..bounds().confinement
        };
        let bounds = Bounds {
            confinement,
            ..bounds()
        };
        let reports = analyse(bounds, &["open-files"], PATIENCE).await;
        assert_eq!(answer(&reports), &json!(open_files_max));
    }
}

#[tokio::test]
async fn a_child_that_writes_a_file_dies_before_the_first_byte() {
    let _alone = alone().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("left-behind");
    let input = file(path.as_os_str().as_bytes());
    let work = Work::default();
    let reports = analyst(bounds())
        .analyse(&input, &["write-file"], &work, time(PATIENCE), &mut Deaf)
        .await
        .unwrap();
    let StageOutcome::Aborted(abort) = &reports[0].outcome else {
        panic!("{reports:?}")
    };
    assert_eq!(abort.reason, AbortReason::Crashed);
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    none_left().await;
}
