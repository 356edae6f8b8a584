//! The commands of README.md, as a person would type them.

use std::fs;
use std::path::Path;

use assay_bench::server::Server;
use e2e::Sandbox;
use tokio::process::Command;

/// The block of README.md that this test types.
const BLOCK_BEGIN: &str = "```console\n";
const BLOCK_END: &str = "\n```";
const PROMPT: &str = "$ ";

/// Commands that README.md shows: every line behind a prompt in its console blocks.
pub(crate) fn commands() -> Vec<String> {
    let readme = fs::read_to_string(e2e::top().unwrap().join("README.md")).unwrap();
    let blocks = readme
        .split(BLOCK_BEGIN)
        .skip(1)
        .filter_map(|rest| rest.split(BLOCK_END).next());
    let lines = blocks
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix(PROMPT));
    lines
        .map(|line| {
            line.split(" #")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .collect()
}

/// Runs one command where `photo.jpg` and the folder `photos` are, with `assay` on the path.
async fn run(command: &str, folder: &Path, server: &Server, job_id: &str) -> (Option<i32>, String) {
    let program = e2e::program("assay").unwrap();
    let url = format!("http://{}", server.gateway);
    let makes_a_token = command.starts_with("assay token");
    let command = command
        .replacen("assay", &program.display().to_string(), 1)
        .replace("JOB_ID", job_id);
    let mut shell = Command::new("sh");
    shell.arg("-c").current_dir(folder);
    // A token is made without a server.
    if makes_a_token {
        shell.arg(command);
    } else {
        shell.arg(format!("{command} --server {url}"));
    }
    let output = shell.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

/// Puts the files into a folder that README.md names.
pub(crate) fn photos(folder: &Path) {
    let material = assay_demo::material::make(folder, 5).unwrap();
    assert!(!material.files.is_empty());
    fs::copy(folder.join("camera.jpg"), folder.join("photo.jpg")).unwrap();
    fs::create_dir(folder.join("photos")).unwrap();
    fs::copy(
        folder.join("renamed.jpg"),
        folder.join("photos").join("renamed.jpg"),
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_readme_shows_works() {
    let commands = commands();
    let typed = |words: &str| commands.iter().any(|command| command.starts_with(words));
    for words in [
        "make demo",
        "make test",
        "assay dev",
        "assay verify",
        "assay submit",
        "assay watch",
        "assay jobs",
    ] {
        assert!(typed(words), "README.md shows {words}");
    }
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let sandbox = Sandbox::assay().unwrap();
    let server = sandbox.start().await.unwrap();
    let (code, job_id) = run("assay submit photo.jpg", folder.path(), &server, "").await;
    assert_eq!(code, Some(0), "{job_id}");
    let job_id = job_id.lines().next().unwrap().trim().to_owned();
    // `make` builds and tests this very thing, `dev` runs until it is stopped, `doctor` looks for its own ports; the
    // clients of other people are typed in `clients.rs`.
    let elsewhere = [
        "make ",
        "assay dev",
        "ASSAY__",
        "assay doctor",
        "cargo ",
        "python",
        "target/clients/",
        "curl ",
    ];
    for command in commands
        .iter()
        .filter(|command| !elsewhere.iter().any(|words| command.starts_with(words)))
    {
        let (code, text) = run(command, folder.path(), &server, &job_id).await;
        assert_eq!(code, Some(0), "{command}\n{text}");
    }
}

#[test]
fn make_knows_what_the_readme_asks_of_it() {
    let top = e2e::top().unwrap();
    let makefile = fs::read_to_string(top.join("Makefile")).unwrap();
    for command in commands() {
        let Some(rest) = command.strip_prefix("make ") else {
            continue;
        };
        let target = rest.split_whitespace().next().unwrap_or_default();
        assert!(
            makefile.contains(&format!("\n{target}: ")),
            "Makefile has no target {target}"
        );
    }
}
