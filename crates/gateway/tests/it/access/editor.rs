//! Who changed something is on record.

use assay_core::retry::DeadLetterReason;

use super::{House, token};

#[tokio::test]
async fn an_edit_bears_the_name_of_the_token() {
    let clerk = token("acme", "read,submit,admin");
    let house = House::of(&[&clerk]).await;
    let id = house.submit(&clerk, "dies").await;
    let work = house.fixture.work().await;
    work.die(DeadLetterReason::Orphan).await;
    let path = format!("/api/async/dead-letters/{id}");
    let letter = house.ask(&format!("GET {path}"), Some(&clerk), "").await;
    let letter = letter.expect(200);
    assert!(letter["editor"].is_null());
    let mut body = letter["payload"].clone();
    body["content"]["name"] = "mended.jpg".into();
    let line = format!("PATCH {path}");
    let edited = house.ask(&line, Some(&clerk), &body.to_string()).await;
    assert_eq!(edited.expect(200)["editor"], "acme-read-submit-admin");
}
