"""Files from elsewhere are data: nothing in them is run."""

import ast
import pickle
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import copilot_analytics as ca

PACKAGE = Path(ca.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# Modules that run what they read, and functions that do; the standard library's JSON does not.
LOADERS = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "yaml", "toml"}
CALLS = {"eval", "exec", "read_pickle", "to_pickle", "unsafe_load", "compile", "__import__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_is_read_can_become_code_f178(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(name.name for name in node.names)]
            assert not LOADERS & {name.partition(".")[0] for name in names}
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "attr", None) or getattr(called, "id", "")
            assert name not in CALLS or ast.unparse(called) == "re.compile"


class Payload:
    """Unpickling one makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_type_in_a_parquet_file_is_no_code_f179(tmp_path):
    """CVE-2023-47248: files could name a type that was unpickled."""
    trap = tmp_path / "trap"
    metadata = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Payload(trap)),
    }
    pickle.loads(metadata[b"ARROW:extension:metadata"])  # the trap works
    trap.unlink()
    schema = pa.schema([pa.field("user_id", pa.int64(), metadata=metadata)])
    parquet.write_table(pa.table({"user_id": [1]}, schema=schema), tmp_path / "users.parquet")
    assert parquet.read_table(tmp_path / "users.parquet")["user_id"].to_pylist() == [1]
    assert not trap.exists()
    assert tuple(map(int, version("pyarrow").split(".")[:2])) >= (14, 1)
