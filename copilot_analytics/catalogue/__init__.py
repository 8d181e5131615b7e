"""What exists, as data: endpoints, tables, fields, client versions and known changes.

The CSV files beside this module are the one place where a field or an endpoint is described.
Arrow schemas, pandas types, chart labels, documentation and the sample company derive from them.

========================  =====================================================================
``fields.csv``            every value in GitHub's records, and the column that it becomes
``containers.csv``        the objects and lists around them
``tables.csv``            which of the lists become tables, and the key of each
``endpoints.csv``         the twelve reports
``changes.csv``           what changed in the reports, and when; series breaks are marked
``client_versions.csv``   how old a client may be to be counted
``names.csv``             values of dimensions: spellings of one thing, and labels
========================  =====================================================================

In the files of fields, containers, client versions and names one row may stand for several:
``{a,b}`` stands for each of its parts in turn, in all cells of the row alike.
"""

from copilot_analytics.catalogue.columns import Table, all_tables, table
from copilot_analytics.catalogue.frames import (
    changes,
    client_versions,
    containers,
    endpoints,
    fields,
    names,
    tables,
)
from copilot_analytics.catalogue.naming import canonical_names, label, value_label
from copilot_analytics.catalogue.records import (
    FAMILIES,
    HOUSEKEEPING,
    Container,
    Field,
    record_containers,
    record_fields,
)
from copilot_analytics.catalogue.reports import Endpoint, all_endpoints, endpoint
from copilot_analytics.catalogue.scopes import Scope
from copilot_analytics.catalogue.settling import SETTLE_DAYS, is_settled
from copilot_analytics.catalogue.versions import is_below

__all__ = [
    "FAMILIES",
    "HOUSEKEEPING",
    "SETTLE_DAYS",
    "Container",
    "Endpoint",
    "Field",
    "Scope",
    "Table",
    "all_endpoints",
    "all_tables",
    "canonical_names",
    "changes",
    "client_versions",
    "containers",
    "endpoint",
    "endpoints",
    "fields",
    "is_below",
    "is_settled",
    "label",
    "names",
    "record_containers",
    "record_fields",
    "table",
    "tables",
    "value_label",
]
