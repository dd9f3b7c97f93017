//! The metadata quorum; the only crate that names openraft.
