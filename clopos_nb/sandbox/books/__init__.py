"""What happens in a brand after it was made: writes, a clerk, and rows that come and go."""

from clopos_nb.sandbox.books.books import Books
from clopos_nb.sandbox.books.clerk import Clerk
from clopos_nb.sandbox.books.errors import BooksError, Taken

__all__ = ["Books", "BooksError", "Clerk", "Taken"]
