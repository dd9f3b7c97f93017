//! The cluster as a state machine: records, image and delta, placement, configs.
