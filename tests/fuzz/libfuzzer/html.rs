//! The target `html` for libFuzzer.

#![cfg_attr(fuzzing, no_main)]

fuzz::libfuzzer!(fuzz::Html);
