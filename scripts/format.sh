#!/bin/sh
# Lays out all Swift sources as .swift-format says.
set -eu
cd "$(dirname "$0")/.."
exec "${SWIFT:-swift}" format format --in-place --recursive --parallel Package.swift Sources Tests
