"""A frame as a file to save: made when it is asked for, and handed to the browser as a link."""

from __future__ import annotations

import base64
import logging
from html import escape

import ipywidgets as W
import pandas as pd

from clopos_nb.errors import CloposError
from clopos_nb.files import MIME, as_file
from clopos_nb.widgets import style
from clopos_nb.widgets.worker import Worker

log = logging.getLogger("clopos_nb")

LARGEST = 64 * 2**20  # bytes; more than a browser takes through a link


class Downloads(W.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """A choice of formats, a button that makes the file, and the link to save it.

    The file holds the whole frame, whatever the grid shows of it. It is made beside the kernel,
    since a large XLSX takes minutes.

    Attributes
    ----------
    kind : ipywidgets.Dropdown
    prepare : ipywidgets.Button
    link : ipywidgets.HTML
        Empty until the file is made; then a link whose address is the file itself.
    """

    def __init__(self) -> None:
        self._worker = Worker()
        self._frame: pd.DataFrame | None = None
        self._name = ""
        self.kind = W.Dropdown(
            options=[("CSV", "csv"), ("Excel (XLSX)", "xlsx"), ("Parquet", "parquet")],
            description="Save as",
            tooltip="The kind of file",
            layout=W.Layout(width="220px"),
        )
        self.prepare = W.Button(description="Make the file", tooltip="Make a file of all rows")
        self.link = W.HTML()
        self.prepare.on_click(self._make)
        self.kind.observe(self._clear, "value")
        super().__init__([self.kind, self.prepare, self.link])
        self.add_class("row")

    def offer(self, frame: pd.DataFrame, name: str) -> None:
        """Offer a frame under a file name without its ending."""
        self._frame, self._name = frame, name
        self._clear()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no file is being made, and return whether that is so."""
        return self._worker.wait(timeout_s)

    def _clear(self, _: object = None) -> None:
        self.link.value = ""

    def _make(self, _: object = None) -> None:
        frame, name = self._frame, self._name
        if frame is not None:
            self._worker.start(lambda: self._made(frame, name), first=self._begin)

    def _begin(self) -> None:
        self.prepare.disabled = self.kind.disabled = True
        self.link.value = style.status("Making the file…")

    def _made(self, frame: pd.DataFrame, name: str) -> None:
        try:
            told = self._link(frame, name)
        except CloposError as problem:
            told = style.error("No file.", str(problem))
        except Exception as problem:  # the kernel's edge: nobody else would see it
            log.exception("the file was not made")
            told = style.error("No file.", f"{type(problem).__name__}: {problem}")
        self.prepare.disabled = self.kind.disabled = False
        self.link.value = told if frame is self._frame else ""  # another one was loaded meanwhile

    def _link(self, frame: pd.DataFrame, title: str) -> str:
        content = as_file(frame, self.kind.value)
        name, size = f"{title}.{self.kind.value}", _size(len(content))
        if len(content) > LARGEST:
            return style.error(
                "No link.",
                f"The file of {size} is too large to go through the browser. Write it with "
                "explorer.frame.to_parquet(...) or .to_csv(...)",
            )
        data = base64.b64encode(content).decode("ascii")
        return (
            f'<a class="save" role="button" download="{escape(name)}" '
            f'href="data:{MIME[self.kind.value]};base64,{data}">Save {escape(name)} ({size})</a>'
        )


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{max(count / 2**10, 0.1):.1f} kB"
