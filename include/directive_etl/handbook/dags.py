"""docs/dags.md: what each DAG does, when, and its tasks, read from dags/*.py without importing Airflow."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_HEAD = """# DAGs

Generated from `dags/` by `python -m directive_etl docs`; do not edit. Times are local (Asia/Ho_Chi_Minh).
Each can be cleared, backfilled and run for one day by hand; [runbook.md](runbook.md) says who acts on a failure.

| DAG | runs | one run is about |
|---|---|---|
"""
_RUNBOOK = re.compile(r"docs/runbook\.md#(\w+)")
# How a schedule of airflow_adapter is said.
_SCHEDULES = {
    "EVERY_TEN_MINUTES": ("every 10 minutes", "what is new"),
    "WEEKLY": ("once a week", "the whole storage"),
    "ANY_FIGURES": ("when a source publishes a day", "the day that changed"),
}


def dags_page(folder: Path) -> str:
    """Return the page.

    Raises:
        ValueError: a DAG has a schedule that this page cannot say.
    """
    files = sorted(folder.glob("*.py"))
    overview = [f"| [{file.stem}](#{file.stem}) | {' | '.join(_schedule(file))} |" for file in files]
    return _HEAD + "\n".join(overview) + "\n" + "".join(_section(file) for file in files)


def _section(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstring = (ast.get_docstring(tree) or "").strip()
    summary, _, rest = docstring.partition("\n\n")
    lines = [
        f"- **{head}** {text}"
        for head, text in re.findall(r"^(\w+)\s{2,}(.*(?:\n(?!\w+\s{2,}).*)*)", rest, re.M)
    ]
    tasks = ", ".join(f"`{name}`" for name in _iter_tasks(tree))
    facts = "\n".join(
        _RUNBOOK.sub(r"[runbook: \1](runbook.md#\1)", line.replace("\n", " ")) for line in lines
    )
    return f"\n## {file.stem}\n{summary}\n\n{facts}\n- **Tasks** {tasks}\n"


def _iter_tasks(tree: ast.Module) -> Iterator[str]:
    """Yield task ids in the order of the file; a mapped one is told by its expand()."""
    text = ast.unparse(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            "task" in ast.unparse(one) for one in node.decorator_list
        ):
            is_mapped = re.search(rf"\b{node.name}\.expand\(", text) is not None
            yield f"{node.name}[]" if is_mapped else node.name
    yield from re.findall(r"task_id='(\w+)'", text)


def _schedule(file: Path) -> tuple[str, str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [
        ast.unparse(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "schedule"
    ]
    if len(found) == 1 and (daily := re.fullmatch(r"daily_at\((\d+)\)", found[0])):
        return f"{int(daily[1]):02d}:00 every day", "the day before"
    if not found and "BY_HAND" in file.read_text(encoding="utf-8"):
        return "when a person starts it", "what that person asks for"
    if len(found) == 1 and found[0] in _SCHEDULES:
        return _SCHEDULES[found[0]]
    raise ValueError(f"{file.name}: add how its schedule {found} is said to directive_etl/handbook/dags.py")
