//! The methods of the API and the names of gRPC's codes: closed lists, as spans and metrics need them.

use tonic::Code;

/// A method of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    SubmitJob,
    SubmitJobs,
    GetJob,
    ListJobs,
    WatchJob,
    CancelJob,
    RetryJob,
    GetJobResult,
    UploadContent,
    GetContent,
    DownloadContent,
    GetHealth,
    ListQueues,
    PauseQueue,
    ResumeQueue,
    PurgeQueue,
    ListDeadLetters,
    GetDeadLetter,
    UpdateDeadLetter,
    RedriveDeadLetter,
    RedriveDeadLetters,
    DeleteDeadLetter,
    PurgeDeadLetters,
    ListWorkers,
    GetServerInfo,
}

impl Method {
    pub(crate) const ALL: [Self; 25] = [
        Self::SubmitJob,
        Self::SubmitJobs,
        Self::GetJob,
        Self::ListJobs,
        Self::WatchJob,
        Self::CancelJob,
        Self::RetryJob,
        Self::GetJobResult,
        Self::UploadContent,
        Self::GetContent,
        Self::DownloadContent,
        Self::GetHealth,
        Self::ListQueues,
        Self::PauseQueue,
        Self::ResumeQueue,
        Self::PurgeQueue,
        Self::ListDeadLetters,
        Self::GetDeadLetter,
        Self::UpdateDeadLetter,
        Self::RedriveDeadLetter,
        Self::RedriveDeadLetters,
        Self::DeleteDeadLetter,
        Self::PurgeDeadLetters,
        Self::ListWorkers,
        Self::GetServerInfo,
    ];

    /// The full name, without a slash before it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SubmitJob => "assay.v1.JobService/SubmitJob",
            Self::SubmitJobs => "assay.v1.JobService/SubmitJobs",
            Self::GetJob => "assay.v1.JobService/GetJob",
            Self::ListJobs => "assay.v1.JobService/ListJobs",
            Self::WatchJob => "assay.v1.JobService/WatchJob",
            Self::CancelJob => "assay.v1.JobService/CancelJob",
            Self::RetryJob => "assay.v1.JobService/RetryJob",
            Self::GetJobResult => "assay.v1.JobService/GetJobResult",
            Self::UploadContent => "assay.v1.ContentService/UploadContent",
            Self::GetContent => "assay.v1.ContentService/GetContent",
            Self::DownloadContent => "assay.v1.ContentService/DownloadContent",
            Self::GetHealth => "assay.v1.AdminService/GetHealth",
            Self::ListQueues => "assay.v1.AdminService/ListQueues",
            Self::PauseQueue => "assay.v1.AdminService/PauseQueue",
            Self::ResumeQueue => "assay.v1.AdminService/ResumeQueue",
            Self::PurgeQueue => "assay.v1.AdminService/PurgeQueue",
            Self::ListDeadLetters => "assay.v1.AdminService/ListDeadLetters",
            Self::GetDeadLetter => "assay.v1.AdminService/GetDeadLetter",
            Self::UpdateDeadLetter => "assay.v1.AdminService/UpdateDeadLetter",
            Self::RedriveDeadLetter => "assay.v1.AdminService/RedriveDeadLetter",
            Self::RedriveDeadLetters => "assay.v1.AdminService/RedriveDeadLetters",
            Self::DeleteDeadLetter => "assay.v1.AdminService/DeleteDeadLetter",
            Self::PurgeDeadLetters => "assay.v1.AdminService/PurgeDeadLetters",
            Self::ListWorkers => "assay.v1.AdminService/ListWorkers",
            Self::GetServerInfo => "assay.v1.AdminService/GetServerInfo",
        }
    }

    /// The method that a path of gRPC names, if it is one of the API.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?;
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// Every code of gRPC.
pub(crate) const CODES: [Code; 17] = [
    Code::Ok,
    Code::Cancelled,
    Code::Unknown,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::AlreadyExists,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unauthenticated,
];

/// The name of a code, as gRPC's own documents have it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Whether a code says that the server is at fault, not the caller.
pub(crate) fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use assay_api::FILE_DESCRIPTOR_SET;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn the_list_is_what_the_api_declares() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        let ours = files.iter().filter(|file| file.package() == "assay.v1");
        let services = ours.flat_map(|file| &file.service);
        let declared: BTreeSet<String> = services
            .flat_map(|service| {
                let methods = service.method.iter();
                methods.map(|method| format!("assay.v1.{}/{}", service.name(), method.name()))
            })
            .collect();
        let listed = Method::ALL.map(|method| method.name().to_owned());
        assert_eq!(BTreeSet::from(listed), declared);
    }

    #[test]
    fn every_code_has_its_number_s_name() {
        for (number, code) in (0..).zip(CODES) {
            assert_eq!(Code::from_i32(number), code, "{}", code_name(code));
        }
        let names: BTreeSet<_> = CODES.into_iter().map(code_name).collect();
        assert_eq!(names.len(), CODES.len());
    }
}
