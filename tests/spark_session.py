"""A Spark cluster of two workers on this machine, for the tests that run with TEST_SPARK=1."""

import atexit
import os
from functools import cache

import pandas as pd
import pytest
from metrics_input import IDS

# Two workers with a core and a gigabyte each: processes of their own, which get data by network.
MASTER = "local-cluster[2,1,1024]"
SETTINGS = {
    "spark.executor.memory": "1g",
    "spark.network.timeout": "600s",
    "spark.sql.shuffle.partitions": 2,
    "spark.sql.files.openCostInBytes": 0,  # else each day of an archive is a task of its own
    # To plan a query anew after each step, and to compile it, takes longer than so few rows.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
# The types of a result, and those of the same result on pandas. A result has no others.
PANDAS_TYPES = {
    "bigint": "Int64",
    "double": "float64",
    "boolean": "boolean",
    "timestamp_ntz": "datetime64[us]",
    "string": "str",
}

# py4j leaves the closing of its sockets to the garbage collector.
with_spark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="session")
def spark():
    """The cluster, started for the first test that wants it; without TEST_SPARK=1 tests skip."""
    if not os.environ.get("TEST_SPARK"):
        pytest.skip("takes minutes: `make test-spark`")
    return _session()


@cache
def _session():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(MASTER)
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    atexit.register(session.stop)
    return session


def spark_rows(frame) -> pd.DataFrame:
    """What a Spark DataFrame holds, in its order, with the types that it has."""
    rows = frame.collect()
    return pd.DataFrame(
        {
            name: pd.Series([row[place] for row in rows], dtype=_pandas_type(name, kind))
            for place, (name, kind) in enumerate(frame.dtypes)
        }
    )


def _pandas_type(name: str, kind: str) -> str:
    return "int64" if name in IDS and kind == "bigint" else PANDAS_TYPES[kind]
