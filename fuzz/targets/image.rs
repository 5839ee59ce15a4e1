#![no_main]

#[path = "../inputs.rs"]
mod inputs;

use std::panic::{set_hook, take_hook};

// A decoder may panic, which fails the image alone; nothing else may.
libfuzzer_sys::fuzz_target!(
    init: {
        let abort = take_hook();
        set_hook(Box::new(move |panic| {
            if !mewgan::data::decoding() {
                abort(panic);
            }
        }));
    },
    |bytes: &[u8]| {
        inputs::image(bytes);
    }
);
