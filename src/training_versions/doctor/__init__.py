"""The doctor says whether a project is fit: the extra `doctor` for all of its checks."""
