//! Hosts the metadata state machine on the quorum: broker sessions, the metadata feed, controller APIs.
