//! In-process node, fixtures and script runner for tests.
