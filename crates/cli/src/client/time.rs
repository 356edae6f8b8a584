//! What a server's clock shows.

use std::time::UNIX_EPOCH;

use assay_api::v1;

use super::{Client, Fault};

/// The header that servers of HTTP tell their time in, to the second (RFC 9110, section 6.6.1).
const DATE: &str = "date";

impl Client {
    /// What the server is, and what its clock showed when it said so, in milliseconds since 1970 and exact to the
    /// second; `None` if it does not tell.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn info_and_time(&self) -> Result<(v1::ServerInfo, Option<u64>), Fault> {
        let mut admin = self.admin.clone();
        let answer = admin.get_server_info(v1::GetServerInfoRequest {}).await;
        let date = answer.as_ref().ok().and_then(|answer| {
            let date = answer.metadata().get(DATE)?;
            date_ms(date.to_str().ok()?)
        });
        Ok((self.read(answer)?, date))
    }
}

/// Reads a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date_ms(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_and_nonsense_is_none() {
        let read = date_ms("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read, Some(784_111_777_000));
        for wrong in ["", "now", "Sun, 06 Nov 1894 08:49:37 GMT", "\u{e9}"] {
            assert_eq!(date_ms(wrong), None, "{wrong}");
        }
    }
}
