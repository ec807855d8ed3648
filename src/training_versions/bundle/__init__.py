"""Bundles: a package in one file, with its numbers, parents, content and history."""

from training_versions.bundle._format import BundleError, ExportResult, ImportResult

__all__ = ["BundleError", "ExportResult", "ImportResult"]
