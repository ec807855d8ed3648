"""View models: pure functions that prepare objects of the SDK for templates, without HTML.

These modules decide which part of a large value is shown, how a value is written, and where the
link to the rest leads. Templates only do the layout.
"""
