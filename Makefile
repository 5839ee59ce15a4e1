.PHONY: demo test mpi interop gpu-lab bench book lint features deny fuzz

# Cargo features for lint and test beside the default ones: make test FEATURES=mpi
FEATURES ?=

# Where there is no display, Mesa's driver complains to the terminal without this.
export XDG_RUNTIME_DIR ?= /tmp

# A first training run on bundled images, with its report.
demo:
	cargo run --release -- demo

# Everything, GPU kernels included; a software Vulkan driver is installed where there is none at all. Unit tests are another build
# of the library: without optimisation it takes a quarter of the time.
test:
	bash .ci/vulkan
	cargo test --release --features "$(FEATURES)" --lib --config profile.release.package.mewgan.opt-level=0
	cargo test --release --features "$(FEATURES)" --test suite $(if $(findstring mpi,$(FEATURES)),--test mpi)
	cargo test --release --features "$(FEATURES)" --doc
	@echo "Left out: $(if $(findstring mpi,$(FEATURES)),,ranks started by mpirun (make mpi, with Open MPI and libclang), )other programs (make interop), and matrix units (make gpu-lab, with debootstrap)"

# Training by several processes over MPI, which is installed where it is missing.
mpi:
	bash .ci/mpi

# What others make of our files and pages: PyTorch, onnxruntime, TensorBoard and Chromium, which are installed.
interop:
	bash .ci/interop

# Mixed precision and matrix units on the newest software driver, which is installed in a folder under target.
gpu-lab:
	bash .ci/gpu-lab

# Measures a device (make bench DEVICE=cpu) and keeps its figures.
DEVICE ?= auto
bench:
	cargo run --release -- bench --device $(DEVICE) --json benches/results

lint:
	cargo fmt --check
	bash .ci/typos
	cargo clippy --release --all-targets --features "$(FEATURES)" -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --document-private-items --features "$(FEATURES)"

# docs/ as a book, in target/book, with its links checked.
book:
	bash .ci/book

# Each cargo feature by itself, and none.
features:
	bash .ci/features

# Licences, sources and known faults of what is depended on.
deny:
	bash .ci/deny

# Mutated files for what reads files, and random graphs for the GPU, each for so many seconds (make fuzz SECONDS=1200 TARGETS=graph).
SECONDS ?= 300
TARGETS ?= checkpoint config image op graph
fuzz:
	bash fuzz/run $(SECONDS) $(TARGETS)
