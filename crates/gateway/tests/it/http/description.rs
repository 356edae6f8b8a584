//! The description that is served against what is served.

use crate::fixture::Fixture;

#[tokio::test]
async fn every_address_of_the_description_is_served() {
    let fixture = Fixture::new().await;
    let described = fixture.ask("GET /api/async/openapi.json").await.expect(200);
    assert_eq!(described["openapi"], "3.1.0");
    let mut served = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "x").replace("{kind}", "x");
        let methods = methods.as_object().unwrap();
        for method in methods.keys() {
            let answer = fixture
                .ask(&format!("{} {path}", method.to_uppercase()))
                .await;
            if answer.status >= 400 {
                let reason = answer.json()["reason"].clone();
                assert_ne!(reason, "NO_SUCH_ADDRESS", "{method} {path}");
                assert_ne!(reason, "METHOD_NOT_ALLOWED", "{method} {path}");
            }
            served += 1;
        }
        // And no method that it does not describe.
        for method in ["get", "post", "delete", "put", "patch"] {
            if !methods.contains_key(method) {
                let answer = fixture
                    .ask(&format!("{} {path}", method.to_uppercase()))
                    .await;
                answer.problem(405, "METHOD_NOT_ALLOWED");
            }
        }
    }
    assert_eq!(served, 25);
}
