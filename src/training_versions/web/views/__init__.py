"""What the pages show, made from what the SDK returns: pure functions, without requests or HTML.

Templates only lay out what these modules decide: which part of a large value is shown, how a value
is written, and where a link to the rest of it leads.
"""
