"""What each documented write does: check the body, change the books, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from clopos_nb.sandbox import bodies, older, query
from clopos_nb.sandbox.answers import Body, Refusal, reject, slug
from clopos_nb.sandbox.auth import Caller
from clopos_nb.sandbox.bodies import Field, InvalidField, refuse
from clopos_nb.sandbox.books import BooksError, Taken
from clopos_nb.sandbox.endpoints import Endpoints
from clopos_nb.sandbox.fidelity import Fidelity
from clopos_nb.sandbox.permissions import Need, Permissions
from clopos_nb.sandbox.resources import BY_NAME, Row
from clopos_nb.sandbox.routes import Route
from clopos_nb.sandbox.shapes import projection
from clopos_nb.sandbox.source import Source

RECEIPT_STATUSES = (
    "NEW",
    "SCHEDULED",
    "IN_PROGRESS",
    "READY",
    "PICKED_UP",
    "COMPLETED",
    "CANCELLED",
)
CLIENT_ORDER_STATUSES = (
    "NEW",
    "SCHEDULED",
    "PENDING",
    "RECEIVED",
    "IN_PROGRESS",
    "READY",
    "PICKED_UP",
    "DELIVERED",
    "CONFIRMED",
    "COMPLETED",
    "CANCELLED",
    "IGNORE",
)
"""What client models send to PUT /orders/{id}."""
CHANGED = "Operation completed successfully"
READ_ONLY = "Invalid field values provided"

_TAKEN = {
    "phone": ("duplicate_phone", "Customer with this phone number already exists"),
    "code": ("duplicate_code", "Customer with this code already exists"),
    "cid": ("duplicate_cid", "Customer with this cid already exists"),
}

CUSTOMER = {
    "name": Field("string", required=True, rule="non-empty", check=lambda v: bool(v.strip())),
    "email": Field("string", nullable=True),
    "phone": Field("string", nullable=True),
    "code": Field("string", nullable=True),
    "cid": Field("string", nullable=True, rule="a valid UUID", check=bodies.is_uuid),
    "description": Field("string", nullable=True),
    "group_id": Field("integer", nullable=True),
    "gender": Field("integer", nullable=True, rule="1, 2 or null", check=lambda v: v in (1, 2)),
    "date_of_birth": Field("string", nullable=True, rule="YYYY-MM-DD", check=bodies.is_day),
}
_PRICE = Field("number", rule="at least 0", check=bodies.at_least_zero)
_COUNT = "above 0"
_MODIFIER = {
    "modifier_id": Field("integer", required=True),
    "modifier_name": Field("string", required=True),
    "count": Field("integer", required=True, rule=_COUNT, check=bodies.above_zero),
    "price": _PRICE,
    "portion_size": Field("number", rule=_COUNT, check=bodies.above_zero),
}
_LINE = {
    "product_id": Field("integer", required=True),
    "product_name": Field("string", required=True),
    "count": Field("number", required=True, rule=_COUNT, check=bodies.above_zero),
    "price": Field("number", required=True, rule="at least 0", check=bodies.at_least_zero),
    "status": Field("string", required=True),
    "product_hash": Field("string", required=True),
    "portion_size": Field("number", rule=_COUNT, check=bodies.above_zero),
    "note": Field("string"),
    "modifiers": Field("array", fields=_MODIFIER),
}
_ORDER_CUSTOMER = {
    "id": Field("integer", required=True, rule="at least 0", check=bodies.at_least_zero),
    "phone": Field("string", required=True),
    "address": Field("string", required=True),
    "name": Field("string", required=True),
    "customer_discount_type": Field("integer"),
}
ORDER = {
    "sale_type_id": Field("integer", required=True),
    "venue_id": Field("integer", required=True),
    "customer": Field("object", required=True, fields=_ORDER_CUSTOMER),
    "products": Field("array", required=True, min_items=1, fields=_LINE),
    "auto_accept_terminal": Field("integer"),
    "auto_order_accept": Field("boolean"),
    "auto_order_sent_to_station": Field("boolean"),
    "order_number": Field("string", max_length=20),
    "delivery_fee": _PRICE,
    "comment": Field("string"),
    "discount": Field(
        "object",
        fields={
            "discount_type": Field("integer", rule="0, 1 or 2", check=lambda v: v in (0, 1, 2)),
            "discount_value": _PRICE,
        },
    ),
    "service_charge": Field("object", fields={"enabled": Field("boolean"), "value": _PRICE}),
}
RECEIPT = {
    "order_status": Field(
        "string", rule="a documented status", check=lambda v: v in RECEIPT_STATUSES
    ),
    "order_number": Field("string"),
    "fiscal_id": Field("string"),
    "lock": Field("boolean"),
}
_PAYMENT = {
    "id": Field("integer", required=True),
    "name": Field("string", required=True),
    "amount": Field("number", required=True, rule="at least 0", check=bodies.at_least_zero),
}
CLOSE = {
    "payment_methods": Field("array", required=True, min_items=1, fields=_PAYMENT),
    "closed_at": Field(
        "string",
        rule="in the form YYYY-MM-DD HH:mm:ss",
        check=lambda v: bodies.moment(v) is not None,
    ),
}
WAITER_CALL = {
    "table_id": Field("integer", required=True),
    "type": Field("string", required=True, check=lambda v: v in ("WAITER", "PAY")),
    "payment_method": Field("integer"),
}


@dataclass(frozen=True)
class Written:
    """The answer to a write that happened."""

    body: Body
    status: int = 200


class Writes:
    """Answers the writes of one brand.

    Parameters
    ----------
    source : Source
        The brand. One that cannot be written to makes every write a 501.
    endpoints : Endpoints
        Share the shape of a 404.
    permissions : Permissions
        Of which the modules matter here.
    fidelity : Fidelity
        Which of the coexisting shapes to emit; read at every request.
    """

    def __init__(
        self, source: Source, endpoints: Endpoints, permissions: Permissions, fidelity: Fidelity
    ) -> None:
        self._books: Any = source
        self._endpoints = endpoints
        self._permissions = permissions
        self._fidelity = fidelity

    def answer(
        self, route: Route, method: str, venue_id: int, caller: Caller, body: Body
    ) -> Written:
        """Return the answer, without diagnostics; raise ``Refusal`` for what is not done."""
        if not hasattr(self._books, "create_order"):
            raise slug(501, "not_implemented", "This sandbox's data cannot be changed")
        if route.kind == "waiter_call":
            return self._call_waiter(venue_id, body)
        if route.kind == "close":
            return self._close_receipt(route, venue_id, body)
        name = route.resource.name if route.resource else ""
        if method == "PUT":
            return self._put_order(route, venue_id, body)
        if method == "PATCH":
            return self._patch_receipt(route, venue_id, body)
        if name == "customers":
            return self._create_customer(venue_id, body)
        return self._create_order(venue_id, caller, body)

    def _create_customer(self, venue_id: int, body: Body) -> Written:
        try:
            fields = bodies.checked(self._read(body, CUSTOMER), CUSTOMER)
            fields["venue_id"] = venue_id
            self._check_group(fields.get("group_id"), venue_id)
            row = self._books.create_customer(fields)
        except InvalidField as wrong:
            raise _customer_refusal(wrong) from None
        except Taken as taken:
            error, message = _TAKEN[taken.field]
            raise slug(409, error, message) from None
        except BooksError as wrong:
            raise _customer_refusal(InvalidField(wrong.field or "body", wrong.reason)) from None
        return self._created({"success": True, "data": self._cut("customers", row)})

    def _check_group(self, group_id: int | None, venue_id: int) -> None:
        groups = self._books.rows("customer_groups", venue_id)
        if group_id is not None and all(group["id"] != group_id for group in groups):
            _wrong("group_id", "is invalid")

    def _create_order(self, venue_id: int, caller: Caller, body: Body) -> Written:
        if "v1_order_body" in self._fidelity and older.is_v1_order(body):
            body = older.order_from_v1(body, self._products(venue_id))
        fields = _checked(self._read(body, ORDER), ORDER)
        if fields["venue_id"] not in self._books.venue_ids:
            refuse("venue_id is not a venue of this brand")
        # The order goes where its body says: x-venue only chooses what a read sees.
        venue_id = fields["venue_id"]
        self._need_module("call_center", venue_id, caller)
        self._check_order(fields, venue_id)
        row = _tried(lambda: self._books.create_order(fields, venue_id))
        order = self._without_payload(row)
        return self._created({"success": True, "message": "Order created", "data": order})

    def _check_order(self, fields: Body, venue_id: int) -> None:
        products = self._products(venue_id)
        for index, line in enumerate(fields["products"]):
            if line["product_id"] not in products:
                refuse(f"products.{index}.product_id is not a product of this brand")
            if line["count"] % 1 and not products[line["product_id"]]["sold_by_weight"]:
                refuse(f"products.{index}.count must be an integer")

    def _products(self, venue_id: int) -> dict[int, Row]:
        return {
            row["id"]: row
            for product in self._books.rows("products", venue_id)
            for row in (product, *(product.get("modifications") or ()))
        }

    def _read(self, body: Body, fields: dict[str, Field]) -> Body:
        return older.numbered(body, fields) if "numeric_strings" in self._fidelity else body

    def _without_payload(self, row: Row) -> Body:
        order = self._cut("orders", row)
        order.pop("payload", None)
        if "nested_order_answer" not in self._fidelity:
            return order
        kept = ("id", "venue_id", "created_at", "updated_at")
        return {"status": order["status"], "payload": {name: order[name] for name in kept}}

    def _put_order(self, route: Route, venue_id: int, body: Body) -> Written:
        order_id = query.integer(route.key)
        if order_id is None or self._books.log("orders", venue_id).get(order_id) is None:
            raise self._endpoints.not_found(BY_NAME["orders"], route.key)
        status = body.get("status")
        if "any_order_status" in self._fidelity and status in CLIENT_ORDER_STATUSES[:-1]:
            row = _tried(lambda: self._books.set_order_status(venue_id, order_id, status))
        elif set(body) == {"status"} and status == "IGNORE":
            row = _tried(lambda: self._books.ignore_order(venue_id, order_id))
        else:
            refuse("Status is not allowed")
        order = self._cut("orders", row)
        order.pop("payload", None)
        return Written({"success": True, "message": CHANGED, "data": order})

    def _patch_receipt(self, route: Route, venue_id: int, body: Body) -> Written:
        receipt_id = self._receipt_id(route, venue_id)
        try:
            changes = bodies.checked(body, RECEIPT)
        except InvalidField:
            refuse(READ_ONLY)
        # Client tests written against a live brand repeat the id of the path here, and succeed.
        if body.keys() - changes.keys() - {"id"} or body.get("id", receipt_id) != receipt_id:
            refuse(READ_ONLY)
        row = _tried(lambda: self._books.patch_receipt(venue_id, receipt_id, changes))
        return Written({"success": True, "message": CHANGED, "data": self._cut("receipts", row)})

    def _close_receipt(self, route: Route, venue_id: int, body: Body) -> Written:
        receipt_id = self._receipt_id(route, venue_id)
        fields = _checked(self._read(body, CLOSE), CLOSE)
        closed_at = bodies.moment(fields["closed_at"]) if "closed_at" in fields else None
        payments = fields["payment_methods"]
        try:
            row = self._books.close_receipt(venue_id, receipt_id, payments, closed_at)
        except BooksError as wrong:
            if wrong.field == "closed_at":
                refuse("closed_at must be greater than created_at")
            refuse(wrong.reason)
        kept = ("id", "closed_at", "payment_methods")
        data = {name: row[name] for name in kept}
        return Written({"success": True, "message": "Receipt closed", "data": data})

    def _receipt_id(self, route: Route, venue_id: int) -> int:
        receipt_id = query.integer(route.key)
        if receipt_id is None:
            reject("id must be an integer")
        if self._books.log("receipts", venue_id).get(receipt_id) is None:
            raise self._endpoints.not_found(BY_NAME["receipts"], route.key)
        return receipt_id

    def _call_waiter(self, venue_id: int, body: Body) -> Written:
        try:
            fields = bodies.checked(self._read(body, WAITER_CALL), WAITER_CALL)
            method = fields.get("payment_method")
            self._check_payment(fields["type"], method, venue_id)
            self._books.call_waiter(venue_id, fields["table_id"], fields["type"], method)
        except (InvalidField, BooksError):
            raise Refusal(400, {"success": False}) from None
        return Written({"success": True})

    def _check_payment(self, type_: str, method: int | None, venue_id: int) -> None:
        if (type_ == "PAY") != (method is not None):
            _wrong("payment_method", "goes with PAY, and only with PAY")
        # The venue's default methods: the first that is a till's, and the first that is a card's.
        defaults: dict[str, int] = {}
        for row in self._books.rows("payment_methods", venue_id):
            kind = (row["balance"] or {}).get("system_type")
            works_here = not row["status"] or row["status"].get(str(venue_id)) == 1
            if kind in ("CASH", "CARD") and works_here:
                defaults.setdefault(kind, row["id"])
        if method is not None and method not in defaults.values():
            _wrong("payment_method", "is not a default method")

    def _need_module(self, module: str, venue_id: int, caller: Caller) -> None:
        self._permissions.check(
            Need(module=module),
            integrator_id=caller.integrator_id,
            brand=caller.brand,
            venue_id=venue_id,
            live="live_errors" in self._fidelity,
        )

    def _cut(self, name: str, row: Row) -> Row:
        return projection(name, fidelity=self._fidelity.names)(row)

    def _created(self, body: Body) -> Written:
        return Written(body, 201 if "created_status" in self._fidelity else 200)


def _wrong(path: str, problem: str) -> NoReturn:
    raise InvalidField(path, problem)


def _checked(body: Body, fields: dict[str, Field]) -> Body:
    try:
        return bodies.checked(body, fields)
    except InvalidField as wrong:
        refuse(str(wrong))


def _tried(write: Callable[[], Any]) -> Row:
    try:
        row: Row = write()
    except BooksError as wrong:
        refuse(wrong.reason)
    return row


def _customer_refusal(wrong: InvalidField) -> Refusal:
    # The one endpoint whose 400 has the roles of its two texts swapped.
    field = wrong.path.replace("_", " ")
    sentence = {"is required": "is required", "must be non-empty": "is required"}.get(
        wrong.problem, wrong.problem
    )
    error = f"The {field} field {sentence}."
    return Refusal(400, {"success": False, "message": "Validation failed", "error": error})
