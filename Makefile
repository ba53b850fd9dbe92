# What a newcomer types. Every target does its own set-up, and repeats only what has changed.

PYTHON ?=
CUDA ?= 0
PIP_ARGS ?=
export PYTHON CUDA PIP_ARGS

.DEFAULT_GOAL := help
.PHONY: help setup demo bench test clean

help: ## say what there is
	@echo 'make [PYTHON=python3.11] [CUDA=1] [PIP_ARGS="options for pip"] TARGET'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1	\2/p' Makefile
	@echo 'After any of them: . ./.env.sh (this shell can then use Python and ROS), or .venv/bin/hoisdf --help'

setup: ## make .venv, build the ROS messages, write .env.sh
	@.ci/setup.sh

demo: setup ## run the demo camera and the node for 20 s, leave picture and report in demo_out
	@. ./.env.sh && python -m hoisdf_ros.ros.demo

bench: setup ## time network, core and node, leave page, plot and JSON in bench_out
	@.venv/bin/hoisdf bench --out bench_out

test: setup ## every check: style, types, borders between rooms, tests
	@.ci/check.sh

clean: ## remove all that make made
	rm -rf .venv .env.sh build install log demo_out bench_out
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
