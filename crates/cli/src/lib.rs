//! The ottla command line, as a library.
