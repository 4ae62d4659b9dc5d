"""What all pickers share: a box of labelled controls that can be switched off together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as W
from traitlets import Bool, TraitType, observe

if TYPE_CHECKING:
    from clopos_nb.session import Session


class Choice(TraitType[Any, Any]):
    """A trait that its owner validates; unlike ``traitlets.Any`` also where it is set to None."""


class Picker(W.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A choice, made with the mouse, the keyboard or in code; works without a browser.

    What is chosen is a trait: read it, set it, observe it, link it. Setting it to something that
    is not there raises and leaves what was chosen.

    Attributes
    ----------
    disabled : bool
        Whether the controls are switched off; setting the traits still works.
    """

    disabled = Bool(False)

    def __init__(self, session: Session, controls: Sequence[Any], *notes: Any) -> None:
        self._session = session
        self._controls = list(controls)
        super().__init__([*controls, *notes])

    @property
    def code(self) -> str:
        """The Python expression that the choice stands for, with ``session`` in scope."""
        raise NotImplementedError

    @observe("disabled")
    def _switch(self, change: Any) -> None:
        for control in self._controls:
            control.disabled = change.new
