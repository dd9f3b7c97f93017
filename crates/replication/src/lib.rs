//! One partition replica's decisions: roles, ISR, high watermark, epochs.
