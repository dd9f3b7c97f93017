//! Listeners, connection loop, framing, ordered replies, back-pressure, outgoing connections.
