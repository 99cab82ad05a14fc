//! The target `update` for libFuzzer.

#![cfg_attr(fuzzing, no_main)]

fuzz::libfuzzer!(fuzz::Update);
