"""What each method takes and gives is in methods.pyi, for those who check types."""


class Calls:
    """`call`, declared for every method."""

    def call(self, method, params=None, *, key=None, patience=None):
        return self._call(method, params, key, patience)
