//! What naga makes of a kernel: the languages that drivers take, as wgpu asks for them.

use crate::{Error, Result};
#[cfg(feature = "listing")]
use naga::back::spv;
use naga::back::{hlsl, msl};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};
#[cfg(feature = "listing")]
use rspirv::binary::Disassemble;

/// A language that a kernel can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Language {
    /// As lowering makes it.
    Wgsl,
    /// Vulkan's; with the feature `listing`.
    #[cfg(feature = "listing")]
    Spirv,
    /// Metal's.
    Msl,
    /// DirectX's.
    Hlsl,
}

impl Language {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Wgsl,
        #[cfg(feature = "listing")]
        Self::Spirv,
        Self::Msl,
        Self::Hlsl,
    ];

    /// What opens a comment.
    pub fn comment(self) -> &'static str {
        match self {
            #[cfg(feature = "listing")]
            Self::Spirv => ";",
            Self::Wgsl | Self::Msl | Self::Hlsl => "//",
        }
    }
}

/// A kernel in a language.
pub struct Translation {
    /// To be read; of SPIR-V a listing.
    pub text: String,
    /// What a driver takes, where that is no text.
    pub binary: Option<Vec<u8>>,
}

/// Nothing is checked at run time, as where wgpu trusts a kernel.
const UNCHECKED: BoundsCheckPolicies = BoundsCheckPolicies {
    index: BoundsCheckPolicy::Unchecked,
    buffer: BoundsCheckPolicy::Unchecked,
    image_load: BoundsCheckPolicy::Unchecked,
    binding_array: BoundsCheckPolicy::Unchecked,
};

/// The WGSL of a kernel that needs nothing from outside, in `language`; naga has parsed and validated it.
///
/// # Errors
/// If naga refuses it (an error in this crate).
pub fn translate(kernel: &str, wgsl: &str, language: Language) -> Result<Translation> {
    let refused = |error: &dyn std::fmt::Display| Error::Input(format!("{kernel}: naga refuses it: {error}"));
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|error| refused(&error.emit_to_string(wgsl)))?;
    let info = Validator::new(ValidationFlags::all(), EXTENSIONS)
        .validate(&module)
        .map_err(|error| refused(&error.emit_to_string(wgsl)))?;
    #[cfg_attr(not(feature = "listing"), expect(unused_mut, reason = "only SPIR-V is binary"))]
    let mut binary = None;
    let text = match language {
        Language::Wgsl => wgsl.to_owned(),
        #[cfg(feature = "listing")]
        Language::Spirv => {
            let options = spv::Options {
                bounds_check_policies: UNCHECKED,
                zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
                force_loop_bounding: false,
                emit_int_div_checks: false,
                flags: spv::WriterFlags::DEBUG,
                ..Default::default()
            };
            let words = spv::write_vec(&module, &info, &options, None).map_err(|error| refused(&error))?;
            let mut loader = rspirv::dr::Loader::new();
            rspirv::binary::parse_words(&words, &mut loader).map_err(|error| refused(&error))?;
            binary = Some(words.iter().flat_map(|word| word.to_le_bytes()).collect());
            loader.module().disassemble() + "\n"
        }
        Language::Msl => {
            let (text, _) =
                msl::write_string(&module, &info, &metal(&module), &msl::PipelineOptions::default())
                    .map_err(|error| refused(&error))?;
            text
        }
        Language::Hlsl => {
            let options = hlsl::Options {
                restrict_indexing: false,
                force_loop_bounding: false,
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            };
            let mut text = String::new();
            hlsl::Writer::new(&mut text, &options, &hlsl::PipelineOptions::default())
                .write(&module, &info, None)
                .map_err(|error| refused(&error))?;
            text
        }
    };
    Ok(Translation { text, binary })
}

/// What kernels of mixed precision use.
const EXTENSIONS: Capabilities = Capabilities::SHADER_FLOAT16
    .union(Capabilities::SHADER_FLOAT16_IN_FLOAT32)
    .union(Capabilities::COOPERATIVE_MATRIX)
    .union(Capabilities::SUBGROUP);

/// Every binding is the buffer of its number.
fn metal(module: &naga::Module) -> msl::Options {
    let bindings = module.global_variables.iter().filter_map(|(_, variable)| variable.binding);
    let buffer = |binding: naga::ResourceBinding| {
        let target =
            msl::BindTarget { buffer: Some(binding.binding as u8), mutable: true, ..Default::default() };
        (binding, target)
    };
    let resources = bindings.map(buffer).collect();
    let entry = msl::EntryPointResources { resources, ..Default::default() };
    msl::Options {
        lang_version: (2, 3),
        per_entry_point_map: [("main".to_owned(), entry)].into(),
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..Default::default()
    }
}
