//! Every broker, topic and group setting as one definition row.
