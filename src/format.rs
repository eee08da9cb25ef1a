//! Formats codes as text, without allocation.

use crate::{EnhancedStatusCode, Status};

/// Writes `C.y.z` to the buffer and returns it as text.
pub(crate) fn encode(first: u8, status: Status, buffer: &mut [u8; EnhancedStatusCode::MAX_LEN]) -> &str {
    buffer[0] = first;
    let end = push_sub_code(buffer, 1, status.subject());
    let end = push_sub_code(buffer, end, status.detail());
    // Every octet written is ASCII.
    core::str::from_utf8(&buffer[..end]).unwrap_or_default()
}

/// Writes a dot and a number below 1000, and returns the position after it.
fn push_sub_code(buffer: &mut [u8; EnhancedStatusCode::MAX_LEN], mut end: usize, number: u16) -> usize {
    buffer[end] = b'.';
    end += 1;
    for divisor in [100, 10, 1] {
        if number >= divisor || divisor == 1 {
            let digit = (number / divisor % 10) as u8;
            buffer[end] = b'0' + digit;
            end += 1;
        }
    }
    end
}
