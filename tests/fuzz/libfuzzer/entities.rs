//! The target `entities` for libFuzzer.

#![cfg_attr(fuzzing, no_main)]

fuzz::libfuzzer!(fuzz::Entities);
