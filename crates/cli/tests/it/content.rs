use crate::media;
use crate::program::Home;

#[test]
fn files_are_stored_and_their_ids_printed() {
    let home = Home::new();
    let [one, two] = ["media/one.png", "media/two.png"].map(|name| {
        let picture = media::png(Some(name));
        home.write(name, &picture)
    });
    let dev = home.dev(&[]);
    let server = dev.server();
    let upload = |arguments: &[&str]| {
        let at = ["--server", &server];
        home.run(&[&["content", "upload"], arguments, &at].concat())
    };
    let stored = upload(&[&one, &two]);
    assert_eq!(stored.code, Some(0), "{stored:?}");
    let ids: Vec<&str> = stored.out.lines().collect();
    assert_eq!(ids.len(), 2);
    assert!(
        ids.iter()
            .all(|id| id.starts_with("sha256:") && id.len() == 71),
        "{ids:?}"
    );

    let missing = home.path("media/none.png").display().to_string();
    let mixed = upload(&["--output", "jsonl", &missing, &two]);
    assert_eq!(mixed.code, Some(1), "{mixed:?}");
    assert!(mixed.err.contains("none.png"), "{}", mixed.err);
    let document = mixed.document();
    assert_eq!(
        (&document["contentId"], &document["path"]),
        (&ids[1].into(), &two.into())
    );
}
