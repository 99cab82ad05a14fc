//! The target `multipart` for libFuzzer.

#![cfg_attr(fuzzing, no_main)]

fuzz::libfuzzer!(fuzz::Multipart);
