use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::command::verify::walk::Unreadable;
use crate::view::report::Report;

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("media.png"), b"abc").unwrap();
        fs::write(folder.path().join("old.html"), b"old").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn target(&self, name: &str, force: bool, media: &[&str]) -> Result<Option<Target>, Refused> {
        let args = ReportArgs {
            report: Some(self.path(name)),
            no_picture: false,
            force,
        };
        let found = Found {
            files: media.iter().map(|name| self.path(name)).collect(),
            unreadable: Vec::new(),
        };
        Target::of(&args, &found)
    }

    fn refused(&self, name: &str, force: bool) -> String {
        self.target(name, force, &["media.png"])
            .unwrap_err()
            .to_string()
    }

    fn verified(&self) -> File {
        let content = json!({
            "mime": "image/png", "width": 1, "height": 1, "bytes": 3,
            // SHA-256 of "abc" (FIPS 180-2, B.1).
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        });
        let result = json!({ "content": content, "verdict": { "label": "synthetic" } });
        let report = Box::new(Report::read(result.to_string().as_bytes()).unwrap());
        File {
            path: self.path("media.png"),
            ended: Ended::Verified {
                job_id: "j-1".to_owned(),
                result,
                report,
            },
        }
    }

    async fn write(&self, target: &Target) -> String {
        target
            .write(&self.verified(), &Maps::default())
            .await
            .unwrap();
        fs::read_to_string(&target.path).unwrap()
    }
}

#[test]
fn nothing_is_replaced_in_passing_and_the_media_never() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).unwrap();
    std::os::unix::fs::symlink(desk.path("old.html"), desk.path("link.html")).unwrap();
    for (name, force, why) in [
        (
            "old.html",
            false,
            "is there already; name another file, or replace it with --force",
        ),
        ("media.png", false, "is the file to be verified"),
        ("media.png", true, "is the file to be verified"),
        ("folder", true, "is a folder"),
        ("link.html", true, "is no ordinary file"),
        ("none/new.html", true, "there is no folder"),
    ] {
        let said = desk.refused(name, force);
        assert!(said.contains(why), "{name}: {said}");
    }
    let allowed = |name, force| desk.target(name, force, &["media.png"]).unwrap().is_some();
    assert!(allowed("new.html", false) && allowed("old.html", true));
}

#[test]
fn a_page_is_about_one_file() {
    let desk = Desk::new();
    let said = desk
        .target("new.html", false, &["media.png", "b.png"])
        .unwrap_err();
    assert!(said.to_string().contains("these paths mean 2"), "{said}");
    let args = ReportArgs {
        report: Some(desk.path("new.html")),
        no_picture: false,
        force: false,
    };
    let unreadable = Unreadable {
        path: desk.path("gone"),
        why: "gone".to_owned(),
    };
    let found = Found {
        files: vec![desk.path("media.png")],
        unreadable: vec![unreadable],
    };
    assert!(matches!(
        Target::of(&args, &found),
        Err(Refused::Several(2))
    ));
}

#[tokio::test]
async fn a_page_is_written_whole_with_the_file_in_it() {
    let desk = Desk::new();
    let target = desk
        .target("new.html", false, &["media.png"])
        .unwrap()
        .unwrap();
    let text = desk.write(&target).await;
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>"));
    assert!(text.contains("data:image/png;base64,YWJj"), "{text}");
    let left = fs::read_dir(desk.folder.path()).unwrap().count();
    assert_eq!(left, 3, "no draft is left");
    // Somebody else was faster.
    let said = target
        .write(&desk.verified(), &Maps::default())
        .await
        .unwrap_err();
    assert!(format!("{said:#}").contains("is there already"), "{said:#}");
}

#[tokio::test]
async fn a_report_is_replaced_when_that_is_wanted() {
    let desk = Desk::new();
    let target = desk
        .target("old.html", true, &["media.png"])
        .unwrap()
        .unwrap();
    assert!(desk.write(&target).await.contains("Synthetic"));
}

#[tokio::test]
async fn a_page_without_the_picture_or_with_one_that_changed_says_so() {
    let desk = Desk::new();
    let mut target = desk
        .target("new.html", false, &["media.png"])
        .unwrap()
        .unwrap();
    target.replaces = true;
    target.with_picture = false;
    let text = desk.write(&target).await;
    assert!(text.contains("left out of this page as asked") && !text.contains("data:image"));
    target.with_picture = true;
    fs::write(desk.path("media.png"), b"abd").unwrap();
    assert!(
        desk.write(&target)
            .await
            .contains("changed after it was verified")
    );
    fs::remove_file(desk.path("media.png")).unwrap();
    assert!(
        desk.write(&target)
            .await
            .contains("could not be read again")
    );
}

#[tokio::test]
async fn without_a_result_there_is_no_page() {
    let desk = Desk::new();
    let target = desk
        .target("new.html", false, &["media.png"])
        .unwrap()
        .unwrap();
    let mut file = desk.verified();
    file.ended = Ended::Trouble {
        sentence: "it hung".to_owned(),
        server_is_gone: false,
    };
    assert!(target.write(&file, &Maps::default()).await.is_err());
    assert!(!desk.path("new.html").exists());
}
