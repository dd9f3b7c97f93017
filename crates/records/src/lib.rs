//! Record batches, compression, CRC-32C and control records.
