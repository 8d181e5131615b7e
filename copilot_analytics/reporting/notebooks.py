"""Report notebooks: where they are, what parameters they declare, whether values fit."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import copilot_analytics
from copilot_analytics.errors import UsageError, redact

# The order in which a reader should meet them; others follow by name.
ORDER = ("adoption", "engagement", "teams", "delivery", "credits", "quality", "impact")
# These look at everybody: what they compare or count is not there for the people of one team.
ABOUT_EVERYBODY = frozenset(("teams", "delivery", "quality", "impact"))
# A report must not show other data than asked for, so every notebook has to take these.
REQUIRED = ("archive", "scope", "start", "end")
_SECRET_NAME = re.compile(r"token|secret|passw|credential|api_?key|authorization", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def notebook_folder() -> Path:
    """Return the folder of the notebooks: inside the installed package, or in the checkout."""
    package = Path(copilot_analytics.__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise UsageError(
        "the report notebooks are not installed",
        advice="install copilot_analytics again, or give the paths of your own notebooks",
    )


def find_notebooks(names: Sequence[str | Path] | None = None) -> list[Path]:
    """Return the notebooks of a report in reading order.

    Parameters
    ----------
    names
        Names such as ``"adoption"`` or paths of notebooks; None for all that take parameters.

    Raises
    ------
    UsageError
        If a name is not known, or two notebooks have the same name.
    """
    if names is not None:
        found = [_find(name) for name in names]
        stems = [path.stem for path in found]
        if not found or len(set(stems)) < len(stems):
            raise UsageError(
                "the list of notebooks is empty or names one twice", advice="name each once"
            )
        return found
    found = [p for p in sorted(notebook_folder().glob("*.ipynb")) if has_parameters(p)]
    if not found:
        raise UsageError(f"there is no report notebook in {notebook_folder()}")
    return sorted(found, key=lambda path: ORDER.index(path.stem) if path.stem in ORDER else 99)


def _find(name: str | Path) -> Path:
    path = Path(name)
    if path.suffix == ".ipynb":
        if path.is_file() and _NAME.fullmatch(path.stem):
            return path.resolve()
        raise UsageError(
            f"notebook {str(name)!r} does not exist, or its name is more than letters and digits"
        )
    folder = notebook_folder()
    known = sorted(path.stem for path in folder.glob("*.ipynb") if has_parameters(path))
    if str(name) not in known:
        raise UsageError(
            f"notebook {str(name)!r} is not known", advice=f"one of: {', '.join(known)}"
        )
    return folder / f"{name}.ipynb"


def has_parameters(path: Path) -> bool:
    """Return whether a notebook has a cell tagged ``parameters``."""
    return _parameters_source(path) is not None


def takes_team(path: Path) -> bool:
    """Return whether a notebook can be about the people of one team."""
    return path.stem not in ABOUT_EVERYBODY and "team" in declared_parameters(path)


def declared_parameters(path: Path) -> dict[str, object]:
    """Return the parameters of a notebook with their default values.

    Raises
    ------
    UsageError
        If the notebook has no cell tagged ``parameters``, or it holds more than plain values.
    """
    source = _parameters_source(path)
    if source is None:
        raise UsageError(
            f"notebook {path.name} has no parameters",
            advice="tag the cell that sets them with: parameters",
        )
    declared: dict[str, object] = {}
    try:
        for statement in ast.parse(source).body:
            name, value = _assignment(statement)
            declared[name] = ast.literal_eval(value)
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"the parameters of notebook {path.name} are more than plain values",
            said=str(error),
            advice='write one line for each, such as: scope = ""',
        ) from None
    return declared


def _parameters_source(path: Path) -> str | None:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path.name} is not a notebook", said=str(error)) from None
    for cell in cells:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            return "".join(cell["source"])
    return None


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr]:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets: list[ast.expr] = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = statement.targets
    else:
        raise ValueError(f"line {statement.lineno} is not an assignment")
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        raise ValueError(f"line {statement.lineno} does not set one name")
    return targets[0].id, statement.value


def fit_parameters(
    paths: Sequence[Path], values: Mapping[str, object]
) -> dict[Path, dict[str, object]]:
    """Return for each notebook those values that it declares, after all have been checked.

    A switch that is off may be unknown to all notebooks: nobody asked for anything.
    """
    declared = {path: declared_parameters(path) for path in paths}
    known = {name for parameters in declared.values() for name in parameters}
    needed = {key: value for key, value in values.items() if value is not False or key in known}
    check_parameters({path.stem: parameters for path, parameters in declared.items()}, needed)
    return {
        path: {key: value for key, value in needed.items() if key in parameters}
        for path, parameters in declared.items()
    }


def check_parameters(
    declared: Mapping[str, Mapping[str, object]], values: Mapping[str, object]
) -> None:
    """Check values for the parameters of notebooks, because papermill only warns.

    Parameters
    ----------
    declared
        Name of notebook to its declared parameters.
    values
        What is to be passed; each value has the type of its default.

    Raises
    ------
    UsageError
        If no notebook declares a name, a required one is not declared, a type differs, or a value
        or name looks like a secret: values are written into the notebook in clear.
    """
    for name in values:
        if _SECRET_NAME.search(name):
            raise UsageError(
                f"parameter {name!r} looks like a secret",
                advice="notebooks read the archive and need no token; leave it out",
            )
        if not any(name in parameters for parameters in declared.values()):
            known = sorted({key for parameters in declared.values() for key in parameters})
            raise UsageError(
                f"no notebook has a parameter {name!r}", advice=f"one of: {', '.join(known)}"
            )
    for value in filter(lambda v: isinstance(v, str), values.values()):
        # A "?" alone is no secret: it may stand in the pattern of a path.
        if redact(value.replace("?", " ")) != value.replace("?", " "):
            raise UsageError(
                f"a value of {sorted(values)} looks like a secret",
                advice="pass paths, names and days only",
            )
    for notebook, parameters in declared.items():
        _check_notebook(notebook, parameters, values)


def _check_notebook(
    notebook: str, parameters: Mapping[str, object], values: Mapping[str, object]
) -> None:
    missing = [name for name in REQUIRED if name not in parameters]
    if missing:
        raise UsageError(
            f"notebook {notebook} does not declare the parameter {missing[0]!r}",
            advice=f"its parameters cell needs: {', '.join(REQUIRED)}",
        )
    for name, value in values.items():
        if name in parameters and type(value) is not type(parameters[name]):
            raise UsageError(
                f"parameter {name!r} of notebook {notebook} is "
                f"{type(parameters[name]).__name__}, not {type(value).__name__}"
            )
