use crate::media;
use crate::program::Home;

#[test]
fn a_server_with_tokens_takes_those_that_were_made_for_it() {
    let home = Home::new();
    let tokens = home.path("tokens").display().to_string();
    let made = |scope: &str| {
        let arguments = ["token", "new", "--tenant", "acme", "--scope", scope];
        let made = home.run(&[&arguments[..], &["--add-to", &tokens]].concat());
        assert_eq!((made.code, made.out.lines().count()), (Some(0), 1));
        made.out
    };
    let (all, reads) = (made("submit,read"), made("read"));
    let held = std::fs::read_to_string(&tokens).unwrap();
    assert!(!held.contains(all.trim()), "the file holds no token");
    let all = home.write("all", all.as_bytes());
    let dev = home.dev(&[("ASSAY__GATEWAY__TOKENS_FILE", &tokens)]);
    let server = dev.server();

    let silent = home.run(&["jobs", "list", "--server", &server]);
    assert_eq!(silent.code, Some(1));
    assert!(silent.err.contains("with --token-file"), "{}", silent.err);
    assert_eq!(silent.err.lines().count(), 1, "{}", silent.err);
    let file = home.write("media/a.png", &media::png(None));
    let submit = ["submit", &file, "--server", &server];
    let submitted = home.run(&[&submit[..], &["--token-file", &all]].concat());
    assert_eq!(submitted.code, Some(0), "{submitted:?}");

    let reading = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("ASSAY_TOKEN", reads.trim());
        let output = command.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains(reads.trim()), "{err}");
        (output.status.code(), err)
    };
    let (code, err) = reading(&["watch", submitted.out.trim(), "--server", &server]);
    assert_eq!(code, Some(0), "{err}");
    let (code, err) = reading(&submit);
    assert_eq!(code, Some(1));
    assert!(err.contains("lacks the scope `submit`"), "{err}");
}

#[test]
fn a_token_is_printed_once_with_the_line_that_lets_it_in() {
    let home = Home::new();
    let arguments = ["token", "new", "--tenant", "acme", "--scope", "admin"];
    let made = home.run(&[&arguments[..], &["--expires", "2027-01-31"]].concat());
    let lines: Vec<_> = made.out.lines().collect();
    assert_eq!((made.code, lines.len()), (Some(0), 2), "{made:?}");
    assert!(lines[0].starts_with("assay_"));
    assert!(lines[1].contains("scopes=admin expires=2027-01-31 sha256="));
    for (arguments, says) in [
        (["--tenant", "Acme", "--scope", "read"], "`tenant` must be"),
        (["--tenant", "acme", "--scope", "all"], "`scopes` must be"),
    ] {
        let wrong = home.run(&[&["token", "new"][..], &arguments].concat());
        assert_eq!(wrong.code, Some(1));
        assert!(wrong.err.contains(says), "{}", wrong.err);
        assert_eq!(wrong.out, "");
    }
}

#[test]
fn a_token_that_cannot_be_read_is_told_before_any_server_is_asked() {
    let home = Home::new();
    let empty = home.write("empty", b"\n");
    for (file, says) in [
        ("/nonexistent", "read the token in /nonexistent"),
        (&*empty, "holds no token"),
    ] {
        let ended = home.run(&["jobs", "list", "--token-file", file]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains(says), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
}
