"""The money side of a venue: balances, transactions, taxes and cash shifts."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property

from clopos_nb.sandbox.books.inventory.office import Office, added_up, minor
from clopos_nb.sandbox.brand.ledger import Ledger
from clopos_nb.sandbox.brand.money import money
from clopos_nb.sandbox.brand.products import EXCLUSIVE_TAX, INCLUDED_TAX, Row
from clopos_nb.sandbox.brand.settings import METHOD_NAMES
from clopos_nb.sandbox.brand.stamps import local

SHIFTS = 3
"""How many business days have a cash shift."""
_CATEGORIES = ("Satış", "Təchizat", "Əmək haqqı", "Kommunal", "İcarə")


class Finance:
    """What a venue's payments, taxes and cash shifts come to."""

    def __init__(self, office: Office) -> None:
        self._office = office

    @cached_property
    def balances(self) -> list[Row]:
        """Balances of the payment methods that have one."""
        methods = self._office.brand.rows("payment_methods", self._office.venue.id)
        made = []
        for method in methods:
            if method["balance"]:
                row = {name: v for name, v in method["balance"].items() if name != "pivot"}
                made.append({**row, "payment_method_id": method["id"]})
        return made

    def balance_list(self) -> list[Row]:
        """Return their names."""
        return [{name: row[name] for name in ("id", "name", "type")} for row in self.balances]

    def customer_balances(self) -> list[Row]:
        """Return the balances of customers."""
        customers = self._office.books.rows("customers", self._office.venue.id)
        return [{**row["balance"], "customer_id": row["id"]} for row in customers]

    def date_states(self) -> list[Row]:
        """Return how the last day changed each balance."""
        first = {row["balance_id"]: row["before_amount"] for row in self.transactions}
        return [
            {
                "id": row["id"],
                "balance_id": row["id"],
                "date": self._office.last_day.isoformat(),
                "before_amount": first.get(row["id"], row["amount"]),
                "after_amount": row["amount"],
            }
            for row in self.balances
        ]

    @cached_property
    def transactions(self) -> list[Row]:
        """Payments of the newest receipts, newest first; the last one left what is there now."""
        left = {row["payment_method_id"]: minor(row["amount"]) for row in self.balances}
        ids = {row["payment_method_id"]: row["id"] for row in self.balances}
        made = []
        for receipt in self._office.receipts:
            for place, (method, amount) in enumerate(receipt.payments):
                if method not in ids:
                    continue
                after = left[method]
                left[method] = after - amount
                at = local(receipt.day, receipt.closed or receipt.created)
                made.append(
                    {
                        "id": receipt.id * 8 + place,
                        "balance_id": ids[method],
                        "category_id": 1,
                        "amount": money(amount),
                        "before_amount": money(after - amount),
                        "after_amount": money(after),
                        "receipt_id": receipt.id,
                        "operation_id": None,
                        "customer_id": receipt.customer_id,
                        "supplier_id": None,
                        "operated_at": at,
                        "created_at": at,
                        "updated_at": at,
                    }
                )
        return made

    def categories(self) -> list[Row]:
        """Return what transactions are for."""
        return [
            {"id": rank + 1, "name": name, "type": "INCOME" if rank == 0 else "EXPENSE"}
            for rank, name in enumerate(_CATEGORIES)
        ]

    def taxes(self) -> list[Row]:
        """Return the taxes of all products."""
        products = self._office.catalogue.by_id.values()
        taxes = {tax["id"]: tax for row in products for tax in row["taxes"]}
        return [tax for _, tax in sorted(taxes.items())]

    def tax_types(self) -> list[Row]:
        """Return the kinds of these taxes."""
        types = {tax["type"]["id"]: tax["type"] for tax in self.taxes()}
        return [kind for _, kind in sorted(types.items())]

    def tax_report(self) -> list[Row]:
        """Return what the newest receipts owe of each tax."""
        included = sum(receipt.i_tax for receipt in self._office.receipts)
        exclusive = sum(receipt.e_tax for receipt in self._office.receipts)
        entries = ((1, INCLUDED_TAX, included), (4, EXCLUSIVE_TAX, exclusive))
        return [
            {"id": number, "tax_id": number, "rate": rate, "amount": money(amount)}
            for number, rate, amount in entries
        ]

    def tax_total(self) -> list[Row]:
        """Return the sum of ``tax_report``."""
        found = self.tax_report()
        return [{"receipts": len(self._office.receipts), "amount": added_up(found, "amount")}]

    @cached_property
    def _shifts(self) -> list[tuple[date, Ledger]]:
        days = [self._office.last_day - timedelta(days=n) for n in range(SHIFTS)]
        ledgers = [
            self._office.books.ledger(self._office.venue.id, day, day, day="shift_date")
            for day in days
        ]
        return [found for found in zip(days, ledgers, strict=True) if found[1].receipts]

    def cash_shifts(self) -> list[Row]:
        """Return the newest cash shifts, newest first."""
        running = (self._office.brand.now - timedelta(hours=6)).date()
        return [
            {
                "id": self._office.brand.cash_shift_cid(self._office.venue.id, day),
                "venue_id": self._office.venue.id,
                "shift_date": day.isoformat(),
                "status": 1 if day >= running else 2,
                "opened_at": local(day, 7 * 3600),
                "closed_at": None if day >= running else local(day, 28 * 3600),
                "receipts": ledger.receipts,
                "total": float(ledger.total),
            }
            for day, ledger in self._shifts
        ]

    def cash_shift_reports(self) -> list[Row]:
        """Return what was sold and paid in each cash shift."""
        numbers = {name: number for number, name in METHOD_NAMES.items()}
        return [
            {
                "id": self._office.brand.cash_shift_cid(self._office.venue.id, day),
                "shift_date": day.isoformat(),
                "receipts": ledger.receipts,
                "total": float(ledger.total),
                "paid": float(ledger.paid),
                "discount": float(ledger.discount),
                "tax": float(ledger.tax),
                "payment_methods": [
                    {"id": numbers[name], "name": name, "amount": float(amount)}
                    for name, amount in ledger.by_payment_method.items()
                ],
            }
            for day, ledger in self._shifts
        ]
