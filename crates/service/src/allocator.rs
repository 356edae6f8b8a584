//! The allocator of every program.
//!
//! A job is many small values that one thread makes and another drops. The system's allocator took a third of
//! the gateway's time for them.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
