//! The trace that the calls of one command belong to.

use assay_service::trace_context::TraceContext;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// The header of W3C Trace Context.
const TRACEPARENT: &str = "traceparent";

/// A trace of our own, to be recorded wherever servers record traces. Their logs name it in any case, so that what
/// they did for a command can be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    id: String,
    header: Option<MetadataValue<Ascii>>,
}

impl Trace {
    /// A new one.
    pub(super) fn begin() -> Self {
        Self::of(rand::random(), rand::random())
    }

    fn of(trace_id: u128, span_id: u64) -> Self {
        let header = format!("00-{trace_id:032x}-{span_id:016x}-01");
        // Ids of nothing but zeros are none; such calls belong to no trace.
        let context = TraceContext::parse(&header, "").unwrap_or_default();
        Self {
            id: context.trace_id().unwrap_or_default().to_owned(),
            header: context
                .traceparent
                .parse()
                .ok()
                .filter(|_| !context.is_empty()),
        }
    }

    /// Its id, in 32 hexadecimal digits; empty if there is none.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Interceptor for Trace {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.header {
            request.metadata_mut().insert(TRACEPARENT, header.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_says_which_trace_it_belongs_to() {
        let mut trace = Trace::of(0xab, 0xcd);
        assert_eq!(trace.id(), format!("{:032x}", 0xab));
        let request = trace.call(Request::new(())).unwrap();
        let header = request.metadata().get(TRACEPARENT).unwrap();
        let wanted = "00-000000000000000000000000000000ab-00000000000000cd-01";
        assert_eq!(header.to_str().unwrap(), wanted);
    }

    #[test]
    fn ids_of_nothing_but_zeros_are_no_trace() {
        for mut trace in [Trace::of(0, 1), Trace::of(1, 0)] {
            let request = trace.call(Request::new(())).unwrap();
            assert!(request.metadata().get(TRACEPARENT).is_none());
            assert_eq!(trace.id(), "");
        }
        assert_ne!(Trace::begin().id(), Trace::begin().id());
    }
}
