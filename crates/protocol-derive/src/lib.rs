//! The derive macro behind ottla-protocol.
