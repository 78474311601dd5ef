# From a fresh clone, with Rust, Python 3 + pip and Node + npm: `make demo`.

export PATH := $(CURDIR)/assets/bin:$(PATH)

# The gallery that the demo serves, and where.
GALLERY ?= data/demo
PORT ?= 8080

.DELETE_ON_ERROR:
.PHONY: help assets build demo

help:
	@echo "make demo     serve the site and the API on http://127.0.0.1:$(PORT)"
	@echo "              GALLERY=DIR serves another gallery, PORT=NUMBER on another port"
	@echo "make assets   fetch the networks, ONNX Runtime, cargo-lambda and the demo photos"
	@echo "make build    build the release binaries"

assets:
	@embed/assets/fetch

build:
	@cargo build --release --package embed --package lambda

# An import that was interrupted goes on where it stopped, and gets its name when it is complete.
data/demo: | assets build
	cargo run --release --quiet --package embed -- import folder assets/gallery --store data/demo.part
	mv data/demo.part data/demo

demo: assets build $(if $(filter data/demo,$(GALLERY)),data/demo)
	@lambda/demo "$(GALLERY)" "$(PORT)"
