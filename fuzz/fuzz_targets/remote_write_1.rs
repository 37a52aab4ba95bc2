//! Remote write 1.0; what is checked is in `remote_write`.

#![no_main]

mod remote_write;

libfuzzer_sys::fuzz_target!(|message: &[u8]| {
    remote_write::check(message, b"\x0a\0", millrace::wire::prometheus::decode_write1);
});
