
# Copyright (C) the nginx gateway modules developers

# The front door.  "make help" lists the targets.
#
#   BUILD=dir       where everything is written (default: build)
#   NGINX=file      the nginx to test with (default: the installed one)
#   NGINX_SRC=dir   source tree of that nginx (default: what nginx-dev
#                   installs, else a tree fetched into the build directory)
#   CC=cc JOBS=2    compiler and jobs
#   TESTS="t/x.t"   what "make test" runs (default: all)

BUILD     ?= build
NGINX     ?=
NGINX_SRC ?=
JOBS      ?= 2
TESTS     ?= t

export BUILD NGINX NGINX_SRC CC JOBS


SHELL := /bin/sh

.PHONY: all help deps alldeps modules unit asan static compat test \
	quicktest check fuzz bench demo run lint install clean

all: modules

help:
	@echo "make            build the three modules for the installed nginx"
	@echo "make demo       install what is missing, then a tour of a gateway"
	@echo "make run        the same gateway, up until Ctrl-C"
	@echo "make test       install what is missing, build, run every test"
	@echo "make check      the tests with sanitizers, some with valgrind"
	@echo "make fuzz       fuzz every parser (FUZZ_TIME=60 seconds each)"
	@echo "make bench      speed next to the same nginx without the modules"
	@echo "make compat     build and test with other nginx releases, clang"
	@echo "make install    copy the modules to nginx's modules directory"
	@echo "make clean      remove the build directory"

deps:
	@util/deps test
	@util/node

alldeps:
	@util/deps all
	@util/node

modules:
	@util/build modules

asan:
	@util/build asan

static:
	@util/build static

unit:
	@util/build unit

lint:
	@util/checkstyle
	@util/checkdocs
	@util/embed-lua --check

test: deps modules unit lint
	@util/run-tests modules $(TESTS)

# for a machine that has everything already
quicktest: modules unit
	@util/run-tests modules $(TESTS)

check: alldeps
	@util/build asan
	@util/build unit-asan
	@util/run-tests asan $(TESTS)
	@util/build modules
	@util/build unit
	@util/run-tests valgrind

fuzz: alldeps
	@util/fuzz

bench: alldeps modules
	@bench/run

compat: alldeps
	@util/compat

demo:
	@util/deps demo
	@util/build modules
	@util/demo

run:
	@util/deps demo
	@util/build modules
	@util/demo --keep

install: modules
	@util/build install

clean:
	rm -rf "$(BUILD)"
