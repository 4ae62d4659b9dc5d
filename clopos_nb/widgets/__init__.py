"""Widgets: views of a session that hold no logic a plain call could not do."""

from clopos_nb.widgets.dates import DatesPicker
from clopos_nb.widgets.picker import Picker
from clopos_nb.widgets.pickers import TablePicker, VenuePicker, VenuesPicker

__all__ = ["DatesPicker", "Picker", "TablePicker", "VenuePicker", "VenuesPicker"]
