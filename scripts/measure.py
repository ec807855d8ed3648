"""Measure how dense the code is: per folder, and for the whole package.

    python scripts/measure.py [FOLDER] [--longest N]

Counted are lines that are not blank. Printed are the average characters of such a line (without
its indentation), conditional expressions (`a if b else c`) and comments (`#`) per thousand lines,
and the longest functions.
"""

import argparse
import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SQL_FUNCTION = re.compile(
    r"create (?:or replace )?function\s+([\w.]+)\s*\(.*?\bas \$(\w*)\$.*?\$\2\$",
    re.DOTALL | re.IGNORECASE,
)


@dataclass
class Measure:
    """The figures of some files."""

    files: int = 0
    lines: int = 0
    characters: int = 0
    conditionals: int = 0
    comments: int = 0

    def add(self, other: "Measure") -> None:
        """Add the figures of other files."""
        self.files += other.files
        self.lines += other.lines
        self.characters += other.characters
        self.conditionals += other.conditionals
        self.comments += other.comments

    def __str__(self) -> str:
        lines = self.lines or 1
        return (
            f"{self.files:5} {self.lines:7} {self.characters / lines:10.1f}"
            f" {1000 * self.conditionals / lines:12.1f} {1000 * self.comments / lines:9.1f}"
        )


@dataclass(frozen=True)
class Function:
    """A function, and how many lines it has from its first to its last."""

    lines: int
    place: str


def measure(path: Path) -> Measure:
    """Measure one Python file."""
    text = path.read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Measure(
        files=1,
        lines=len(lines),
        characters=sum(map(len, lines)),
        conditionals=sum(isinstance(node, ast.IfExp) for node in ast.walk(ast.parse(text))),
        comments=sum(token.type == tokenize.COMMENT for token in tokens),
    )


def python_functions(path: Path) -> Iterator[Function]:
    """Go through the functions of a Python file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            first = node.body[0]
            is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            start = (first.end_lineno or node.lineno) if is_documented else node.lineno - 1
            yield Function(node.end_lineno - start, f"{path.name}:{node.name}")


def sql_functions(path: Path) -> Iterator[Function]:
    """Go through the functions of an SQL file."""
    for match in SQL_FUNCTION.finditer(path.read_text(encoding="utf-8")):
        yield Function(match.group().count("\n") + 1, f"{path.name}:{match.group(1)}")


def show_longest(functions: Iterator[Function], count: int) -> None:
    """Print the longest functions."""
    for function in sorted(functions, key=lambda each: -each.lines)[:count]:
        print(f"{function.lines:5}  {function.place}")


def main() -> None:
    """Measure a checkout and print the figures."""
    parser = argparse.ArgumentParser(description="Measure how dense the code is.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT, help="a checkout")
    parser.add_argument("--longest", type=int, default=8, help="how many functions to show")
    options = parser.parse_args()
    package = options.folder / "src" / "training_versions"
    migrations = sorted((options.folder / "supabase" / "migrations").glob("*.sql"))

    by_folder: dict[str, Measure] = {}
    whole = Measure()
    written: list[Path] = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        written.append(path)
        folder = "." if "/" not in name else name.partition("/")[0]
        figures = measure(path)
        by_folder.setdefault(folder, Measure()).add(figures)
        whole.add(figures)

    print(f"{'folder':14} files   lines characters conditionals  comments")
    for folder, figures in sorted(by_folder.items()):
        print(f"{folder:14} {figures}")
    print(f"{'whole':14} {whole}")
    sql_lines = sum(path.read_text(encoding="utf-8").count("\n") for path in migrations)
    tests = sum(
        path.read_text(encoding="utf-8").count("\n")
        for path in (options.folder / "tests").rglob("*.py")
    )
    print(f"\nSQL migrations: {sql_lines} lines; tests: {tests} lines")

    print("\nlongest functions in Python (without docstring)")
    show_longest(
        (function for path in written for function in python_functions(path)), options.longest
    )
    print("\nlongest functions in SQL")
    show_longest(
        (function for path in migrations for function in sql_functions(path)), options.longest
    )


if __name__ == "__main__":
    main()
