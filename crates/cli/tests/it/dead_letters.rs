use assay_api::v1;

use crate::grpc::submit;
use crate::media;
use crate::program::{Dev, Ended, Home};

/// A server and a job that it gave up.
struct Scene {
    home: Home,
    dev: Dev,
    job_id: String,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let file = home.write("media/a.png", &media::png(None));
        let dev = home.dev(&[]);
        let upload = ["content", "upload", &file, "--server", &dev.server()];
        let content_id = home.run(&upload).out;
        // Its time is over before anybody comes to it.
        let request = v1::SubmitJobRequest {
            deadline: Some(prost_types::Duration {
                seconds: 0,
                nanos: 1_000_000,
            }),
            ..v1::SubmitJobRequest::default()
        };
        let job_id = submit(&dev.server(), content_id.trim(), request);
        let scene = Self { home, dev, job_id };
        assert_eq!(scene.run(&["watch", &scene.job_id]).code, Some(3));
        scene
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let server = self.dev.server();
        self.home.run(&[arguments, &["--server", &server]].concat())
    }

    fn letters(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["dead-letters"], arguments].concat())
    }

    fn payload(&self) -> serde_json::Value {
        let shown = self.letters(&["show", &self.job_id, "--output", "json"]);
        shown.document()["payload"].clone()
    }
}

#[test]
fn a_dead_letter_is_found_and_shown() {
    let scene = Scene::new();
    let table = scene
        .letters(&["list", "--reason", "deadline-exceeded"])
        .out;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 2, "{table}");
    let row = format!("{}  deadline_exceeded  content-verification", scene.job_id);
    assert!(rows[1].starts_with(&row), "{table}");
    let none = scene.letters(&["list", "--reason", "orphan", "--output", "json"]);
    assert_eq!(none.document()["deadLetters"].as_array().unwrap().len(), 0);
    let listed = scene.letters(&["list", "--since", "1h", "--output", "jsonl"]);
    assert_eq!(listed.document()["jobId"], scene.job_id.as_str());
    let whole = scene.letters(&["list", "--all", "--full", "--output", "jsonl"]);
    let whole = whole.document();
    assert_eq!(whole["jobId"], scene.job_id.as_str());
    assert_eq!(whole["failure"]["class"], "timed_out");
    assert!(whole["attempts"].is_array() && whole["failure"]["chain"].is_array());
    for told in ["attempt", "counters", "worker", "traceId"] {
        assert!(whole.get(told).is_some(), "{told}: {whole}");
    }
    assert_eq!(whole["payload"], scene.payload());
    let table = scene.letters(&["list", "--full"]);
    assert!(table.err.contains("--output jsonl"), "{table:?}");
    let shown = scene.letters(&["show", &scene.job_id]).out;
    assert!(shown.contains("given up   deadline_exceeded"), "{shown}");
    assert!(shown.contains("\"contentId\":\"sha256:"), "{shown}");
    let missing = scene.letters(&["show", "01890a5d-ac96-774b-bcce-b302099a8057"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.err.contains("assay dead-letters list"),
        "{}",
        missing.err
    );
}

#[test]
fn a_payload_is_edited_in_an_editor_or_given() {
    let scene = Scene::new();
    let server = scene.dev.server();
    let edit = ["dead-letters", "edit", &scene.job_id, "--server", &server];
    let edited = |editor: &str| scene.home.run_with(&edit, &[("EDITOR", editor)]);
    let same = edited("true");
    assert_eq!((same.code, same.out.as_str()), (Some(0), ""), "{same:?}");
    assert!(same.err.contains("so nothing was sent"), "{}", same.err);
    let named = edited("sed -i 's/\"name\": \"\"/\"name\": \"b.png\"/'");
    assert_eq!(named.code, Some(0), "{named:?}");
    assert!(
        named.err.contains("assay dead-letters redrive --server"),
        "{}",
        named.err
    );
    assert_eq!(scene.payload()["content"]["name"], "b.png");

    let broken = edited("sed -i 1d");
    assert_eq!(broken.code, Some(1), "{broken:?}");
    let kept = broken
        .err
        .trim()
        .rsplit("--payload ")
        .next()
        .unwrap()
        .to_owned();
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.contains("b.png"), "what was written is kept: {text}");
    let mended = scene
        .home
        .write("mended.json", format!("{{{text}").as_bytes());
    let mended = scene.letters(&["edit", &scene.job_id, "--payload", &mended]);
    assert!(mended.err.contains("so nothing was sent"), "{mended:?}");
    let content_id = scene.payload()["content"]["contentId"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole =
        format!("{{\"content\": {{\"contentId\": \"{content_id}\", \"name\": \"c.png\"}}}}");
    let whole = scene.home.write("payload.json", whole.as_bytes());
    let given = scene.letters(&[
        "edit",
        &scene.job_id,
        "--payload",
        &whole,
        "--output",
        "json",
    ]);
    assert_eq!(given.document()["payload"]["content"]["name"], "c.png");
    let wrong = scene
        .home
        .write("wrong.json", b"{\"content\": {\"contentId\": \"no id\"}}");
    let refused = scene.letters(&["edit", &scene.job_id, "--payload", &wrong]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("content_id"), "{}", refused.err);
    assert_eq!(scene.payload()["content"]["name"], "c.png");
}

#[test]
fn dead_letters_are_put_back_and_forgotten() {
    let scene = Scene::new();
    let counted = scene.letters(&["redrive", "--all", "--dry-run"]);
    assert_eq!(
        counted.out, "1 dead letter would be put back\n",
        "{counted:?}"
    );
    let named = scene.letters(&["redrive", &scene.job_id, "--output", "jsonl"]);
    assert_eq!(named.document()["generation"], 2, "{named:?}");
    assert_eq!(scene.run(&["watch", &scene.job_id]).code, Some(3));
    let all = scene.letters(&["redrive", "--kind", "content-verification", "--max", "1"]);
    assert_eq!(
        all.out.lines().next(),
        Some("1 dead letter put back"),
        "{all:?}"
    );
    assert_eq!(scene.run(&["watch", &scene.job_id]).code, Some(3));

    let refused = scene.letters(&["purge", &scene.job_id]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("add --yes"), "{}", refused.err);
    let other = scene.letters(&["purge", "--reason", "orphan", "--yes"]);
    assert_eq!(other.out, "0 dead letters forgotten\n", "{other:?}");
    let purged = scene.letters(&["purge", "--all", "--yes", "--output", "json"]);
    assert_eq!(purged.document()["purged"], 1, "{purged:?}");
    let left = scene.letters(&["purge", &scene.job_id, "--yes"]);
    assert_eq!(left.code, Some(1), "{left:?}");
    assert!(left.out.contains("DEAD_LETTER_NOT_FOUND"), "{}", left.out);
    assert_eq!(scene.run(&["jobs", "get", &scene.job_id]).code, Some(1));
}
