use assay_api::v1;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_api::v1::submit_job_request::Payload;

/// Submits the verification of stored content as no command can: the rest is in `request`. Answers the job's id.
pub(crate) fn submit(server: &str, content_id: &str, request: v1::SubmitJobRequest) -> String {
    let verification = v1::ContentVerification {
        content_id: content_id.to_owned(),
        ..v1::ContentVerification::default()
    };
    let request = v1::SubmitJobRequest {
        payload: Some(Payload::ContentVerification(verification)),
        ..request
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let submitted = runtime.block_on(async {
        let mut jobs = JobServiceClient::connect(server.to_owned()).await.unwrap();
        jobs.submit_job(request).await.unwrap().into_inner()
    });
    submitted.job.unwrap().id
}
