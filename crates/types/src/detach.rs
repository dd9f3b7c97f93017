//! Copies of what lies in a request, for what outlives it.

use bytes::Bytes;
use bytestring::ByteString;

use crate::TopicName;

/// Text and bytes of a request share its frame's memory: whoever keeps one word of a frame keeps the frame.
pub trait Detach {
    /// A copy with memory of its own.
    #[must_use]
    fn detach(&self) -> Self;
}

impl Detach for Bytes {
    fn detach(&self) -> Self {
        Self::copy_from_slice(self)
    }
}

impl Detach for ByteString {
    fn detach(&self) -> Self {
        let text: &str = self;
        Self::from(text)
    }
}

impl Detach for TopicName {
    fn detach(&self) -> Self {
        Self::from(self.as_str())
    }
}

impl<T: Detach> Detach for Option<T> {
    fn detach(&self) -> Self {
        self.as_ref().map(T::detach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detached_name_does_not_keep_its_frame() {
        let frame = Bytes::from(vec![b'x'; 1 << 20]);
        let name = ByteString::try_from(frame.slice(7..9)).unwrap();
        let kept = Some(TopicName::from(name)).detach();
        assert!(frame.try_into_mut().is_ok(), "nobody else holds the frame");
        assert_eq!(kept.unwrap().as_str(), "xx");
    }
}
