//! Small key-value state that can be rebuilt; the only crate that names sled.
