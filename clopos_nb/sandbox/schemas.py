"""JSON Schemas of what the sandbox serves, made from the facts and the switches that are on."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from clopos_nb.sandbox.facts import Fact, facts
from clopos_nb.sandbox.fidelity import SWITCHES

Schema = dict[str, Any]

_FORMATS: dict[str, Schema] = {
    "uuid": {"format": "uuid"},
    "YYYY-MM-DD": {"format": "date"},
    "YYYY-MM-DD HH:mm:ss": {"pattern": r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"},
    "iso8601-micros-Z": {
        "format": "date-time",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
    },
    "unix-ms": {"format": "int64"},
    "unix-s": {"format": "int64"},
}
NAMES = {
    "receipts": "Receipt",
    "stock_operations": "StockOperation",
    "orders": "Order",
    "products": "Product",
    "stop_list": "StopListEntry",
    "price_lists": "PriceList",
    "prices": "Price",
    "customers": "Customer",
    "customer_groups": "CustomerGroup",
    "categories": "Category",
    "stations": "Station",
    "sale_types": "SaleType",
    "payment_methods": "PaymentMethod",
    "users": "User",
    "venues": "Venue",
}


_WHOLE = ("unit", "packages", "setting", "tags", "codes", "balance", "cashback_balance")
"""Relations of which no table lists the fields: they are served as recorded, whole."""
_COLUMNS = {"Receipt": [], "Product": ["id", "name", "type"], "PriceList": ["id", "name"]}


def ref(name: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


class Schemas:
    """Builds the schema of each resource.

    Parameters
    ----------
    fidelity : container of str
        Switches that are on.
    closed : bool
        Forbid fields that are not described: for tests. A client must tolerate them.
    """

    def __init__(self, fidelity: Container[str], *, closed: bool = False) -> None:
        self._fidelity = fidelity
        self._legacy = "legacy_fields" in fidelity
        self._closed = closed

    def components(self) -> dict[str, Schema]:
        """Return the schemas of all resources, by component name."""
        found = {
            NAMES[name]: self.object(fields) for name, fields in facts().items() if name in NAMES
        }
        # Two pages choose columns of their rows, and one those of a relation.
        for name, required in _COLUMNS.items():
            found[f"{name}Columns"] = {
                "type": "object",
                "properties": {
                    key: ref(f"{name}/properties/{key}") for key in found[name]["properties"]
                },
            } | ({"required": required} if required else {})
        return found

    def object(self, fields: Mapping[str, Fact]) -> Schema:
        """Return the schema of an object with these fields."""
        known = {
            name: fact
            for name, fact in fields.items()
            if self._legacy or fact.get("with") or not fact.get("legacy")
        }
        schema: Schema = {
            "type": "object",
            "properties": {name: self._field(name, fact) for name, fact in known.items()},
        }
        required = [name for name, fact in known.items() if _always(fact)]
        if required:
            schema["required"] = required
        if self._closed:
            schema["additionalProperties"] = False
        return schema

    def _field(self, name: str, fact: Fact) -> Schema:
        if name == "receipt":
            return {"anyOf": [ref("ReceiptColumns"), {"type": "null"}]}
        if name in _WHOLE and fact.get("with"):
            schema = Schemas({"legacy_fields", *self._names()})._typed(fact)
        else:
            schema = self._typed(fact)
        if "description" not in schema and fact.get("with"):
            schema = {**schema, "description": f"Only with[]={fact['with']}"}
        return schema

    def _names(self) -> list[str]:
        return [name for name in SWITCHES if name in self._fidelity]

    def _typed(self, fact: Fact) -> Schema:
        nullable = bool(fact.get("nullable"))
        kind = fact.get("accept") or fact["type"]
        if kind == "object" and "extends" in fact and "fields" not in fact:
            target = ref(NAMES[fact["extends"]])
            return {"anyOf": [target, {"type": "null"}]} if nullable else target
        kinds = [kind]
        may_be_list = fact.get("empty_list") or fact.get("map")
        # Recorded objects inside undocumented ones are served as recorded.
        if may_be_list and ("empty_maps_as_lists" in self._fidelity or fact.get("legacy")):
            kinds.append("array")
        if nullable:
            kinds.append("null")
        schema: Schema = {"type": kinds[0] if len(kinds) == 1 else kinds}
        schema |= _FORMATS.get(str(fact.get("format")), {})
        if "enum" in fact:
            schema["enum"] = [*fact["enum"], *([None] if nullable else [])]
        if kind == "array" and "items" in fact:
            schema["items"] = self._items(fact["items"])
        elif kind == "object" and "fields" in fact:
            inner = self.object(self._all_fields(fact))
            if fact.get("empty_list"):
                inner.pop("required", None)  # the empty map has none of its keys
            schema |= {key: inner[key] for key in inner if key != "type"}
        if "example" in fact and not isinstance(fact["example"], dict | list):
            schema["examples"] = [fact["example"]]
        return schema

    def _items(self, fact: Fact) -> Schema:
        if "flat" in fact:
            return self._ingredient(fact)
        return self._typed({key: value for key, value in fact.items() if key != "legacy"})

    def _ingredient(self, fact: Fact) -> Schema:
        if "flat_recipe" in self._fidelity:
            return self.object(fact["flat"])
        # As recorded: a product without relations but its unit, and a pivot.
        every = facts()[fact["extends"]]
        product = {n: f for n, f in every.items() if "with" not in f}
        product["setting"] = {**every["setting"], "legacy": True}
        own = {n: {**f, "legacy": False} for n, f in fact["fields"].items()}
        own["pivot"]["fields"] = {
            n: {**f, "legacy": False} for n, f in own["pivot"]["fields"].items()
        }
        schema = self.object({**product, **own})
        schema["properties"] |= {
            name: ref(f"Product/properties/{name}")
            for name in schema["properties"]
            if name not in own
        }
        return schema

    def _all_fields(self, fact: Fact) -> dict[str, Fact]:
        base = facts()[fact["extends"]] if "extends" in fact else {}
        return {**base, **fact.get("fields", {})}


def _always(fact: Fact) -> bool:
    return not (fact.get("optional") or fact.get("with") or fact.get("legacy"))
